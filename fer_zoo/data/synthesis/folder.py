"""Folders that keep drawn faces: a PNG each, the index as parquet, and a note of the settings they were drawn with."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json, write_atomically, write_together
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.settings import build_settings
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.blocks import image_name, pictures_of
from fer_zoo.data.synthesis.images import Drawing
from fer_zoo.data.synthesis.labels import drawn_table, spaces_in, with_asked
from fer_zoo.data.synthesis.settings import ASKED_LATER, LABELS_ALONE, VERSION, SynthesisSettings
from fer_zoo.faces.renderer import BLOCK

NOTE, TABLE, LOCK = "synthesis.json", "index.parquet", ".lock"
_FORMAT = 1
_TEMPORARY = re.compile(rf"\.[0-9a-f]{{8}}-(\d{{7,}}\.png|{NOTE}|{TABLE})")  # names of `write_together`


def check_folder(folder: Path, dataset: str, settings: SynthesisSettings) -> None:
    """Whether faces of these settings may go into a folder; nothing is written.

    Raises:
        UserError: if it holds anything but a beginning of them.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: give another output folder.")
    if not (folder / NOTE).is_file():
        if folder.is_dir() and any(path.name != LOCK and not _is_left(path) for path in folder.iterdir()):
            raise UserError(
                f"{folder} is not empty and holds no faces of `fer-zoo synthesize`: give another output folder."
            )
        return
    found = _note(folder)
    if found["key"] != settings.key or found["dataset"] != dataset:
        raise UserError(f"{folder} holds {_difference(found, dataset, settings)}: give another output folder.")
    held, asked = found["settings"]["num_samples"], settings.num_samples
    if held > asked:
        raise UserError(
            f"{folder} is of {held} faces, of which the first {asked} are those that are asked for: give"
            f" num_samples={held}, or another output folder."
        )


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """A folder that was checked, for one process at a time, rid of what a killed one was writing.

    Raises:
        UserError: if another process draws into it, or it cannot be written to.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UserError(f"Another process draws faces into {folder}: wait for it, or give another folder.") from error
    except OSError as error:
        raise UserError(f"Cannot write {folder}: {error.strerror}. Choose another folder.") from error
    try:
        for path in [*folder.glob(".*"), *folder.glob("*/.*")]:
            if _is_left(path):
                path.unlink()
        yield
    finally:
        lock.release()


def prepare(folder: Path, dataset: str, settings: SynthesisSettings) -> None:
    """Makes a folder ready, or takes up one that was begun with the same settings or fewer samples.

    Raises:
        UserError: if it holds anything else, or cannot be written to.
    """
    check_folder(folder, dataset, settings)
    if (folder / NOTE).is_file() and _note(folder)["settings"] == asdict(settings):
        return
    (folder / TABLE).unlink(missing_ok=True)  # it is of fewer samples, or of other action units
    note = {
        "format": _FORMAT,
        "dataset": dataset,
        "version": VERSION,
        "key": settings.key,
        "settings": asdict(settings),
    }
    with write_atomically(folder / NOTE) as temporary:
        temporary.write_text(json.dumps(note, indent=1), encoding="utf-8")


def lacking(folder: Path, settings: SynthesisSettings) -> list[int]:
    """The samples whose images are not there."""
    there = {path.name for path in (folder / settings.key).glob("*.png")}
    names = (Path(image_name(settings.key, number)).name for number in range(settings.num_samples))
    return [number for number, name in enumerate(names) if name not in there]


def write_block(folder: Path, settings: SynthesisSettings, block: int) -> int:
    """Draws the images of a block that are not there, each whole or not at all; how many that are.

    Raises:
        UserError: if the folder cannot be written to, or the disk is full.
    """
    numbers, key = np.arange(block * BLOCK, min((block + 1) * BLOCK, settings.num_samples)), settings.key
    paths = {number: folder / image_name(key, number) for number in numbers.tolist()}
    wanted = {number: path for number, path in paths.items() if not path.exists()}
    pixels = pictures_of(settings, numbers)
    with write_together(*wanted.values()) as temporaries:
        for number, temporary in zip(wanted, temporaries, strict=True):
            Image.fromarray(pixels[number - block * BLOCK]).save(temporary, format="PNG", compress_level=1)
    return len(wanted)


def is_complete(folder: Path) -> bool:
    """Whether the index is there, which is written last."""
    return (folder / TABLE).is_file()


def write_table(folder: Path, dataset: str, settings: SynthesisSettings) -> None:
    """The index, which says that the images are complete.

    Raises:
        UserError: if the folder cannot be written to, or the disk is full.
    """
    table = drawn_table(dataset, settings)
    with write_atomically(folder / TABLE) as temporary:
        table.to_parquet(temporary)


def read_folder(
    folder: Path, dataset: str, asked: SynthesisSettings, *, frozen: SynthesisSettings | None = None
) -> Index:
    """The index of a folder that `fer-zoo synthesize` made.

    Args:
        folder: that holds it.
        dataset: registered name.
        asked: what is asked for; what is as usual may be otherwise in the folder.
        frozen: what is usual of a data set that has no other faces.

    Raises:
        UserError: for another folder, one that is not complete, or one of other settings than those that are asked for.
    """
    found = _note(folder)
    settings = build_settings(SynthesisSettings, found["settings"], where=NOTE)
    if found["dataset"] != dataset:
        raise UserError(f"{folder} holds data set {found['dataset']}, not {dataset}.")
    if frozen and settings.key != frozen.key:
        raise UserError(
            f"{folder} holds other faces than those of {dataset}: `fer-zoo synthesize` makes them in another folder."
        )
    usual = frozen or SynthesisSettings()
    for field in (field for field in fields(SynthesisSettings) if field.name not in ASKED_LATER):
        wanted = getattr(asked, field.name)
        if wanted not in (getattr(usual, field.name), getattr(settings, field.name)):
            made = getattr(settings, field.name)
            raise UserError(
                f"{folder} was made with {field.name}={made}, not {wanted}: leave dataset.{field.name} out."
            )
    settings = replace(settings, **{name: getattr(settings, name) or getattr(asked, name) for name in ASKED_LATER})
    table = with_asked(_table(folder, settings), settings)
    spaces = spaces_in(table, settings)
    for space in spaces.values():
        _require_labels(table, space, where=f"{TABLE} of {folder.name}")
    return Index(
        dataset=dataset,
        root=folder,
        table=table,
        label_spaces=spaces,
        is_cropped=True,
        found={"samples": len(table)},
        variant=f"kept as files, {settings.key}",
        dense=Drawing(settings),
    )


def _table(folder: Path, settings: SynthesisSettings) -> pd.DataFrame:
    try:
        return pd.read_parquet(folder / TABLE)
    except FileNotFoundError as error:
        there = settings.num_samples - len(lacking(folder, settings))
        raise UserError(
            f"{folder} is not complete ({there} of {settings.num_samples} faces): the same `fer-zoo synthesize`"
            " goes on where it stopped."
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"{TABLE} of {folder} is damaged: delete it, and `fer-zoo synthesize` makes it anew."
        ) from error


def _is_left(path: Path) -> bool:
    """Whether a process that was killed left it."""
    return _TEMPORARY.fullmatch(path.name) is not None


def _require_labels(table: pd.DataFrame, space: LabelSpace, *, where: str) -> None:
    """Refuses classes and values outside their space; columns that are not there are the index's business."""
    if space.kind == "classes":
        for label in table[space.target].dropna().unique() if space.target in table else ():
            space.parse(label, where=where)
        return
    for entry in (entry for entry in space.entries if entry in table):
        strays = table[entry][(table[entry] < space.minimum) | (table[entry] > space.maximum)]
        if len(strays):
            raise UserError(
                f"{where} gives {str(strays.iloc[0])!r} for {entry}, which is {space.minimum:g} to {space.maximum:g}."
            )


def _note(folder: Path) -> dict[str, Any]:
    if not (folder / NOTE).is_file():
        raise UserError(f"{folder} holds no faces of `fer-zoo synthesize`: it has no {NOTE}.")
    found = read_json(folder / NOTE)
    is_ours = isinstance(found, dict) and {"dataset", "version", "key", "settings"} <= set(found)
    if not is_ours or found.get("format") != _FORMAT or "num_samples" not in found["settings"]:
        raise UserError(f"{NOTE} of {folder} is damaged, or not by `fer-zoo synthesize`.")
    if found["version"] != VERSION:
        raise UserError(
            f"{folder} was drawn by version {found['version']} of the generator; this is {VERSION}: give another output"
            " folder, or draw these faces anew."
        )
    return found


def _difference(found: dict[str, Any], dataset: str, settings: SynthesisSettings) -> str:
    if found["dataset"] != dataset:
        return f"data set {found['dataset']}"
    return next(_unequal(found["settings"], asdict(settings), ""), "other faces")


def _unequal(found: dict[str, Any], wanted: dict[str, Any], where: str) -> Iterator[str]:
    for name, value in wanted.items():
        if isinstance(value, dict):
            yield from _unequal(found.get(name, {}), value, f"{where}{name}.")
        elif found.get(name) != value and name not in LABELS_ALONE:
            yield f"faces of {where}{name}={found.get(name)}, not {value}"
