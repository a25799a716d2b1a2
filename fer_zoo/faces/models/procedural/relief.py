"""The shape of the skin: head, neck and jaw as surfaces of (theta, y), then the features of the face as relief on z.

Eyes and mouth are closed here; `lids.py` opens the eyes.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from fer_zoo.faces.models.procedural.frame import (
    MOUTH_HALF_WIDTH,
    MOUTH_Y,
    SIDE_Z,
    Values,
    bell,
    curve,
    smooth_step,
    spot,
    vectors,
)
from fer_zoo.faces.models.procedural.grid import LIP_HEIGHTS, jaw_line, mouth_arch
from fer_zoo.faces.models.procedural.sheet import Sheet

Swelling = tuple[float, tuple[float, float], tuple[float, float]]

HEAD_HALF_WIDTH = (
    (-2.2, 0.40), (-1.9, 0.58), (-1.7, 0.70), (-1.5, 0.82), (-1.2, 0.955), (-0.8, 1.06), (-0.4, 1.12), (0.0, 1.16),
    (0.3, 1.17), (0.5, 1.17),
)  # fmt: skip
HEAD_FRONT = (
    (-2.2, 0.02), (-2.0, 0.16), (-1.86, 0.30), (-1.76, 0.385), (-1.6, 0.45), (-1.4, 0.45), (-1.1, 0.49), (-0.7, 0.47),
    (-0.35, 0.46), (0.0, 0.45), (0.3, 0.50), (0.6, 0.51), (0.9, 0.485), (1.0, 0.44),
)  # fmt: skip
HEAD_BACK = ((-5.1, -1.6), (-2.6, -1.5), (-2.0, -1.48), (-1.4, -1.66), (-0.8, -2.0), (0.0, -2.2), (0.5, -2.22))
NECK_HALF_WIDTH = (
    (-5.1, 1.55), (-3.3, 1.2), (-2.6, 0.90), (-2.4, 0.76), (-2.15, 0.70), (-1.7, 0.70), (-1.0, 0.86), (-0.4, 1.0),
)  # fmt: skip
NECK_FRONT = ((-2.6, 0.02), (-2.25, -0.03), (-2.0, -0.08), (-1.6, -0.10), (-1.2, -0.2))
NOSE_HEIGHT = (
    (-0.78, 0.0), (-0.725, 0.025), (-0.66, 0.18), (-0.59, 0.30), (-0.51, 0.335), (-0.40, 0.285), (-0.2, 0.185),
    (0.0, 0.085), (0.12, 0.045), (0.3, 0.012), (0.45, 0.0),
)  # fmt: skip
NOSE_WIDTH = ((-0.8, 0.18), (-0.62, 0.165), (-0.5, 0.14), (-0.3, 0.125), (-0.1, 0.12), (0.15, 0.14), (0.5, 0.15))
# Height, negative in a hollow, then centre and width as of `spot`.
BONES: Mapping[str, Swelling] = {
    "eye socket": (-0.17, (0.47, -0.02), (0.27, 0.19)),
    "brow ridge": (0.035, (0.45, 0.29), (0.42, 0.12)),
    "glabella": (0.015, (0.0, 0.30), (0.14, 0.12)),
    "cheekbone": (0.065, (0.70, -0.42), (0.28, 0.22)),
    "hollow of the cheek": (-0.03, (0.74, -0.95), (0.22, 0.28)),
    "arch of the teeth": (0.09, (0.0, -1.04), (0.42, 0.30)),
    "groove below the lip": (-0.060, (0.0, -1.39), (0.30, 0.085)),
    "chin": (0.100, (0.0, -1.62), (0.27, 0.16)),
    "temple": (-0.05, (0.98, 0.28), (0.2, 0.3)),
    "philtrum": (-0.02, (0.0, -0.82), (0.045, 0.1)),
    "edge of the philtrum": (0.012, (0.09, -0.84), (0.04, 0.1)),
}
NOSE_END: Mapping[str, Swelling] = {
    "wing": (0.17, (0.20, -0.585), (0.075, 0.085)),
    "tip": (0.04, (0.0, -0.54), (0.12, 0.10)),
    "nostril": (-0.07, (0.10, -0.665), (0.05, 0.035)),
}


def front_share(theta: Values) -> Values:
    """1 on the front of the head, 0 on its back."""
    return smooth_step(np.cos(theta), 0.05, 0.45)


def closed_face(sheet: Sheet) -> Float[np.ndarray, "n 3"]:
    """Positions of the skin with eyes and mouth closed."""
    x, z = _head(sheet.theta, sheet.y)
    relief = _bones(np.abs(x), sheet.y) + _nose(np.abs(x), sheet.y) + _lips(x, sheet.y, sheet.row)
    return vectors(x, sheet.y + front_share(sheet.theta) * _lip_wave(x, sheet.y), z + front_share(sheet.theta) * relief)


def _dome(y: Values, power: float) -> Values:
    """The skull's elliptic top: 1 up to y = 0.45, then down to 0 at the crown."""
    share = 1.0 - np.clip((y - 0.45) / 1.30, 0.0, 1.0) ** power
    return np.sqrt(np.clip(share, 0.0, 1.0))


def _head(theta: Values, y: Values) -> tuple[Values, Values]:
    """x and z of the bare head with its neck."""
    on_head = smooth_step(y - jaw_line(theta), -0.14, 0.10)
    half_width = curve(y, NECK_HALF_WIDTH) * (1 - on_head) + curve(y, HEAD_HALF_WIDTH) * on_head
    half_width = half_width * _dome(y, 2.3)
    forehead = SIDE_Z + 1.335 * np.sqrt(np.clip(1.0 - np.clip(y - 0.75, 0.0, 1.0) ** 2.2, 0.0, 1.0))
    front = np.where(y < 0.9, curve(y, HEAD_FRONT), forehead)
    front = curve(y, NECK_FRONT) * (1 - on_head) + front * on_head
    back = np.where(y < 0.45, curve(y, HEAD_BACK), SIDE_Z - 1.37 * _dome(y, 2.3))
    cosine = np.cos(theta)
    ahead = np.maximum(cosine, 0.0) ** 0.92
    z = np.where(cosine > 0, SIDE_Z + (front - SIDE_Z) * ahead, SIDE_Z + (SIDE_Z - back) * cosine)
    sine = np.where(np.isclose(theta, np.pi), 0.0, np.sin(theta))
    return half_width * sine, z


def nasolabial_fold(y: Values) -> Values:
    """|x| of the fold from the wing of the nose down past the corner of the mouth."""
    return 0.29 + 0.42 * (-0.62 - y)


def _bones(x: Values, y: Values) -> Values:
    """Sockets, ridges, cheeks and chin; x is without its sign."""
    fold = bell(x, nasolabial_fold(y), 0.075) * smooth_step(-y, 0.58, 0.72) * smooth_step(y, -1.22, -1.0)
    return _swellings(BONES, x, y) - 0.018 * fold


def _nose(x: Values, y: Values) -> Values:
    """Bridge, tip, wings and nostrils; x is without its sign."""
    ridge = 0.92 * curve(y, NOSE_HEIGHT) * bell(x, 0.0, 1.08 * curve(y, NOSE_WIDTH))
    return ridge + _swellings(NOSE_END, x, y)


def _swellings(named: Mapping[str, Swelling], x: Values, y: Values) -> Values:
    return np.sum([height * spot(x, y, centre, width) for height, centre, width in named.values()], axis=0)


def _lip_wave(x: Values, y: Values) -> Values:
    """The mouth's line dips in its middle and rises a little beside it and at its corners."""
    wave = 0.010 * bell(np.abs(x), 0.18, 0.10) - 0.010 * bell(x, 0.0, 0.08) + 0.018 * bell(np.abs(x), 0.42, 0.10)
    return wave * bell(y, MOUTH_Y, 0.10)


def _lips(x: Values, y: Values, row: Values) -> Values:
    """Two rolls with a crease between them, by rows, which taper as the lips do, and dents at the corners."""
    height, arch = row - MOUTH_Y, mouth_arch(x)
    return (
        0.048 * arch**0.7 * bell(height, 0.040, 0.055)
        + 0.062 * arch**0.7 * bell(height, -0.055, 0.06)
        - 0.030 * bell(height, 0.0, 0.018) * smooth_step(arch, 0.0, 0.1)
        + 0.010 * arch * bell(height, LIP_HEIGHTS[0], 0.014)
        - 0.030 * spot(np.abs(x), y, (MOUTH_HALF_WIDTH + 0.02, MOUTH_Y), (0.07, 0.07))
    )
