"""Cameras: from camera space (x right, y up, z to the viewer) to pixels (x right, y down, centres at +0.5), depth."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.core.errors import UserError

_NEAREST = 1e-3  # of the camera's distance: how near to it a vertex may be


@dataclass(frozen=True)
class WeakPerspective:
    """Scaled orthography: the same scale for near and far.

    Attributes:
        scale: pixels a unit.
        centre: where the origin falls, pixels (x, y).
    """

    scale: Float[Tensor, " b"]
    centre: Float[Tensor, "b 2"]

    def project(self, vertices: Float[Tensor, "v 3 b"]) -> Float[Tensor, "v 3 b"]:
        """Pixel x, pixel y and depth in pixels, small for near."""
        x, y, z = vertices.unbind(dim=1)
        column, line = self.centre.unbind(dim=1)
        return torch.stack(
            (torch.addcmul(column, x, self.scale), torch.addcmul(line, y, -self.scale), z * -self.scale), dim=1
        )

    def height(self, depth: Float[Tensor, " n"], face: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """z of points, from their depth as projected and the face that they belong to."""
        return depth / -self.scale.index_select(0, face)


@dataclass(frozen=True)
class Pinhole:
    """A camera at a finite distance on the z axis, which looks at the origin.

    Attributes:
        distance: from the origin, in units of the mesh.
        scale: pixels a unit at the origin's depth; the focal length is scale times distance.
        centre: where the origin falls, pixels (x, y).
    """

    distance: Float[Tensor, " b"]
    scale: Float[Tensor, " b"]
    centre: Float[Tensor, "b 2"]

    def project(self, vertices: Float[Tensor, "v 3 b"]) -> Float[Tensor, "v 3 b"]:
        """Pixel x, pixel y and depth in pixels, small for near.

        The depth is that of z / (distance − z), which is straight on straight lines after projection; near the origin
        it is the same as of a weak perspective.

        Raises:
            UserError: for a vertex at the camera or behind it, which has no picture.
        """
        x, y, z = vertices.unbind(dim=1)
        before = self.distance - z
        self._check(before.detach())
        factor = self.scale * self.distance / before
        return torch.stack((self.centre[:, 0] + x * factor, self.centre[:, 1] - y * factor, -z * factor), dim=1)

    def height(self, depth: Float[Tensor, " n"], face: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """z of points, from their depth as projected and the face that they belong to."""
        distance, scale = self.distance.index_select(0, face), self.scale.index_select(0, face)
        return depth * distance / (depth - scale * distance)

    def _check(self, before: Float[Tensor, "v b"]) -> None:
        reaches = (before <= _NEAREST * self.distance.detach()).any(dim=0)
        if bool(reaches.any()):
            face = int(reaches.nonzero()[0, 0])
            distance = float(self.distance.detach()[face])
            reach = distance - float(before[:, face].amin())
            # no number of the face: a renderer projects blocks of its scenes, whose numbers are not the user's
            raise UserError(
                f"A face reaches to z = {reach:.4g}, but its camera is at the distance {distance:g};"
                " camera.distance must be larger than the z of every vertex."
            )
