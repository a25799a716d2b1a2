"""Light: spherical harmonics of second order, the Lambert surface they stand for, and the shadow of a straight edge."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class EdgeShadow:
    """The shadow that a straight edge casts: under parallel light it fills a half space, bounded by a plane.

    Attributes:
        normal: of the plane, a unit vector into the shadow, camera space.
        offset: of the plane from the origin along it, in units of the mesh.
        softness: distance over which lit goes over into dark, in units of the mesh.
        light: harmonics of what still falls in the shadow, as those of the scene.
    """

    normal: Float[Tensor, "b 3"]
    offset: Float[Tensor, " b"]
    softness: Float[Tensor, " b"]
    light: Float[Tensor, "b 9 3"]

    def depth(self, vertices: Float[Tensor, "v 3 b"]) -> Float[Tensor, "v 1 b"]:
        """How far vertices lie in the shadow, in softnesses: 0 on the plane."""
        x, y, z = vertices.unbind(dim=1)
        along = torch.addcmul(torch.addcmul(x * self.normal[:, 0], y, self.normal[:, 1]), z, self.normal[:, 2])
        return ((along - self.offset) / self.softness)[:, None]


def shaded_share(depth: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """How much of the shadow lies on points of a depth: from 0 at -1/2 to 1 at 1/2, with no kink."""
    share = (depth + 0.5).clamp(0, 1)
    return share * share * (3 - 2 * share)


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
