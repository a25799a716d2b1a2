"""Perceptual hashes of images, and the pairs of them that are close, mirrored or not.

A hash is the signs of the 16 × 16 lowest frequencies of a grey image of 64 × 64 pixels, without its mean: 255 bits. It
keeps where things are, and hardly notices size, compression or brightness. 64 bits, as is usual for photographs of all
kinds, tell crops of faces badly apart: at the distance where copies are found, strangers are found, too.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, UInt8, UInt64
from scipy.fft import dctn

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.progress import progress
from fer_zoo.data.cache import open_cache
from fer_zoo.data.index import Index

SIDE, FREQUENCIES = 64, 16
HALF = FREQUENCIES * FREQUENCIES // 2  # bits of even, and of odd, horizontal frequencies
FLAT = 4.0  # grey levels; below this standard deviation the signs are those of noise
_SPEC = InputSpec(height=SIDE, width=SIDE, colour="grey", mean=(0.5,), std=(0.5,))
_BLOCK = 1024
_AT_ONCE = 1 << 22  # distances that a thread holds


class Hashes(NamedTuple):
    """Hashes of an index's images.

    Attributes:
        bits: (n, 4); two words of the even horizontal frequencies, then two of the odd ones.
        is_hashed: false where an image cannot be read, holds no known face, or is flat.
        is_flat: images of (nearly) one grey, in which there is nothing to compare.
    """

    bits: UInt64[np.ndarray, "n 4"]
    is_hashed: Bool[np.ndarray, " n"]
    is_flat: Bool[np.ndarray, " n"]


class ClosePairs(NamedTuple):
    """Pairs of rows, first < second, that differ in few bits.

    Attributes:
        first, second: the rows.
        distance: bits that differ.
        is_mirrored: whether that is the distance to the mirrored image, the smaller one.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    distance: npt.NDArray[np.int64]
    is_mirrored: npt.NDArray[np.bool_]


def image_hashes(index: Index, *, show: bool = True) -> Hashes:
    """The hashes of all images of an index: of the face where its box is known, else of the whole image.

    Args:
        index: the data set.
        show: draw a bar on a terminal.
    """
    cache = open_cache(index, _SPEC, progress=show)
    bits, is_flat = np.zeros((len(index), 4), np.uint64), np.zeros(len(index), bool)
    for start in range(0, len(index), _BLOCK):
        rows = range(start, min(start + _BLOCK, len(index)))
        pixels = np.stack([cache.read(row) for row in rows])[..., 0]
        bits[rows] = hashed(pixels)
        is_flat[rows] = pixels.std(axis=(1, 2)) < FLAT
    has_image = np.ones(len(index), bool)
    has_image[list(cache.lacking())] = False
    return Hashes(bits, has_image & ~is_flat, has_image & is_flat)


def hashed(pixels: UInt8[np.ndarray, "n 64 64"]) -> UInt64[np.ndarray, "n 4"]:
    """The hash of each grey image."""
    waves = dctn(pixels.astype(np.float32), axes=(1, 2))[:, :FREQUENCIES, :FREQUENCIES]
    signs = waves > 0
    signs[:, 0, 0] = False  # the mean is brightness
    halves = [signs[:, :, first::2].reshape(len(pixels), HALF) for first in (0, 1)]
    return np.packbits(np.concatenate(halves, axis=1), axis=1).view(np.uint64)


def close_pairs(bits: UInt64[np.ndarray, "n 4"], threshold: int, *, show: bool = True) -> ClosePairs:
    """All pairs of rows at most so many bits apart, each as it is or mirrored.

    Mirroring turns the signs of the odd horizontal frequencies, so both distances come from two counts; the odd half is
    counted only where the even one allows a match. Time grows with the square of the rows.

    Args:
        bits: of the images.
        threshold: the largest distance.
        show: draw a bar on a terminal.
    """
    rows = max(1, _AT_ONCE // max(1, len(bits)))
    starts = range(0, len(bits), rows)
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        blocks: Iterator[ClosePairs] = pool.map(lambda start: _close_to(bits, start, rows, threshold), starts)
        found = list(progress(blocks, "comparing", total=len(bits), unit="images", each=rows, show=show))
    if not found:
        none = np.zeros(0, np.int64)
        return ClosePairs(none, none, none, none.astype(bool))
    return ClosePairs(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _close_to(bits: UInt64[np.ndarray, "n 4"], start: int, rows: int, threshold: int) -> ClosePairs:
    """The pairs whose first row is of a block."""
    own, rest = bits[start : start + rows], bits[start:]
    even = np.bitwise_count(own[:, None, 0] ^ rest[None, :, 0])
    even += np.bitwise_count(own[:, None, 1] ^ rest[None, :, 1])
    first, second = np.nonzero(even <= threshold)
    is_later = second > first
    first, second = first[is_later], second[is_later]
    odd = np.bitwise_count(own[first, 2:] ^ rest[second, 2:]).sum(axis=1, dtype=np.int64)
    distance = even[first, second] + np.minimum(odd, HALF - odd)
    keep = distance <= threshold
    return ClosePairs(first[keep] + start, second[keep] + start, distance[keep], odd[keep] > HALF // 2)
