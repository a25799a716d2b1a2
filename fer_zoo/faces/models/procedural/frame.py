"""The frame in which the head is built, and the few functions that all of its shapes are made of.

The head is built with the eyeball centres at x = ±0.49 and scaled to ±0.5 at the very end; x points to the subject's
left, y up, z out of the face, and the origin lies between the eyeball centres.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Num
from scipy.interpolate import PchipInterpolator

Values = Float[np.ndarray, "*shape"]
Component = Num[np.ndarray, "..."] | float

EYE_X = 0.49
EYE_HALF_WIDTH = 0.215  # of the fissure
BALL_RADIUS = 0.245
LID_GAP = 0.030  # a lid's way above the ball; more than the sagitta of its triangles, so that no ball shows through
MOUTH_Y = -1.04
MOUTH_HALF_WIDTH = 0.40
SIDE_Z = -0.85  # of the plane through the ears, which divides the front of the head from its back
UNIT = 0.5 / EYE_X


def smooth_step(value: Num[np.ndarray, "*shape"], start: float, end: float) -> Values:
    """From 0 at `start` to 1 at `end`, flat at both."""
    share = np.clip((value - start) / (end - start), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def bell(value: Values, centre: Values | float, width: Values | float) -> Values:
    """exp(-((value - centre) / width)²)."""
    return np.exp(-(((value - centre) / width) ** 2))


def spot(x: Values, y: Values, centre: tuple[float, float], width: tuple[float, float]) -> Values:
    """A bell over the face, seen from the front."""
    return bell(x, centre[0], width[0]) * bell(y, centre[1], width[1])


def beyond(value: Values, limit: float, width: float) -> Values:
    """1 up to the limit, then half a bell."""
    return bell(np.maximum(value - limit, 0.0), 0.0, width)


def curve(value: Values, knots: Sequence[tuple[float, float]]) -> Values:
    """A monotone cubic through (place, height), constant beyond its ends."""
    places, heights = zip(*knots, strict=True)
    result: Values = PchipInterpolator(places, heights)(np.clip(value, places[0], places[-1]))
    return result


def vectors(x: Component = 0.0, y: Component = 0.0, z: Component = 0.0) -> Float[np.ndarray, "*more 3"]:
    """Displacements from their components, of which one at least is an array."""
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1).astype(np.float64)
