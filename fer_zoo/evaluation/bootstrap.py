"""Intervals over people, of whom each stands for all of their images, since these resemble each other.

Few people: a value's standard error comes from leaving out one person at a time (jackknife), many: from drawing people
with replacement (bootstrap). The interval is the value ± Student's t times that error. A metric is a value of additive
sums, so one resample is a row of weights (how often each person was drawn) times the matrix of sums per person, and
thousands of resamples are one matrix product. docs/statistics.md has the coverage that was measured.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6, 8 (clusters), 11 (jackknife), 12 (t).
"""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.progress import progress

RESAMPLES = 10_000
LEVEL = 0.95
FEW_PEOPLE = 200  # below, the jackknife: bootstrap errors are too small there, those of correlations most of all
_CHUNK_BYTES = 16 * 2**20  # of weights at a time: small enough for caches, large enough for the matrix product
_LONG = 5_000_000  # draws, about a second


@dataclass(frozen=True)
class Interval:
    """The bounds of a score; NaN where there is no interval, as with a single person."""

    low: float
    high: float


NO_INTERVAL = Interval(float("nan"), float("nan"))


def error_method(people: int) -> Literal["jackknife", "bootstrap"]:
    """Where the standard error of a value comes from that stands on images of so many people."""
    return "jackknife" if people < FEW_PEOPLE else "bootstrap"


def check_level(level: float) -> None:
    """Checks the level of an interval.

    Raises:
        UserError: outside 0 to 1.
    """
    if not 0.0 < level < 1.0:
        raise UserError(f"The level of an interval lies between 0 and 1, as in 0.95; found {level}.")


def t_interval(value: float, error: float, people: int, bounds: tuple[float, float], level: float = LEVEL) -> Interval:
    """The value ± t of (people − 1) degrees of freedom times its standard error, within the range of the metric.

    Args:
        value: the score.
        error: its standard error over people.
        people: how many stand behind it; no interval below two.
        bounds: the least and the greatest value there can be.
        level: of the interval.

    Raises:
        UserError: for a level outside 0 to 1.
    """
    from scipy.special import stdtrit

    check_level(level)
    if people < 2:
        return NO_INTERVAL
    half = float(stdtrit(people - 1, (1 + level) / 2)) * error
    if not np.isfinite(half):
        return NO_INTERVAL
    return Interval(max(value - half, bounds[0]), min(value + half, bounds[1]))


def jackknife_error(left_out: Float64[Tensor, "s"], counted: Bool[Tensor, "s"]) -> float:
    """Standard error of a value from the values without each person.

    Args:
        left_out: value without each person; NaN where there is none.
        counted: the people who have images in the value; the others do not move it.
    """
    values = left_out[counted & ~left_out.isnan()]
    if len(values) < 2:
        return float("nan")
    return sqrt((len(values) - 1) * float(values.var(correction=0)))


def bootstrap_error(drawn: Float64[Tensor, "r"], people: int) -> float:
    """Standard error of a value from its resamples, NaN left out.

    Draws from n people spread by (n − 1) / n less, in variance, than people do.
    """
    values = drawn[~drawn.isnan()]
    return float(values.std(correction=0)) * sqrt(people / (people - 1)) if len(values) > 1 else float("nan")


def resampled_sums(
    per_subject_sums: Float64[Tensor, "s f"], *, resamples: int = RESAMPLES, seed: int = 0
) -> Float64[Tensor, "r f"]:
    """The sums of each resample. Weights are made in blocks of 16 MB.

    The same seed and number of people draw the same people, so that intervals of several scores, and of their
    differences, belong together.

    Raises:
        UserError: for no resample or no person.
    """
    subjects = len(per_subject_sums)
    if resamples < 1 or subjects < 1:
        raise UserError(f"A bootstrap needs at least one resample and one person; found {resamples} and {subjects}.")
    generator = np.random.default_rng(seed)
    block = max(1, _CHUNK_BYTES // (8 * subjects))
    drawn = torch.empty(resamples, per_subject_sums.shape[1], dtype=torch.float64)
    firsts, is_long = range(0, resamples, block), resamples * subjects > _LONG
    for first in progress(firsts, "resampling people", total=resamples, unit="resamples", each=block, show=is_long):
        last = min(first + block, resamples)
        torch.matmul(draw_weights(generator, last - first, subjects), per_subject_sums, out=drawn[first:last])
    return drawn


def draw_weights(generator: np.random.Generator, resamples: int, subjects: int) -> Float64[Tensor, "r s"]:
    """How often each person is among as many draws with replacement as there are people: multinomial counts.

    Counting drawn positions takes about a tenth of the time of drawing the counts one binomial after the other.
    """
    positions = generator.integers(0, subjects, size=(resamples, subjects), dtype=np.int64)
    positions += np.arange(resamples)[:, None] * subjects
    counts = np.bincount(positions.ravel(), minlength=resamples * subjects)
    return torch.from_numpy(counts.reshape(resamples, subjects).astype(np.float64))
