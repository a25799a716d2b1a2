"""Small picture files and indices over them, whose content is known."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fer_zoo.core.label_spaces import label_space
from fer_zoo.data.index import Index, index_table

EMOTIONS = ("anger", "disgust", "happiness", "neutral", "sadness", "surprise")


def noise(seed: int, height: int = 24, width: int = 24) -> np.ndarray:
    """Grey noise, different for each seed."""
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def drawn_face(side: int = 120) -> np.ndarray:
    """A drawn frontal face, rgb, that fills a square picture and that the bundled cascade takes for one."""
    image = np.full((side, side, 3), 150, np.float32)

    def ellipse(x: float, y: float, a: float, b: float, grey: int) -> None:
        scale = side / 120
        centre, axes = (round(x * scale), round(y * scale)), (round(a * scale), round(b * scale))
        cv2.ellipse(image, centre, axes, 0, 0, 360, (grey, grey, grey), -1)

    ellipse(60, 62, 40, 52, 205)
    ellipse(60, 14, 42, 16, 70)
    for x in (43, 77):
        ellipse(x, 52, 11, 6, 110)
        ellipse(x, 52, 5, 4, 40)
        ellipse(x, 42, 12, 3, 80)
    ellipse(60, 78, 8, 4, 160)
    ellipse(60, 62, 3, 12, 235)
    ellipse(60, 95, 17, 5, 110)
    return cv2.GaussianBlur(image, (0, 0), side / 60).astype(np.uint8)


def picture_index(
    root: Path, number: int = 12, *, is_cropped: bool = True, emotions: tuple[str, ...] = EMOTIONS
) -> Index:
    """An index over PNG files; sample i is noise(i), its emotion the i-th (they repeat), its subject its own."""
    names = [f"picture_{i}.png" for i in range(number)]
    for i, name in enumerate(names):
        Image.fromarray(noise(i)).save(root / name)
    labels = [emotions[i % len(emotions)] for i in range(number)]
    table = index_table("fake", names, emotion=labels)
    spaces = {"emotion": label_space("emotion/facial_expressions6")}
    return Index("fake", root, table, spaces, is_cropped=is_cropped)
