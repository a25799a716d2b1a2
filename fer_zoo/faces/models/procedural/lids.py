"""Eyelids: the slit of each eye opened by any share and draped over its ball.

The lids run on a sphere that lies `LID_GAP` outside of the ball; the gap exceeds the sagitta of their triangles and of
the straight way from open to closed, so that blinking may stay linear.
"""

import numpy as np
from jaxtyping import Float

from fer_zoo.faces.models.procedural.frame import (
    BALL_RADIUS,
    EYE_HALF_WIDTH,
    EYE_X,
    LID_GAP,
    Values,
    bell,
    beyond,
    smooth_step,
)
from fer_zoo.faces.models.procedural.relief import front_share
from fer_zoo.faces.models.procedural.sheet import Sheet

CANTHAL_TILT = 0.022
OVERLAP = 1.02  # how far beyond the lower edge the upper one closes


def lid_positions(
    sheet: Sheet, closed: Float[np.ndarray, "n 3"], upper: float, lower: float
) -> Float[np.ndarray, "n 3"]:
    """The skin with its eyes open.

    Args:
        sheet: whose vertices.
        closed: the skin with closed slits.
        upper: share of its usual height at which the upper edge stands; -1 brings it down to the lower one.
        lower: the same of the lower edge.
    """
    x, y, _ = closed.T
    place = (np.abs(x) - EYE_X) / EYE_HALF_WIDTH  # along the fissure: -1 at the inner corner, 1 at the outer one
    at_eye = front_share(sheet.theta) * (np.abs(x) > 0.1)
    rise = bell(np.maximum(y, 0.0), 0.0, 0.13) * _edge(place, upper, lower)
    sink = bell(np.minimum(y, 0.0), 0.0, 0.11) * _lower_edge(place) * lower
    tilt = CANTHAL_TILT * np.clip(place, -1.5, 1.5) * bell(y, 0.0, 0.2) * beyond(np.abs(place), 1.0, 0.5)
    lids = closed.copy()
    lids[:, 1] += at_eye * (np.where(sheet.below_eyes, -sink, rise) + tilt)
    lids[:, 2] = np.where(at_eye > 0, _draped(lids, y, place), lids[:, 2])
    return lids


def _edge(place: Values, upper: float, lower: float) -> Values:
    """Height of the upper edge."""
    arch = np.clip(1.0 - place**2, 0.0, 1.0)
    height = 0.092 * arch**0.6 * (1.0 - 0.12 * place)
    closing = max(-upper, 0.0) * OVERLAP * lower
    return height * max(upper, 0.0) - closing * _lower_edge(place)


def _lower_edge(place: Values) -> Values:
    return 0.062 * np.clip(1.0 - place**2, 0.0, 1.0) ** 0.75 * (1.0 + 0.15 * place)


def _draped(lids: Float[np.ndarray, "n 3"], y: Values, place: Values) -> Values:
    """z of the lids: exactly on the sphere at the edges, a soft maximum with it around them."""
    across, up, z = np.abs(lids[:, 0]) - EYE_X, lids[:, 1], lids[:, 2]
    room = (BALL_RADIUS + LID_GAP) ** 2 - across**2 - up**2
    sphere = np.where(room > 0, np.sqrt(np.maximum(room, 0.0)), -1.0)
    softness = 0.035
    outer = 0.5 * (z + sphere + np.sqrt((z - sphere) ** 2 + softness**2))
    at_edge = bell(y, 0.0, 0.10) * (np.abs(place) < 1)
    goal = np.where(room > 0, (1 - at_edge) * outer + at_edge * sphere, outer)
    near = beyond(np.hypot(across, up), 0.20, 0.10) * smooth_step(room, -0.03, 0.0)
    return z + near * (np.maximum(goal, sphere) - z)
