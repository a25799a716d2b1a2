"""Landmarks of other programs as the table of faces that `face_tables` reads: .pts files, OpenFace's CSV, plain CSV.

A .pts file says nothing of its origin. iBUG's follow MATLAB, where the middle of the top-left pixel is (1, 1), and
menpo, eos and the makers of dlib's model read them so; here that middle is (0.5, 0.5), so half a pixel is taken off.
Other files are taken as they are.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from jaxtyping import Float

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import file_sha256
from fer_zoo.core.landmarks import LANDMARK_COLUMNS, NUM_LANDMARKS
from fer_zoo.data.sheets import Sheet, number

OPENFACE_COLUMNS = tuple(f"{axis}_{number}" for number in range(NUM_LANDMARKS) for axis in "xy")
_SHORT_COLUMNS = tuple(name.replace("_", "") for name in OPENFACE_COLUMNS)
_FILE_COLUMNS = ("file", "path", "image", "id")
_PTS = re.compile(r"\s*version:\s*[\d.]+\s+n_points:\s*(\d+)\s*\{([^{}]*)\}\s*", re.IGNORECASE)
_MATLAB = 0.5  # from a pixel's middle at whole numbers from 1 to one at halves
_LARGEST = 1 << 20  # characters of a .pts file


def face_sheet(path: Path, *, said: str) -> Sheet:
    """The table of faces that a file or a folder of files holds; a table with the column `file` comes out as it is.

    Args:
        path: a .pts file, a table, or a folder of .pts files or of OpenFace's tables.
        said: the setting that names it, as typed.

    Raises:
        UserError: for what is not there, no landmarks, not whole, or twice the same.
    """
    if path.is_dir():
        return _folder(path, said)
    if path.suffix.lower() == ".pts":
        return _points_file(path, path.stem, said)
    return _table(path, path.stem, said)


def faces_sha256(path: Path) -> str:
    """The checksum of all that `face_sheet` reads at a path: of the file, or of the names and contents in a folder."""
    if not path.is_dir():
        return file_sha256(path)
    words = [f"{file.relative_to(path).as_posix()}\0{file_sha256(file)}\n" for file in _files(path)]
    return sha256("".join(words).encode("utf-8", "surrogateescape")).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in _READERS and file.is_file())


def _folder(path: Path, said: str) -> Sheet:
    """The files of a folder, each known by its path below it, without the suffix."""
    files = _files(path)
    kinds = sorted({file.suffix.lower() for file in files})
    if len(kinds) != 1:
        found = " and ".join(kinds) if kinds else "neither"
        raise UserError(f"{said} must be a folder of .pts files or of OpenFace's .csv files, found {found}.")
    tables = []
    for position, file in enumerate(files, start=1):  # names of files may be names of people
        place = f"{said}, file {position} of {len(files)} in the order of their names,"
        sheet = _READERS[kinds[0]](file, file.relative_to(path).with_suffix("").as_posix(), place)
        tables.append(sheet.table)
    return Sheet.of(pd.concat(tables, ignore_index=True), name=str(path))


def _points_file(path: Path, file: str, said: str) -> Sheet:
    """One face of a .pts file."""
    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= _LARGEST else ""
    except (OSError, ValueError) as error:
        raise UserError(f"{said} cannot be read as .pts.") from error
    match = _PTS.fullmatch(text)
    if match is None:
        raise UserError(f"{said} is no .pts file: it needs version:, n_points: and the points between braces.")
    rows = [line.split() for line in match[2].splitlines() if line.strip()]
    if not len(rows) == int(match[1][:9]) == NUM_LANDMARKS:
        raise UserError(f"{said} has {len(rows)} points and says {match[1][:9]}; {NUM_LANDMARKS} are needed.")
    try:
        points = np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise UserError(f"{said} has a point that is not two numbers.") from error
    if points.shape[1:] != (2,) or not np.isfinite(points).all():
        raise UserError(f"{said} has a point that is not two numbers.")
    cells = dict(zip(LANDMARK_COLUMNS, (points - _MATLAB).ravel(), strict=True))
    return Sheet.of(pd.DataFrame([{"file": file, **cells}]), name=path.name)


def _table(path: Path, file: str, said: str) -> Sheet:
    """A table under the names of columns that are used here; OpenFace's is known by what stands beside the points."""
    sheet = Sheet(path, name=str(path), said=said)
    columns = set(sheet.table)
    if "file" not in columns and "confidence" in columns and {"success", "face"} & columns:
        return _openface(sheet, file, said)
    names = {name: "file" for name in _FILE_COLUMNS if name in columns}
    if "file" not in columns and len(names) == 1:
        sheet.table = sheet.table.rename(columns=names)
    if set(_SHORT_COLUMNS) <= columns:
        sheet.table = sheet.table.rename(columns=dict(zip(_SHORT_COLUMNS, LANDMARK_COLUMNS, strict=True)))
    forget_failures(sheet)
    return sheet


def forget_failures(sheet: Sheet) -> None:
    """Empties OpenFace's points in the rows that it says are without success, whatever numbers stand there."""
    names = [name for name in OPENFACE_COLUMNS if name in sheet.table]
    if names and "success" in sheet.table:
        success = np.array(sheet.each("success", "", _success), bool)
        sheet.table[names] = sheet.table[names].where(np.broadcast_to(success[:, None], (len(success), len(names))))


def _openface_file(path: Path, file: str, said: str) -> Sheet:
    """One table of a folder of them."""
    sheet = Sheet(path, name=said, said=said)
    if "confidence" not in sheet.table:
        sheet.require("confidence")
    return _openface(sheet, file, said)


def _openface(sheet: Sheet, file: str, said: str) -> Sheet:
    """OpenFace's rows: frames count from 1 there, and where it had no success the points are not known."""
    table = sheet.table
    lacking = [name for name in OPENFACE_COLUMNS if name not in table]
    if lacking:
        raise UserError(
            f"{said} lacks {len(lacking)} of the columns x_0 … y_67, as {lacking[0]}: run OpenFace with -2Dfp."
        )
    sheet.name = said
    forget_failures(sheet)
    points = [np.array(sheet.each(name, "", _reader(name)), np.float64) for name in OPENFACE_COLUMNS]
    faces: dict[str, object] = {"file": [file] * len(table)}
    if "frame" in table:
        frames = sheet.each("frame", "", _frame_from_one)
        people = sheet.column("face_id", "") if "face_id" in table else [""] * len(table)
        if len(set(zip(frames, people, strict=True))) < len(frames):
            raise UserError(f"{said} has a frame twice with the same face_id.")
        faces["frame"] = frames
    faces["face_score"] = sheet.each("confidence", "", _reader("confidence"))
    faces |= dict(zip(LANDMARK_COLUMNS, points, strict=True))
    return Sheet.of(pd.DataFrame(faces), name=sheet.name)


def _reader(column: str) -> Callable[[str], float]:
    return lambda cell: number(cell, column)


def _success(cell: str) -> bool:
    if (value := number(cell, "success")) not in (0, 1):
        raise UserError(f"success is {cell!r}; 0 or 1 is expected.")
    return value == 1


def _frame_from_one(cell: str) -> int:
    value = number(cell, "frame")
    if not (value >= 1 and value.is_integer()):
        raise UserError(f"frame is {cell!r}; OpenFace counts whole numbers from 1.")
    return int(value) - 1


_READERS: Mapping[str, Callable[[Path, str, str], Sheet]] = {".pts": _points_file, ".csv": _openface_file}


def landmarks_of(images: Sequence[str], ids: Sequence[str], sheet: Sheet, *, said: str) -> Float[np.ndarray, "n 68 2"]:
    """The landmarks of each image, NaN where none are known; of several faces the largest.

    Images are found by id, by path with or without suffix, else by name alone.

    Args:
        images: paths below a root, with forward slashes.
        ids: of the images.
        sheet: see `face_sheet`.
        said: the setting that names it.

    Raises:
        UserError: if there are no 68 points in the table, it holds frames of videos, no image is found, or one name
            stands for several images.
    """
    sheet.require("file")
    if "frame" in sheet.table and any(sheet.column("frame", "")):
        raise UserError(f"{said} has frames of videos; run OpenFace's FaceLandmarkImg on the images themselves.")
    for names in (LANDMARK_COLUMNS, OPENFACE_COLUMNS):
        if set(names) <= set(sheet.table):
            break
    else:
        raise UserError(f"{said} lacks columns of 68 points: {LANDMARK_COLUMNS[0]} … or x_0 … or x0 ….")
    columns = [np.array(sheet.each(name, "", _reader(name)), np.float64) for name in names]
    points = np.stack(columns, axis=1).reshape(-1, NUM_LANDMARKS, 2)
    points[~np.isfinite(points).all(axis=(1, 2))] = math.nan
    places = _places(images, ids)
    found = np.full((len(images), NUM_LANDMARKS, 2), math.nan)
    met: set[int] = set()
    for file, face in zip(sheet.column("file", ""), points, strict=True):
        rows = _rows_of(file, places)
        if len(rows) > 1:
            raise UserError(
                f"{said} has one name for {len(rows)} images, as {ids[rows[0]]}: write their paths below the root."
            )
        for row in rows:
            met.add(row)
            if not np.isnan(face).any() and not _extent(found[row]) >= _extent(face):
                found[row] = face
    if not met:
        raise UserError(f"{said} has no row for any of the {len(images)} images: write paths below the root, or names.")
    return found


def _places(images: Sequence[str], ids: Sequence[str]) -> dict[str, list[int]]:
    """The rows that each way to name an image may mean."""
    places: dict[str, list[int]] = {}
    for row, (image, name) in enumerate(zip(images, ids, strict=True)):
        path = PurePosixPath(image)
        for key in {name, image, str(path.with_suffix("")), f"*/{path.name}", f"*/{path.stem}"}:
            places.setdefault(key, []).append(row)
    return places


def _rows_of(file: str, places: Mapping[str, list[int]]) -> list[int]:
    path = PurePosixPath(file.replace("\\", "/"))
    return places.get(str(path)) or places.get(f"*/{path.name}") or []


def _extent(points: Float[np.ndarray, "68 2"]) -> float:
    """Larger side of the box around a face."""
    return float(np.ptp(points, axis=0).max())
