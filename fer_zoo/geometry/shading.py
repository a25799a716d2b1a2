"""Light: spherical harmonics of second order, and the Lambert surface they stand for."""

import torch
from jaxtyping import Float
from torch import Tensor


def harmonics(normals: Float[Tensor, "n 3"]) -> Float[Tensor, "n 9"]:
    """1, y, z, x, xy, yz, 3z² − 1, xz, x² − y² of unit normals, without the constants of the textbooks."""
    x, y, z = normals.unbind(dim=1)
    return torch.stack((torch.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y)).T


def lambert_coefficients(
    ambient: Float[Tensor, " b"], directions: Float[Tensor, "b l 3"], strengths: Float[Tensor, "b l"]
) -> Float[Tensor, "b 9"]:
    """The harmonics of a Lambert surface under distant lights.

    max(0, n·d) is 1/4 + n·d/2 + 5/32 (3 (n·d)² − 1) + … (Ramamoorthi and Hanrahan, 2001, in these units): an error of
    at most 3/32 of a light's strength, where it grazes the surface.

    Args:
        ambient: light from everywhere.
        directions: unit vectors towards the lights, camera space.
        strengths: of the lights, as a surface that faces one receives it.
    """
    x, y, z = directions.unbind(dim=2)
    band2 = [15 / 16 * x * y, 15 / 16 * y * z, 5 / 64 * (3 * z * z - 1), 15 / 16 * x * z, 15 / 64 * (x * x - y * y)]
    terms = torch.stack([torch.full_like(x, 0.25), y / 2, z / 2, x / 2, *band2], dim=2)
    coefficients = (terms * strengths[:, :, None]).sum(dim=1)
    return torch.cat([coefficients[:, :1] + ambient[:, None], coefficients[:, 1:]], dim=1)
