"""A sheet of what is known of drawn faces: a row each with the image and its targets, as a network gets them."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.dataset import FaceDataset
from fer_zoo.data.synthesis.labels import drawn_index
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.data.transforms import to_pixels

_SHOWN = ("landmarks", "mask", "position_map", "shading")
_COLOURS = np.array(
    [
        (0, 0, 0), (233, 196, 170), (90, 60, 160), (160, 120, 220), (40, 130, 220), (120, 190, 245),
        (240, 160, 60), (220, 60, 90), (120, 20, 40), (250, 120, 140), (70, 120, 60),
    ],
    np.uint8,
)  # fmt: skip  # of `core.face_parts.FACE_PARTS`
Picture = UInt8[np.ndarray, "h w 3"]


def target_sheet(dataset: str, settings: SynthesisSettings) -> Image.Image:
    """Image, landmarks, mask, position map and shading of every sample, side by side.

    Args:
        dataset: registered name.
        settings: of the faces.
    """
    index, size = drawn_index(dataset, settings), settings.size
    spec = InputSpec(height=size, width=size, colour="rgb", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    samples = FaceDataset(index, index.ids, spec, {target: index.space(target) for target in _SHOWN})
    rows = []
    for sample in samples.__getitems__([(0, place, 0) for place in range(len(samples))]):
        picture = to_pixels(sample["image"], spec)
        shading = (255 * sample["shading"][0]).round().astype(np.uint8)
        views = (
            picture,
            _dotted(picture, sample["landmarks"]),
            _COLOURS[sample["mask"]],
            _as_colours(sample["position_map"], size),
            np.repeat(shading[:, :, None], 3, axis=2),
        )
        rows.append(np.concatenate(views, axis=1))
    return Image.fromarray(np.concatenate(rows))


def _dotted(picture: Picture, points: Float[np.ndarray, "n 2"]) -> Picture:
    """With a dot on each point."""
    dotted = picture.copy()
    radius = max(1, round(len(picture) / 160))
    for x, y in (points - 0.5).round().astype(int).tolist():  # cv2 has pixel centres at whole numbers
        cv2.circle(dotted, (x, y), radius, (0, 255, 80), -1, cv2.LINE_AA)
    return dotted


def _as_colours(positions: Float[np.ndarray, "3 h w"], size: int) -> Picture:
    """x red, y green, z blue, each from 0 to the side of the picture."""
    return (255 * positions / size).clip(0, 255).round().astype(np.uint8).transpose(1, 2, 0)
