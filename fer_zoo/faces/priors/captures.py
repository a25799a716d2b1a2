"""Priors of what is in front of a face and of what a camera does to its picture."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.core.settings import setting
from fer_zoo.faces.effects import Occluders
from fer_zoo.faces.priors.draws import Draws, between

NO_JPEG = 0  # quality of a picture that was not compressed


@dataclass(kw_only=True)
class OccluderPrior:
    """A hand, a cup, a strand of hair: something in front of a face."""

    probability: float = setting(0.15, "share of faces with something in front", at_least=0.0, at_most=1.0)
    least: float = setting(0.06, "least half axis, sides of the picture", at_least=0.0, at_most=1.0)
    most: float = setting(0.22, "greatest half axis", at_least=0.0, at_most=1.0)

    def draw(self, draws: Draws, size: int) -> Occluders:
        """Things, of which some have no size."""
        drawn = draws.uniform("occluder", 10)
        there = drawn[:, :1] < self.probability
        return Occluders(
            centre=_tensor(size * between(drawn[:, 1:3], 0.15, 0.85)),
            radii=_tensor(size * between(drawn[:, 3:5], self.least, self.most) * there),
            angle=_tensor(np.pi * drawn[:, 5]),
            roundness=_tensor(between(drawn[:, 6], 2.0, 8.0)),
            colour=_tensor(0.5 * drawn[:, 7:8] + 0.5 * drawn[:, 7:10]),
        )


@dataclass(frozen=True)
class Captures:
    """What a camera does to pictures, in this order.

    Attributes:
        contrast: about the middle grey.
        brightness: added.
        blur: deviation in pixels.
        noise: deviation.
        seeds: of the noise.
        quality: of JPEG, `NO_JPEG` for none.
        grey: whether there is no colour.
    """

    contrast: Float[Tensor, " b"]
    brightness: Float[Tensor, " b"]
    blur: Float[Tensor, " b"]
    noise: Float[Tensor, " b"]
    seeds: tuple[int, ...]
    quality: Int[Tensor, " b"]
    grey: Float[Tensor, " b"]


@dataclass(kw_only=True)
class CapturePrior:
    """Contrast, blur, noise, JPEG, grey."""

    contrast: float = setting(0.2, "deviation of the contrast's logarithm", at_least=0.0, at_most=1.0)
    brightness: float = setting(0.06, "deviation of the brightness", at_least=0.0, at_most=0.5)
    blur: float = setting(0.012, "greatest blur, sides of the picture", at_least=0.0, at_most=0.04)
    noise: float = setting(0.03, "greatest deviation of the noise", at_least=0.0, at_most=0.5)
    jpeg: float = setting(0.5, "share of pictures that were compressed", at_least=0.0, at_most=1.0)
    worst: int = setting(35, "least quality of JPEG", at_least=1, at_most=100)
    grey: float = setting(0.2, "share of pictures without colour", at_least=0.0, at_most=1.0)

    def draw(self, draws: Draws, size: int) -> Captures:
        """For square pictures."""
        drawn, normal = draws.uniform("capture", 5), draws.normal("capture/light", 2).clip(-2, 2)
        quality = np.floor(between(drawn[:, 3], self.worst, 96)).astype(np.int64)
        return Captures(
            contrast=_tensor(np.exp(self.contrast * normal[:, 0])),
            brightness=_tensor(self.brightness * normal[:, 1]),
            blur=_tensor(self.blur * size * drawn[:, 0] ** 2),
            noise=_tensor(self.noise * drawn[:, 1] ** 2),
            seeds=tuple(draws.seeds("capture/noise")),
            quality=torch.from_numpy(np.where(drawn[:, 2] < self.jpeg, quality, NO_JPEG)),
            grey=_tensor(drawn[:, 4] < self.grey),
        )


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
