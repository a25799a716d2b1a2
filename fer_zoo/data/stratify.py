"""Spreading whole people over parts so that every class is as even as people allow."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def assign_subjects(
    counts: npt.NDArray[np.float64], shares: Sequence[float], order: Sequence[str]
) -> npt.NDArray[np.int64]:
    """The part of each subject, so that every part holds about its share of every class.

    Greedy on chi-squared, the sum of (held - wished)^2 / wished over parts and classes, each class in units of its
    total. Subjects go in the order of the largest share of any class that they hold, so people with rare classes, and
    people with very many samples, choose first and the many with one common sample even out the rest.

    Args:
        counts: samples of each subject and class (subjects, classes).
        shares: wished share of each part; they add up to 1.
        order: decides between subjects of equal rank.

    Example:
        >>> assign_subjects(np.array([[2.0, 0], [0, 3], [2, 0], [0, 3]]), [0.5, 0.5], ["a", "b", "c", "d"]).tolist()
        [0, 1, 1, 0]
    """
    totals = counts.sum(axis=0)
    in_shares = counts / np.where(totals > 0, totals, 1)
    rank = in_shares.max(axis=1, initial=0.0)
    sizes = counts.sum(axis=1) / max(counts.sum(), 1)
    sequence = sorted(range(len(counts)), key=lambda i: (-rank[i], order[i]))
    wished = np.asarray(shares)
    lead = -np.repeat(wished[:, None], counts.shape[1], axis=1)  # what a part holds beyond its wish, by class
    size_lead = -wished.copy()
    parts = np.empty(len(counts), dtype=np.int64)
    for i in sequence:
        cost = (lead @ in_shares[i] + in_shares[i] @ in_shares[i] / 2) / wished  # half of what chi-squared gains
        tied = np.flatnonzero(cost <= cost.min() + 1e-12)
        part = tied[np.argmin(size_lead[tied] / wished[tied])]
        parts[i] = part
        lead[part] += in_shares[i]
        size_lead[part] += sizes[i]
    return parts
