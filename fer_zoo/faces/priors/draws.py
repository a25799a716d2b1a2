"""Random numbers of samples, each a function of a seed, a stream's name and the sample's number alone.

So a sample depends on no other, on no order and on no number of samples; and one part of it, as the light, on no other
part. The generator is Philox, whose key they make.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from jaxtyping import Float, Int, UInt64

from fer_zoo.faces.priors.philox import philox


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
        words: list[int] = self._words(stream, 1)[:, 0].tolist()
        return words

    def uniform(self, stream: str, count: int) -> Float[np.ndarray, "b {count}"]:
        """Numbers in [0, 1)."""
        return (self._words(stream, count) >> np.uint64(11)) * 2.0**-53

    def normal(self, stream: str, count: int) -> Float[np.ndarray, "b {count}"]:
        """Standard normal numbers."""
        from scipy.special import ndtri  # slow to import, and every listing of data sets imports this module

        return ndtri(self.uniform(stream, count).clip(1e-9, 1 - 1e-9))

    def _words(self, stream: str, count: int) -> UInt64[np.ndarray, "b {count}"]:
        """Frames of a clip ask for the same numbers."""
        numbers, places = np.unique(self.numbers.astype(np.uint64), return_inverse=True)
        keys = np.stack([np.full_like(numbers, _key(self.seed, stream)), numbers], axis=1)
        return philox(keys, count)[places]


def between(share: np.ndarray, least: float | np.ndarray, most: float | np.ndarray) -> np.ndarray:
    """Uniform numbers moved from [0, 1) to [least, most)."""
    return least + share * (most - least)


def _key(seed: int, stream: str) -> int:
    return int.from_bytes(sha256(f"{seed}/{stream}".encode()).digest()[:8], "little")
