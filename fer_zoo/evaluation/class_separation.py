"""How far apart classes lie in the features of a network: numbers of several feature sets on the same images.

Sets are standardised and brought to equally many numbers first, since scale and width alone would change all of this.
Intervals are over people: each number is computed again from people drawn with replacement, the same for all sets.
Copies of an image that come with a person drawn twice are no neighbours of it, and in no mean of distances.
Sources: Rousseeuw, Silhouettes, 1987; Fukunaga, Introduction to Statistical Pattern Recognition, 1990, section 10.2
(scatter); Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 8 (clusters).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int64
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.evaluation.bootstrap import Interval, bootstrap_error, draw_weights, t_interval
from fer_zoo.evaluation.report_text import ReportTable, short, with_interval
from fer_zoo.evaluation.subject_sums import Estimate

RESAMPLES = 200
NEIGHBOURS = 5
_NEAREST = 60  # neighbours that are looked at for the five that a resample holds
_BLOCK = 40  # resamples at a time: 2,000 images take 32 MB for their neighbours

# Metric -> its bounds; of ratios (none) everything is done with the logarithm.
METRICS: Mapping[str, tuple[float, float] | None] = {
    "silhouette": (-1.0, 1.0),
    "scatter_ratio": None,
    "distance_ratio": None,
    "neighbour_accuracy": (0.0, 1.0),
}


@dataclass(frozen=True, kw_only=True)
class Separation:
    """The classes in one feature set.

    Attributes:
        name: of the set.
        width: how many features it has that are not the same for all images.
        values: metric -> number with its interval.
        gains: metric -> against the first set: the difference, of ratios the factor; {} for the first itself.
    """

    name: str
    width: int
    values: Mapping[str, Estimate]
    gains: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what does not exist is None."""
        plain = {"values": _plain(self.values), "gains": _plain(self.gains)}
        return {"name": self.name, "width": self.width, **plain}


def class_separations(
    sets: Mapping[str, Float[np.ndarray, "n _"]],
    classes: Int[np.ndarray, " n"],
    subjects: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Separation]:
    """Each feature set, and what the others gain over the first.

    `silhouette`: mean over images of (b - a) / max(a, b), a the mean distance to the images of the own class, b that
    to the nearest other class. `scatter_ratio`: trace of the between-class over that of the within-class scatter.
    `distance_ratio`: mean distance of two class means over the mean distance of two images of a class, each class
    counted alike. `neighbour_accuracy`: mean recall where the five nearest images of other people vote (leave one
    subject out); of equal votes the nearer ones win.

    Args:
        sets: name -> features of all images; the first is compared with.
        classes: number of each image's class.
        subjects: code of each image's person.
        resamples: how often people are drawn.
        seed: of the draws.

    Raises:
        UserError: for fewer than two classes or people, or a set in which nothing varies.
    """
    people, person = np.unique(np.asarray(subjects, dtype=object).astype(str), return_inverse=True)
    known, number = np.unique(classes, return_inverse=True)
    if len(known) < 2 or len(people) < 2:
        raise UserError(f"Classes lie apart from two of them and two people on; found {len(known)} and {len(people)}.")
    reduced = in_equal_dimension(sets)
    drawn = draw_weights(np.random.default_rng(seed), resamples, len(people))
    weights = torch.cat([torch.ones(1, len(people), dtype=torch.float64), drawn])
    groups = torch.from_numpy(number), torch.from_numpy(person)
    draws = {name: _draws(x, *groups, weights) for name, x in reduced.items()}
    first = next(iter(draws.values()))
    return [
        Separation(
            name=name,
            width=len(_varying(torch.from_numpy(np.asarray(sets[name], dtype=np.float64)))),
            values={metric: _estimate(metric, own[metric], len(people)) for metric in METRICS},
            gains={}
            if own is first
            else {metric: _estimate(metric, own[metric] - first[metric], len(people), gain=True) for metric in METRICS},
        )
        for name, own in draws.items()
    ]


def in_equal_dimension(sets: Mapping[str, Float[np.ndarray, "n _"]]) -> dict[str, Float64[Tensor, "n d"]]:
    """Each feature standardised over the images, then the first principal components, as many as the smallest set has.

    Features that are the same for all images are left out.

    Raises:
        UserError: for a set in which nothing varies.
    """
    standard = dict[str, Tensor]()
    for name, features in sets.items():
        x = torch.from_numpy(np.asarray(features, dtype=np.float64))
        varying = _varying(x)
        if not len(varying):
            raise UserError(f"The features {name!r} are the same for all {len(x):,} images.")
        x = x[:, varying]
        standard[name] = (x - x.mean(dim=0)) / x.std(dim=0, correction=0)
    dimension = min(min(x.shape) for x in standard.values())
    return {name: _principal(x, dimension) for name, x in standard.items()}


def separation_table(found: Sequence[Separation], title: str) -> ReportTable:
    """A row a set: each number, and what it gains over the first set."""
    header = [title]
    rows = [[one.name] for one in found]
    for metric, bounds in METRICS.items():
        header += [metric.replace("_", " "), "gain" if bounds else "factor"]
        for row, one in zip(rows, found, strict=True):
            row += [with_interval(one.values[metric]), with_interval(one.gains[metric]) if one.gains else "–"]
    return ReportTable(title="", header=header, rows=rows)


def mean_separations(folds: Sequence[Sequence[Separation]]) -> list[Separation]:
    """The means over folds, whose networks and people are different ones; of ratios the geometric mean.

    Intervals are added up as those of independent numbers.
    """
    means = []
    for same in zip(*folds, strict=True):
        values = {metric: _mean(metric, [one.values[metric] for one in same]) for metric in METRICS}
        gains = {metric: _mean(metric, [one.gains[metric] for one in same]) for metric in same[0].gains}
        means.append(Separation(name=same[0].name, width=same[0].width, values=values, gains=gains))
    return means


def _mean(metric: str, estimates: Sequence[Estimate]) -> Estimate:
    scale: Callable[[float], float] = float if METRICS[metric] else log
    back: Callable[[float], float] = float if METRICS[metric] else exp
    values = np.array([scale(one.value) for one in estimates])
    ends = np.array([(scale(one.interval.low), scale(one.interval.high)) for one in estimates])
    halves = (ends - values[:, None]) ** 2
    below, above = np.sqrt(halves.sum(axis=0)) / len(values)
    middle = float(values.mean())
    return Estimate(back(middle), Interval(back(middle - float(below)), back(middle + float(above))))


def _varying(x: Float64[Tensor, "n f"]) -> Int64[Tensor, " v"]:
    """Columns of finite numbers that are not all the same, but for the last digits."""
    spread = x.std(dim=0, correction=0)
    return torch.nonzero(spread > 1e-9 * x.abs().amax(dim=0))[:, 0]


def _principal(x: Float64[Tensor, "n f"], dimension: int) -> Float64[Tensor, "n d"]:
    """The first principal components of centred features."""
    _, vectors = torch.linalg.eigh(x.mT @ x)  # values rise
    return x @ vectors[:, -dimension:].flip(1)


def _draws(
    x: Float64[Tensor, "n d"], number: Int64[Tensor, " n"], person: Int64[Tensor, " n"], weights: Float64[Tensor, "r s"]
) -> dict[str, Float64[Tensor, " r"]]:
    """Every metric of each resample (rows of weights: how often each person is in it), ratios as logarithms."""
    distances = torch.cdist(x, x)
    distances.fill_diagonal_(0.0)
    is_class = torch.nn.functional.one_hot(number).double()
    near = _nearest(distances, person)
    found: dict[str, list[Tensor]] = {metric: [] for metric in METRICS}
    for block in torch.split(weights, _BLOCK):
        often = block.T[person]  # "n r"
        held = is_class[:, :, None] * often[:, None]  # "n k r": how often an image stands in each class
        count = held.sum(dim=0)
        sums = (distances.float() @ held.float().flatten(1)).view(held.shape).double()
        means, within = _scatter(x, held, count, often)
        found["silhouette"].append(_silhouette(sums, number, often, count))
        found["scatter_ratio"].append(within.log())
        apart = _mean_pair_distance(means)
        found["distance_ratio"].append((apart / _mean_own_distance(sums, is_class, often, count)).log())
        found["neighbour_accuracy"].append(_neighbour_accuracy(near, person, number, is_class, block))
    return {metric: torch.cat(values) for metric, values in found.items()}


def _scatter(
    x: Float64[Tensor, "n d"],
    held: Float64[Tensor, "n k r"],
    count: Float64[Tensor, "k r"],
    often: Float64[Tensor, "n r"],
) -> tuple[Float64[Tensor, "r k d"], Float64[Tensor, " r"]]:
    """The class means, NaN for a class that is not drawn, and between-class over within-class scatter."""
    sums = torch.einsum("nkr,nd->rkd", held, x)
    means = sums / count.T[:, :, None]
    middle = sums.sum(dim=1, keepdim=True) / count.sum(dim=0)[:, None, None]
    between = (count.T * (means - middle).square().sum(dim=2)).nansum(dim=1)
    own = (count.T * means.square().sum(dim=2)).nansum(dim=1)
    return means, between / (often.T @ x.square().sum(dim=1) - own)


def _silhouette(
    sums: Float64[Tensor, "n k r"],
    number: Int64[Tensor, " n"],
    often: Float64[Tensor, "n r"],
    count: Float64[Tensor, "k r"],
) -> Float64[Tensor, " r"]:
    """The mean over the images; 0 for one that is alone in its class."""
    at = number[:, None, None].expand(-1, 1, sums.shape[2])
    others = count[number] - often
    own = sums.gather(1, at)[:, 0] / others
    mean = (sums / count).nan_to_num(nan=inf)  # a class that is not drawn is nobody's nearest
    other = mean.scatter(1, at, inf).amin(dim=1)
    value = ((other - own) / torch.maximum(own, other)).where(others > 0, 0.0)
    return (value.nan_to_num() * often).sum(dim=0) / often.sum(dim=0)


def _mean_own_distance(
    sums: Float64[Tensor, "n k r"],
    is_class: Float64[Tensor, "n k"],
    often: Float64[Tensor, "n r"],
    count: Float64[Tensor, "k r"],
) -> Float64[Tensor, " r"]:
    """The mean distance of two images of a class, then over the classes."""
    total = torch.einsum("nkr,nk,nr->kr", sums, is_class, often)
    pairs = count.square() - torch.einsum("nk,nr->kr", is_class, often.square())
    return (total / pairs).nanmean(dim=0)


def _mean_pair_distance(means: Float64[Tensor, "r k d"]) -> Float64[Tensor, " r"]:
    """The mean distance of two class means."""
    first, second = torch.triu_indices(means.shape[1], means.shape[1], offset=1)
    return (means[:, first] - means[:, second]).norm(dim=2).nanmean(dim=1)


def _nearest(distances: Float64[Tensor, "n n"], person: Int64[Tensor, " n"]) -> Int64[Tensor, "n m"]:
    """The images of other people that lie nearest, the nearest first; those of the own person come after them."""
    apart = distances.masked_fill(person[:, None] == person, inf)
    return apart.argsort(dim=1, stable=True)[:, :_NEAREST]


def _neighbour_accuracy(
    near: Int64[Tensor, "n m"],
    person: Int64[Tensor, " n"],
    number: Int64[Tensor, " n"],
    is_class: Float64[Tensor, "n k"],
    weights: Float64[Tensor, "r s"],
) -> Float64[Tensor, " r"]:
    """Mean recall of the vote of the nearest, each as often as its person is drawn."""
    often = weights.T.float()[person]
    there = often[near] * (person[near] != person[:, None])[:, :, None]
    before = there.cumsum(dim=1) - there
    votes = (NEIGHBOURS - before).clamp(min=0).minimum(there)
    votes = votes * (1 + 1e-3 * 0.5**before)  # decides between equals alone
    given = torch.einsum("nmk,nmr->nkr", is_class.float()[near], votes)
    right = (given.argmax(dim=1) == number[:, None]) & (given.amax(dim=1) > 0)
    recalls = (is_class.T @ (right * often).double()) / (is_class.T @ often.double())
    return recalls.nanmean(dim=0)


def _estimate(metric: str, draws: Float64[Tensor, " r"], people: int, *, gain: bool = False) -> Estimate:
    """The first draw is that of the people as they are; ratios come back from their logarithms."""
    value, bounds = float(draws[0]), METRICS[metric]
    limits = (-inf, inf) if bounds is None else (-2.0, 2.0) if gain else bounds
    interval = t_interval(value, bootstrap_error(draws[1:][draws[1:].isfinite()], people), people, limits)
    if bounds is not None:
        return Estimate(value, interval)
    return Estimate(exp(value), Interval(exp(interval.low), exp(interval.high)))


def _plain(values: Mapping[str, Estimate]) -> dict[str, list[float | None]]:
    """[value, low, high] of each."""
    return {
        metric: [number if isfinite(number) else None for number in (one.value, one.interval.low, one.interval.high)]
        for metric, one in values.items()
    }


def separation_words(one: Separation) -> str:
    """The numbers of a set on two lines."""
    names = {metric: metric.replace("_", " ") for metric in METRICS}
    texts = [f"{names[metric]} {_short(one.values[metric])}" for metric in METRICS]
    return f"{texts[0]}   {texts[1]}\n{texts[2]}   {texts[3]}"


def _short(estimate: Estimate) -> str:
    """Two decimals throughout, as titles are small."""
    low, high = estimate.interval.low, estimate.interval.high
    interval = f" [{short(low, 2)}, {short(high, 2)}]" if isfinite(low + high) else ""
    return f"{short(estimate.value, 2)}{interval}"
