"""Photographs on which 68 bright dots stand for a face, at a place and of a size of its own, with a table of them."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fer_zoo.core.landmarks import LANDMARK_COLUMNS

WIDTH, HEIGHT = 120, 90


def shape() -> np.ndarray:
    """68 points between -1 and 1 in the order of iBUG, more or less where a face has them."""
    angles = np.linspace(np.pi, 0, 17)
    jaw = np.column_stack([np.cos(angles), np.sin(angles) - 0.1])
    brow = np.column_stack([np.linspace(-0.8, -0.2, 5), np.full(5, -0.6)])
    ridge = np.column_stack([np.zeros(4), np.linspace(-0.4, 0.1, 4)])
    base = np.column_stack([np.linspace(-0.25, 0.25, 5), np.full(5, 0.2)])
    eye = np.array([(-0.7, -0.35), (-0.55, -0.45), (-0.4, -0.45), (-0.25, -0.35), (-0.4, -0.28), (-0.55, -0.28)])
    turn = np.linspace(np.pi, -np.pi, 13)[:12]
    lip = np.column_stack([0.45 * np.cos(turn), 0.5 - 0.18 * np.sin(turn)])
    inner = np.column_stack([0.3 * np.cos(turn[:8]), 0.5 - 0.08 * np.sin(turn[:8])])
    other_eye = (eye * (-1, 1))[[3, 2, 1, 0, 5, 4]]
    return np.concatenate([jaw, brow, (brow * (-1, 1))[::-1], ridge, base, eye, other_eye, lip, inner])


def points_of(number: int) -> np.ndarray:
    """In pixels of photograph `number`."""
    generator = np.random.default_rng(number)
    size = generator.uniform(18, 26)
    return shape() * size + generator.uniform((40, 35), (80, 55))


def photograph(number: int) -> np.ndarray:
    rows, columns = np.indices((HEIGHT, WIDTH)) + 0.5
    light = np.zeros((HEIGHT, WIDTH))
    for x, y in points_of(number):
        light += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2)
    grey = (30 + 200 * light.clip(0, 1)).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def write(root: Path, number: int) -> Path:
    """Photographs 0.png … and faces.csv with their boxes and points, of six people."""
    root.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(number):
        Image.fromarray(photograph(i)).save(root / f"{i}.png")
        points = points_of(i)
        left, top = points.min(axis=0)
        width, height = np.ptp(points, axis=0)
        box = {"face_x": left, "face_y": top, "face_width": width, "face_height": height}
        cells = dict(zip(LANDMARK_COLUMNS, points.ravel(), strict=True))
        rows.append({"file": f"{i}.png", "who": f"p{i % 6}", **box, **cells})
    pd.DataFrame(rows).to_csv(root / "faces.csv", index=False)
    return root
