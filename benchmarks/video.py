"""Frames a second by stage: decoding, RGB, the detector, crops and network, and all of predict together.

python benchmarks/video.py [number of frames]      (a synthetic clip of 640x480 with one drawn face)
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from fer_zoo.data.detection import Face, HaarDetector
from fer_zoo.data.face_tables import GivenFace
from fer_zoo.data.video import Video
from fer_zoo.engine.create import create_method
from fer_zoo.engine.predict import BLOCK, Predictor

WIDTH, HEIGHT, SIDE = 640, 480, 200


def clip(path: Path, number: int) -> Path:
    """A drawn head on a smooth ground, moving to the right."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (HEIGHT // 40, WIDTH // 40, 3), dtype=np.uint8)
    ground = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in range(number):
            image = ground.copy()
            centre = (150 + frame % 340, 240)
            cv2.ellipse(image, centre, (67, 87), 0, 0, 360, (205, 205, 205), -1)
            for eye in (-28, 28):
                cv2.ellipse(image, (centre[0] + eye, 223), (18, 10), 0, 0, 360, (60, 60, 60), -1)
            cv2.ellipse(image, (centre[0], 295), (28, 8), 0, 0, 360, (110, 110, 110), -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def rate(name: str, number: int, work: Callable[[], Iterable[object]]) -> None:
    """Prints one line."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in work():
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<28} {number / wall:8.1f} frames a second, {1000 * cpu / number:6.2f} ms of processor time each")


def decoded(path: Path) -> Iterator[object]:
    """Frames as the codec gives them."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        yield from container.decode(video=0)


def main() -> None:
    """Measures each stage alone, then all together."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = clip(Path(folder) / "clip.mp4", number)
        video = Video(path)
        rate("decode", number, lambda: decoded(path))
        rate("decode, RGB, upright", number, video.frames)
        images = [frame.image for frame in video.frames()]
        cv2.setNumThreads(1)
        detector = HaarDetector()
        rate("detect (haar, one thread)", number, lambda: map(detector.detect, images))
        task = create_method("timm_classifier", backbone="resnet18", image_size=64)
        predictor = Predictor(task, device="cpu")
        face = GivenFace(Face(150, 150, SIDE, SIDE, 0.0), None)
        rate("crop", number, lambda: (predictor._crop(image, face) for image in images))
        crops = [predictor._crop(image, face) for image in images]
        blocks = [crops[first : first + BLOCK] for first in range(0, number, BLOCK)]
        rate("network (resnet18, 64 px)", number, lambda: map(predictor._outputs, blocks))
        rate("all: predict", number, lambda: predictor.rows([path]))
        cropped = Predictor(task, detector_name="none", device="cpu")
        rate("all but the detector", number, lambda: cropped.rows([path]))


if __name__ == "__main__":
    main()
