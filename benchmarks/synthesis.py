"""Speed of `fer-zoo synthesize`: `python benchmarks/synthesis.py [faces]`, 96 px, two processes.

First what a face takes on one thread, stage by stage, in milliseconds of the processor and by the clock, which also
counts the waits for the disk; then faces a second of the whole command, from its start, and without the start of the
processes, and the processor's time, in which neighbours on the machine matter less.
"""

import os
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch

from fer_zoo.core.registry import FACE_MODELS
from fer_zoo.data.synthesis.blocks import renderer_of
from fer_zoo.data.synthesis.folder import write_block
from fer_zoo.data.synthesis.labels import drawn_table
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.engine.synthesize import SynthesizeSettings, synthesize
from fer_zoo.faces.effects import occluded
from fer_zoo.faces.open import face_model_card, found_folder, has_files
from fer_zoo.faces.photographs import captured
from fer_zoo.faces.priors.face_prior import draw_faces
from fer_zoo.faces.renderer import BLOCK

BLOCKS = 12


def main() -> None:
    """Prints the figures of each face model that is here."""
    torch.set_num_threads(1)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for name in FACE_MODELS.names():
        card = face_model_card(name)
        if has_files(card) and found_folder(card) is None:
            print(f"{name}: not here")
            continue
        settings = SynthesisSettings(face_model=name, num_samples=count)
        with tempfile.TemporaryDirectory() as folder:
            stages(settings, Path(folder))
            whole(settings, Path(folder) / "faces")


def stages(settings: SynthesisSettings, folder: Path) -> None:
    """Prints what each stage of a face takes."""
    renderer = renderer_of(settings.face_model, settings.size)
    blocks = [np.arange(start * BLOCK, (start + 1) * BLOCK) for start in range(BLOCKS)]
    with torch.no_grad():
        drawn = [draw_faces(renderer.model, settings, seed=0, numbers=block, size=settings.size) for block in blocks]
        pictures = [renderer(faces.scenes) for faces in drawn]
        pairs = list(zip(pictures, drawn, strict=True))
        work: dict[str, Callable[[int], object]] = {
            "parameters": lambda i: draw_faces(renderer.model, settings, seed=0, numbers=blocks[i], size=settings.size),
            "rendering": lambda i: renderer(drawn[i].scenes),
            "things in front": lambda i: occluded(pairs[i][0], pairs[i][1].occluders),
            "camera, noise, JPEG": lambda i: captured(pairs[i][0].image, pairs[i][1].captures),
            "all of it, as files": lambda i: write_block(folder, settings, i),
        }
        for stage, one in work.items():
            print(f"{settings.face_model}, {settings.size} px, {stage}: {' ms, by the clock '.join(taken(one))} ms")
    start = process_time()
    drawn_table("synthetic_faces", settings)
    print(f"{settings.face_model}, labels: {1e3 * (process_time() - start) / settings.num_samples:.2f} ms")


def taken(work: Callable[[int], object]) -> tuple[str, str]:
    """Medians of a face: processor, clock; the first block does not count."""
    times = []
    for block in range(BLOCKS):
        start, clock = process_time(), perf_counter()
        work(block)
        times.append((process_time() - start, perf_counter() - clock))
    processor, clock = 1e3 * np.median(times[1:], axis=0) / BLOCK
    return f"{processor:.2f}", f"{clock:.2f}"


def whole(settings: SynthesisSettings, folder: Path) -> None:
    """Prints faces a second of the command."""
    words = [("num_samples", str(settings.num_samples)), ("face_model", settings.face_model)]
    start, before = perf_counter(), processor_seconds()
    synthesize(SynthesizeSettings(output=str(folder), processes=2), words, echo=lambda line: None)
    seconds = perf_counter() - start
    each = 1e3 * (processor_seconds() - before) / settings.num_samples
    times = sorted(path.stat().st_mtime for path in folder.glob("*/*.png"))
    steady = (len(times) - 2 * BLOCK) / (times[-1] - times[2 * BLOCK])
    print(
        f"{settings.face_model}, {settings.size} px: {settings.num_samples} faces in {seconds:.1f} s ="
        f" {settings.num_samples / seconds:.0f} a second with start and labels, {steady:.0f} a second while drawing;"
        f" {each:.1f} processor ms a face, which are {2e3 / each:.0f} a second on two cores that do nothing else"
    )


def processor_seconds() -> float:
    """What this process and those that it started and ended have taken."""
    of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in of)


if __name__ == "__main__":
    main()
