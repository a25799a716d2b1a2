"""Miss rate of a face detector on photographs that hold one frontal face each, with and without a border.

python benchmarks/detection.py [number of photographs]      (facial_expressions below $FER_ZOO_DATA)
"""

import sys
import time

import cv2
import numpy as np

from fer_zoo.data.detection import Detector, HaarDetector
from fer_zoo.data.image_sources import image_source
from fer_zoo.data.open import open_dataset


def measure(detector: Detector, images: list[np.ndarray]) -> str:
    """One line: images without a face, images with several, milliseconds an image."""
    start = time.perf_counter()
    counts = np.array([len(detector.detect(image)) for image in images])
    milliseconds = 1000 * (time.perf_counter() - start) / len(images)
    missed, several = int((counts == 0).sum()), int((counts > 1).sum())
    n = len(images)
    return f"no face in {missed / n:.1%} of {n} photographs, several in {several / n:.1%}, {milliseconds:.1f} ms each"


def main() -> None:
    """Measures on photographs drawn with a fixed seed."""
    cv2.setNumThreads(1)
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    index = open_dataset("facial_expressions")
    source = image_source(index)
    rows = np.random.default_rng(1).choice(len(index), number, replace=False)
    images = [source.read(int(row)) for row in rows]
    for border in (0.15, 0.0):
        print(f"haar, border {border:.0%}: {measure(HaarDetector(border), images)}")


if __name__ == "__main__":
    main()
