"""table: a user's own CSV or parquet file whose columns the user names: image, label, subject, clip, action units."""

import math
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from fer_zoo.core.action_units import action_unit_name
from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.label_spaces import OWN, LabelSpace, own_space
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.core.sample import sample_id, subject_code
from fer_zoo.core.settings import setting
from fer_zoo.data.face_tables import BOXES, POINTS, five_points, landmarks_below
from fer_zoo.data.image_sources import BOX_COLUMNS, POINT_COLUMNS
from fer_zoo.data.index import SPLIT_WORDS, Index, Note, classes_in_data, index_table, points_in_data, space_for
from fer_zoo.data.landmark_files import forget_failures
from fer_zoo.data.sheets import Sheet, number

NAME = "table"

_LONGEST_NUMBER = 18  # digits that 64 bits hold
_ACTION_UNIT = re.compile(r"(?:au)?\s*(\d{1,2})(?:_r)?", re.IGNORECASE)


@dataclass(kw_only=True)
class TableSettings:
    """Which file is read, and what its columns mean; a column that is not named is not used."""

    file: str = setting("", "the table: .csv, .tsv or .parquet, below the root unless it is a full path")
    path_column: str = setting("path", "image file, relative to the root; one row an image")
    label_column: str = setting("", "emotion; an empty cell is a missing label")
    label_space: str = setting("emotion/basic7", "the space of label_column; own: its labels are the classes")
    classes: list[str] = setting(
        [],
        "which classes of label_space to train and score, the others stay apart; empty: those that occur in the data",
    )
    subject_column: str = setting("", "person; an empty cell, or no column: the image is its own")
    clip_column: str = setting("", "video or sequence that the image belongs to")
    frame_column: str = setting("", "number of the frame within its clip")
    source_column: str = setting("", "short word for where the image comes from")
    split_column: str = setting("", "train, validation (val, valid) or test; an empty cell is in no part")
    au_columns: list[str] = setting([], "columns of action units: AU12, AU12_r or 12; an empty cell is missing")
    au_space: str = setting("au/disfa12", "the space of au_columns; entries without any value are left out")
    faces: bool = setting(
        False,
        "use the table's own boxes (face_x, face_y, face_width, face_height) or points (right_eye_x …, landmark_0_x …,"
        " or x_0 … as OpenFace writes them), in pixels; empty cells: no face",
    )
    landmarks: str = setting(
        "",
        "68 points of each face, made elsewhere: a folder of .pts files or of OpenFace's .csv files, or one table;"
        " below the root unless it is a full path",
    )
    missing_images: str = setting(
        "stop", "when a listed image is not there: skipped ones are counted", choices=("stop", "skip")
    )
    cropped: bool = setting(False, "the images are face crops, whose whole area is used")


CARD = DatasetCard(
    name=NAME,
    summary="your own CSV or parquet table: you name its columns: path, label, subject, clip, action units, points",
    targets={"emotion": "emotion/basic7", "au": "au/disfa12", "landmarks": "landmarks/68"},
    settings=TableSettings,
    terms=Terms("your own data", "ask"),
    ask="your own files",
    official_split=True,
    traps=(
        "Without subject_column every image counts as a person of its own, so one person may be trained on and tested.",
        "A label outside label_space, or an action unit outside its range, is refused with its row;"
        " label_space=own makes classes of the labels.",
    ),
    own_data=True,
    examples={
        "emotion": "dataset.root=photos dataset.file=labels.csv dataset.label_column=mood",
        "au": "dataset.root=photos dataset.file=labels.csv dataset.au_columns=AU12_r,AU04_r",
        "landmarks": "dataset.root=photos dataset.file=labels.csv dataset.landmarks=points",
    },
)


def read(root: Path, settings: TableSettings) -> Index:
    """The index of a table.

    Raises:
        UserError: for a missing file, column or image, and for a cell that cannot be read, with its row.
    """
    sheet = _sheet(root, settings.file)
    images = sheet.each(settings.path_column, "dataset.path_column", lambda cell: _relative(cell, root))
    columns: dict[str, Any] = {}
    notes, spaces = list[Note](), dict[str, LabelSpace]()
    if settings.label_column:
        space, columns["emotion"] = _emotions(sheet, settings)
        spaces["emotion"], notes = classes_in_data(space, settings.classes, columns["emotion"])
    if settings.au_columns:
        whole = space_for("au", settings.au_space, where="dataset.au_space")
        units = _action_units(sheet, settings.au_columns, whole)
        spaces["au"], missing_units = _units_in_data(whole, units)
        notes += missing_units
        columns |= {entry: units[entry] for entry in spaces["au"].entries}
    if settings.faces and settings.landmarks:
        raise UserError("dataset.faces and dataset.landmarks both say where the points are; keep one of them.")
    if settings.faces:
        columns |= _faces(sheet)
    if settings.landmarks:
        points, lacking = landmarks_below(root, settings.landmarks, NAME, images)
        columns, notes = columns | points, notes + lacking
    spaces |= points_in_data(columns)
    if not spaces:
        raise UserError(
            "Data set table needs dataset.label_column or dataset.au_columns, or all 68 points by dataset.faces=true or"
            " dataset.landmarks: say what is to be learned."
        )
    columns |= _descriptions(sheet, settings)
    table = index_table(NAME, images, **columns)
    num_alone = int((table["subject"] == table["id"]).sum())
    if num_alone:
        notes.append(Note("subjects", f"{num_alone} images name no subject, so each counts as a subject of its own."))
    notes += _missing(table, root, settings.missing_images)
    return Index(
        dataset=NAME,
        root=root,
        table=table,
        label_spaces=spaces,
        is_cropped=settings.cropped,
        notes=tuple(notes),
        found={"rows": len(images)},
        variant=f"{sheet.suffix} table",
    )


def _sheet(root: Path, file: str) -> Sheet:
    if not file:
        raise UserError("Data set table needs dataset.file=PATH, a .csv, .tsv or .parquet file.")
    return Sheet(root / file, name=file, said=f"dataset.file={file}")


def _emotions(sheet: Sheet, settings: TableSettings) -> tuple[LabelSpace, list[str | None]]:
    """The label space and the entry of each row."""
    name, where = settings.label_column, f"column {settings.label_column}"
    if settings.label_space == OWN:
        cells = sheet.column(name, "dataset.label_column")
        space = own_space("emotion", sorted({cell for cell in cells if cell}), where=where)
    else:
        space = space_for("emotion", settings.label_space, where="dataset.label_space")

    def entry(cell: str) -> str | None:
        try:
            return space.parse(cell, where=where) if cell else None
        except UserError as error:
            raise UserError(f"{error} To make classes of the labels, set dataset.label_space=own.") from error

    return space, sheet.each(name, "dataset.label_column", entry)


def _faces(sheet: Sheet) -> dict[str, np.ndarray]:
    """Boxes and points under their names in an index; of 68 points also the five that are aligned."""

    forget_failures(sheet)

    def numbers(names: Sequence[str]) -> np.ndarray:
        return np.stack(
            [np.array(sheet.each(name, "dataset.faces", partial(_pixels, column=name))) for name in names], axis=1
        )

    known = set(sheet.table.columns)
    found: dict[str, np.ndarray] = {}
    if set(BOXES) <= known:
        found |= dict(zip(BOX_COLUMNS, numbers(BOXES).T, strict=True))
    names = next((names for names in POINTS if set(names) <= known), None)
    if names is not None:
        values = numbers(names)
        five = five_points(values.reshape(len(values), -1, 2)).reshape(len(values), -1)
        found |= dict(zip(POINT_COLUMNS, five.T, strict=True))
        if values.shape != five.shape:
            found |= dict(zip(LANDMARK_COLUMNS, values.T, strict=True))
    if not found:
        raise UserError(
            f"dataset.faces=true, but {sheet.name} has no whole set of columns of boxes ({', '.join(BOXES)}), of five"
            f" points ({POINTS[0][0]} … {POINTS[0][-1]}) or of 68 ({POINTS[1][0]} … or {POINTS[2][0]} …)."
        )
    return found


def _pixels(cell: str, column: str) -> float:
    value = number(cell, column)
    if math.isinf(value) or (column in BOXES[2:] and value <= 0):
        raise UserError(f"{column} is {cell}; pixels are expected, of a width or a height more than 0.")
    return value


def _relative(cell: str, root: Path) -> str:
    """The path below the root, with forward slashes; the message holds no path, as names may stand in it."""
    path = PurePosixPath(cell.replace("\\", "/"))
    if path.is_absolute() and path.is_relative_to(root.absolute().as_posix()):
        path = path.relative_to(root.absolute().as_posix())
    relative = posixpath.normpath(path)
    if not cell or relative in (".", "..") or relative.startswith(("/", "../")):
        raise UserError(f"the image path is {'outside the root' if cell else 'empty'}; give it relative to the root.")
    return relative


def _descriptions(sheet: Sheet, settings: TableSettings) -> dict[str, list[Any]]:
    """The columns that say whose and when an image is; people and clips become codes."""
    wanted: dict[str, tuple[str, Callable[[str], Any]]] = {
        "subject": (settings.subject_column, lambda cell: subject_code(NAME, cell) if cell else ""),
        "clip": (settings.clip_column, lambda cell: "c" + sample_id(NAME, f"clip/{cell}")[:8] if cell else ""),
        "frame": (settings.frame_column, _frame),
        "source": (settings.source_column, lambda cell: cell),
        "split": (settings.split_column, _part),
    }
    found = {
        name: sheet.each(column, f"dataset.{name}_column", convert)
        for name, (column, convert) in wanted.items()
        if column
    }
    if "subject" in found and "clip" in found:  # many tables number the clips of each person anew
        found["clip"] = [
            "c" + sample_id(NAME, f"clip/{subject}/{clip}")[:8] if clip else ""
            for subject, clip in zip(found["subject"], found["clip"], strict=True)
        ]
    return found


def _frame(cell: str) -> int:
    if not cell.isdecimal() or len(cell) > _LONGEST_NUMBER:
        raise UserError(f"frame {cell!r} is not a whole number, or has more than {_LONGEST_NUMBER} digits.")
    return int(cell)


def _part(cell: str) -> str:
    if cell and cell.lower() not in SPLIT_WORDS:
        raise UserError(f"split {cell!r} is none of {', '.join(SPLIT_WORDS)}.{nearest(cell, SPLIT_WORDS)}")
    return SPLIT_WORDS[cell.lower()] if cell else ""


def _action_units(sheet: Sheet, columns: list[str], space: LabelSpace) -> dict[str, np.ndarray]:
    """One float column per entry that has a column."""
    values: dict[str, np.ndarray] = {}
    taken: dict[str, str] = {}
    for column in columns:
        entry = _action_unit(column, space)
        if entry in taken:
            raise UserError(f"dataset.au_columns names {entry} twice: {taken[entry]} and {column}.")
        taken[entry] = column
        values[entry] = np.array(sheet.each(column, "dataset.au_columns", partial(_value, column=column, space=space)))
    return values


def _units_in_data(space: LabelSpace, values: Mapping[str, np.ndarray]) -> tuple[LabelSpace, list[Note]]:
    """The space of the units that have a value (a column, where none has one), and a note on the others."""
    known = [entry for entry, column in values.items() if not np.isnan(column).all()]
    present = space.only(known or list(values))
    lacking = [entry for entry in space.entries if entry not in present.entries]
    sentence = f"Units in the data: {', '.join(present.entries)}; {space.name} also has {', '.join(lacking)}."
    return present, [Note("units", sentence)] if lacking else []


def _action_unit(column: str, space: LabelSpace) -> str:
    """The entry that a column's name means: the entry itself, else "AU" (or nothing), a number, "_r" (or nothing)."""
    if column in space.entries:
        return column
    match = _ACTION_UNIT.fullmatch(column.strip())
    entry = action_unit_name(int(match[1])) if match else column
    if entry not in space.entries:
        hint = nearest(entry, space.entries)
        raise UserError(
            f"dataset.au_columns names {column!r}, which is not in {space.name}: {', '.join(space.entries)}.{hint}"
            " Set dataset.au_space, or leave the column out."
        )
    return entry


def _value(cell: str, column: str, space: LabelSpace) -> float:
    value = number(cell, column)
    if value < space.minimum or value > space.maximum:
        raise UserError(f"{column} is {cell}; {space.name} goes from {space.minimum:g} to {space.maximum:g}.")
    return value


def _missing(table: pd.DataFrame, root: Path, policy: str) -> list[Note]:
    """A note on the images that are not there; their rows stay, so that what is scored counts them."""
    ids = tuple(name for name, image in zip(table["id"], table["image"], strict=True) if not (root / image).is_file())
    if ids and policy == "stop":
        raise UserError(
            f"{len(ids)} of {len(table)} images in the table are not there, e.g. {', '.join(ids[:3])}: paths are"
            " relative to the root; set dataset.missing_images=skip to go on without them."
        )
    return [Note("missing", f"{len(ids)} of {len(table)} images in the table are not there.", ids)] if ids else []
