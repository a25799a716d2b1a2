"""From a photograph to the pixels a network sees: a crop or a five-point alignment, as one affine map and one warp.

All points are (x, y) in pixels, the origin at the top-left corner of the top-left pixel, pixel centres at +0.5.
"""

import math

import cv2
import numpy as np
from jaxtyping import Float, Float64, UInt8

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec

# Where ArcFace's aligned faces (Deng et al., 2019) have the points of core.landmarks.FIVE_POINTS, in 112x112 pixels.
# The template is symmetric about x = 56, the middle when pixel centres lie at +0.5.
FIVE_POINT_TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
TEMPLATE_SIDE = 112.0


def crop_matrix(
    spec: InputSpec, *, image_size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Float[np.ndarray, "2 3"]:
    """The map from a photograph's pixels to the input's.

    Without a box the whole image is scaled to (height, width), its sides apart: a picture that is not of the spec's
    proportions is stretched, so that nothing of it is lost. With a box it is `box_matrix`, whatever the size.

    Args:
        spec: size and crop scale.
        image_size: (width, height) of the photograph.
        box: (left, top, width, height) of the face.

    Raises:
        UserError: for a box without area or with missing numbers.
    """
    if box is not None:
        return box_matrix(spec, box)
    x_scale, y_scale = spec.width / image_size[0], spec.height / image_size[1]
    return np.array([[x_scale, 0.0, 0.0], [0.0, y_scale, 0.0]])


def box_matrix(spec: InputSpec, box: tuple[float, float, float, float]) -> Float[np.ndarray, "2 3"]:
    """The map from a photograph's pixels to those of the crop around a face's box.

    The crop has the spec's proportions and nothing is stretched: its larger side is crop_scale times the larger side of
    the box, its centre the box's.

    Args:
        spec: size and crop scale.
        box: (left, top, width, height) of the face.

    Raises:
        UserError: for a box without area or with missing numbers.
    """
    if not np.isfinite(box).all() or box[2] <= 0 or box[3] <= 0:
        raise UserError(f"A face box needs four numbers and a positive size, found {tuple(map(float, box))}.")
    side = spec.crop_scale * max(box[2], box[3])
    crop_width = side * spec.width / max(spec.width, spec.height)
    crop_height = side * spec.height / max(spec.width, spec.height)
    left, top = box[0] + (box[2] - crop_width) / 2, box[1] + (box[3] - crop_height) / 2
    x_scale, y_scale = spec.width / crop_width, spec.height / crop_height
    return np.array([[x_scale, 0.0, -left * x_scale], [0.0, y_scale, -top * y_scale]])


def five_point_matrix(points: Float[np.ndarray, "5 2"], spec: InputSpec) -> Float[np.ndarray, "2 3"]:
    """The turn, uniform scale and shift that bring five points closest to the template (Umeyama, 1991, no mirroring).

    The template is scaled to the smaller side of the input and centred in it; `crop_scale` plays no part.

    Args:
        points: eyes, nose tip and mouth corners in the order of core.landmarks.FIVE_POINTS.
        spec: size of the input.

    Raises:
        UserError: for missing or coinciding points.
    """
    scale = min(spec.height, spec.width) / TEMPLATE_SIDE
    target = (FIVE_POINT_TEMPLATE - TEMPLATE_SIDE / 2) * scale + np.array([spec.width, spec.height]) / 2
    spread = points - points.mean(axis=0)
    size = float((spread**2).sum())
    if not math.isfinite(size) or size < 1e-6:
        raise UserError("Five-point alignment needs five known points that do not coincide.")
    goal = target - target.mean(axis=0)
    cosine = float((spread * goal).sum()) / size
    sine = float((spread[:, 0] * goal[:, 1] - spread[:, 1] * goal[:, 0]).sum()) / size
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, target.mean(axis=0) - turn @ points.mean(axis=0)])


def moved(points: Float[np.ndarray, "m n 2"], matrices: Float[np.ndarray, "m 2 3"]) -> Float64[np.ndarray, "m n 2"]:
    """Points of each image under its map; one of which x or y is not known is NaN."""
    turned = np.einsum("mij,mnj->mni", matrices[:, :, :2], points.astype(np.float64))
    return np.asarray(turned + matrices[:, None, :, 2])


def after(first: Float[np.ndarray, "2 3"], second: Float[np.ndarray, "2 3"]) -> Float64[np.ndarray, "2 3"]:
    """The map that is first the one and then the other."""
    turn = second[:, :2] @ first[:, :2]
    return np.column_stack([turn, second[:, :2] @ first[:, 2] + second[:, 2]])


def inverse(matrices: Float[np.ndarray, "m 2 3"]) -> Float64[np.ndarray, "m 2 3"]:
    """The maps back, from the input's pixels to the photograph's; NaN stays NaN."""
    turns = np.linalg.inv(matrices[:, :, :2].astype(np.float64))
    shifts = -np.einsum("mij,mj->mi", turns, matrices[:, :, 2])
    return np.concatenate([turns, shifts[:, :, None]], axis=2)


def warp(
    image: UInt8[np.ndarray, "h w c"], matrix: Float[np.ndarray, "2 3"], spec: InputSpec
) -> UInt8[np.ndarray, "h2 w2 c"]:
    """The input's pixels (height, width, c); black outside the photograph.

    What shrinks is averaged over the area that falls into a pixel, so nothing aliases; what grows is interpolated
    linearly.
    """
    height, width = image.shape[:2]
    whole = crop_matrix(spec, image_size=(width, height))
    if np.abs(matrix - whole).max() <= 1e-9:
        shrinks = height >= spec.height and width >= spec.width
        scaled = cv2.resize(
            image, (spec.width, spec.height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return scaled.reshape(spec.height, spec.width, image.shape[2])
    smallest = float(np.linalg.svd(matrix[:, :2], compute_uv=False)[-1])
    oversampling = max(1, math.ceil(1 / smallest - 1e-6))  # a finer grid first, then its mean
    fine = matrix * oversampling
    fine[:, 2] += fine[:, :2] @ (0.5, 0.5) - 0.5  # cv2 has pixel centres at whole numbers
    size = (spec.width * oversampling, spec.height * oversampling)
    warped = cv2.warpAffine(image, fine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    if oversampling > 1:
        warped = cv2.resize(warped, (spec.width, spec.height), interpolation=cv2.INTER_AREA)
    return warped.reshape(spec.height, spec.width, image.shape[2])
