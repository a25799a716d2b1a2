"""Distances and borders on a mesh, for painting it by rule."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from scipy.interpolate import make_interp_spline
from scipy.spatial import cKDTree


def smoothstep(value: Float[np.ndarray, " v"], start: float, stop: float) -> Float[np.ndarray, " v"]:
    """0 at `start`, 1 at `stop`, smooth between and constant outside; falling where stop < start."""
    share = np.clip((value - start) / (stop - start), 0.0, 1.0)
    return share * share * (3 - 2 * share)


def between(value: Float64[np.ndarray, " v"], knots: Sequence[tuple[float, float]]) -> Float64[np.ndarray, " v"]:
    """Straight lines through (value, result) pairs, level beyond their ends."""
    places, results = np.array(knots).T
    return np.interp(value, places, results)


def border(triangles: Int64[np.ndarray, "t 3"]) -> Int64[np.ndarray, " b"]:
    """Vertices on edges that only one triangle has."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    base = int(triangles.max()) + 1
    numbers, uses = np.unique(edges[:, 0] * base + edges[:, 1], return_counts=True)  # faster than pairs
    once = numbers[uses == 1]
    return np.unique(np.concatenate([once // base, once % base]))


def rings(triangles: Int64[np.ndarray, "t 3"], start: Bool[np.ndarray, " v"], most: int) -> Int64[np.ndarray, " v"]:
    """How many edges each vertex is away from a set of vertices; `most` for that and more."""
    away = np.where(start, 0, most)
    for ring in range(1, most):
        beside = triangles[(away[triangles] == ring - 1).any(axis=1)].ravel()
        away[beside] = np.minimum(away[beside], ring)
    return away


def along_curve(
    points: Float64[np.ndarray, "v 3"], through: Float64[np.ndarray, "k 3"]
) -> tuple[Float64[np.ndarray, " v"], Float64[np.ndarray, " v"]]:
    """Distance of each point to the smooth curve through a few points, and its place along it, 0 at the first one."""
    places = np.linspace(0.0, 1.0, 60)
    curve = make_interp_spline(np.linspace(0.0, 1.0, len(through)), through, k=3)(places)
    away, nearest = map(np.asarray, cKDTree(curve).query(points))
    return away, places[nearest]


def sphere_centre(points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, " 3"]:
    """Centre of the sphere closest to points (least squares of the squared distances)."""
    table = np.column_stack([2 * points, np.ones(len(points))])
    return np.linalg.lstsq(table, (points**2).sum(axis=1), rcond=None)[0][:3]


def distance_to_lines(
    points: Float64[np.ndarray, "v n"], corners: Float64[np.ndarray, "k n"]
) -> Float64[np.ndarray, " v"]:
    """Distance of each point to the straight lines from corner to corner."""
    start, step = corners[:-1], np.diff(corners, axis=0)
    out = points[:, None] - start
    share = np.clip((out * step).sum(axis=2) / (step**2).sum(axis=1), 0.0, 1.0)
    return np.linalg.norm(out - share[..., None] * step, axis=2).min(axis=1)
