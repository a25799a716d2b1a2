"""Augmentation of a training image and what lies on it, and the step from pixels to a tensor.

The only file that knows albumentations, which changes brightness, sharpness and noise.
"""

import os
import random
import warnings
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from fer_zoo.core import landmarks
from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.face_parameters import ODD_MODES
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace

AUGMENTATIONS = ("none", "standard", "strong")

Image = UInt8[np.ndarray, "h w c"]
Points = Float[np.ndarray, "n 2"]
_STAYS = np.eye(2, 3)
# What a mirrored face has the opposite of; all else is the same, or stands under the name of the other side.
_ODD = frozenset({"pose_yaw", "pose_roll"}) | ODD_MODES


class Augmented(NamedTuple):
    """An augmented image with its landmarks.

    Attributes:
        image: as it went in, changed.
        landmarks: in its pixels.
        matrix: from the pixels that went in to those that came out.
        flipped: whether left and right have changed places; the matrix says so, too.
    """

    image: Image
    landmarks: Points | None
    matrix: Float[np.ndarray, "2 3"]
    flipped: bool


class Augmentation:
    """Random changes that keep an expression what it is, a function of the image and the seed alone.

    "standard": horizontal flip, shift up to 4 %, scale up to 10 %, rotation up to 10 degrees, brightness and contrast.
    "strong": blur, noise and an erased rectangle besides.

    Args:
        name: "none", "standard" or "strong".
        spec: the input, whose size and channels the images have.

    Raises:
        UserError: for an unknown name.
    """

    def __init__(self, name: str, spec: InputSpec) -> None:
        if name not in AUGMENTATIONS:
            raise unknown_name("augmentation", name, AUGMENTATIONS)
        self.name = name
        self._shape = (spec.height, spec.width, spec.channels)
        self._pipeline = None if name == "none" else _pipeline(name)

    def __call__(
        self,
        image: Image,
        *,
        landmarks: Points | None = None,
        seed: tuple[int, int, int, int],
    ) -> Augmented:
        """The image with landmarks moved alike.

        Args:
            image: uint8, (height, width, c) of the spec.
            landmarks: pixels of the image, centres at +0.5; NaN stays NaN; 68 or 5 of them change order in a flip.
            seed: (seed, epoch, position of the sample, how often it came before in the epoch), none negative.
        """
        if image.shape != self._shape:
            raise UserError(f"An image of shape {self._shape} was expected, found {image.shape}.")
        if self._pipeline is None:
            return Augmented(image, landmarks, _STAYS, flipped=False)
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
        flipped = bool(generator.random() < 0.5)
        matrix = _moves(generator, self._shape[1], self._shape[0], flipped=flipped)
        self._pipeline.set_random_state(generator, random.Random(int(generator.integers(2**62))))
        image = self._pipeline(image=_warped(image, matrix))["image"]
        if landmarks is not None:
            landmarks = landmarks @ matrix[:, :2].T + matrix[:, 2]
            landmarks = mirror_order(landmarks) if flipped else landmarks
        return Augmented(image, landmarks, matrix, flipped)


def _moves(generator: np.random.Generator, width: int, height: int, *, flipped: bool) -> Float[np.ndarray, "2 3"]:
    """Flip, scale, turn and shift as one map of points; by albumentations they took most of a cached image's time."""
    x_scale, y_scale = generator.uniform(0.9, 1.1, 2)
    angle = np.deg2rad(generator.uniform(-10.0, 10.0))
    shift = generator.uniform(-0.04, 0.04, 2) * (width, height)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]]) * (-x_scale if flipped else x_scale, y_scale)
    centre = np.array([width / 2, height / 2])
    return np.column_stack([turn, centre + shift - turn @ centre])


def _warped(pixels: Image, matrix: Float[np.ndarray, "2 3"]) -> Image:
    """Black outside the image."""
    size = (pixels.shape[1], pixels.shape[0])
    return cv2.warpAffine(pixels, with_centres(matrix), size, flags=cv2.INTER_LINEAR).reshape(pixels.shape)


def with_centres(matrix: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "2 3"]:
    """A map of points as cv2 takes it, which has pixel centres at whole numbers."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5) - 0.5])


def _pipeline(name: str) -> Any:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for its newest version
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # albumentations only warns of a wrong argument
        import albumentations

        steps = [albumentations.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=0.8)]
        if name == "strong":
            steps += [
                albumentations.GaussianBlur(blur_limit=0, sigma_limit=(0.3, 1.2), p=0.2),
                albumentations.GaussNoise(std_range=(0.01, 0.04), p=0.2),
                albumentations.CoarseDropout(
                    num_holes_range=(1, 1), hole_height_range=(0.1, 0.3), hole_width_range=(0.1, 0.3), fill=0, p=0.4
                ),
            ]
        return albumentations.Compose(steps)


def mirror_order(points: Points) -> Points:
    """The points of a flipped image under the names they have there: 68 landmarks or five points, others as they are.

    Point i of the flipped face, say the tip of its right brow, was point MIRROR[i] before.
    """
    orders = {len(order): list(order) for order in (landmarks.MIRROR, landmarks.FIVE_POINTS_MIRROR)}
    return points[orders[len(points)]] if len(points) in orders else points


def mirror_name(entry: str) -> str:
    """The name of the same thing on the other side: "mouthSmileLeft" -> "mouthSmileRight"; what has no side stays."""
    for left, right in (("Left", "Right"), ("_L", "_R"), ("_left", "_right")):
        for side, other in ((left, right), (right, left)):
            if entry.endswith(side):
                return entry.removesuffix(side) + other
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if entry.startswith(side):
            return other + entry.removeprefix(side)
    return entry


@cache
def mirror_positions(entries: tuple[str, ...]) -> tuple[int, ...] | None:
    """For each entry the position of its mirror image, -1 where the entries lack it; None when nothing has a side."""
    mirrored = [mirror_name(entry) for entry in entries]
    if list(entries) == mirrored:
        return None
    return tuple(entries.index(entry) if entry in entries else -1 for entry in mirrored)


@cache
def _signs(entries: tuple[str, ...]) -> Float32[np.ndarray, " k"] | None:
    """-1 where a mirrored face has the opposite; None when it has so of nothing."""
    return np.array([-1 if e in _ODD else 1 for e in entries], np.float32) if _ODD.intersection(entries) else None


def mirror_values(values: Float32[np.ndarray, " k"], space: LabelSpace) -> Float32[np.ndarray, " k"]:
    """The values of a flipped face; one whose counterpart the space lacks is missing (NaN).

    Names that say left or right move; yaw, roll and modes of asymmetry change their sign: action units of both sides
    and coefficients without a side stay.
    """
    signs, positions = _signs(space.entries), mirror_positions(space.entries)
    if signs is not None:
        values = values * signs
    return values if positions is None else np.append(values, np.float32(np.nan))[list(positions)]


def turned_pose(
    pose: Float[np.ndarray, "*b k"], space: LabelSpace, matrix: Float[np.ndarray, "*b 2 3"]
) -> Float[np.ndarray, "*b k"]:
    """The poses of faces whose pictures were turned; a flip is `mirror_values`' business.

    Args:
        pose: radians.
        space: whose entry `pose_roll` changes.
        matrix: of each picture's pixels; where it is not known (NaN), roll is not, either.
    """
    if "pose_roll" not in space.entries:
        return pose
    (a, b), (c, d) = np.moveaxis(matrix[..., :2], (-2, -1), (0, 1))
    sign = np.sign(a * d - b * c)  # a flip comes before the turn
    clockwise = np.arctan2(c * sign - b, a * sign + d)  # of the rotation nearest to it
    turned, place = pose.copy(), space.index("pose_roll")
    roll = np.pi - (np.pi - pose[..., place] + clockwise) % (2 * np.pi)
    turned[..., place] = np.where(clockwise == 0, pose[..., place], roll)
    return turned


@cache
def _scale_and_offset(spec: InputSpec) -> tuple[Tensor, Tensor]:
    std = torch.tensor(spec.std, dtype=torch.float32).view(-1, 1, 1)
    mean = torch.tensor(spec.mean, dtype=torch.float32).view(-1, 1, 1)
    return 1 / (255 * std), -mean / std


def to_tensor(image: Image, spec: InputSpec) -> Float[Tensor, "c h w"]:
    """What the network sees of uint8 pixels, float32: (pixel / 255 - mean) / std, channels first."""
    scale, offset = _scale_and_offset(spec)
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    return pixels.to(torch.float32).mul_(scale).add_(offset)


def to_pixels(image: Float[Tensor, "c h w"], spec: InputSpec) -> Image:
    """What `to_tensor` was given, for the eye: uint8, one channel or red, green and blue, whatever the spec's order."""
    scale, offset = _scale_and_offset(spec)
    pixels = ((image - offset) / scale).round().clamp(0, 255).to(torch.uint8).numpy().transpose(1, 2, 0)
    return np.ascontiguousarray(pixels[:, :, ::-1] if spec.colour == "bgr" else pixels)
