"""Smooth grey pictures that resemble each other as crops of faces do: a shared part, and one of each person's own."""

import cv2
import numpy as np
from jaxtyping import UInt8

Picture = UInt8[np.ndarray, "h w"]


def portrait(person: int, *, height: int = 150, width: int = 130) -> Picture:
    """The picture of a person: equal numbers give equal pixels."""
    shared, own = _clouds(10_000, (3, 6), height, width), _clouds(person, (3, 6, 12, 24, 48), height, width)
    return (128 + 40 * shared + 28 * own).clip(0, 255).astype(np.uint8)


def _clouds(seed: int, sides: tuple[int, ...], height: int, width: int) -> np.ndarray:
    """Noise of unit deviation in which coarse structures are the strongest, as in photographs."""
    generator = np.random.default_rng(seed)
    grids = [generator.normal(size=(side, side)) / side for side in sides]
    total = sum(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) for grid in grids)
    return np.asarray(total / np.std(total))
