"""Which samples an epoch sees, in which order, on which process: a function of the seed and the epoch alone."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int
from torch.utils.data import Sampler

from fer_zoo.core.errors import UserError

Draw = tuple[int, int, int]  # epoch, position of the sample, how often it came before in this epoch


class EpochSampler(Sampler[Draw]):
    """The draws of the training samples of one epoch, the same number on every process.

    Without weights each sample comes once, in an order drawn from (seed, epoch); where the processes do not divide the
    length, the first of the order come twice. With weights, samples are drawn with replacement.
    Epoch and repeat travel with the position, so that workers that fetch ahead augment for the right epoch and a sample
    that comes again in an epoch comes changed: else it would be learned by heart.

    Args:
        length: number of samples.
        seed: of the run.
        weights: chance of each sample, up to a factor.
        rank, world_size: this process and how many there are.
        epoch: the one to begin with.
    """

    def __init__(
        self,
        length: int,
        seed: int,
        weights: Sequence[float] | np.ndarray | None = None,
        rank: int = 0,
        world_size: int = 1,
        epoch: int = 0,
    ) -> None:
        _check_rank(rank, world_size)
        if weights is not None and len(weights) != length:
            raise UserError(f"A sampler of {length} samples needs as many weights, found {len(weights)}.")
        self._length, self._seed, self._epoch = length, seed, epoch
        self._rank, self._world_size = rank, world_size
        self._chances = None if weights is None else np.asarray(weights, np.float64) / np.sum(weights)

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is for; Lightning calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self._length / self._world_size)

    def __iter__(self) -> Iterator[Draw]:
        epoch, total = self._epoch, len(self) * self._world_size
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence((self._seed, epoch))))
        if self._chances is not None:
            order = generator.choice(self._length, size=total, p=self._chances)
        else:
            order = np.resize(generator.permutation(self._length), total)
        own = slice(self._rank, None, self._world_size)
        for position, repeat in zip(order[own].tolist(), _repeats(order)[own].tolist(), strict=True):
            yield epoch, position, repeat


class UnpaddedSampler(Sampler[Draw]):
    """(0, position, 0) of the samples to evaluate: over all processes each exactly once, in order, none twice.

    The processes have up to one sample more or less than each other.
    """

    def __init__(self, length: int, rank: int = 0, world_size: int = 1) -> None:
        _check_rank(rank, world_size)
        self._positions = range(rank, length, world_size)

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[Draw]:
        for position in self._positions:
            yield 0, position, 0


def _repeats(order: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """For each place how often the same sample stands before it."""
    by_sample = np.argsort(order, kind="stable")
    sorted_order = order[by_sample]
    places = np.arange(len(order))
    starts = np.r_[True, sorted_order[1:] != sorted_order[:-1]] if len(order) else np.zeros(0, bool)
    repeats = np.empty_like(places)
    repeats[by_sample] = places - np.maximum.accumulate(np.where(starts, places, 0))
    return repeats


def _check_rank(rank: int, world_size: int) -> None:
    if not 0 <= rank < world_size:
        raise UserError(f"A process has a rank from 0 to world size - 1, found {rank} of {world_size}.")
