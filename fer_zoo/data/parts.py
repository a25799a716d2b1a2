"""Which samples of a part of a split can serve, and why the others cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import MISSING_CLASS, LabelSpace, listed
from fer_zoo.data.image_sources import WITHOUT_FACE
from fer_zoo.data.index import Index


@dataclass(frozen=True)
class Part:
    """The samples of one part of a split.

    Attributes:
        usable: ids that become batches, in the order of the split.
        unlabelled: id -> why it teaches nothing, of samples left out for that.
        lacking: id -> why it has no image of a face, of the others that are left out.
    """

    usable: list[str]
    unlabelled: Mapping[str, str]
    lacking: Mapping[str, str]

    @property
    def unreadable(self) -> dict[str, str]:
        """Those of `lacking` whose file is at fault, not the picture in it."""
        return {name: reason for name, reason in self.lacking.items() if reason not in WITHOUT_FACE}

    def reasons(self) -> dict[str, int]:
        """Reason -> number of samples left out."""
        counts: dict[str, int] = {}
        for reason in (*self.unlabelled.values(), *self.lacking.values()):
            counts[reason] = counts.get(reason, 0) + 1
        return counts


def choose_part(
    index: Index,
    ids: Sequence[str],
    lacking: Mapping[int, str],
    targets: Mapping[str, LabelSpace] | None = None,
) -> Part:
    """The part that these ids make.

    Args:
        index: the data set.
        ids: of the part.
        lacking: row -> reason, of rows without an image of a face.
        targets: samples without a label in any of these spaces are left out; None keeps them all.

    Raises:
        UserError: for unknown ids, or a target that the data set lacks.
    """
    rows = index.rows_of(ids)
    unlabelled = {} if targets is None or not ids else _unlabelled(index, ids, rows, targets)
    faceless = {
        name: lacking[row]
        for name, row in zip(ids, rows.tolist(), strict=True)
        if row in lacking and name not in unlabelled
    }
    usable = [name for name in ids if name not in unlabelled and name not in faceless]
    return Part(usable, unlabelled, faceless)


def _unlabelled(
    index: Index, ids: Sequence[str], rows: npt.NDArray[np.int64], targets: Mapping[str, LabelSpace]
) -> dict[str, str]:
    known, noted = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    for target, space in targets.items():
        if space.is_dense:
            known |= index.is_labelled(target)[rows]
            continue
        labels = index.target_array(target, space)[rows]
        known |= labels != MISSING_CLASS if space.kind == "classes" else np.isfinite(labels).any(axis=1)
        noted |= index.is_labelled(target)[rows]
    names = " or ".join(targets)
    outside, nothing = f"{names} outside the label space", f"no {names} label"
    return {ids[i]: outside if noted[i] else nothing for i in np.flatnonzero(~known).tolist()}


def classes_of(index: Index, ids: Sequence[str], space: LabelSpace) -> npt.NDArray[np.int64]:
    """The class numbers of these samples, -1 where one has none.

    Raises:
        UserError: for a target of pixels.
    """
    return index.target_array(space.target, space)[index.rows_of(ids)].astype(np.int64)


def balancing_weights(classes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Chances that make all classes equally frequent: inverse to the class's frequency, the mean for class -1.

    Example:
        >>> balancing_weights(np.array([0, 0, 1, -1])).tolist()
        [0.5, 0.5, 1.0, 0.6666666666666666]
    """
    counts = np.bincount(classes[classes >= 0], minlength=1)
    weights = 1 / counts[classes.clip(0)].clip(1)
    return np.where(classes >= 0, weights, weights[classes >= 0].mean() if (classes >= 0).any() else 1.0)


def require_every_class(
    counts: Sequence[int], space: LabelSpace, *, where: str, left_out: Mapping[str, int] | None = None
) -> None:
    """Checks that every class of a space has training samples, and that there are two.

    Args:
        counts: training samples of each class.
        space: the classes.
        where: the split and data set, for the message.
        left_out: reason -> number of training samples that cannot be used, for the message.

    Raises:
        UserError: naming the classes without, and showing the counts of all and what is left out.
    """
    if len(space) < 2:
        raise UserError(f"{where} has the one class {space.entries[0]}: two are needed to tell anything apart.")
    empty = listed([entry for entry, count in zip(space.entries, counts, strict=True) if count == 0])
    if empty:
        listing = listed([f"{entry} {count}" for entry, count in zip(space.entries, counts, strict=True)])
        reasons = "".join(f"; {count} left out: {reason}" for reason, count in (left_out or {}).items())
        raise UserError(
            f"{where} has no training sample of {empty} ({listing}{reasons}):"
            " choose a label space without it, or another protocol."
        )
