"""Finding faces in a photograph: a small interface, and OpenCV's bundled cascade behind it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import cv2
import cv2.data
import numpy as np
from jaxtyping import UInt8

from fer_zoo.core.errors import unknown_name

LONGEST_SIDE = 320


class Face(NamedTuple):
    """A face box in pixels of the photograph; `score` orders the faces of one detector, more is surer."""

    left: float
    top: float
    width: float
    height: float
    score: float


@runtime_checkable
class Detector(Protocol):
    """Finds the faces of a photograph; the same photograph always gives the same faces."""

    def detect(self, image: UInt8[np.ndarray, "h w 3"]) -> list[Face]:
        """All faces, from left to right (then from top to bottom); none gives an empty list."""
        ...


class HaarDetector:
    """OpenCV's frontal-face cascade (Viola and Jones, 2001), on an image of at most 320 pixels with a border.

    On 500 photographs of facial_expressions (one frontal face each, filling the 128 pixels) it finds no face in 3.0 %
    and more than one in none; without the border 8.0 % are missed. Measured by `benchmarks/detection.py`.
    Profiles, tilted heads and faces below 24 pixels of the scaled image are not found.
    """

    scale_factor = 1.1
    min_neighbors = 4  # with 3 more is found, and more that is no face
    smallest = 24  # pixels, the window of the cascade

    def __init__(self, border_share: float = 0.15) -> None:
        """`border_share` of the longer side is added on each side, as the cascade misses faces that touch the edge."""
        folder = Path(cv2.data.haarcascades)
        self._cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
        self._border_share = border_share

    def detect(self, image: UInt8[np.ndarray, "h w 3"]) -> list[Face]:
        """All faces from left to right; `score` is the sum of the cascade's last stage."""
        height, width = image.shape[:2]
        scale = min(1.0, LONGEST_SIDE / max(height, width))
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        border = round(self._border_share * max(grey.shape))
        framed = cv2.copyMakeBorder(grey, border, border, border, border, cv2.BORDER_REPLICATE)
        boxes, _, scores = self._cascade.detectMultiScale3(
            framed, self.scale_factor, self.min_neighbors, 0, (self.smallest, self.smallest), outputRejectLevels=True
        )
        x_scale, y_scale = width / grey.shape[1], height / grey.shape[0]
        faces = []
        for (x, y, w, h), score in zip(np.reshape(boxes, (-1, 4)).tolist(), np.ravel(scores).tolist(), strict=True):
            faces.append(Face((x - border) * x_scale, (y - border) * y_scale, w * x_scale, h * y_scale, score))
        return sorted(faces)


DETECTORS: Mapping[str, Callable[[], Detector]] = {"haar": HaarDetector}


@cache
def detector(name: str) -> Detector:
    """The detector of that name.

    Raises:
        UserError: if there is none, with the nearest names.
    """
    if name not in DETECTORS:
        raise unknown_name("detector", name, tuple(DETECTORS))
    return DETECTORS[name]()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """OpenCV works in the thread that calls it: where several detect at once, its own threads would be in their way.

    They would also find the parts of a face in any order, which may change the last pixel of a box.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
