"""How much light from all around reaches each vertex: nostrils, lids and neck lie in shade."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from fer_zoo.geometry.rasterizer import rasterize
from fer_zoo.geometry.rotations import rotated, rotation

if TYPE_CHECKING:
    from fer_zoo.faces.models.ict.mesh import IctMesh

DIRECTIONS, BATCH = 96, 16
PIXELS, PIXELS_PER_CENTIMETRE = 384, 8  # the whole head from every side
# Depth in the mouth (z in centimetres) and its light: teeth shall be seen as teeth, as soon as the lips part.
MOUTH_DEPTH = (6.5, 10.0), (0.12, 0.8)
EYE = 0.85  # of what turns below the lids, whose shadow stays
LEAST = 0.08


def ambient(mesh: "IctMesh") -> Float64[np.ndarray, " v"]:
    """Share of the sky that each vertex of the mean face sees, weighted by the cosine; by depth inside the mouth."""
    share = _sky(torch.from_numpy(mesh.neutral).float(), torch.from_numpy(mesh.triangles))
    depth = np.interp(mesh.neutral[:, 2], *MOUTH_DEPTH)
    share = np.where(mesh.vertices_of("mouth", "gums", "teeth"), depth, share)
    share[mesh.vertices_of("right_ball", "left_ball")] = EYE
    return np.clip(share, LEAST, 1.0)


def _sky(vertices: Float[Tensor, "v 3"], triangles: Int[Tensor, "t 3"]) -> Float64[np.ndarray, " v"]:
    """Pixels in which the triangles around a vertex show, from all directions, to those which they would fill alone."""
    shown, whole = torch.zeros(len(triangles)), torch.zeros(len(triangles))
    turns = _turns()
    for start in range(0, DIRECTIONS, BATCH):
        screen = _screen(vertices, turns[start : start + BATCH])
        hits = rasterize(screen, triangles, PIXELS, PIXELS)
        shown += torch.bincount(hits.triangle, minlength=len(triangles))
        (ax, ay), (bx, by), (cx, cy) = (screen[triangles[:, corner], :2].unbind(dim=1) for corner in range(3))
        doubled = (cx - ax) * (by - ay) - (bx - ax) * (cy - ay)  # y points down
        whole += doubled.clamp(min=0).sum(dim=1) / 2
    of_triangles = torch.stack([shown, whole], dim=1).double()
    of_vertices = _gathered(of_triangles, triangles, len(vertices))
    smooth = _gathered(of_vertices[triangles].sum(dim=1), triangles, len(vertices))
    return (smooth[:, 0] / smooth[:, 1].clamp(min=1e-6)).numpy()


def _gathered(values: Float[Tensor, "t k"], triangles: Int[Tensor, "t 3"], num_vertices: int) -> Float[Tensor, "v k"]:
    """The sum over the triangles around each vertex."""
    total = values.new_zeros(num_vertices, values.shape[1])
    return total.index_add(0, triangles.reshape(-1), values.repeat_interleave(3, dim=0))


def _turns() -> Float[Tensor, "n 3"]:
    """Yaw, pitch, roll that turn evenly spread directions (a Fibonacci spiral) towards the viewer."""
    number = torch.arange(DIRECTIONS, dtype=torch.float32) + 0.5
    y = 1 - 2 * number / DIRECTIONS
    azimuth = number * (np.pi * (3 - 5**0.5)) % (2 * np.pi)
    return torch.stack([-azimuth, torch.asin(y), torch.zeros(DIRECTIONS)], dim=1)


def _screen(vertices: Float[Tensor, "v 3"], turns: Float[Tensor, "b 3"]) -> Float[Tensor, "v 3 b"]:
    middle = (vertices.amin(dim=0) + vertices.amax(dim=0)) / 2
    turned = rotated((vertices - middle)[:, :, None].expand(-1, -1, len(turns)), rotation(turns))
    x, y, z = (turned * PIXELS_PER_CENTIMETRE).unbind(dim=1)
    return torch.stack([x + PIXELS / 2, PIXELS / 2 - y, -z], dim=1)
