"""Priors of what is in front of a face and of what a camera does to its picture."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.faces.effects import MOST_BLUR, Occluders
from fer_zoo.faces.priors.draws import Draws, between
from fer_zoo.faces.priors.settings import CapturePrior, OccluderPrior
from fer_zoo.faces.priors.tensors import float_tensor

NO_JPEG = 0  # quality of a picture that was not compressed


def draw_occluders(prior: OccluderPrior, draws: Draws, size: int) -> Occluders:
    """Things, of which some have no size."""
    drawn = draws.uniform("occluder", 10)
    there = drawn[:, :1] < prior.probability
    return Occluders(
        centre=float_tensor(size * between(drawn[:, 1:3], 0.15, 0.85)),
        radii=float_tensor(size * between(drawn[:, 3:5], prior.least, prior.most) * there),
        angle=float_tensor(np.pi * drawn[:, 5]),
        roundness=float_tensor(between(drawn[:, 6], 2.0, 8.0)),
        colour=float_tensor(0.5 * drawn[:, 7:8] + 0.5 * drawn[:, 7:10]),
    )


@dataclass(frozen=True)
class Captures:
    """What a camera does to pictures, in this order.

    Attributes:
        exposure: how far the mean is brought to the middle grey, 0 to 1.
        contrast: about the middle grey.
        brightness: added.
        patches: deviation of what lighter and darker patches multiply by.
        blur: deviation in pixels.
        noise: deviation.
        patch_seeds: of the patches, which a clip keeps.
        seeds: of the noise.
        quality: of JPEG, `NO_JPEG` for none.
        grey: whether there is no colour.
        sides: pixels of the sides to which pictures are averaged down, and from there up again, after the blur; None
            leaves them as they are.
    """

    exposure: Float[Tensor, " b"]
    contrast: Float[Tensor, " b"]
    brightness: Float[Tensor, " b"]
    patches: Float[Tensor, " b"]
    blur: Float[Tensor, " b"]
    noise: Float[Tensor, " b"]
    patch_seeds: tuple[int, ...]
    seeds: tuple[int, ...]
    quality: Int[Tensor, " b"]
    grey: Float[Tensor, " b"]
    sides: Int[Tensor, " b"] | None = None


def draw_captures(prior: CapturePrior, draws: Draws, samples: Draws, size: int) -> Captures:
    """For square pictures: of a clip all alike, but for the noise, which is each sample's own."""
    drawn, normal = draws.uniform("capture", 6), draws.normal("capture/light", 2).clip(-2, 2)
    quality = np.floor(between(drawn[:, 3], prior.worst, 96)).astype(np.int64)
    return Captures(
        exposure=float_tensor(np.full(len(draws), prior.exposure)),
        contrast=float_tensor(np.exp(prior.contrast * normal[:, 0])),
        brightness=float_tensor(prior.brightness * normal[:, 1]),
        patches=float_tensor(prior.patches * drawn[:, 5]),
        blur=float_tensor((prior.blur * size * drawn[:, 0] ** 2).clip(max=MOST_BLUR)),
        noise=float_tensor(prior.noise * drawn[:, 1] ** 2),
        patch_seeds=tuple(draws.seeds("capture/noise")),  # a stream of their own is made of these
        seeds=tuple(samples.seeds("capture/noise")),
        quality=torch.from_numpy(np.where(drawn[:, 2] < prior.jpeg, quality, NO_JPEG)),
        grey=float_tensor(drawn[:, 4] < prior.grey),
    )
