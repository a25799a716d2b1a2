"""A judge of the rasteriser: Möller and Trumbore's intersections (1997) in float64, every ray with every triangle.

Works in camera space, so that it judges the cameras too.
"""

import numpy as np
from jaxtyping import Float, Int

Vectors = Float[np.ndarray, "n 3"]
CHUNK = 256  # triangles at once


def parallel_rays(height: int, width: int, scale: float, centre: tuple[float, float]) -> tuple[Vectors, Vectors]:
    """Origins and directions, one ray a pixel, of a camera without perspective."""
    x, y = _on_plane(height, width, scale, centre)
    return np.stack([x, y, np.full_like(x, 100.0)], axis=1), np.tile([0.0, 0.0, -1.0], (len(x), 1))


def rays_from(
    distance: float, height: int, width: int, scale: float, centre: tuple[float, float]
) -> tuple[Vectors, Vectors]:
    """Origins and directions, one ray a pixel, of a camera on the z axis."""
    x, y = _on_plane(height, width, scale, centre)
    return np.tile([0.0, 0.0, distance], (len(x), 1)), np.stack([x, y, np.full_like(x, -distance)], axis=1)


def cast(
    vertices: Vectors, triangles: Int[np.ndarray, "t 3"], rays: tuple[Vectors, Vectors]
) -> tuple[Int[np.ndarray, " n"], Vectors]:
    """The first triangle that each ray meets from its front, -1 for none, and where."""
    origins, directions = rays
    moments = np.cross(origins, directions)
    nearest, found = np.full(len(origins), np.inf), np.full(len(origins), -1)
    for start in range(0, len(triangles), CHUNK):
        a, b, c = vertices[triangles[start : start + CHUNK]].transpose(1, 0, 2)
        edge1, edge2 = b - a, c - a
        normal = np.cross(edge1, edge2)
        # Their triple products, written so that each is a matrix product of rays and triangles:
        # det = −d·n, u = (o×d·e2 − d·e2×a) / det, v = (d·e1×a − o×d·e1) / det, t = (o·n − a·n) / det
        det = -directions @ normal.T
        with np.errstate(divide="ignore", invalid="ignore"):
            u = (moments @ edge2.T - directions @ np.cross(edge2, a).T) / det
            v = (directions @ np.cross(edge1, a).T - moments @ edge1.T) / det
            t = (origins @ normal.T - (a * normal).sum(axis=1)) / det
        met = (det > 0) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
        t = np.where(met, t, np.inf)
        best = t.argmin(axis=1)
        closer = (least := t[np.arange(len(t)), best]) < nearest
        nearest[closer], found[closer] = least[closer], best[closer] + start
    with np.errstate(invalid="ignore"):
        return found, origins + nearest[:, None] * directions


def _on_plane(
    height: int, width: int, scale: float, centre: tuple[float, float]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    rows, columns = np.mgrid[:height, :width] + 0.5
    return (columns.ravel() - centre[0]) / scale, (centre[1] - rows.ravel()) / scale
