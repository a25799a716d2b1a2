"""A user's own face boxes or landmarks, as a table, in place of a detector."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.landmarks import LANDMARK_COLUMNS, LANDMARK_GROUPS, MOUTH_CORNERS, NOSE_TIP
from fer_zoo.core.sample import sample_id
from fer_zoo.data.detection import Face
from fer_zoo.data.image_sources import POINT_COLUMNS
from fer_zoo.data.index import Index, Note
from fer_zoo.data.landmark_files import OPENFACE_COLUMNS, face_sheet, landmarks_of
from fer_zoo.data.sheets import Sheet, number

BOXES = ("face_x", "face_y", "face_width", "face_height")
SCORE = "face_score"
POINTS = (POINT_COLUMNS, LANDMARK_COLUMNS, OPENFACE_COLUMNS)  # the first that the table has is used


class GivenFace(NamedTuple):
    """A face of a table: its box, and its five points where the table has points."""

    face: Face
    points: Float[np.ndarray, "5 2"] | None


class FaceTable:
    """Faces by file and frame.

    The columns are those that `predict` writes: `file`, for videos `frame` (from 0), and `face_x`, `face_y`,
    `face_width`, `face_height`; or five points (`right_eye_x` …), or 68 (`landmark_0_x` …, or `x_0` … as OpenFace
    writes them), in pixels. Where there are points and no boxes, the box is the one around the points. A file is found
    by the path as it was given, else by its name, with or without suffix.

    Args:
        path: ends in .csv, .tsv or .parquet; or what `landmark_files` reads, as .pts files.
        spec: of the checkpoint, which needs boxes or points.

    Raises:
        UserError: for a file that is no such table, a missing column, or a cell that is no number.
    """

    def __init__(self, path: Path, spec: InputSpec) -> None:
        self.name = str(path)
        sheet = face_sheet(path, said=f"boxes={path}")
        table = sheet.table
        sheet.require("file")
        has_boxes = set(BOXES) <= set(table)
        points = next((names for names in POINTS if set(names) <= set(table)), None)
        if spec.alignment == "none":
            for name in BOXES:
                sheet.require(name)
        if spec.alignment == "five_points" and points is None:
            raise UserError(
                f"This checkpoint aligns faces by five points, which {path} lacks: it needs the columns"
                f" {', '.join(POINT_COLUMNS[:2])} … {POINT_COLUMNS[-1]}, or {', '.join(OPENFACE_COLUMNS[:2])} …"
                f" {OPENFACE_COLUMNS[-1]}."
            )
        self._points = None
        if points is not None and spec.alignment == "five_points":
            self._points = _numbers(sheet, points).reshape(len(table), -1, 2)
        self._boxes = _numbers(sheet, BOXES) if has_boxes else np.full((len(table), 4), np.nan)
        if self._points is not None:
            self._boxes = np.where(np.isnan(self._boxes).all(axis=1)[:, None], _around(self._points), self._boxes)
        self._scores = _numbers(sheet, (SCORE,))[:, 0] if SCORE in table else np.full(len(table), np.nan)
        self._rows = _by_file(sheet)
        self._asked: dict[str, str] = {}  # file of the table -> the one that it was taken for
        self._files: dict[str, list[str]] = defaultdict(list)
        for file in self._rows:
            self._files[PurePosixPath(file.replace("\\", "/")).name].append(file)

    def faces(
        self, file: str, frame: int | None, image_size: tuple[int, int]
    ) -> tuple[list[GivenFace], tuple[str, ...]]:
        """The faces of a photograph or frame from left to right, and what is wrong with the others.

        Args:
            file: as given to predict.
            frame: None for a photograph.
            image_size: (width, height).
        """
        own = self._found(file)
        rows = self._rows[own].get(frame) if own is not None else None
        if rows is None:
            return [], (f"no row in {self.name}",)
        faces, problems = list[GivenFace](), list[str]()
        for row in rows:
            problem = self._problem(row, image_size)
            if problem:
                problems.append(problem)
                continue
            left, top, width, height = self._boxes[row].tolist()
            points = None if self._points is None else five_points(self._points[row])
            faces.append(GivenFace(Face(left, top, width, height, float(self._scores[row])), points))
        return sorted(faces, key=lambda given: given.face[:4]), tuple(problems)

    def check(self, photographs: Sequence[str], videos: Sequence[str]) -> list[str]:
        """Sentences on what of the table and of the files does not meet.

        Raises:
            UserError: when nothing meets, when a name stands for several files, or a video's rows have no frame.
        """
        asked = [*photographs, *videos]
        found = {file: own for file in asked if (own := self._found(file)) is not None}
        if not found:
            raise UserError(
                f"{self.name} has no row for any of the files: its first file is {next(iter(self._rows), 'none')!r},"
                f" the first that was asked for is {asked[0]!r}; write paths as they are given to predict, or names."
            )
        for video in videos:
            loose = self._rows[found[video]].get(None, []) if video in found else []
            if not np.isnan(self._boxes[loose]).all():
                raise UserError(f"{self.name} needs the column frame, a number from 0, in every row of {video}.")
        used = set(found.values())
        unused = sum(len(rows) for own, frames in self._rows.items() if own not in used for rows in frames.values())
        notes = [f"{unused:,} rows of {self.name} are of files that were not asked for"] if unused else []
        if len(found) < len(asked):
            notes.append(f"{len(asked) - len(found):,} of {len(asked):,} files have no row in {self.name}")
        return notes

    def unreached(self, ends: Mapping[str, int], every: int) -> list[str]:
        """A sentence where rows are of frames behind the end of their video.

        Args:
            ends: video -> the last frame that was looked at, -1 where there was none.
            every: frames that this does not divide were left out on purpose.
        """
        behind = {
            file: sum(len(rows) for frame, rows in self._rows[own].items() if _is_behind(frame, end, every))
            for file, end in ends.items()
            if (own := self._found(file)) is not None
        }
        files = [file for file, number in behind.items() if number]
        if not files:
            return []
        where = (
            f"{files[0]}, whose last one is {ends[files[0]]}" if ends[files[0]] >= 0 else f"{files[0]}, which has none"
        )
        more = f", and of {len(files) - 1} more videos" if len(files) > 1 else ""
        return [f"{sum(behind.values()):,} rows of {self.name} are of frames that were not reached: of {where}{more}"]

    def _found(self, file: str) -> str | None:
        """The file of the table that is meant."""
        exact = _plain_path(file)
        same_name = self._files.get(PurePosixPath(exact).name) or self._files.get(PurePosixPath(exact).stem, [])
        if exact not in self._rows and len(same_name) > 1:
            raise UserError(
                f"{self.name} has several files of the name {PurePosixPath(exact).name}, as {same_name[0]} and"
                f" {same_name[1]}; write their paths as they are given to predict."
            )
        own = exact if exact in self._rows else next(iter(same_name), None)
        if own is not None and self._asked.setdefault(own, exact) != exact:
            raise UserError(
                f"{self.name} has one file, {own}, for {self._asked[own]} and {exact}; write their paths as they are"
                " given to predict."
            )
        return own

    def _problem(self, row: int, image_size: tuple[int, int]) -> str:
        left, top, width, height = self._boxes[row].tolist()
        known = self._boxes[row] if self._points is None else self._points[row]
        if np.isnan(known).any() or np.isnan(self._boxes[row]).any():
            return "no face found" if np.isnan(known).all() else "numbers of the face are missing"
        points = None if self._points is None else five_points(self._points[row])
        if points is not None and np.ptp(points, axis=0).max() < 0.01:
            return "the points of the face coincide"
        if min(width, height) < 0.01:
            return "the box of the face has no area"
        if max(width, height, 0.0 if points is None else np.ptp(points, axis=0).max()) > 10 * max(image_size):
            return "the face is far larger than the image"
        if left >= image_size[0] or top >= image_size[1] or left + width <= 0 or top + height <= 0:
            return "the box of the face lies outside the image"
        return ""


def five_points(points: Float[np.ndarray, "*s n 2"]) -> Float[np.ndarray, "*s 5 2"]:
    """Five points as they are, or those of 68: the mean of each eye, the nose tip and the corners of the mouth."""
    if points.shape[-2] == 5:
        return points
    eyes = [points[..., list(LANDMARK_GROUPS[name]), :].mean(axis=-2) for name in ("right_eye", "left_eye")]
    rest = points[..., [NOSE_TIP, *MOUTH_CORNERS], :]
    return np.concatenate([np.stack(eyes, axis=-2), rest], axis=-2)


def landmarks_below(
    root: Path, path: str, dataset: str, images: Sequence[str]
) -> tuple[dict[str, Float[np.ndarray, " n"]], list[Note]]:
    """The columns of an index that landmarks made elsewhere fill, and a note on the images without.

    Args:
        root: of the data set.
        path: what `face_sheet` reads, as typed in dataset.landmarks.
        dataset: its registered name.
        images: paths below the root, with forward slashes.

    Raises:
        UserError: what `face_sheet` and `landmarks_of` raise.
    """
    said, ids = f"dataset.landmarks={path}", [sample_id(dataset, image) for image in images]
    points = landmarks_of(images, ids, face_sheet(root / path, said=said), said=said)
    five = five_points(points).reshape(len(points), -1)
    columns = dict(zip((*POINT_COLUMNS, *LANDMARK_COLUMNS), (*five.T, *points.reshape(len(points), -1).T), strict=True))
    without = tuple(name for name, unknown in zip(ids, np.isnan(points[:, 0, 0]), strict=True) if unknown)
    sentence = f"{len(without)} of {len(images)} images have no points in dataset.landmarks."
    return columns, [Note("no points", sentence, without)] if without else []


def index_with_points(index: Index, path: str) -> Index:
    """The index with the five points of each face from landmarks made elsewhere, in place of its own if it has any.

    They are no labels: target, fingerprint and tracks stay what they are.

    Args:
        index: any data set.
        path: what `face_sheet` reads, as typed in data.landmarks.

    Raises:
        UserError: what `face_sheet` and `landmarks_of` raise.
    """
    said = f"data.landmarks={path}"
    points = five_points(
        landmarks_of(list(index.table["image"]), index.ids, face_sheet(Path(path).expanduser(), said=said), said=said)
    )
    columns = dict(zip(POINT_COLUMNS, points.reshape(len(index), -1).T, strict=True))
    return replace(index, table=index.table.assign(**columns))


def _is_behind(frame: int | None, end: int, every: int) -> bool:
    return frame is not None and frame > end and frame % every == 0


def _by_file(sheet: Sheet) -> Mapping[str, dict[int | None, list[int]]]:
    """Positions of the rows of each file and frame."""
    files = sheet.each("file", "", _plain_path)
    frames = sheet.each("frame", "", _frame) if "frame" in sheet.table else [None] * len(files)
    rows: dict[str, dict[int | None, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, (file, frame) in enumerate(zip(files, frames, strict=True)):
        rows[file][frame].append(row)
    return rows


def _frame(cell: str) -> int | None:
    value = number(cell, "frame")
    if value != value:
        return None
    if value < 0 or not value.is_integer():
        raise UserError(f"frame {value:g} is no whole number from 0.")
    return int(value)


def _numbers(sheet: Sheet, names: Sequence[str]) -> Float[np.ndarray, "n k"]:
    """Columns of numbers; what is empty or not finite is NaN."""
    columns = [sheet.each(name, "", partial(number, column=name)) for name in names]
    values = np.array(columns, dtype=np.float64).T
    return np.where(np.isfinite(values), values, np.nan)


def _around(points: Float[np.ndarray, "n p 2"]) -> Float[np.ndarray, "n 4"]:
    """The boxes around points."""
    low, high = points.min(axis=1), points.max(axis=1)  # NaN where a point is missing
    return np.concatenate([low, high - low], axis=1)


def _plain_path(text: str) -> str:
    """Without "./", as pathlib writes it."""
    return str(Path(text.strip()))
