"""Which samples an epoch sees, in which order, on which process: a function of the seed and the epoch alone."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from fer_zoo.core.errors import UserError


class EpochSampler(Sampler[tuple[int, int]]):
    """(epoch, position) of the training samples of one epoch, the same number on every process.

    Without weights each sample comes once, in an order drawn from (seed, epoch); where the processes do not divide the
    length, the first of the order come twice. With weights, samples are drawn with replacement.
    The epoch travels with the position, so that workers that fetch ahead augment for the right epoch.

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

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, total = self._epoch, len(self) * self._world_size
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence((self._seed, epoch))))
        if self._chances is not None:
            order = generator.choice(self._length, size=total, p=self._chances)
        else:
            order = np.resize(generator.permutation(self._length), total)
        for position in order[self._rank :: self._world_size].tolist():
            yield epoch, position


class UnpaddedSampler(Sampler[tuple[int, int]]):
    """(0, position) of the samples to evaluate: over all processes each exactly once, in order, none twice.

    The processes have up to one sample more or less than each other.
    """

    def __init__(self, length: int, rank: int = 0, world_size: int = 1) -> None:
        _check_rank(rank, world_size)
        self._positions = range(rank, length, world_size)

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for position in self._positions:
            yield 0, position


def _check_rank(rank: int, world_size: int) -> None:
    if not 0 <= rank < world_size:
        raise UserError(f"A process has a rank from 0 to world size - 1, found {rank} of {world_size}.")
