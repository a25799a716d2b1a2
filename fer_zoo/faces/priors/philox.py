"""Philox 4×64 with ten rounds for many keys at once, the words that numpy's generator of each key gives first.

Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011, figure 2.
"""

import numpy as np
from jaxtyping import UInt64

_MULTIPLIERS = tuple(map(np.uint64, (0xD2E7470EE14C6C93, 0xCA5A826395121157)))
_BUMPS = np.array([0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B], np.uint64)
_ROUNDS = 10
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(keys: UInt64[np.ndarray, "b 2"], count: int) -> UInt64[np.ndarray, "b {count}"]:
    """The first words of each key, as of `np.random.Philox(key=…).random_raw(count)`."""
    blocks = -(-count // 4)
    shape = (len(keys), blocks)
    first = np.broadcast_to(np.arange(1, blocks + 1, dtype=np.uint64), shape)  # numpy counts before the first block
    second = third = fourth = np.zeros(shape, np.uint64)
    for turn in range(_ROUNDS):
        one, other = (keys + np.uint64(turn) * _BUMPS).T[..., None]
        (high, low), (above, below) = _product(_MULTIPLIERS[0], first), _product(_MULTIPLIERS[1], third)
        first, second, third, fourth = above ^ second ^ one, below, high ^ fourth ^ other, low
    return np.stack([first, second, third, fourth], axis=2).reshape(len(keys), 4 * blocks)[:, :count]


def _product(
    factor: np.uint64, words: UInt64[np.ndarray, "b n"]
) -> tuple[UInt64[np.ndarray, "b n"], UInt64[np.ndarray, "b n"]]:
    """High and low words of products of 128 bits, by halves."""
    left, right = factor >> _HALF, factor & _LOW
    upper, lower = words >> _HALF, words & _LOW
    middle = upper * right + (lower * right >> _HALF)
    crossed = lower * left + (middle & _LOW)
    return upper * left + (middle >> _HALF) + (crossed >> _HALF), factor * words
