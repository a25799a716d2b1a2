"""Position maps: where on the face each point of the unwrapped surface lies, as an image of coordinates."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.geometry.rasterizer import rasterize

SIZE = 256


@dataclass(frozen=True)
class PositionMaps:
    """The unwrapping of a model's face at one size, computed once.

    Attributes:
        corners: vertices of the triangle that each pixel shows.
        weights: of these corners.
        covered: pixels that show the face; the others take the nearest that does.
        vertices: those that can be read back: of the face, on no seam.
        places: where they lie on the map, from -1 to 1 as `grid_sample` has it.
    """

    corners: Int[Tensor, "p 3"]
    weights: Float[Tensor, "p 3"]
    covered: Bool[Tensor, "h w"]
    vertices: Int[Tensor, " n"]
    places: Float[Tensor, "n 2"]

    @classmethod
    def of(cls, model: FaceModel, height: int = SIZE, width: int | None = None) -> "PositionMaps":
        """Of a face model.

        Args:
            model: whose unwrapping it is.
            height, width: of the maps, pixels; they are square unless both are given.

        Raises:
            UserError: for a map without pixels.
        """
        width = height if width is None else width
        if min(height, width) < 2:
            raise UserError(f"A position map of {min(height, width)} pixels holds no face; 2 are the least.")
        triangles = model.triangles[model.in_map]
        flat = torch.cat([model.uv * model.uv.new_tensor([width, height]), torch.zeros_like(model.uv[:, :1])], dim=1)
        first, second, third = (flat[corner, :2] for corner in triangles.unbind(dim=1))
        one, other = second - first, third - first
        is_turned = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0] > 0  # seen from inside on the map
        triangles = torch.where(is_turned[:, None], triangles[:, [0, 2, 1]], triangles)
        hits = rasterize(flat[:, :, None], triangles, height, width)
        covered = torch.zeros(height * width, dtype=torch.bool, device=flat.device)
        covered[hits.pixel] = True
        nearest = distance_transform_edt(
            ~covered.view(height, width).cpu().numpy(), return_distances=False, return_indices=True
        )
        source = torch.from_numpy(np.ravel_multi_index(tuple(nearest), (height, width)).ravel()).to(flat.device)
        row = torch.zeros(height * width, dtype=torch.long, device=flat.device)
        row[hits.pixel] = torch.arange(len(hits.pixel), device=flat.device)
        chosen = row[source]
        vertices = torch.unique(triangles).long()
        return cls(
            triangles[hits.triangle][chosen], hits.weights[chosen], covered.view(height, width), vertices,
            2 * model.uv[vertices] - 1,
        )  # fmt: skip

    def __call__(self, vertices: Float[Tensor, "v 3 b"]) -> Float[Tensor, "b 3 h w"]:
        """The coordinates of meshes as maps."""
        corners = vertices.index_select(0, self.corners.reshape(-1).long()).view(-1, 3, 3, vertices.shape[2])
        points = (corners * self.weights[:, :, None, None]).sum(dim=1)
        return points.permute(2, 1, 0).reshape(-1, 3, *self.covered.shape)

    def read(self, maps: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "n 3 b"]:
        """The coordinates of `vertices` on maps, between pixels by bilinear interpolation."""
        grid = self.places.expand(len(maps), 1, -1, -1)
        return F.grid_sample(maps, grid, padding_mode="border", align_corners=False)[:, :, 0].permute(2, 1, 0)
