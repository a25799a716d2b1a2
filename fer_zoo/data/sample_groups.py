"""A few samples of each class, of each entry of a value space, or with points: different people first."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.index import Index


@dataclass(frozen=True)
class SampleGroup:
    """Samples that have something in common.

    Attributes:
        target, entry: the class that they have, the entry that they have a value of, or twice the target of points.
        rows: positions in the index; of values the highest first.
        values: one a row, none for a class.
        samples, subjects: how many there are in all.
    """

    target: str
    entry: str
    rows: tuple[int, ...]
    values: tuple[float, ...]
    samples: int
    subjects: int


def sample_groups(index: Index, count: int, seed: int) -> list[SampleGroup]:
    """Up to `count` samples of each entry of each target, entries without a sample left out.

    Of a class the people with the least in the seed's order come first, a second image of a person only when nobody is
    left. Of an entry with values those nearest to levels evenly spread from its highest to its lowest value are taken.
    Points have one group, chosen as a class is. The choice depends on seed, ids, people and labels, not on the order of
    the index.
    """
    order = _drawn_order(index.ids, seed)
    groups = []
    for space in index.label_spaces.values():
        for entry in group_names(space):
            group = (_of_values if space.kind == "values" and not space.is_points else _of_class)(
                index, space, entry, order, count
            )
            if group.rows:
                groups.append(group)
    return groups


def group_names(space: LabelSpace) -> tuple[str, ...]:
    """What the groups of a space are called: the entries, or for points, which belong together, the target."""
    return (space.target,) if space.is_points else space.entries


def _drawn_order(ids: Sequence[str], seed: int) -> npt.NDArray[np.int64]:
    """The rows in an order that the seed draws; where one stands among others depends on their ids alone."""
    keys = [sha256(f"{seed}/{name}".encode()).digest() for name in ids]
    return np.array(sorted(range(len(ids)), key=keys.__getitem__), dtype=np.int64)


def _of_class(index: Index, space: LabelSpace, entry: str, order: npt.NDArray[np.int64], count: int) -> SampleGroup:
    table = index.table.iloc[order]
    is_member = index.is_labelled(space.target)[order] if space.is_points else table[space.target] == entry
    table = table[is_member]
    turn = table.groupby("subject").cumcount().to_numpy()
    chosen = table.index[np.argsort(turn, kind="stable")][:count]
    return SampleGroup(space.target, entry, tuple(map(int, chosen)), (), len(table), table["subject"].nunique())


def _of_values(index: Index, space: LabelSpace, entry: str, order: npt.NDArray[np.int64], count: int) -> SampleGroup:
    table = index.table.iloc[order]
    table = table[table[entry].notna()]
    values, subjects = table[entry].to_numpy(np.float64), table["subject"].to_numpy()
    chosen: list[int] = []  # positions in `table`
    if len(values):
        is_free, is_new = np.ones(len(values), bool), np.ones(len(values), bool)
        for level in np.linspace(values.max(), values.min(), min(count, len(values))):
            distance = np.where(is_free, np.abs(values - level), np.inf)
            nearest = np.flatnonzero(distance == distance.min())
            best = int(nearest[np.argmax(is_new[nearest])])  # of a person not shown yet, where there is one
            chosen.append(best)
            is_free[best] = False
            is_new &= subjects != subjects[best]
        chosen.sort(key=lambda position: -values[position])
    return SampleGroup(
        space.target,
        entry,
        tuple(int(table.index[position]) for position in chosen),
        tuple(float(values[position]) for position in chosen),
        len(table),
        table["subject"].nunique(),
    )
