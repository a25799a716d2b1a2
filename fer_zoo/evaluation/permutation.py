"""Paired permutation test over people: is one of two methods better on them than chance would have it?

If the methods were alike, it would not matter whose outputs on a person are called whose. Whole people swap sides, in
each permutation some of them, and p is the share of permutations whose difference is at least as large as the observed
one. Totals of all permutations are one matrix product: signs "r s" times half differences of sums "s f".
Source: Good, Permutation, Parametric, and Bootstrap Tests of Hypotheses, 2005; + 1: Phipson and Smyth, 2010.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.evaluation.matched_sums import check_same_images
from fer_zoo.evaluation.subject_sums import SubjectSums
from fer_zoo.evaluation.sum_values import SumValue, metric_value

PERMUTATIONS = 10_000
_CHUNK_BYTES = 16 * 2**20  # of signs at a time
_ROUNDING = 1e-10  # differences that equal the observed one up to their rounding count as equal

Pair = tuple[SubjectSums, SubjectSums]


@dataclass(frozen=True, kw_only=True)
class PermutationTest:
    """What a test found; NaN where the metric of one side does not exist.

    Attributes:
        difference: metric of the first minus that of the second.
        p: two-sided; (1 + as large or larger) / (1 + permutations), or the plain share where `exact`.
        permutations: how many were looked at.
        exact: whether these are all there are.
    """

    difference: float
    p: float
    permutations: int
    exact: bool


def permutation_test(
    first: SubjectSums,
    second: SubjectSums,
    name: str,
    *,
    missing_is_wrong: bool = False,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> PermutationTest:
    """The test of two methods on the same images; see `permutation_tests`.

    Raises:
        UserError: if they are not of the same images, the metric does not fit them, or no permutation is asked for.
    """
    (test,) = permutation_tests(
        [(first, second)], name, missing_is_wrong=missing_is_wrong, permutations=permutations, seed=seed
    )
    return test


def permutation_tests(
    pairs: Sequence[Pair],
    name: str,
    *,
    missing_is_wrong: bool = False,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> list[PermutationTest]:
    """A test for each pair of methods, all pairs of one number of people with the same swaps.

    Args:
        pairs: sums per person of two methods on the same images.
        name: of the metric.
        missing_is_wrong: count images without an output as wrong; else they are left out.
        permutations: how many are drawn; all 2^people are gone through instead where there are no more than these.
        seed: of the draws.

    Raises:
        UserError: if a pair is not of the same images, the metric does not fit, or no permutation is asked for.
    """
    if permutations < 1:
        raise UserError(f"A permutation test needs at least one permutation; found {permutations}.")
    for pair in pairs:
        check_same_images({"the first": pair[0], "the second": pair[1]})
    if len({pair[0].num_subjects for pair in pairs}) > 1:
        raise UserError("The pairs of a test have different people; test them one by one.")
    if not pairs:
        return []
    chosen = metric_value(name, missing_is_wrong=missing_is_wrong)
    halves = [_Halves(pair, chosen) for pair in pairs]
    people = pairs[0][0].num_subjects
    exact = 2**people <= permutations
    larger = [0] * len(pairs)
    for signs in _signs(people, permutations, seed, exact=exact):
        for i, half in enumerate(halves):
            larger[i] += half.as_large(signs)
    count = 2**people if exact else permutations
    return [
        PermutationTest(
            difference=half.observed,
            p=nan if isnan(half.observed) else (found + (not exact)) / (count + (not exact)),
            permutations=count,
            exact=exact,
        )
        for half, found in zip(halves, larger, strict=True)
    ]


class _Halves:
    """Half of the sum and half of the difference of two methods' sums: A = h + d, B = h − d, and swapped −d."""

    def __init__(self, pair: Pair, chosen: SumValue) -> None:
        one, other = (sums.sums.get(chosen.family) for sums in pair)
        self.value, self.observed = chosen.value, nan
        if one is None or other is None:
            return
        self.shape = one.shape[1:]
        self.middle = ((one + other) / 2).sum(dim=0)
        self.half = ((one - other) / 2).flatten(1)
        self.observed = float(self.differences(torch.ones(1, len(one), dtype=torch.float64)))

    def differences(self, signs: Float64[Tensor, "r s"]) -> Float64[Tensor, "r"]:
        """Metric of the first minus metric of the second in each permutation."""
        moved = (signs @ self.half).reshape(-1, *self.shape)
        return (self.value(self.middle + moved) - self.value(self.middle - moved)).squeeze(-1)

    def as_large(self, signs: Float64[Tensor, "r s"]) -> int:
        """In how many permutations the difference is as large as observed; one that does not exist counts as such."""
        if isnan(self.observed):
            return 0
        smaller = self.differences(signs).abs() < abs(self.observed) - _ROUNDING
        return int((~smaller).sum())


def _signs(people: int, permutations: int, seed: int, *, exact: bool) -> Iterator[Float64[Tensor, "r s"]]:
    """+1 where a person stays, −1 where the sides swap, in blocks of 16 MB."""
    block = max(1, _CHUNK_BYTES // (8 * max(people, 1)))
    generator = np.random.default_rng(seed)
    count = 2**people if exact else permutations
    for first in range(0, count, block):
        rows = min(block, count - first)
        if exact:
            bits = np.arange(first, first + rows)[:, None] >> np.arange(people) & 1
            yield torch.from_numpy(1.0 - 2.0 * bits)
        else:
            packed = generator.integers(0, 256, size=(rows, -(-people // 8)), dtype=np.uint8)
            yield torch.from_numpy(1.0 - 2.0 * np.unpackbits(packed, axis=1, count=people))
