"""Photographs a second of `predict` over a loop that takes one at a time, with and without detection, in one run.

python benchmarks/predicting.py [backbone] [photographs] [repeats]      (facial_expressions below $FER_ZOO_DATA)

LCNet, or another backbone, at 64 px from random weights. The loop reads a file, finds faces, cuts them out and asks the
network, each with all threads that the library takes by itself; both are measured in turn.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

from fer_zoo.data.alignment import crop_matrix, warp
from fer_zoo.data.detection import DETECTORS
from fer_zoo.data.image_sources import read_image
from fer_zoo.data.open import open_dataset
from fer_zoo.data.transforms import to_tensor
from fer_zoo.engine.create import create_method
from fer_zoo.engine.crops import in_colour
from fer_zoo.engine.predict import Predictor
from fer_zoo.tasks.face_task import FaceTask


def one_at_a_time(task: FaceTask, files: list[Path], detector_name: str) -> int:
    """Faces, as a script would do it."""
    spec, faces = task.input_spec, 0
    detector = None if detector_name == "none" else DETECTORS[detector_name]()
    for file in files:
        image = read_image(file, name=file.name)
        boxes = [None] if detector is None else [face[:4] for face in detector.detect(image)]
        for box in boxes:
            matrix = crop_matrix(spec, image_size=(image.shape[1], image.shape[0]), box=box)
            crop = to_tensor(in_colour(warp(image, matrix, spec), spec.colour), spec)
            with torch.inference_mode():
                predicted = task.predictions(task(crop[None]))
            task.columns(predicted)
            faces += 1
    return faces


def by_predict(task: FaceTask, files: list[Path], detector_name: str) -> int:
    """Faces, as `fer-zoo predict` does it."""
    predictor = Predictor(task, detector_name=detector_name)
    return sum(len(found.crops) for found, _ in predictor.rows(map(str, files)))


def seconds(work: Callable[[], int]) -> tuple[float, int]:
    """How long it takes, and what it counted."""
    start = time.perf_counter()
    counted = work()
    return time.perf_counter() - start, counted


def main() -> None:
    """Prints medians, and the ratio of each pair."""
    backbone = sys.argv[1] if len(sys.argv) > 1 else "lcnet_050"
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    index = open_dataset("facial_expressions")
    files = [index.root / image for image in index.table["image"][: number * 7 : 7]]
    task = create_method("timm_classifier", backbone=backbone, image_size=64).eval()
    task.network.to(memory_format=torch.channels_last)  # for both
    print(f"{backbone}, 64 px, {torch.get_num_threads()} threads, {len(files)} photographs, {repeats} times")
    for detector_name in ("none", "haar"):
        pairs = []
        for turn in range(repeats + 1):
            first, faces = seconds(lambda name=detector_name: one_at_a_time(task, files, name))  # type: ignore[misc]  # bound
            second, same = seconds(lambda name=detector_name: by_predict(task, files, name))  # type: ignore[misc]  # bound
            assert faces == same
            if turn:  # the first warms up
                pairs.append((first, second))
        rates = [len(files) / median(column) for column in zip(*pairs, strict=True)]
        ratios = sorted(one / two for one, two in pairs)
        print(
            f"detector {detector_name:4}: {faces} faces; one at a time {rates[0]:.0f}, predict {rates[1]:.0f}"
            f" photographs/s; ratio {median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]"
        )


if __name__ == "__main__":
    main()
