"""The index of a data set: one row a sample, one column a fact, no pixels."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fer_zoo.core.conditions import PREFIX
from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.label_spaces import MISSING_CLASS, LabelSpace, label_space
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.core.sample import TARGETS, sample_id

if TYPE_CHECKING:
    from fer_zoo.data.dense import DenseSource
    from fer_zoo.data.image_sources import NamedImages

SPLIT_PARTS = ("train", "validation", "test")
# What counts as an image in a folder; its content decides how it is read.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".heic", ".heif", ".avif", ".webp"),
    *(".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"),
)
# How owners and users write the parts.
SPLIT_WORDS: Mapping[str, str] = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test",
}  # fmt: skip
REQUIRED_COLUMNS = ("id", "image", "subject", "clip", "frame", "source")
TEXT_COLUMNS = ("id", "image", "subject", "clip", "source", "split", "annotator")
LABEL_COLUMNS = ("emotion", "second_emotion", "identity")

_CLIP_CODE = re.compile(r"c[0-9a-f]{8}")


@dataclass(frozen=True)
class Note:
    """What a reader merged, dropped or found.

    Attributes:
        kind: short word, e.g. "contradictory", "unlabelled", "missing".
        sentence: for the user; holds no path and no person's name.
        ids: the samples it speaks of.
    """

    kind: str
    sentence: str
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Index:
    """What is known about every sample of a data set.

    Attributes:
        dataset: registered name.
        root: folder to which `image` is relative.
        table: columns `id, image, subject, clip, frame, source`; optional `split`, `emotion` (entry name or None, also
            of entries outside the space), `second_emotion`, `identity` (a code, never a name), `annotator`, `peak` (1
            marks the frame of a clip's strongest expression), `subject_order` (a number by which the owners order their
            people, whose codes have no order), one float column per entry of a value space, `box_left, box_top,
            box_width, box_height`, the five points and the 68 in pixels of the photograph, and conditions
            (`core.conditions`), texts or numbers.
        label_spaces: per target with columns the space in which it is trained and scored unless another is asked for.
        is_cropped: the images are face crops, whose whole area is used.
        notes: what the reader merged, dropped or found.
        found: counts of the files as distributed, which a check compares with the card.
        expected: the counts of a complete copy where this variant, or these settings, have others than the card says.
        variant: which of the known layouts was found.
        no_subjects: why its people cannot be told apart, a clause; protocols that keep them apart are refused then.
        images: what opens them, where they are no files.
        dense: what knows the targets of which every pixel has a value.
    """

    dataset: str
    root: Path
    table: pd.DataFrame
    label_spaces: Mapping[str, LabelSpace]
    is_cropped: bool = False
    notes: tuple[Note, ...] = ()
    found: Mapping[str, int] = field(default_factory=dict)
    expected: Mapping[str, int] | None = None
    variant: str = ""
    no_subjects: str = ""
    images: "NamedImages | None" = None
    dense: "DenseSource | None" = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", _checked(self.dataset, self.table, self.label_spaces))

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        """A line without paths, which may be names of people."""
        spaces = ", ".join(space.name for space in self.label_spaces.values()) or "no labels"
        return (
            f"<Index of {self.dataset}: {len(self):,} samples, {self.table['subject'].nunique():,} subjects, {spaces}>"
        )

    @property
    def ids(self) -> list[str]:
        """The ids in row order."""
        return list(self.table["id"])

    @property
    def contradictory(self) -> tuple[str, ...]:
        """Ids of samples that were dropped because their labels contradict each other."""
        return self.noted("contradictory")

    def noted(self, kind: str) -> tuple[str, ...]:
        """Ids in all notes of a kind."""
        return tuple(entry for note in self.notes if note.kind == kind for entry in note.ids)

    @property
    def spaces(self) -> dict[str, LabelSpace]:
        """The label space of every target, of those without columns, too."""
        return {**self.label_spaces, **({} if self.dense is None else self.dense.label_spaces)}

    def space(self, target: str) -> LabelSpace:
        """The label space of a target.

        Raises:
            UserError: if the data set lacks the target, naming those it has.
        """
        spaces = self.spaces
        if target not in spaces:
            hint = nearest(target, tuple(spaces))
            raise UserError(
                f"Data set {self.dataset} has no target {target!r}.{hint} It has: {', '.join(spaces) or 'none'}."
            )
        return spaces[target]

    def fingerprint(self) -> str:
        """16 hex digits over ids, labels, subjects, clips and the official split; the order of rows does not matter."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        table = self.table.sort_values("id")
        spaces = [s for s in self.label_spaces.values() if s.kind == "values" and not s.is_points]
        values = [entry for space in spaces for entry in space.entries]
        columns = ["id", "subject", "clip", *(c for c in ("split", "emotion", "identity") if c in table)]
        columns += sorted(set(values))
        digest = sha256("\t".join(columns).encode())
        for column in columns:
            digest.update("\n".join("" if _is_missing(v) else str(v) for v in table[column]).encode() + b"\0")
        for space in (space for space in self.label_spaces.values() if space.is_points):
            points = table[list(space.entries)].to_numpy("<f8")  # as texts they would take seconds
            digest.update(np.where(np.isnan(points), np.nan, points).tobytes())
        return digest.hexdigest()[:16]

    def rows_of(self, ids: Iterable[str]) -> npt.NDArray[np.int64]:
        """Positions in the table, in the order of the ids.

        Raises:
            UserError: for ids that the index does not hold.
        """
        wanted = list(ids)
        rows: npt.NDArray[np.int64] = self._positions.get_indexer(pd.Index(wanted, dtype=object))
        if (rows < 0).any():
            strays = [wanted[i] for i in np.flatnonzero(rows < 0)]
            raise UserError(
                f"{len(strays)} of {len(wanted)} ids are not in data set {self.dataset}, e.g. {', '.join(strays[:3])}:"
                " they come from another data set or another copy of it."
            )
        return rows

    @cached_property
    def _positions(self) -> pd.Index:
        """The ids, hashed once for all that is looked up."""
        return pd.Index(self.table["id"])

    def is_labelled(self, target: str) -> npt.NDArray[np.bool_]:
        """Per row whether anything is known of the target, also an entry outside its space.

        Raises:
            UserError: if the data set lacks the target.
        """
        space = self.space(target)
        if space.is_dense:
            return np.ones(len(self), bool)
        if space.kind == "classes":
            return self.table[target].notna().to_numpy(dtype=bool)
        return self.table[list(space.entries)].notna().any(axis=1).to_numpy(dtype=bool)

    def target_array(
        self, target: str, space: LabelSpace | None = None
    ) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        """The labels in a space, mapped by name: int64 (n,) with -1, or float32 (n, k) with NaN.

        Args:
            target: one of the index's targets.
            space: where the labels go; the index's own by default. Names it lacks are missing.

        Raises:
            UserError: if the data set lacks the target, its pixels have labels instead of the samples, or it shares no
                entry with the space.
        """
        own = self.space(target)
        space = space or own
        if own.is_dense:
            raise UserError(f"Target {target!r} of {self.dataset} is no column of a table: `FaceDataset` makes it.")
        if space.target != target or space.kind != own.kind:
            raise UserError(f"Target {target!r} of {self.dataset} ({own.name}) does not fit into {space.name}.")
        if own.kind == "classes":
            positions = {entry: i for i, entry in enumerate(space.entries)}
            return np.array([positions.get(name, MISSING_CLASS) for name in self.table[target]], dtype=np.int64)
        shared = [entry for entry in space.entries if entry in own.entries]
        if not shared:
            raise UserError(
                f"{space.name} shares no entry with {own.name} of {self.dataset}, which has {', '.join(own.entries)}."
            )
        return self.table[shared].reindex(columns=list(space.entries)).to_numpy(dtype=np.float32)


def index_table(dataset: str, images: Sequence[str], **columns: Any) -> pd.DataFrame:
    """A table with `id` from the images' relative paths, and every required column that is not given filled.

    Args:
        dataset: registered name.
        images: paths relative to the root, with forward slashes.
        columns: further columns; an empty or missing `subject` becomes the sample's own id.
    """
    ids = [sample_id(dataset, image) for image in images]
    defaults = {"subject": None, "clip": "", "frame": 0, "source": ""}
    table = pd.DataFrame({"id": ids, "image": list(images), **defaults, **columns}, dtype=object)
    unknown = table["subject"].isna() | (table["subject"] == "")
    table["subject"] = table["subject"].where(~unknown, table["id"])
    return table


def clip_code(dataset: str, clip: str) -> str:
    """The code under which a clip is shown: its name may be a path with a person's name in it."""
    return clip if _CLIP_CODE.fullmatch(clip) else "c" + sha256(f"{dataset}/clip/{clip}".encode()).hexdigest()[:8]


def space_for(target: str, name: str, *, where: str) -> LabelSpace:
    """The label space of that name, which must describe the target.

    Raises:
        UserError: if there is none, or it is another target's.
    """
    space = label_space(name)
    if space.target != target:
        raise UserError(f"{where}={name} describes {space.target!r}; a space of target {target!r} is needed here.")
    return space


def points_in_data(columns: Collection[str]) -> dict[str, LabelSpace]:
    """The target `landmarks` with its space, where all 68 points have columns; else nothing."""
    return {"landmarks": label_space("landmarks/68")} if set(LANDMARK_COLUMNS) <= set(columns) else {}


def chosen_classes(space: LabelSpace, classes: Sequence[str]) -> LabelSpace:
    """The space of the classes that a user names (setting `classes`), of all where none are named.

    Raises:
        UserError: for a class that the space lacks, with the nearest.
    """
    return space.only([space.parse(name, where="dataset.classes") for name in classes]) if classes else space


def classes_in_data(
    space: LabelSpace, classes: Sequence[str], labels: Iterable[str | None]
) -> tuple[LabelSpace, list[Note]]:
    """The space of the classes that a user names, else of those that occur; and a note where that is not all.

    Raises:
        UserError: for a class that the space lacks, with the nearest.
    """
    found = {label for label in labels if label is not None}
    if classes:
        chosen = chosen_classes(space, classes)
        apart = [entry for entry in space.entries if entry in found and entry not in chosen.entries]
        sentence = f"Neither trained nor scored, as dataset.classes leaves them out: {', '.join(apart)}."
        return chosen, [Note("classes", sentence)] if apart else []
    absent = [entry for entry in space.entries if entry not in found]
    if not absent or not found:
        return space, []
    present = space.only(found)
    sentence = f"Classes in the data: {', '.join(present.entries)}; {space.name} also has {', '.join(absent)}."
    return present, [Note("classes", sentence)]


def _checked(dataset: str, table: pd.DataFrame, spaces: Mapping[str, LabelSpace]) -> pd.DataFrame:
    """A copy with a RangeIndex and plain types: text as object with None, frames as int64, values as float64."""
    if not len(table):
        raise UserError(f"Data set {dataset} holds no samples: check its root and settings.")
    _require_columns(dataset, table, spaces)
    table = table.reset_index(drop=True).copy()
    doubles = table["id"][table["id"].duplicated()].unique()
    if len(doubles):
        raise UserError(
            f"Data set {dataset} lists {len(doubles)} samples twice, e.g. {', '.join(map(str, doubles[:3]))}:"
            " each image must stand in one row."
        )
    for column in table.columns:
        if column in TEXT_COLUMNS or (column.startswith(PREFIX) and not _holds_numbers(table[column])):
            table[column] = pd.Series(["" if _is_missing(v) else str(v) for v in table[column]], dtype=object)
        elif column in LABEL_COLUMNS:
            table[column] = pd.Series([None if _is_missing(v) else str(v) for v in table[column]], dtype=object)
        elif table[column].dtype != (kind := np.int64 if column == "frame" else np.float64):
            table[column] = table[column].astype(kind)
    if not table["subject"].all():
        raise UserError(f"Data set {dataset} has samples without a subject; an unknown one is the sample's own id.")
    _require_parts(dataset, table)
    return table


def _holds_numbers(values: "pd.Series[Any]") -> bool:
    return pd.api.types.infer_dtype(values, skipna=True) in ("floating", "integer", "mixed-integer-float", "empty")


def _require_columns(dataset: str, table: pd.DataFrame, spaces: Mapping[str, LabelSpace]) -> None:
    needed = list(REQUIRED_COLUMNS)
    for target, space in spaces.items():
        if target not in TARGETS or space.target != target:
            raise UserError(f"Data set {dataset} gives {space.name} for {target!r}; targets are {', '.join(TARGETS)}.")
        needed += [target] if space.kind == "classes" else list(space.entries)
    lacking = [column for column in needed if column not in table]
    if lacking:
        raise UserError(f"The index of data set {dataset} lacks the columns {', '.join(lacking)}.")


def _require_parts(dataset: str, table: pd.DataFrame) -> None:
    strays = set(table["split"]) - {*SPLIT_PARTS, ""} if "split" in table else set()
    if strays:
        raise UserError(
            f"Data set {dataset} has split {sorted(strays)[0]!r}; the parts are {', '.join(SPLIT_PARTS)} or empty."
        )


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)
