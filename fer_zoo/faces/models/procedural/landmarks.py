"""The vertices of the 68 iBUG points, found once by their places on the closed face."""

import numpy as np
from jaxtyping import Float, Int

from fer_zoo.core.landmarks import MIRROR
from fer_zoo.faces.models.procedural.frame import MOUTH_Y
from fer_zoo.faces.models.procedural.grid import LIP_HEIGHTS
from fer_zoo.faces.models.procedural.materials import brow_line
from fer_zoo.faces.models.procedural.sheet import Sheet

# (angle, height) of the right half of the jaw's outline, from beside the eye down to the chin.
JAW = ((80, 0.0), (80, -0.36), (79, -0.70), (77, -1.02), (72, -1.27), (61, -1.50), (45, -1.64), (24, -1.74), (0, -1.80))
BROW = (0.80, 0.64, 0.48, 0.32, 0.17)
NOSE_BRIDGE = (0.0, -0.18, -0.36, -0.53)
NOSE_BASE = ((0.22, -0.66), (0.11, -0.70), (0.0, -0.715))
# |x| of the points along the lips.
OUTER_LIP, LOWER_LIP, INNER_LIP = (0.26, 0.09, 0.0), (0.0, 0.12, 0.26), 0.17


def landmark_vertices(sheet: Sheet, closed: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " 68"]:
    """Vertices of the right side and of the middle by their places; those of the left side are their mirror images."""
    found = np.full(68, -1)
    angle = np.degrees(sheet.theta)
    on_front = np.flatnonzero((np.abs(angle) < 90) & ~sheet.on_slit)

    def nearest(x: float, y: float) -> int:
        return int(on_front[np.hypot(closed[on_front, 0] - x, closed[on_front, 1] - y).argmin()])

    def border(x: float, row: float) -> int:
        on_row = np.flatnonzero(np.isclose(sheet.row, row))
        return int(on_row[np.abs(closed[on_row, 0] + x).argmin()])

    found[0:9] = [np.hypot((angle + degrees) / 50, sheet.y - y).argmin() for degrees, y in JAW]
    found[17:22] = [nearest(-x, float(brow_line(np.array([x]))[0])) for x in BROW]
    found[27:31] = [nearest(0.0, y) for y in NOSE_BRIDGE]
    found[31:34] = [nearest(-x, y) for x, y in NOSE_BASE]
    found[36:42] = _lid_points(sheet.eyes[0])
    found[49:52] = [border(x, MOUTH_Y + LIP_HEIGHTS[0]) for x in OUTER_LIP]
    found[57:60] = [border(x, MOUTH_Y - LIP_HEIGHTS[1]) for x in LOWER_LIP]
    rim, corner = sheet.mouth, len(sheet.mouth) // 2
    inner = int(np.abs(closed[rim[:corner], 0] + INNER_LIP).argmin())
    found[[48, 60, 61, 62, 66, 67]] = rim[[0, 1, inner, corner // 2, -(corner // 2), -inner]]
    for point, other in enumerate(MIRROR):
        if found[point] < 0:
            found[point] = sheet.mirror[found[other]]
    return found


def _lid_points(rim: Int[np.ndarray, " e"]) -> Int[np.ndarray, " 6"]:
    """Outer corner, two on the upper lid, inner corner, two on the lower lid, of the right eye."""
    corner = len(rim) // 2
    first, second = round(corner / 3), round(2 * corner / 3)
    return rim[[0, first, second, corner, -second, -first]]
