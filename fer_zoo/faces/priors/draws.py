"""Random numbers of samples, each a function of a seed, a stream's name and the sample's number alone.

So a sample depends on no other, on no order and on no number of samples; and one part of it, as the light, on no other
part. The generator is Philox, whose key they make.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Draws:
    """The numbers of some samples.

    Attributes:
        seed: of the data set.
        numbers: of the samples.
    """

    seed: int
    numbers: Int[np.ndarray, " b"]

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, numbers: Int[np.ndarray, " b"]) -> "Draws":
        """Those of the same seed for other numbers, as of the people or clips of samples."""
        return Draws(self.seed, numbers)

    def seeds(self, stream: str) -> list[int]:
        """A whole number a sample."""
        key = _key(self.seed, stream)
        return [int(_philox(key, number).random_raw()) for number in self.numbers.tolist()]

    def uniform(self, stream: str, count: int) -> Float[np.ndarray, "b {count}"]:
        """Numbers in [0, 1)."""
        key, found = _key(self.seed, stream), np.empty((len(self), count))
        known: dict[int, np.ndarray] = {}  # frames of a clip ask for the same numbers again
        for row, number in enumerate(self.numbers.tolist()):
            if number not in known:
                known[number] = np.random.Generator(_philox(key, number)).random(count)
            found[row] = known[number]
        return found

    def normal(self, stream: str, count: int) -> Float[np.ndarray, "b {count}"]:
        """Standard normal numbers."""
        from scipy.special import ndtri  # slow to import, and every listing of data sets imports this module

        return ndtri(self.uniform(stream, count).clip(1e-9, 1 - 1e-9))


def between(share: np.ndarray, least: float | np.ndarray, most: float | np.ndarray) -> np.ndarray:
    """Uniform numbers moved from [0, 1) to [least, most)."""
    return least + share * (most - least)


def _key(seed: int, stream: str) -> int:
    return int.from_bytes(sha256(f"{seed}/{stream}".encode()).digest()[:8], "little")


def _philox(key: int, number: int) -> np.random.Philox:
    return np.random.Philox(key=np.array([key, number], np.uint64))  # numpy would make floats of plain numbers
