"""What is drawn of ICT-FaceKit's polygons, and where it lies in the texture."""

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from fer_zoo.faces.models.ict.obj_files import Polygons
from fer_zoo.faces.models.ict.regions import BALLS, DRAWN_RINGS, NUM_VERTICES, REGIONS, RINGS


def drawn_triangles(
    neutral: Float64[np.ndarray, "w 3"], polygons: Polygons
) -> tuple[Int64[np.ndarray, "t 3"], UInt8[np.ndarray, " t"]]:
    """The triangles of `REGIONS`, region by region, and the number of each one's region."""
    parts = []
    for name, region in REGIONS.items():
        inside = (polygons.polygon >= region.first_polygon) & (polygons.polygon < region.stop_polygon)
        corners = polygons.corners[inside]
        parts.append(_coarse_ball(neutral, corners, name) if name in BALLS else corners)
    return np.concatenate(parts), np.repeat(np.arange(len(parts), dtype=np.uint8), [len(part) for part in parts])


def _coarse_ball(
    neutral: Float64[np.ndarray, "w 3"], corners: Int64[np.ndarray, "t 3"], name: str
) -> Int64[np.ndarray, "t2 3"]:
    """An eyeball's outer shell from every second vertex of some of its rings."""
    region = REGIONS[name]
    front, behind = region.first_vertex, region.stop_vertex - 1
    ring_of = np.full(NUM_VERTICES, -1)
    ring_of[front] = 0
    for ring in range(RINGS):
        beside = np.unique(corners[(ring_of[corners] == ring).any(axis=1)])
        ring_of[beside[ring_of[beside] < 0]] = ring + 1
    outwards = 1 if name == "left_ball" else -1
    chosen = []
    for ring in DRAWN_RINGS:
        members = np.flatnonzero(ring_of == ring)
        x, y, _ = (neutral[members] - neutral[members].mean(axis=0)).T
        angle = np.arctan2(y, outwards * x) + np.pi / len(members)  # half a step: each begins at the same meridian
        chosen.append(members[np.argsort(angle % (2 * np.pi))][::2])
    grid = np.stack(chosen)
    following = np.roll(grid, -1, axis=1)
    a, b, c, d = (part.ravel() for part in (grid[:-1], grid[1:], following[1:], following[:-1]))
    first, last = np.full_like(grid[0], front), np.full_like(grid[0], behind)
    parts = (first, grid[0], following[0]), (a, b, c), (a, c, d), (last, following[-1], grid[-1])
    return np.concatenate([np.stack(part, axis=1) for part in parts])[:, ::outwards]


def texture_places(polygons: Polygons) -> tuple[Float64[np.ndarray, "w 2"], Bool[np.ndarray, " f"]]:
    """Of each vertex of the face its place in the texture, and of each triangle there whether it keeps to these places.

    A vertex on a seam has several: it takes the one that most triangles use.
    """
    inside = polygons.polygon < REGIONS["face"].stop_polygon
    corners, places = polygons.corners[inside], polygons.texture_corners[inside]
    pairs, uses = np.unique(np.stack([corners.ravel(), places.ravel()]), axis=1, return_counts=True)
    order = np.argsort(uses, kind="stable")  # the last one given to a vertex stays
    chosen = np.full(NUM_VERTICES, -1)
    chosen[pairs[0, order]] = pairs[1, order]
    uv = np.where(chosen[:, None] >= 0, polygons.texture[chosen] * (1, -1) + (0, 1), 0.0)
    return uv, (chosen[corners] == places).all(axis=1)
