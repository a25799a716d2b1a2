"""The skin as one sheet over (theta, y): a closed head with a neck, slit at the eyes and at the mouth.

theta runs round the vertical axis, 0 in the middle of the face. The rows of the slits are doubled between the corners:
what lies above hangs on the first copy, what lies below on the second one.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from fer_zoo.faces.models.procedural.frame import MOUTH_Y, Values, bell
from fer_zoo.faces.models.procedural.grid import (
    EYE_ROW,
    FACE_END,
    INNER_EYE_CORNER,
    MOUTH_CORNER,
    MOUTH_ROW,
    OUTER_EYE_CORNER,
    ROWS,
    TOP,
    columns,
    heights,
)

# Row, first and last column, in degrees: the mouth, the right and the left eye.
SLITS = (
    (MOUTH_ROW, -MOUTH_CORNER, MOUTH_CORNER),
    (EYE_ROW, -OUTER_EYE_CORNER, -INNER_EYE_CORNER),
    (EYE_ROW, INNER_EYE_CORNER, OUTER_EYE_CORNER),
)
SLIT_IN_MAP = 0.04  # half of the height at which slits stand open on the position map


@dataclass(frozen=True)
class Sheet:
    """The skin's vertices and triangles, before it has a shape.

    Attributes:
        theta: angle of each vertex in radians, in (-pi, pi].
        y: its height while eyes and mouth are closed.
        row: height of its row in the middle of the face.
        below_mouth, below_eyes: whether it lies below the slit, the copies on a slit told apart.
        triangles: corners.
        mirror: the vertex on the other side.
        mouth: the rim of the mouth, from the right corner along the upper lip to the left one and back below.
        eyes: the rims of the right and of the left eye, each from its right corner likewise.
    """

    theta: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    row: Float[np.ndarray, " n"]
    below_mouth: Bool[np.ndarray, " n"]
    below_eyes: Bool[np.ndarray, " n"]
    triangles: Int[np.ndarray, "t 3"]
    mirror: Int[np.ndarray, " n"]
    mouth: Int[np.ndarray, " m"]
    eyes: tuple[Int[np.ndarray, " e"], Int[np.ndarray, " e"]]

    @property
    def on_slit(self) -> Bool[np.ndarray, " n"]:
        """Which vertices lie on the rims of mouth and eyes."""
        return np.isin(np.arange(len(self.y)), np.concatenate([self.mouth, *self.eyes]))


def make_sheet() -> Sheet:
    """The sheet; vertex row · columns + column, then the lower copies of the slits, then the crown."""
    angles = columns()
    grid = np.arange(len(angles) * len(ROWS)).reshape(len(ROWS), len(angles))
    lower = grid.copy()
    crown = grid.size
    rims = []
    source = [grid.ravel()]
    for row, *corners in SLITS:
        first, last = (int(np.abs(angles - corner).argmin()) for corner in corners)
        upper = grid[row, first + 1 : last]
        copies = crown + np.arange(len(upper))
        lower[row, first + 1 : last] = copies
        crown += len(copies)
        source.append(upper)
        rims.append(np.array([grid[row, first], *upper, grid[row, last], *copies[::-1]]))
    row_of, column_of = np.divmod(np.concatenate(source), len(angles))
    is_copy = np.append(np.arange(crown) >= grid.size, False)
    number = np.append(row_of, len(ROWS))
    theta = np.radians(np.append(angles[column_of], 0.0))
    row_height = np.append(ROWS[row_of], TOP)
    return Sheet(
        theta=theta,
        y=heights(row_height, theta),
        row=row_height,
        below_mouth=(number < MOUTH_ROW) | (is_copy & (number == MOUTH_ROW)),
        below_eyes=(number < EYE_ROW) | (is_copy & (number == EYE_ROW)),
        triangles=_triangles(grid, lower, crown),
        mirror=_mirror(grid, lower, crown),
        mouth=rims[0],
        eyes=(rims[1], rims[2]),
    )


def unit_square(sheet: Sheet) -> Float[np.ndarray, "n 2"]:
    """(theta, y) of the front on the unit square; the slits stand open there, so that their two rims stay apart."""
    degrees = np.degrees(sheet.theta)
    middle, half = (INNER_EYE_CORNER + OUTER_EYE_CORNER) / 2, (OUTER_EYE_CORNER - INNER_EYE_CORNER) / 2
    mouth = _opening(degrees / MOUTH_CORNER, sheet.y - MOUTH_Y, sheet.below_mouth)
    eyes = _opening((np.abs(degrees) - middle) / half, sheet.y, sheet.below_eyes)
    across = np.clip(sheet.theta / np.pi + 0.5, 0.0, 1.0)
    down = np.clip((TOP - sheet.y - mouth - eyes) / (TOP - FACE_END), 0.0, 1.0)
    return np.stack([across, down], axis=1)


def _opening(place: Values, height: Values, below: Bool[np.ndarray, "*shape"]) -> Values:
    """How far vertices of the map move apart at a slit; `place` is -1 and 1 at its corners."""
    arch = np.sqrt(np.clip(1.0 - place**2, 0.0, 1.0))
    return np.where(below, -SLIT_IN_MAP, SLIT_IN_MAP) * arch * bell(height, 0.0, 0.10)


def _triangles(grid: Int[np.ndarray, "r c"], lower: Int[np.ndarray, "r c"], crown: int) -> Int[np.ndarray, "t 3"]:
    """Two for each quadrangle, the diagonal turned with the side of the face so that both sides are mirror images."""
    triangles = []
    height, width = grid.shape
    middle = (width - 1) // 2
    for row in range(height - 1):
        above = lower[row + 1]
        for column in range(width):
            following = (column + 1) % width
            corners = grid[row, column], grid[row, following], above[following], above[column]
            if middle <= column < width - 1:
                triangles += [corners[:3], (corners[0], corners[2], corners[3])]
            else:
                triangles += [(corners[0], corners[1], corners[3]), corners[1:]]
    triangles += [(grid[-1, column], grid[-1, (column + 1) % width], crown) for column in range(width)]
    return np.array(triangles)


def _mirror(grid: Int[np.ndarray, "r c"], lower: Int[np.ndarray, "r c"], crown: int) -> Int[np.ndarray, " n"]:
    width = grid.shape[1]
    other = np.append(np.arange(width - 1)[::-1], width - 1)
    mirror = np.arange(crown + 1)
    mirror[grid] = grid[:, other]
    mirror[lower] = lower[:, other]
    return mirror
