"""Samples that lack the label by which data are divided, and have one of another target that is learned besides."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fer_zoo.data.index import Index
from fer_zoo.data.protocols.splits import Split, Unit, unit_keys


def with_partly_labelled(index: Index, split: Split, unit: Unit, target: str, others: Sequence[str]) -> Split:
    """The split whose training part also has the samples without a label of its target that have one of another.

    Samples of a unit that is validated or tested stay out.

    Args:
        index: of the data.
        split: made by the labels of a target.
        unit: what must not stand in two parts.
        target: by whose labels.
        others: what is learned besides; none changes nothing.
    """
    if not others:
        return split
    keys, ids = unit_keys(index, unit), np.asarray(index.ids, dtype=object)
    held_out = np.isin(keys, np.unique(keys[index.rows_of([*split.validation, *split.test])].astype(str)))
    is_labelled = np.any([index.is_labelled(other) for other in others], axis=0)
    joining = ids[is_labelled & ~index.is_labelled(target) & ~held_out].tolist()
    return replace(split, train=tuple(sorted([*split.train, *joining]))) if joining else split
