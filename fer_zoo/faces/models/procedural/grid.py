"""Where the columns and rows of the sheet run.

Rows are heights in the middle of the face. Beside it they bend so that one runs along the hairline, some along the
brows, some along the lips and some along the jaw: the edges of these would else be jagged.
"""

import numpy as np
from jaxtyping import Float

from fer_zoo.faces.models.procedural.frame import MOUTH_HALF_WIDTH, MOUTH_Y, Values, bell, smooth_step

# Half of the columns, in degrees. Some of them pass through the corners of mouth and eyes.
INNER_EYE_CORNER, MOUTH_CORNER, OUTER_EYE_CORNER = 13.72, 24.76, 37.43
OUTER_COLUMNS = (40.5, 44, 47.5, 51.5, 56, 61, 66, 71, 77, 84, 90, 104, 121, 140, 160)
ROWS_BELOW_MOUTH = (
    -5.1, -3.3, -2.6, -2.38, -2.2, -2.07, -1.96, -1.88, -1.79, -1.70, -1.61, -1.51, -1.40, -1.30, -1.22, -1.165, -1.12,
    -1.08,
)  # fmt: skip
ROWS_TO_EYES = (
    -1.005, -0.968, -0.928, -0.885, -0.835, -0.785, -0.74, -0.703, -0.665, -0.625, -0.58, -0.53, -0.47, -0.40, -0.33,
    -0.26, -0.20, -0.15, -0.10, -0.05,
)  # fmt: skip
ROWS_ABOVE_EYES = (
    0.035, 0.07, 0.11, 0.15, 0.19, 0.23, 0.27, 0.31, 0.35, 0.39, 0.44, 0.50, 0.57, 0.65, 0.74, 0.85, 0.95, 1.06, 1.18,
    1.30, 1.41, 1.52, 1.62, 1.70, 1.738,
)  # fmt: skip
ROWS = np.array([*ROWS_BELOW_MOUTH, MOUTH_Y, *ROWS_TO_EYES, 0.0, *ROWS_ABOVE_EYES])
MOUTH_ROW, EYE_ROW = len(ROWS_BELOW_MOUTH), len(ROWS_BELOW_MOUTH) + 1 + len(ROWS_TO_EYES)
TOP, HAIR_ROW, JAW_ROW = 1.75, 0.95, -1.86
FACE_END = -2.6  # of the position map; below it the neck runs on, out of the picture
LIP_HEIGHTS = (0.112, 0.125)  # of the red of the upper and the lower lip above and below the mouth's line
BROW_HEIGHT, BROW_ARCH, BROW_INNER, BROW_LENGTH = 0.34, 0.065, 0.15, 0.66


def columns() -> Float[np.ndarray, " c"]:
    """Angles of the columns in degrees, symmetric about 0 but for the last one, 180."""
    half = [
        *np.linspace(0.0, INNER_EYE_CORNER, 7),
        *np.linspace(INNER_EYE_CORNER, MOUTH_CORNER, 6)[1:],
        *np.linspace(MOUTH_CORNER, OUTER_EYE_CORNER, 7)[1:],
        *OUTER_COLUMNS,
    ]
    return np.array([*(-angle for angle in half[:0:-1]), *half, 180.0])


def heights(row: Values, theta: Values) -> Values:
    """Heights of vertices on rows, at angles in radians."""
    angle = np.degrees(np.abs(theta))
    bottom = 0.42 - 1.42 * smooth_step(angle, 42.0, 70.0)
    rising = np.clip((row - bottom) / (HAIR_ROW - bottom), 0.0, 1.0)
    falling = np.clip((TOP - row) / (TOP - HAIR_ROW), 0.0, 1.0)
    # behind the ears rows straighten again: the edge of the hair is steep there and mostly hidden
    hair = (hairline(theta) - HAIR_ROW) * np.minimum(rising, falling) * (1.0 - smooth_step(angle, 84.0, 112.0))
    brow = BROW_ARCH * brow_arch(1.17 * np.sin(np.radians(angle))) * bell(row, BROW_HEIGHT, 0.12)
    brow = brow * (1.0 - smooth_step(angle, 44.0, 62.0))
    near_lips = 1.0 - smooth_step(np.abs(row - MOUTH_Y), 0.13, 0.32)
    lips = (row - MOUTH_Y) * (_lip_taper(angle) - 1.0) * near_lips
    jaw = (jaw_line(theta) - JAW_ROW) * np.interp(row, (FACE_END, JAW_ROW, MOUTH_Y), (0.0, 1.0, 0.0))
    return row + hair + brow + lips + jaw


def hairline(theta: Values) -> Values:
    """Height at which hair begins: from the forehead over temples and sideburns round the ears to the nape."""
    angle = np.degrees(np.abs(theta))
    return (
        HAIR_ROW
        - 0.42 * smooth_step(angle, 22.0, 62.0)
        - 0.70 * smooth_step(angle, 62.0, 82.0)
        - 0.98 * smooth_step(angle, 84.0, 118.0)
    )


def jaw_line(theta: Values) -> Values:
    """Height of the edge between face and neck: lowest at the chin, up to the angle of the jaw below the ear."""
    return JAW_ROW + 0.58 * smooth_step(np.degrees(np.abs(theta)), 12.0, 88.0)


def brow_arch(far: Values) -> Values:
    """Shape of a brow's middle line, from 0 at its inner end over 1 to its outer end."""
    place = np.clip((far - BROW_INNER) / BROW_LENGTH, 0.0, 1.0)
    return np.sin(0.8 * np.pi * place**1.15)


def mouth_arch(x: Values) -> Values:
    """1 - (x / half width of the mouth)², 0 beyond the corners: what lips are measured by."""
    return np.clip(1.0 - (x / MOUTH_HALF_WIDTH) ** 2, 0.0, 1.0)


def _lip_taper(angle: Values) -> Values:
    """Height of the lips relative to the middle: down to a fifth at the corners; the dip is Cupid's bow."""
    arch = np.clip(1.0 - (angle / MOUTH_CORNER) ** 2, 0.0, 1.0)
    inside = 0.2 + 0.8 * arch**0.9 - 0.15 * bell(angle, 0.0, 4.0)
    return np.where(angle < MOUTH_CORNER, inside, 0.2 + 0.8 * smooth_step(angle, MOUTH_CORNER, 42.0))
