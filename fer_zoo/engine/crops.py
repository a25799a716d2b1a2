"""A face of a photograph as a network takes it, and the map by which it was cut out."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.alignment import crop_matrix, five_point_matrix, warp
from fer_zoo.data.detection import Face
from fer_zoo.data.transforms import to_tensor


class Crop(NamedTuple):
    """A face as the network takes it, and the map to it from the photograph's pixels."""

    image: Float[Tensor, "c h w"]
    matrix: Float[np.ndarray, "2 3"]


def crop(
    image: UInt8[np.ndarray, "h w 3"],
    spec: InputSpec,
    face: Face | None,
    points: Float[np.ndarray, "5 2"] | None = None,
) -> Crop:
    """A face of an RGB photograph, aligned where the spec says so.

    Args:
        image: upright.
        spec: of the network.
        face: its box; None where the whole image is the face.
        points: for five_points, pixels of the photograph.

    Raises:
        UserError: for a box without area, or points that coincide.
    """
    if points is not None and spec.alignment == "five_points":
        matrix = five_point_matrix(points, spec)
    else:
        size = (image.shape[1], image.shape[0])
        matrix = crop_matrix(spec, image_size=size, box=None if face is None else face[:4])
    return Crop(to_tensor(in_colour(warp(image, matrix, spec), spec.colour), spec), matrix)


def in_colour(image: UInt8[np.ndarray, "h w 3"], colour: str) -> UInt8[np.ndarray, "h w c"]:
    """RGB pixels in the channel order of an input spec."""
    if colour == "grey":
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None]
    return np.ascontiguousarray(image[:, :, ::-1]) if colour == "bgr" else image
