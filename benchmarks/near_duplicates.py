"""How many planted copies are found among the images of a data set, which pairs it has, and what that takes.

python benchmarks/near_duplicates.py [data set]      (facial_expressions; its photographs must be in $FER_ZOO_DATA)
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable

import cv2
import numpy as np

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.alignment import crop_matrix, warp
from fer_zoo.data.image_hashes import SIDE, close_pairs, hashed, image_hashes
from fer_zoo.data.image_sources import image_source
from fer_zoo.data.near_duplicates import THRESHOLD
from fer_zoo.data.open import open_dataset

COPIES = 1000
THRESHOLDS = (20, 30, THRESHOLD, 50, 60)
SPEC = InputSpec(height=SIDE, width=SIDE, colour="grey", mean=(0.5,), std=(0.5,))


def cropped(share: float) -> Callable[[np.ndarray], np.ndarray]:
    """Without a share of each side."""

    def crop(image: np.ndarray) -> np.ndarray:
        height, width = (round(side * share) for side in image.shape[:2])
        return image[height : image.shape[0] - height, width : image.shape[1] - width]

    return crop


def recompressed(image: np.ndarray) -> np.ndarray:
    """As a JPEG of quality 30."""
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_GRAYSCALE)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "half the size": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "JPEG, quality 30": recompressed,
    "brighter by 30 %": lambda image: (image * 1.3).clip(0, 255).astype(np.uint8),
    "gamma 0.6": lambda image: (255 * (image / 255) ** 0.6).astype(np.uint8),
    "mirrored": lambda image: image[:, ::-1],
    **{f"{share:.0%} of each side cut off": cropped(share) for share in (0.01, 0.02, 0.03, 0.05)},
}


def small(image: np.ndarray) -> np.ndarray:
    """What is hashed."""
    whole = np.ascontiguousarray(image).reshape(*image.shape[:2], 1)
    return warp(whole, crop_matrix(SPEC, image_size=(image.shape[1], image.shape[0])), SPEC)[..., 0]


def main(name: str) -> None:
    """Prints the table."""
    index = open_dataset(name)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_ZOO_CACHE"] = folder
        start = time.perf_counter()
        bits = image_hashes(index).bits
        read = time.perf_counter()
        pairs = close_pairs(bits, max(THRESHOLDS))
        print(
            f"{len(index):,} images: read and hashed {read - start:.1f} s, compared {time.perf_counter() - read:.1f} s"
        )
    rows = np.random.default_rng(0).choice(len(index), min(COPIES, len(index)), replace=False)
    source = image_source(index)
    images = [source.read(int(row), "grey")[..., 0] for row in rows]
    print(f"{'bits':<28}" + "".join(f"{threshold:>8}" for threshold in THRESHOLDS))
    print(f"{'pairs in the data':<28}" + "".join(f"{(pairs.distance <= t).sum():>8,}" for t in THRESHOLDS))
    for change, make in CHANGES.items():
        copies = hashed(np.stack([small(make(image)) for image in images]))
        halves = np.bitwise_count(copies ^ bits[rows]).reshape(-1, 2, 2).sum(axis=2, dtype=np.int64)
        distance = halves[:, 0] + np.minimum(halves[:, 1], 128 - halves[:, 1])
        print(f"{change:<28}" + "".join(f"{(distance <= threshold).mean():>8.1%}" for threshold in THRESHOLDS))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "facial_expressions")
