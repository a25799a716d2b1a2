"""The labelled samples of an index, unit by unit: what protocols divide."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.data.index import Index
from fer_zoo.data.protocols.draws import drawn
from fer_zoo.data.protocols.splits import Split, Unit, unit_keys

MOST_FOLDS = 1000


@dataclass(frozen=True)
class Labelled:
    """The samples with a label, sorted by id, and the unit that each belongs to.

    Attributes:
        unit: what a unit is.
        names: the units, sorted.
        ids: one a sample.
        of: per sample the position of its unit.
    """

    unit: Unit
    names: tuple[str, ...]
    ids: npt.NDArray[np.object_]
    of: npt.NDArray[np.int64]

    def split(self, name: str, validation: Iterable[str], test: Iterable[str]) -> Split:
        """The split in which these units are validation and test, and all others train."""
        position = {unit: i for i, unit in enumerate(self.names)}
        part = np.zeros(len(self.names), dtype=np.int8)
        part[[position[unit] for unit in validation]] = 1
        part[[position[unit] for unit in test]] = 2
        of_sample = part[self.of]
        return Split(name, *(tuple(self.ids[of_sample == number].tolist()) for number in (0, 1, 2)))

    def folds(self, tests: Iterable[Iterable[str]], validation_share: float, seed: int) -> list[Split]:
        """A split a test part, validation drawn from the units that are left."""
        splits = []
        for k, names in enumerate(tests):
            test = set(names)
            train = [unit for unit in self.names if unit not in test]
            validation = drawn(train, validation_share, seed, f"validation {k}", self.unit)
            splits.append(self.split(f"fold{k + 1}", validation, test))
        return splits


def labelled(index: Index, target: str, unit: Unit) -> Labelled:
    """The samples of an index that have a label of the target.

    Raises:
        UserError: if the data set lacks the target.
    """
    rows = np.flatnonzero(index.is_labelled(target))
    ids = index.table["id"].to_numpy(dtype=object)[rows]
    order = np.argsort(ids, kind="stable")
    of, names = pd.factorize(unit_keys(index, unit)[rows][order], sort=True)
    return Labelled(unit, tuple(names), ids[order], of.astype(np.int64))


def subject_labels(index: Index, target: str) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Subjects with a label, sorted by code, and how many samples of each class they have (subjects, classes).

    For values a class is an entry, counted where it is above the minimum of its range; of points and of targets of
    pixels samples count alone.
    """
    space = index.space(target)
    table = index.table[index.is_labelled(target)]
    if space.kind == "classes" and not space.is_dense:
        counts = pd.crosstab(table["subject"], table[target])
    else:
        is_active = table[[] if space.is_points or space.is_dense else list(space.entries)] > space.minimum
        counts = is_active.assign(labelled=True).astype(np.int64).groupby(table["subject"]).sum()
    counts = counts.sort_index()
    return list(counts.index), counts.to_numpy(dtype=np.float64)


def require_subjects(index: Index, number: int, least: int, what: str) -> None:
    """Refuses data with too few people.

    Raises:
        UserError: saying how many there are.
    """
    if number < least:
        raise UserError(
            f"{what} needs at least {least} subjects, and {index.dataset} has {number} with a label;"
            " take fewer folds, or tell people apart (subject_pattern, subject_column)."
        )


def require_few(index: Index, data: Labelled, protocol: str) -> None:
    """Refuses to leave one of very many out: a training each would never end.

    Raises:
        UserError: saying how many there are.
    """
    if len(data.names) > MOST_FOLDS:
        raise UserError(
            f"{protocol} makes a fold of each {data.unit}, and {index.dataset} has {len(data.names):,}, of which at"
            f" most {MOST_FOLDS:,} are taken; use subject_kfold, which trains a few times only."
        )
