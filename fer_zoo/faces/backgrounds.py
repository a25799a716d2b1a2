"""What is behind a face: small pictures that the renderer stretches over the image."""

import torch
from jaxtyping import Float
from torch import Tensor

GRID = 16  # points along each side
_SATURATION = 0.3  # of noise: colourful rooms would be the strongest thing in a picture


def uniform(colour: Float[Tensor, "b 3"]) -> Float[Tensor, "b 3 g g"]:
    """One colour."""
    return colour[:, :, None, None].expand(-1, -1, GRID, GRID)


def gradient(first: Float[Tensor, "b 3"], second: Float[Tensor, "b 3"], angle: Float[Tensor, " b"]) -> Tensor:
    """From the first colour to the second along a direction, in radians from the x axis; "b 3 g g"."""
    step = torch.linspace(-1, 1, GRID, device=first.device, dtype=first.dtype)
    along = angle.cos()[:, None, None] * step + angle.sin()[:, None, None] * step[:, None]
    share = (0.5 + along / (2 * along.abs().amax(dim=(1, 2), keepdim=True)))[:, None]
    return first[:, :, None, None] * (1 - share) + second[:, :, None, None] * share


def clutter(
    colour: Float[Tensor, "b 3"], contrast: Float[Tensor, " b"], noise: Float[Tensor, "b 3 g g"]
) -> Float[Tensor, "b 3 g g"]:
    """Blotches about a colour, mostly grey, as of a room out of focus.

    Args:
        colour: about which they vary.
        contrast: standard deviation of their brightness.
        noise: of unit variance, a number a point and channel.
    """
    grey = noise.mean(dim=1, keepdim=True) * 3**0.5
    mixed = (1 - _SATURATION) * grey + _SATURATION * noise
    return (colour[:, :, None, None] + contrast[:, None, None, None] * mixed).clamp(0, 1)
