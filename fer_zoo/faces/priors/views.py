"""Priors of how a face is held, seen and lit, and of what is behind it."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.faces import backgrounds
from fer_zoo.faces.priors.draws import Draws, between
from fer_zoo.faces.priors.settings import BackgroundPrior, CameraPrior, LightPrior, PosePrior
from fer_zoo.faces.priors.tensors import float_tensor
from fer_zoo.faces.scenes import FACE_CENTRE, FACE_HEIGHT
from fer_zoo.geometry.cameras import Pinhole
from fer_zoo.geometry.shading import lambert_coefficients

_LIGHTS = 3  # at most
_GRID = backgrounds.GRID


def draw_angles(prior: PosePrior, draws: Draws) -> Float[np.ndarray, "b 3"]:
    """Yaw, pitch, roll in radians."""
    normal = draws.normal("pose", 3).clip(-2, 2)
    return np.deg2rad(normal * (prior.yaw, prior.pitch, prior.roll))


def draw_cameras(prior: CameraPrior, draws: Draws, size: int) -> Pinhole:
    """The cameras of square pictures."""
    drawn, normal = draws.uniform("camera", 1)[:, 0], draws.normal("camera/crop", 3).clip(-2, 2)
    distance = prior.nearest * (prior.farthest / prior.nearest) ** drawn
    scale = size / FACE_HEIGHT * prior.tightness * np.exp(prior.zoom * normal[:, 0])
    height = (0.5 + prior.lower) * size + FACE_CENTRE * scale
    middle = np.stack([np.full(len(draws), size / 2), height], axis=1)
    return Pinhole(
        float_tensor(distance), float_tensor(scale), float_tensor(middle + prior.shift * size * normal[:, 1:])
    )


def draw_light(prior: LightPrior, draws: Draws) -> tuple[Float[Tensor, "b 9 3"], Float[Tensor, " b"]]:
    """Harmonics of red, green and blue, and the highlight."""
    count = len(draws)
    drawn = draws.uniform("light", 4)
    directions = draws.normal("light/directions", 3 * _LIGHTS).reshape(count, _LIGHTS, 3) * (1.0, 0.7, 0.6)
    directions += (0.0, 0.35, 0.9)
    directions[:, :, 2] = np.maximum(directions[:, :, 2], -0.4)
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    shares = draws.uniform("light/shares", _LIGHTS) * (drawn[:, 2:3] * _LIGHTS > np.arange(_LIGHTS))
    shares[:, 0] += 1e-3  # one is always there
    strength = between(drawn[:, :1], prior.strength_least, prior.strength_most) * shares
    strength /= shares.sum(axis=1, keepdims=True)
    ambient = between(drawn[:, 1], prior.ambient_least, prior.ambient_most)
    plain = lambert_coefficients(float_tensor(ambient), float_tensor(directions), float_tensor(strength))
    tint = 1 + prior.colour * draws.normal("light/colour", 3).clip(-2, 2)
    return plain[:, :, None] * float_tensor(tint)[:, None], float_tensor(prior.shine * drawn[:, 3])


def draw_backgrounds(prior: BackgroundPrior, draws: Draws) -> Float[Tensor, "b 3 16 16"]:
    """Small pictures, 0 to 1."""
    drawn = draws.uniform("background", 9)
    noise = draws.normal("background/noise", 3 * _GRID * _GRID).reshape(-1, 3, _GRID, _GRID)
    first, second = (_greyish(drawn[:, part : part + 3]) for part in (0, 3))
    kinds = (
        backgrounds.uniform(first),
        backgrounds.gradient(first, second, float_tensor(2 * np.pi * drawn[:, 6])),
        backgrounds.clutter(first, float_tensor(prior.contrast * drawn[:, 7]), float_tensor(noise)),
    )
    kind = torch.from_numpy((drawn[:, 8] * len(kinds)).astype(np.int64))[:, None, None, None]
    return torch.where(kind == 0, kinds[0], torch.where(kind == 1, kinds[1], kinds[2])).clamp(0, 1)


def _greyish(colour: Float[np.ndarray, "b 3"]) -> Float[Tensor, "b 3"]:
    """Colours of rooms: nearer to grey than to a rainbow."""
    return float_tensor(0.65 * colour[:, :1] + 0.35 * colour)
