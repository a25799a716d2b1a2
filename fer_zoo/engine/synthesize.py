"""Drawing a data set into a folder, in several processes; or a picture of its first samples."""

import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.progress import progress
from fer_zoo.core.registry import DATASETS
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.data.synthesis.blocks import face_model_of, part_alone, pictures_of
from fer_zoo.data.synthesis.folder import check_folder, claimed, is_complete, lacking, prepare, write_block, write_table
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.engine.render import save_picture
from fer_zoo.engine.setting_texts import as_tree, typed
from fer_zoo.engine.target_sheet import target_sheet
from fer_zoo.faces.priors.settings import PARTS
from fer_zoo.faces.renderer import BLOCK

Echo = Callable[[str], None]
PICTURES = (".jpg", ".jpeg", ".png")
MOST_ON_A_PICTURE = {"faces": 400, "targets": 64, **dict.fromkeys(PARTS, 400)}  # by what the picture shows


@dataclass(frozen=True)
class SynthesizeSettings:
    """Which data set is drawn, and where to; all else are settings of that data set."""

    dataset: str = setting("synthetic_faces", "a data set of drawn faces")
    output: str = setting("", "folder of the faces, or a picture of them: .jpg or .png")
    sheet: str = setting(
        "faces",
        "what a picture shows: faces, each face with its targets, or one face of which a single part varies",
        choices=tuple(MOST_ON_A_PICTURE),
    )
    processes: int | None = setting(
        None, "processes that draw at the same time; as many as there are cores", at_least=1
    )


def synthesize(settings: SynthesizeSettings, words: Sequence[tuple[str, str]], *, echo: Echo) -> Path:
    """Draws faces; says first which, last where they lie.

    Args:
        settings: which data set, and where to.
        words: key and text of the data set's own settings.
        echo: takes each line.

    Raises:
        UserError: for a wrong setting, a folder of anything else, missing files of the face model, a full disk.
    """
    wanted = _wanted(settings.dataset, words)
    if not settings.output:
        raise UserError("Say where the faces go: output=FOLDER, or output=faces.jpg for a look at a few.")
    output = Path(settings.output)
    is_picture = output.suffix.lower() in PICTURES and not output.is_dir()
    most = MOST_ON_A_PICTURE[settings.sheet]
    if is_picture and wanted.num_samples > most:
        raise UserError(
            f"A picture shows {most} faces at most, and num_samples is {wanted.num_samples}: give fewer,"
            " or a folder as output."
        )
    if settings.sheet != "faces" and not is_picture:
        raise UserError(f"sheet={settings.sheet} makes a picture, and output is {settings.output}: let it end in .png.")
    if settings.sheet != "faces":
        _require_plain(wanted, settings.sheet)
    if not is_picture:
        check_folder(output, settings.dataset, wanted)
    models = [face_model_of(head) for head in wanted.heads]
    sizes = " and ".join(f"{model.name} ({model.num_vertices:,} vertices)" for model in models)
    what = f"{settings.sheet} alone" if settings.sheet in PARTS else f"expression={wanted.expression}"
    echo(
        f"face model: {sizes}, device: cpu; {wanted.num_samples:,} faces of"
        f" {settings.dataset}, {what}, {wanted.size} × {wanted.size} px, seed {wanted.seed}"
    )
    if is_picture:
        shows_targets = settings.sheet == "targets"
        picture = target_sheet(settings.dataset, wanted) if shows_targets else _sheet(wanted, settings.sheet)
        save_picture(output, picture)
        echo(f"picture: {output}")
        return output
    _fill(output, settings, wanted, echo)
    echo(f"faces: {output}")
    echo(f"use: fer-zoo train method=timm_classifier dataset={settings.dataset} dataset.root={output}")
    return output


def _wanted(dataset: str, words: Sequence[tuple[str, str]]) -> SynthesisSettings:
    """Which faces the settings of a data set mean.

    Raises:
        UserError: for a data set that is not drawn, or a wrong setting.
    """
    card = DATASETS[dataset]
    if not card.drawn:
        drawn = ", ".join(name for name in DATASETS.names() if DATASETS[name].drawn)
        raise UserError(f"Data set {dataset} holds photographs and cannot be drawn; these can: {drawn}.")
    own = build_settings(card.settings, typed(card.settings, as_tree(words), where=""), where="")
    wanted: SynthesisSettings = DATASETS.module(dataset).synthesis(own)
    wanted.check()
    return wanted


def _require_plain(wanted: SynthesisSettings, sheet: str) -> None:
    """Refuses what a sheet of one face model, or of one part of it, cannot show.

    Raises:
        UserError: for several face models, or a test grid where one part alone varies.
    """
    if len(wanted.heads) > 1:
        raise UserError(
            f"sheet={sheet} shows one face model, and face_model is {wanted.face_model}: give one of"
            f" {', '.join(dict.fromkeys(wanted.heads))}."
        )
    if sheet in PARTS and wanted.grid.shape:
        raise UserError(
            f"In sheet={sheet} nothing else varies, so leave grid.{next(iter(wanted.grid.conditions))} out."
        )


def _fill(folder: Path, settings: SynthesizeSettings, wanted: SynthesisSettings, echo: Echo) -> None:
    """What the folder lacks, the index last."""
    with claimed(folder):
        prepare(folder, settings.dataset, wanted)
        numbers = lacking(folder, wanted)
        blocks = sorted({number // BLOCK for number in numbers})
        processes = min(settings.processes or os.cpu_count() or 1, max(1, len(blocks)))
        if len(numbers) < wanted.num_samples:
            echo(f"{wanted.num_samples - len(numbers):,} faces are there already")
        if blocks:
            echo(f"drawing in {processes} {'process' if processes == 1 else 'processes'}")
        drawn = _drawn(partial(write_block, folder, wanted), blocks, processes)
        for _ in progress(drawn, "drawing", total=len(numbers), unit="faces", each=int):
            pass
        if blocks or not is_complete(folder):
            write_table(folder, settings.dataset, wanted)


def _drawn(write: Callable[[int], int], blocks: Sequence[int], processes: int) -> Iterator[int]:
    """How many faces of each block were written, block by block."""
    if processes == 1:
        yield from map(write, blocks)
        return
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        with _deaf_children():
            counts = pool.map(write, blocks)
        yield from counts
    except BrokenProcessPool as error:
        raise UserError(
            "A process that drew faces was ended from outside, perhaps for want of memory: the same command goes on"
            " where it stopped, with processes=1 in the least memory."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """The start of a process that draws: one core is its own, and it ends with the one that started it."""
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # it waits in a queue whose other end is gone


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started now do not hear Ctrl-C, which their parent answers: they end a block that they began."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals and may change how
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _sheet(settings: SynthesisSettings, part: str) -> Image.Image:
    """All samples in rows, or one part of them alone; of a test grid each level of its last condition has a column."""
    count, size = settings.num_samples, settings.size
    columns = settings.grid.shape[-1] if settings.grid.shape else math.ceil(math.sqrt(count))
    paper = Image.new("RGB", (columns * size, math.ceil(count / columns) * size), "white")
    for start in range(0, count, BLOCK):
        numbers = np.arange(start, min(start + BLOCK, count))
        pictures = part_alone(settings, part, numbers) if part in PARTS else pictures_of(settings, numbers)
        for number, pixels in zip(numbers.tolist(), pictures, strict=True):
            paper.paste(Image.fromarray(pixels), (number % columns * size, number // columns * size))
    return paper
