"""Images that are nearly the same: copies of other size, compression, brightness or crop, and frames a moment apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fer_zoo.data.image_hashes import ClosePairs, close_pairs, image_hashes
from fer_zoo.data.index import Index
from fer_zoo.data.protocols import Split

Groups = tuple[tuple[str, ...], ...]

THRESHOLD = 40  # of 255 bits; on photographs of faces nearly all such pairs are one photograph, see docs/check_data.md
_SHOWN = 3


@dataclass(frozen=True)
class NearDuplicates:
    """The pairs of an index's images that are nearly the same.

    Frames of one clip are alike by nature, so they are not paired.

    Attributes:
        index: the data set.
        threshold: bits of 255 that the two of a pair may differ in.
        pairs: rows, the closest pair first.
        flat: ids of images of (nearly) one grey, which are in no pair.
        compared: number of images that were compared.
    """

    index: Index
    threshold: int
    pairs: ClosePairs
    flat: tuple[str, ...]
    compared: int

    @property
    def groups(self) -> Groups:
        """Ids that are joined by pairs, those of several classes first, then those of several subjects."""
        return _groups(self._members)

    @property
    def of_several_classes(self) -> Groups:
        """The groups in which a class target has two classes; a missing label contradicts none."""
        return _groups(self._members[self._members["several_classes"]])

    @property
    def of_several_subjects(self) -> Groups:
        """The groups that a protocol by subject may part."""
        return _groups(self._members[self._members["several_subjects"]])

    @cached_property
    def _members(self) -> pd.DataFrame:
        """A row an image that is in a pair: id, the number of its group, and what that group is of."""
        size, targets = (
            len(self.index),
            [name for name, space in self.index.label_spaces.items() if space.kind == "classes"],
        )
        edges = coo_array((np.ones(len(self.pairs.first)), (self.pairs.first, self.pairs.second)), shape=(size, size))
        _, group = connected_components(edges, directed=False)
        used = np.unique(np.concatenate([self.pairs.first, self.pairs.second]))
        members = self.index.table.iloc[used][["id", "subject", *targets]].assign(group=group[used])
        counts = members.groupby("group")[["subject", *targets]].transform("nunique") > 1
        members = members.assign(several_classes=counts[targets].any(axis=1), several_subjects=counts["subject"])
        return members.sort_values(["several_classes", "several_subjects"], ascending=False, kind="stable")

    def tested_and_trained(self, split: Split) -> tuple[str, ...]:
        """The ids of a split's test part that have a near-duplicate in its training part."""
        train = self._paired.intersection(split.train)
        return tuple(name for name in split.test if not train.isdisjoint(self._twins.get(name, ())))

    @cached_property
    def _twins(self) -> dict[str, list[str]]:
        """Per id those with which it is paired."""
        twins: dict[str, list[str]] = {}
        ids = self.index.ids
        for first, second in zip(self.pairs.first.tolist(), self.pairs.second.tolist(), strict=True):
            twins.setdefault(ids[first], []).append(ids[second])
            twins.setdefault(ids[second], []).append(ids[first])
        return twins

    @cached_property
    def _paired(self) -> frozenset[str]:
        return frozenset(self._twins)


@dataclass(frozen=True, kw_only=True)
class NearDuplicateReport:
    """What a report says of near-duplicates; groups are of ids.

    Attributes:
        threshold: bits of 255 that the two of a pair may differ in.
        compared: number of images that were compared.
        flat: ids of images in which there is nothing to compare.
        groups: all of them.
        of_several_classes, of_several_subjects: those in which classes, or subjects, differ.
        mirrored: number of pairs of which one is the other's mirror image.
        protocol: whose splits were looked at.
        splits, tested: how many they are, and their test images.
        tested_and_trained: split -> ids of test images with a near-duplicate in training, where there are any.
        problem: why the protocol makes no splits of the data.
    """

    threshold: int
    compared: int
    flat: tuple[str, ...]
    groups: Groups
    of_several_classes: Groups
    of_several_subjects: Groups
    mirrored: int
    protocol: str
    splits: int
    tested: int
    tested_and_trained: Mapping[str, tuple[str, ...]]
    problem: str

    def to_lines(self) -> list[str]:
        """For a terminal."""
        images = sum(map(len, self.groups))
        mirrored = f", {self.mirrored:,} pairs mirrored" if self.mirrored else ""
        lines = [f"near-duplicates: {len(self.groups):,} groups of {images:,} images{mirrored}"]
        lines += [f"  of several classes: {_listed(self.of_several_classes)}"] if self.groups else []
        lines += [f"  of several subjects: {_listed(self.of_several_subjects)}"] if self.groups else []
        if self.problem and self.groups:
            lines.append(f"  across splits: {self.protocol} makes none: {self.problem}")
        elif self.groups:
            names = [name for names in self.tested_and_trained.values() for name in names]
            of = f" of {self.splits:,} splits" if self.splits > 1 else ""
            lines.append(
                f"  across splits: {len(names):,} of {self.tested:,} test images{of} of {self.protocol} have a"
                f" near-duplicate in training{_shown(names)}"
            )
        return lines + ([f"too flat to compare: {len(self.flat):,}{_shown(self.flat)}"] if self.flat else [])


def near_duplicates(index: Index, *, threshold: int = THRESHOLD, show: bool = True) -> NearDuplicates:
    """Compares every image of an index with every other.

    Args:
        index: the data set.
        threshold: bits of 255 that the two of a pair may differ in.
        show: draw bars on a terminal.
    """
    hashes = image_hashes(index, show=show)
    rows = np.flatnonzero(hashes.is_hashed)
    close = close_pairs(hashes.bits[rows], threshold, show=show)
    first, second = rows[close.first], rows[close.second]
    clips = index.table["clip"].to_numpy(dtype=object)
    keep = np.flatnonzero((clips[first] == "") | (clips[first] != clips[second]))
    keep = keep[np.lexsort((second[keep], first[keep], close.distance[keep]))]
    pairs = ClosePairs(first[keep], second[keep], close.distance[keep], close.is_mirrored[keep])
    flat = tuple(index.table["id"][hashes.is_flat])
    return NearDuplicates(index, threshold, pairs, flat, len(rows))


def near_duplicate_report(
    found: NearDuplicates, splits: Sequence[Split], *, protocol: str, problem: str = ""
) -> NearDuplicateReport:
    """What is said of near-duplicates, and of the splits in which they are parted.

    Args:
        found: the near-duplicates.
        splits: of the protocol.
        protocol: its name.
        problem: why there are no splits.
    """
    across = {split.name: found.tested_and_trained(split) for split in splits}
    return NearDuplicateReport(
        threshold=found.threshold,
        compared=found.compared,
        flat=found.flat,
        groups=found.groups,
        of_several_classes=found.of_several_classes,
        of_several_subjects=found.of_several_subjects,
        mirrored=int(found.pairs.is_mirrored.sum()),
        protocol=protocol,
        splits=len(splits),
        tested=sum(len(split.test) for split in splits),
        tested_and_trained={name: ids for name, ids in across.items() if ids},
        problem=problem,
    )


def _groups(members: pd.DataFrame) -> Groups:
    return tuple(tuple(group["id"]) for _, group in members.groupby("group", sort=False))


def _listed(groups: Sequence[Sequence[str]]) -> str:
    return f"{len(groups):,}" + _shown([" ~ ".join([*group[:3], *["…"][: len(group) - 3]]) for group in groups])


def _shown(names: Sequence[str]) -> str:
    return (": " + ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")) if names else ""
