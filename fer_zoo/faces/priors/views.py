"""Priors of how a face is held, seen and lit, and of what is behind it."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.settings import setting
from fer_zoo.faces import backgrounds
from fer_zoo.faces.priors.draws import Draws, between
from fer_zoo.faces.scenes import FACE_CENTRE, FACE_HEIGHT
from fer_zoo.geometry.cameras import Pinhole
from fer_zoo.geometry.shading import lambert_coefficients

_LIGHTS = 3  # at most
_GRID = backgrounds.GRID


@dataclass(kw_only=True)
class PosePrior:
    """Normal angles of the head, in degrees, cut at two deviations."""

    yaw: float = setting(20.0, "deviation of yaw, degrees", at_least=0.0, at_most=45.0)
    pitch: float = setting(9.0, "deviation of pitch, degrees", at_least=0.0, at_most=25.0)
    roll: float = setting(8.0, "deviation of roll, degrees", at_least=0.0, at_most=45.0)

    def draw(self, draws: Draws) -> Float[np.ndarray, "b 3"]:
        """Yaw, pitch, roll in radians."""
        normal = draws.normal("pose", 3).clip(-2, 2)
        return np.deg2rad(normal * (self.yaw, self.pitch, self.roll))


@dataclass(kw_only=True)
class CameraPrior:
    """A pinhole camera, and how exactly the face was cropped."""

    nearest: float = setting(7.0, "least distance of the camera, inter-ocular distances", at_least=4.0)
    farthest: float = setting(40.0, "greatest distance", at_least=4.0)
    zoom: float = setting(0.14, "deviation of the crop's size, of its logarithm", at_least=0.0, at_most=0.5)
    tightness: float = setting(1.1, "mean size of the face in the crop; 1 shows hair and chin", at_least=0.2)
    shift: float = setting(0.05, "deviation of the crop's place, sides of the picture", at_least=0.0, at_most=0.3)

    def draw(self, draws: Draws, size: int) -> Pinhole:
        """The cameras of square pictures."""
        drawn, normal = draws.uniform("camera", 1)[:, 0], draws.normal("camera/crop", 3).clip(-2, 2)
        distance = self.nearest * (self.farthest / self.nearest) ** drawn
        scale = size / FACE_HEIGHT * self.tightness * np.exp(self.zoom * normal[:, 0])
        middle = np.stack([np.full(len(draws), size / 2), size / 2 + FACE_CENTRE * scale], axis=1)
        return Pinhole(_tensor(distance), _tensor(scale), _tensor(middle + self.shift * size * normal[:, 1:]))


@dataclass(kw_only=True)
class LightPrior:
    """Light from everywhere and one to three lamps; the last two may have a colour."""

    ambient_least: float = setting(0.22, "least light from everywhere", at_least=0.0)
    ambient_most: float = setting(0.5, "most light from everywhere", at_least=0.0)
    strength_least: float = setting(0.35, "least sum of the lamps", at_least=0.0)
    strength_most: float = setting(0.95, "greatest sum of the lamps", at_least=0.0)
    colour: float = setting(0.06, "deviation of each channel", at_least=0.0, at_most=0.5)
    shine: float = setting(0.25, "strongest highlight", at_least=0.0, at_most=1.0)

    def draw(self, draws: Draws) -> tuple[Float[Tensor, "b 9 3"], Float[Tensor, " b"]]:
        """Harmonics of red, green and blue, and the highlight."""
        count = len(draws)
        drawn = draws.uniform("light", 4)
        directions = draws.normal("light/directions", 3 * _LIGHTS).reshape(count, _LIGHTS, 3) * (1.0, 0.7, 0.6)
        directions += (0.0, 0.35, 0.9)
        directions[:, :, 2] = np.maximum(directions[:, :, 2], -0.4)
        directions /= np.linalg.norm(directions, axis=2, keepdims=True)
        shares = draws.uniform("light/shares", _LIGHTS) * (drawn[:, 2:3] * _LIGHTS > np.arange(_LIGHTS))
        shares[:, 0] += 1e-3  # one is always there
        strength = between(drawn[:, :1], self.strength_least, self.strength_most) * shares
        strength /= shares.sum(axis=1, keepdims=True)
        ambient = between(drawn[:, 1], self.ambient_least, self.ambient_most)
        plain = lambert_coefficients(_tensor(ambient), _tensor(directions), _tensor(strength))
        tint = 1 + self.colour * draws.normal("light/colour", 3).clip(-2, 2)
        return plain[:, :, None] * _tensor(tint)[:, None], _tensor(self.shine * drawn[:, 3])


@dataclass(kw_only=True)
class BackgroundPrior:
    """One colour, a gradient or blotches, as often as each other."""

    contrast: float = setting(0.25, "greatest deviation of blotches", at_least=0.0, at_most=0.5)

    def draw(self, draws: Draws) -> Float[Tensor, "b 3 16 16"]:
        """Small pictures, 0 to 1."""
        drawn = draws.uniform("background", 9)
        noise = draws.normal("background/noise", 3 * _GRID * _GRID).reshape(-1, 3, _GRID, _GRID)
        first, second = (_greyish(drawn[:, part : part + 3]) for part in (0, 3))
        kinds = (
            backgrounds.uniform(first),
            backgrounds.gradient(first, second, _tensor(2 * np.pi * drawn[:, 6])),
            backgrounds.clutter(first, _tensor(self.contrast * drawn[:, 7]), _tensor(noise)),
        )
        kind = torch.from_numpy((drawn[:, 8] * len(kinds)).astype(np.int64))[:, None, None, None]
        return torch.where(kind == 0, kinds[0], torch.where(kind == 1, kinds[1], kinds[2])).clamp(0, 1)


def _greyish(colour: Float[np.ndarray, "b 3"]) -> Float[Tensor, "b 3"]:
    """Colours of rooms: nearer to grey than to a rainbow."""
    return _tensor(0.65 * colour[:, :1] + 0.35 * colour)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
