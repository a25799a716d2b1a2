"""Decoded and cropped images in one memory-mapped file, made once and shared by workers and processes.

The file: a header of 4,096 bytes (JSON, padded with blanks), the pixels (n, h, w, c) as uint8, one byte a row that says
whether and why the image is lacking. It takes its name when it is whole, so two processes that fill it at the same time
are both right, and one that is killed leaves nothing that would be taken for a cache.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from fer_zoo.core.files import write_atomically
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.paths import cache_folder
from fer_zoo.core.progress import progress as with_bar
from fer_zoo.data.image_sources import REASONS, FaceImages, UnreadableImage
from fer_zoo.data.index import Index

HEADER_BYTES = 4096
FORMAT = 2  # to be raised when the pixels of the same index and spec come out differently


class ImageCache:
    """The cropped images of an index, opened read-only; its pages are shared by all processes that read it.

    Args:
        path: a file that `open_cache` made.
        shape: (n, height, width, channels).
    """

    def __init__(self, path: Path, shape: tuple[int, int, int, int]) -> None:
        self.path, self.shape = path, shape
        self._map()

    def _map(self) -> None:
        size = int(np.prod(self.shape))
        self._pixels = np.memmap(self.path, np.uint8, mode="r", offset=HEADER_BYTES, shape=self.shape)
        self._lacking = np.fromfile(self.path, np.uint8, count=self.shape[0], offset=HEADER_BYTES + size)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "shape": self.shape}  # a spawned worker maps the file anew

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path, self.shape = state["path"], state["shape"]
        self._map()

    def reason(self, row: int) -> str:
        """Why the row has no image, one of `image_sources.REASONS`; empty when it has one."""
        return REASONS[self._lacking[row]]

    def lacking(self) -> dict[int, str]:
        """The rows without an image, and why."""
        return {int(row): self.reason(int(row)) for row in np.flatnonzero(self._lacking)}

    def read(self, row: int) -> UInt8[np.ndarray, "h w c"]:
        """A copy of the image of a row; black where it lacks one."""
        return np.array(self._pixels[row])


def open_cache(index: Index, spec: InputSpec, *, progress: bool = True) -> ImageCache:
    """The cache of an index's images for an input spec, filled first if there is none, or it is stale or cut short.

    Args:
        index: the samples; all of its rows are kept, in its order.
        spec: what the images are cropped and scaled for.
        progress: show a bar on stderr while it fills.

    Raises:
        UserError: if the cache folder cannot be written to, or the disk is full.
    """
    images = FaceImages(index, spec)
    header = _header(index, images, spec)
    path = cache_folder() / "images" / f"{_key(index, spec)}.pixels"
    if not _is_whole(path, header):
        with write_atomically(path) as temporary:
            _fill(temporary, images, header, progress=progress)
    return ImageCache(path, tuple(header["shape"]))


def _key(index: Index, spec: InputSpec) -> str:
    """Which file: the data set at its place and the geometry; what may change there stands in the header."""
    words = [index.dataset, index.fingerprint(), str(index.root.resolve()), *map(str, _geometry(spec))]
    return sha256("\n".join(words).encode()).hexdigest()[:16]


def _geometry(spec: InputSpec) -> list[Any]:
    return [spec.height, spec.width, spec.crop_scale, spec.alignment, spec.colour]


def _header(index: Index, images: FaceImages, spec: InputSpec) -> dict[str, Any]:
    """Everything the pixels depend on."""
    digest = sha256("\n".join(images.ids).encode())
    digest.update("\n".join(images.source.stamps()).encode())
    for facts in (images.boxes, images.points):
        digest.update(b"none" if facts is None else facts.tobytes())
    return {
        "format": FORMAT,
        "geometry": _geometry(spec),
        "is_cropped": index.is_cropped,
        "shape": [len(images), spec.height, spec.width, spec.channels],
        "sources": digest.hexdigest(),
    }


def _is_whole(path: Path, header: dict[str, Any]) -> bool:
    expected = HEADER_BYTES + int(np.prod(header["shape"])) + header["shape"][0]
    try:
        if path.stat().st_size != expected:
            return False
        with path.open("rb") as stream:
            return bool(json.loads(stream.read(HEADER_BYTES)) == header)
    except (OSError, ValueError):
        return False


def _fill(path: Path, images: FaceImages, header: dict[str, Any], *, progress: bool) -> None:
    shape = header["shape"]
    lacking = np.zeros(shape[0], np.uint8)
    blank = np.zeros(shape[1:], np.uint8)
    with path.open("wb") as stream:
        stream.write(json.dumps(header).encode().ljust(HEADER_BYTES))
        for row, (image, code) in enumerate(_read_all(images, progress=progress)):
            lacking[row] = code
            stream.write((blank if image is None else image).tobytes())
        stream.write(lacking.tobytes())


def _read_all(images: FaceImages, *, progress: bool) -> Iterator[tuple[np.ndarray | None, int]]:
    """(image, code) of each row in order, decoded by threads: Pillow and cv2 let go of the interpreter's lock."""

    def read(row: int) -> tuple[np.ndarray | None, int]:
        try:
            return images.read(row), 0
        except UnreadableImage as error:
            return None, REASONS.index(error.reason)

    def read_block(first: int) -> Iterator[tuple[np.ndarray | None, int]]:
        rows = range(first, min(first + block, count))
        images.expect(rows)
        return pool.map(read, rows)

    block = 256  # bounds what waits in memory to be written
    count = len(images)
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        blocks = map(read_block, range(0, count, block))
        decoded = chain.from_iterable(blocks)
        yield from with_bar(decoded, "decoding", total=count, unit="images", show=progress)
