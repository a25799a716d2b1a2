"""Several methods on the same images: their order, which differences are more than chance, and who shares a rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, isnan

import numpy as np
from jaxtyping import Float

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.matched_sums import check_same_images
from fer_zoo.evaluation.permutation import PERMUTATIONS, PermutationTest, permutation_tests
from fer_zoo.evaluation.subject_sums import (
    WITHOUT_INTERVAL,
    Bootstrap,
    Draws,
    Estimate,
    SubjectSums,
    Values,
)
from fer_zoo.evaluation.sum_values import metric_value
from fer_zoo.metrics import family_for, metric

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class RankedMethod:
    """One method.

    Attributes:
        name: as it was given.
        estimate: its score.
        rank: 1 for the leader and everyone who is not significantly worse; None without a score.
        behind: its score minus the leader's, on the same draws of people; 0 without interval for the leader.
        holm: corrected p of the difference to the leader; NaN for the leader and without a score.
    """

    name: str
    estimate: Estimate
    rank: int | None
    behind: Estimate
    holm: float


@dataclass(frozen=True, kw_only=True)
class MethodPair:
    """Two methods, the better one first: difference of their scores, p of it alone, p corrected for all pairs."""

    better: str
    worse: str
    difference: float
    p: float
    holm: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a comparison found.

    Attributes:
        metric: name of it.
        missing_is_wrong: whether images without an output count as wrong.
        level: corrected p below which a difference counts.
        subjects: number of people.
        permutations: of each test.
        exact: whether these are all there are.
        methods: best first.
        pairs: each once, in the order of the methods.
    """

    metric: str
    missing_is_wrong: bool
    level: float
    subjects: int
    permutations: int
    exact: bool
    methods: tuple[RankedMethod, ...]
    pairs: tuple[MethodPair, ...]


def compare_methods(
    sums: Mapping[str, SubjectSums],
    metric: str,
    *,
    missing_is_wrong: bool = False,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    level: float = ALPHA,
    bootstrap: Bootstrap | None = None,
) -> Comparison:
    """Methods in order, all pairs tested over people and corrected by Holm, and the ranks that follow.

    Rank 1 is the leader and every method that is not significantly worse than the leader (corrected p of at least
    `level`). Of the others the best leads rank 2, and so on. Equal scores stand in the order of their names.

    Args:
        sums: name -> sums per person, on the same images; of several seeds `mean_sums`.
        metric: by which they are ordered.
        missing_is_wrong: count images without an output as wrong; else they are left out.
        permutations: of each test; all there are where that is no more.
        seed: of the permutations.
        level: corrected p below which a difference counts.
        bootstrap: how intervals are drawn; by default as in reports.

    Raises:
        UserError: if there is no method, the images differ, or the metric does not fit or has no better and worse.
    """
    check_same_images(sums)
    first, *_ = sums.values()
    upwards = _more_is_better(first.space, metric)
    draws = {name: of_method.draw(bootstrap or Bootstrap()) for name, of_method in sums.items()}
    scores = {name: drawn.estimate(metric, missing_is_wrong=missing_is_wrong) for name, drawn in draws.items()}
    order = _best_first({name: score.value for name, score in scores.items()}, upwards=upwards)
    couples = [(sums[a], sums[b]) for a, b in combinations(order, 2)]
    tests = permutation_tests(couples, metric, missing_is_wrong=missing_is_wrong, permutations=permutations, seed=seed)
    pairs = _corrected_pairs(order, tests)
    by_couple = {(pair.better, pair.worse): pair.holm for pair in pairs}
    ranks = tie_ranks([name for name in order if not isnan(scores[name].value)], by_couple, level)
    leader = draws[order[0]]
    behind = {name: difference(draws[name], leader, metric, missing_is_wrong=missing_is_wrong) for name in order[1:]}
    methods = [
        RankedMethod(
            name=name,
            estimate=scores[name],
            rank=ranks.get(name),
            behind=behind.get(name, Estimate(0.0)),
            holm=by_couple.get((order[0], name), float("nan")),
        )
        for name in order
    ]
    return Comparison(
        metric=metric,
        missing_is_wrong=missing_is_wrong,
        level=level,
        subjects=first.num_subjects,
        permutations=min(permutations, 2**first.num_subjects),
        exact=2**first.num_subjects <= permutations,
        methods=tuple(methods),
        pairs=pairs,
    )


def _corrected_pairs(order: Sequence[str], tests: Sequence[PermutationTest]) -> tuple[MethodPair, ...]:
    """All pairs of methods, best first, with p corrected for their number."""
    corrected = holm([test.p for test in tests]).tolist()
    return tuple(
        MethodPair(better=better, worse=worse, difference=test.difference, p=test.p, holm=p)
        for (better, worse), test, p in zip(combinations(order, 2), tests, corrected, strict=True)
    )


def holm(p_values: Sequence[float]) -> Float[np.ndarray, "m"]:
    """P values corrected for their number, step by step (Holm, 1979); NaN stays and does not count as one.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    corrected = np.full(len(given), np.nan)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(order), 0, -1)))
    return corrected


def tie_ranks(order: Sequence[str], corrected: Mapping[tuple[str, str], float], level: float) -> dict[str, int]:
    """Rank of each method: a leader and all behind it that are not significantly worse, then the next leader.

    Args:
        order: names, best first.
        corrected: (better, worse) -> corrected p.
        level: below it, a method is significantly worse.
    """
    ranks: dict[str, int] = {}
    left, rank = list(order), 1
    while left:
        leader = left[0]
        group = [name for name in left if name == leader or corrected[leader, name] >= level]
        ranks.update(dict.fromkeys(group, rank))
        left, rank = [name for name in left if name not in group], rank + 1
    return ranks


def difference(first: Draws, second: Draws, metric: str, *, missing_is_wrong: bool = False) -> Estimate:
    """The metric of the first minus that of the second, with its interval over the same draws of people.

    Args:
        first: drawn with the same seed and number of resamples as the second, on the same images.
        second: the other one.
        metric: name of it.
        missing_is_wrong: count images without an output as wrong; else they are left out.
    """
    chosen = metric_value(metric, missing_is_wrong=missing_is_wrong)
    if any(chosen.family not in draws.sums.sums for draws in (first, second)):
        return Estimate(float("nan"))
    one, other = first.values(chosen), second.values(chosen)
    values = Values(
        total=one.total - other.total,
        counted=one.counted | other.counted,
        left_out=lambda: one.left_out() - other.left_out(),
        drawn=None if one.drawn is None or other.drawn is None else one.drawn - other.drawn,
    )
    if first.bootstrap.resamples == 0 or metric in WITHOUT_INTERVAL:
        return Estimate(values.total[0].item())
    least, most = chosen.bounds
    return values.estimates((least - most, most - least), first.bootstrap.level)[0]


def _more_is_better(space: LabelSpace, name: str) -> bool:
    """Whether more is better.

    Raises:
        UserError: if the metric does not fit, or has no better and worse.
    """
    family_for(space, name)
    upwards = metric(name).higher_is_better
    if upwards is None:
        raise UserError(f"Metric {name!r} has no better and worse by which methods could be ordered.")
    return upwards


def _best_first(values: Mapping[str, float], *, upwards: bool) -> list[str]:
    """Names by score, those without one last."""
    return sorted(values, key=lambda n: (inf if isnan(values[n]) else -values[n] if upwards else values[n], n))
