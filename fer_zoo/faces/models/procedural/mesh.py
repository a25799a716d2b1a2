"""Parts besides the skin, and the few kinds of meshes that they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from fer_zoo.faces.models.procedural.frame import vectors


@dataclass(frozen=True)
class Part:
    """Vertices besides the skin's.

    Attributes:
        name: of the part; left and right ones share it.
        points: neutral positions.
        triangles: corners in the numbers of the whole head.
        follows: the skin's vertex whose motion each one takes on.
        share: how much of it.
        jaw: share of the jaw's rigid motion in the rest.
        weights: material -> share.
        shade: what ambient light reaches them.
    """

    name: str
    points: Float[np.ndarray, "n 3"]
    triangles: Int[np.ndarray, "t 3"]
    follows: Int[np.ndarray, " n"]
    share: Float[np.ndarray, " n"]
    jaw: Float[np.ndarray, " n"]
    weights: Mapping[str, Float[np.ndarray, " n"]]
    shade: Float[np.ndarray, " n"]


def rigid_part(
    name: str,
    points: Float[np.ndarray, "n 3"],
    triangles: Int[np.ndarray, "t 3"],
    weights: Mapping[str, Float[np.ndarray, " n"]],
    shade: Float[np.ndarray, " n"],
    jaw: float = 0.0,
) -> Part:
    """A part that takes on nothing of the skin's motion."""
    count = len(points)
    nothing = np.zeros(count)
    return Part(name, points, triangles, np.zeros(count, int), nothing, nothing + jaw, weights, nothing + shade)


def rings_between(numbers: Int[np.ndarray, "r s"], turned: Bool[np.ndarray, " s"]) -> Int[np.ndarray, "t 3"]:
    """Triangles between closed rings; the next ring lies to the left of the way along one.

    Diagonals are turned on one side of the face, so that both sides are mirror images.
    """
    triangles = []
    sides = numbers.shape[1]
    for ring, following in pairwise(numbers):
        for side, is_turned in enumerate(turned):
            after = (side + 1) % sides
            corners = ring[side], ring[after], following[after], following[side]
            if is_turned:
                triangles += [(corners[0], corners[1], corners[3]), corners[1:]]
            else:
                triangles += [corners[:3], (corners[0], corners[2], corners[3])]
    return np.array(triangles)


def fan(ring: Int[np.ndarray, " s"], centre: int) -> Int[np.ndarray, "t 3"]:
    """Triangles from the edges of a ring to a point."""
    return np.array([(ring[side], ring[(side + 1) % len(ring)], centre) for side in range(len(ring))])


def tube(
    skin: Float[np.ndarray, "n 3"],
    rim: Int[np.ndarray, " m"],
    rise: Float[np.ndarray, " m"],
    rings: tuple[tuple[float, float, float], ...],
    first: int,
) -> tuple[Float[np.ndarray, "k 3"], Int[np.ndarray, "r m"], Float[np.ndarray, " k"]]:
    """Points of rings that continue a rim inwards, the numbers of all rings with the rim, and the points' shares."""
    points = np.concatenate([skin[rim] + vectors(y=rise * apart, z=depth) for apart, depth, _ in rings])
    numbers = np.concatenate([rim, first + np.arange(len(points))]).reshape(-1, len(rim))
    return points, numbers, np.repeat([share for _, _, share in rings], len(rim))


def patch(
    x: Float[np.ndarray, " c"], y: Float[np.ndarray, " r"], first: int
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Int[np.ndarray, "t 3"]]:
    """Coordinates of a grid and its triangles, seen from the front."""
    grid_x, grid_y = np.meshgrid(x, y)
    numbers = first + np.arange(grid_x.size).reshape(grid_x.shape)
    middle = (len(x) - 1) // 2
    triangles = []
    for row in range(len(y) - 1):
        for column in range(len(x) - 1):
            a, b = numbers[row, column : column + 2]
            d, c = numbers[row + 1, column : column + 2]
            triangles += [(a, b, c), (a, c, d)] if column >= middle else [(a, b, d), (b, c, d)]
    return grid_x.ravel(), grid_y.ravel(), np.array(triangles)
