"""Bootstrap intervals clustered over subjects: people are drawn with replacement, with all of their images.

A metric is a value of additive sums, so one resample is a row of weights (how often each person was drawn) times the
matrix of sums per person, and thousands of resamples are one matrix product.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 (clusters) and 13 (percentiles).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.progress import progress

RESAMPLES = 10_000
LEVEL = 0.95
_CHUNK_BYTES = 16 * 2**20  # of weights at a time: small enough for caches, large enough for the matrix product
_LONG = 5_000_000  # draws, about a second


@dataclass(frozen=True)
class Interval:
    """The bounds of a score; NaN where there is no interval, as with a single person."""

    low: float
    high: float


def percentile_bounds(values: Float64[Tensor, "r *values"], level: float = LEVEL) -> Float64[Tensor, "2 *values"]:
    """The bounds that leave (1 - level) / 2 of the defined values on either side; NaN where none is defined.

    Raises:
        UserError: for a level outside 0 to 1.
    """
    if not 0.0 < level < 1.0:
        raise UserError(f"The level of an interval lies between 0 and 1, as in 0.95; found {level}.")
    tail = (1.0 - level) / 2.0
    return torch.nanquantile(values, torch.tensor([tail, 1.0 - tail], dtype=torch.float64), dim=0)


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


def sums_per_subject(
    subjects: Sequence[str], sums: Callable[[Tensor, Tensor], Tensor], prediction: Tensor, target: Tensor
) -> Float64[Tensor, "s *sums"]:
    """The sums of each person's rows, people in the order of their codes; the order of the rows does not matter.

    Args:
        subjects: the person of each row.
        sums: the additive sums of a metric, of (prediction, target).
        prediction: one row per image.
        target: one row per image.
    """
    codes, person = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    order = torch.from_numpy(np.argsort(person, kind="stable"))
    sizes = np.bincount(person, minlength=len(codes)).tolist()
    parts = zip(torch.split(prediction[order], sizes), torch.split(target[order], sizes), strict=True)
    return torch.stack([sums(rows, truth).double() for rows, truth in parts])
