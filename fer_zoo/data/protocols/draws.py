"""Drawing by hash: what is drawn depends on each name and the seed alone, not on the order of rows."""

import math
from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from fer_zoo.core.errors import UserError
from fer_zoo.data.index import Index
from fer_zoo.data.protocols.splits import Split


def draw(name: str, seed: int, purpose: str) -> str:
    """A pseudo-random text by which names are ordered."""
    return sha256(f"{purpose}/{seed}/{name}".encode()).hexdigest()


def num_drawn(number: int, share: float, unit: str = "subject") -> int:
    """How many of a number a share is: at least one where anything is asked for.

    Raises:
        UserError: if nobody would be left.
    """
    wanted = 0 if share == 0 else max(1, math.floor(share * number + 0.5))
    if wanted >= number:
        raise UserError(
            f"A share of {share:g} of {number} {unit}s leaves nobody to train on; use more {unit}s, or"
            " protocol.validation_share=0."
        )
    return wanted


def drawn(names: Sequence[str], share: float, seed: int, purpose: str, unit: str = "subject") -> list[str]:
    """A share of the names."""
    ordered = sorted(names, key=lambda name: draw(name, seed, purpose))
    return ordered[: num_drawn(len(names), share, unit)]


def cut_training(index: Index, splits: Iterable[Split], target: str, most: int, seed: int) -> list[Split]:
    """The splits, their training parts cut to at most so many samples; classes keep their shares to a sample or two.

    A smaller cut is part of every larger one of the same seed.
    """
    space = index.space(target)
    has_classes = space.kind == "classes" and not space.is_dense
    labels = index.table[target].to_numpy(dtype=object) if has_classes else np.full(len(index), "", object)
    return [Split(s.name, _some(index, s.train, labels, most, seed), s.validation, s.test) for s in splits]


def _some(index: Index, ids: tuple[str, ...], labels: npt.NDArray[np.object_], most: int, seed: int) -> tuple[str, ...]:
    """The first of each class in the order of the draw, where each stands by its rank over the size of its class."""
    if len(ids) <= most:
        return ids
    order = np.array(sorted(ids, key=lambda name: draw(name, seed, "training")), dtype=object)
    _, classes, sizes = np.unique(labels[index.rows_of(order)].astype(str), return_inverse=True, return_counts=True)
    by_class = np.argsort(classes, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[by_class] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = (rank + 0.5) / sizes[classes]
    return tuple(sorted(order[np.argsort(place, kind="stable")[:most]].tolist()))
