"""Speed of drawing faces: `python benchmarks/rendering.py [folder of ICT-FaceKit]`, one thread.

Peak memory after 10 and after 100 batches of 32 faces, image, mask and depth from given parameters; then the time of a
batch beside a loop over single faces. Times are of the processor, so that neighbours on the machine matter less. Where
there is a graphics card, batches are drawn on it as well.
"""

import os
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch

from fer_zoo.core.paths import data_roots
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.models.ict import build as ict
from fer_zoo.faces.models.procedural import build as procedural
from fer_zoo.faces.renderer import Renderer
from fer_zoo.faces.scenes import Scenes, plain_scenes

BATCH, REPEATS = 32, 9
TARGETS = {"procedural": 2.7, "ict": 4.9}  # milliseconds a face at one sample a pixel
SIZES = {"procedural": 96, "ict": 128}


def main() -> None:
    """Prints times and memory of each model that is here."""
    torch.set_num_threads(1)
    print(f"load {os.getloadavg()[0]:.1f}; CPU ms a face: median [least, most] of {REPEATS}")
    roots = [Path(sys.argv[1])] if len(sys.argv) > 1 else data_roots("ict_facekit")
    root = next((root for root in roots if root.is_dir()), None)
    models = [procedural.build(), *([ict.build(root)] if root else [])]
    with torch.no_grad():
        for model in models:
            print(f"{model.name}: " + ", ".join(memory(model, SIZES[model.name])))
        for model in models:
            timed(model, SIZES[model.name])
        if torch.cuda.is_available():
            for model in models:
                on_gpu(model.to("cuda"), 128)
    if root is None:
        print("ict: not here; `fer-zoo download ict_facekit` fetches it")


def timed(model: FaceModel, size: int) -> None:
    """Prints batches beside single faces."""
    many = people(model, size)
    print(f"{model.name}, {size} px, {model.num_vertices} vertices, {len(model.triangles)} triangles")
    for supersampling in (1, 2):
        renderer = Renderer(model, size=size, supersampling=supersampling)
        single = [many.rows(torch.tensor([face])) for face in range(BATCH)]
        batch = milliseconds(lambda renderer=renderer: renderer(many))
        loop = milliseconds(lambda renderer=renderer, single=single: [renderer.block(scene) for scene in single])
        aim = f", aim {TARGETS[model.name]}" if supersampling == 1 else ""
        print(
            f"  supersampling {supersampling}: batch {shown(batch)} = {1e3 / np.median(batch):.0f} faces/s{aim}; ",
            end="",
        )
        print(f"one at a time {shown(loop)}, {np.median(loop) / np.median(batch):.1f} times as long")


def on_gpu(model: FaceModel, size: int) -> None:
    """Prints batches on the graphics card, by the clock: each run waits until the card is done."""
    renderer, many = Renderer(model, size=size), people(model, size)

    def draw() -> None:
        renderer(many)
        torch.cuda.synchronize()

    taken = milliseconds(draw, perf_counter)
    print(f"{model.name}, {size} px on {torch.cuda.get_device_name()}: {shown(taken)} ms = ", end="")
    print(f"{1e3 / np.median(taken):.0f} faces/s")


def people(model: FaceModel, size: int) -> Scenes:
    """A batch of random people with a few actions each, within about 40 degrees of the front."""
    generator = torch.Generator().manual_seed(0)
    active = torch.rand(BATCH, len(ACTIONS), generator=generator) < 0.1
    scenes = replace(
        plain_scenes(model, BATCH, size).to("cpu"),  # where the generator draws
        identity=torch.randn(BATCH, model.num_identity, generator=generator).clamp(-2, 2),
        actions=torch.rand(BATCH, len(ACTIONS), generator=generator) * active,
        angles=torch.randn(BATCH, 3, generator=generator) * torch.tensor([0.3, 0.15, 0.1]),
    )
    return scenes.to(model.mean.device)


def memory(model: FaceModel, size: int) -> list[str]:
    """The most that the process ever held, after batches of drawing."""
    renderer, many, drawn, texts = Renderer(model, size=size, supersampling=1), people(model, size), 0, []
    for target in (10, 100):
        while drawn < target:
            renderer(many)
            drawn += 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        texts.append(f"{peak:.0f} MiB at most after {target} batches")
    return texts


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = process_time) -> list[float]:
    """Of a clock, that of the processor if none is named, a face, of several runs after one that does not count."""
    work()
    taken = []
    for _ in range(REPEATS):
        start = clock()
        work()
        taken.append(1e3 * (clock() - start) / BATCH)
    return taken


def shown(taken: list[float]) -> str:
    """Median, least and most."""
    return f"{np.median(taken):.2f} [{min(taken):.2f}, {max(taken):.2f}]"


if __name__ == "__main__":
    main()
