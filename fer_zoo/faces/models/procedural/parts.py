"""What is not skin sheet: the mouth's bag and the lids' rims sewn to it, eyeballs, teeth, tongue and ears."""

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from fer_zoo.faces.models.procedural.frame import BALL_RADIUS, EYE_X, MOUTH_Y, bell, smooth_step, vectors
from fer_zoo.faces.models.procedural.grid import mouth_arch
from fer_zoo.faces.models.procedural.mesh import Part, fan, patch, rigid_part, rings_between, tube
from fer_zoo.faces.models.procedural.sheet import Sheet

# Angles from the pole in degrees. The same rings stand at the back, so that the vertices' mean is the ball's centre.
BALL_RINGS = (10.5, 14.0, 25.0, 29.0, 45.0, 66.0)
BALL_SIDES = 14
# Each ring of the mouth's bag: how far apart its lips stand, depth, share of the lips' motion that it takes on.
BAG_RINGS = ((0.012, -0.05, 1.0), (0.05, -0.12, 1.0), (0.11, -0.20, 0.8), (0.26, -0.36, 0.3), (0.20, -0.62, 0.0))
LID_RINGS = ((0.004, -0.10, 1.0),)  # deep enough to end inside the ball at the corners too
EAR_SIDES = 16
# Each ring of an ear from its middle outwards: share of the outline, height above the plate.
EAR_RINGS = (
    (0.22, -0.045), (0.42, -0.03), (0.56, 0.025), (0.72, 0.005), (0.89, 0.035), (1.0, 0.02), (0.97, -0.05),
    (0.55, -0.12),
)  # fmt: skip
EAR_SHADES = (0.55, 0.65, 0.95, 0.75, 0.95, 0.95, 0.7, 0.5)
EAR_CENTRE, EAR_TURN, EAR_LEAN = (1.225, -0.17, -0.99), np.radians(30.0), np.radians(12.0)


def all_parts(sheet: Sheet, skin: Float[np.ndarray, "n 3"]) -> list[Part]:
    """Every part, numbered on from the skin; `skin` are its positions with open eyes."""
    makers: list[Callable[[int], Part]] = [
        partial(_bag, skin, sheet.mouth),
        *(partial(_lid_rim, skin, rim) for rim in sheet.eyes),
        *(partial(make, sign) for make in (_ball, _ear) for sign in (-1.0, 1.0)),
        _upper_teeth,
        _lower_teeth,
        _tongue,
    ]
    first = len(skin)
    parts: list[Part] = []
    for make in makers:
        parts.append(make(first))
        first += len(parts[-1].points)
    return parts


def _is_upper(rim: Int[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """1 on the upper edge of a rim, -1 on the lower one, 0 in the corners."""
    corner = len(rim) // 2
    place = np.arange(len(rim))
    return np.where((place == 0) | (place == corner), 0.0, np.where(place < corner, 1.0, -1.0))


def _is_left(rim: Float[np.ndarray, "m 3"]) -> Bool[np.ndarray, " m"]:
    """Which edges of a rim, each from one of its points to the next one, lie on the subject's left."""
    return np.asarray(rim[:, 0] + np.roll(rim[:, 0], -1) > 0)


def _bag(skin: Float[np.ndarray, "n 3"], rim: Int[np.ndarray, " m"], first: int) -> Part:
    """The inside of the mouth, closed by a fan at the throat: whatever the pose, no background shows through."""
    side = _is_upper(rim)
    points, numbers, share = tube(skin, rim, side * mouth_arch(skin[rim, 0]) ** 0.25, BAG_RINGS, first)
    depth = np.repeat(np.arange(len(BAG_RINGS)), len(rim))
    points[:, 0] *= np.array([1.0, 1.0, 1.0, 1.0, 0.7])[depth]
    throat = first + len(points)
    triangles = np.concatenate(
        [rings_between(numbers, _is_left(skin[rim]))[:, ::-1], fan(numbers[-1], throat)[:, ::-1]]
    )
    lip = np.append(np.array([1.0, 0.5, 0.0, 0.0, 0.0])[depth], 0.0)
    return Part(
        name="bag",
        points=np.vstack([points, [0.0, MOUTH_Y - 0.05, -0.15]]),
        triangles=triangles,
        follows=np.append(np.tile(rim, len(BAG_RINGS)), rim[len(rim) // 4]),
        share=np.append(share, 0.0),
        jaw=np.append(np.tile(0.5 - 0.5 * side, len(BAG_RINGS)), 0.5),
        weights={"lip": lip, "mouth": 1.0 - lip},
        shade=np.append(np.array([0.8, 0.7, 0.8, 0.7, 0.6])[depth], 0.5),
    )


def _lid_rim(skin: Float[np.ndarray, "n 3"], rim: Int[np.ndarray, " m"], first: int) -> Part:
    """The lids' thickness."""
    points, numbers, share = tube(skin, rim, _is_upper(rim), LID_RINGS, first)
    ones = np.ones(len(points))
    triangles = rings_between(numbers, _is_left(skin[rim]))[:, ::-1]
    return Part("lid", points, triangles, rim.copy(), share, 0 * ones, {"skin": ones}, 0.75 * ones)


def _ball(sign: float, first: int) -> Part:
    """A whole ball, its pole in front; iris and pupil by angle from it."""
    angles = np.radians([*BALL_RINGS, 90.0, *(180.0 - ring for ring in BALL_RINGS[::-1])])
    turn = 2 * np.pi * np.arange(BALL_SIDES) / BALL_SIDES
    rings = vectors(
        np.sin(angles)[:, None] * np.cos(turn), np.sin(angles)[:, None] * np.sin(turn), np.cos(angles)[:, None]
    ).reshape(-1, 3)
    points = np.vstack([rings, [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    numbers = first + np.arange(len(rings)).reshape(-1, BALL_SIDES)
    pole = first + len(rings)
    straight = np.zeros(BALL_SIDES, bool)
    caps = fan(numbers[0], pole), fan(numbers[-1], pole + 1)[:, ::-1]
    triangles = np.concatenate([rings_between(numbers, straight)[:, ::-1], *caps])
    angle = np.degrees(np.arccos(points[:, 2]))
    pupil = 1.0 - smooth_step(angle, 10.0, 15.0)
    iris = 1.0 - smooth_step(angle, 24.5, 29.5) - pupil
    weights = {"pupil": pupil, "iris": iris, "sclera": 1.0 - iris - pupil}
    # lids throw a shadow on the upper and outer part of the ball
    shade = 1.0 - 0.30 * smooth_step(points[:, 1], 0.15, 0.45) - 0.25 * smooth_step(np.abs(points[:, 0]), 0.45, 0.9)
    places = (points * BALL_RADIUS + (EYE_X, 0.0, 0.0)) * (sign, 1.0, 1.0)
    return rigid_part("ball", places, triangles if sign > 0 else triangles[:, ::-1], weights, shade)


def _ear(sign: float, first: int) -> Part:
    """Rings round the concha: antihelix, a dip, the rim, and the back of it, which ends inside the head."""
    turn = 2 * np.pi * np.arange(EAR_SIDES) / EAR_SIDES
    reach = np.array([ring[0] for ring in EAR_RINGS])[:, None]
    raised = np.array([ring[1] for ring in EAR_RINGS])[:, None]
    back, up = np.cos(turn), np.sin(turn)
    # wider above than at the lobe; the front edge lies flat on the head
    width = np.where(back > 0, 0.225, 0.13) * (1.0 + 0.22 * up)
    front_edge = smooth_step(-back, 0.3, 1.0)
    along, height = reach * back * width, reach * up * 0.43 - 0.02
    away = raised * (1.0 - 0.7 * front_edge) - 0.05 * front_edge * reach
    along, height, away = (np.append(part.ravel(), end) for part, end in ((along, 0), (height, -0.02), (away, -0.10)))
    cosine, sine = np.cos(EAR_LEAN), np.sin(EAR_LEAN)
    along, height = along * cosine + height * sine, height * cosine - along * sine
    points = vectors(
        EAR_CENTRE[0] + along * np.sin(EAR_TURN) + away * np.cos(EAR_TURN),
        EAR_CENTRE[1] + height,
        EAR_CENTRE[2] - along * np.cos(EAR_TURN) + away * np.sin(EAR_TURN),
    )
    numbers = first + np.arange(len(EAR_RINGS) * EAR_SIDES).reshape(-1, EAR_SIDES)
    middle = fan(numbers[0], first + numbers.size)[:, ::-1]
    triangles = np.concatenate([rings_between(numbers, np.zeros(EAR_SIDES, bool)), middle])
    shade = np.append(np.repeat(EAR_SHADES, EAR_SIDES), 0.45)
    points[:, 0] *= sign
    ones = np.ones(len(points))
    return rigid_part("ear", points, triangles if sign < 0 else triangles[:, ::-1], {"skin": ones}, shade)


def _teeth(y: tuple[float, ...], scale: float, depth: float, jaw: float, first: int) -> Part:
    """An arc of teeth with gaps painted between them."""
    x, height, triangles = patch(np.arange(-10, 11) * 0.0425 * scale, np.array(y), first)
    gap = np.abs(np.sin(np.pi * np.round(x / (0.0425 * scale)) / 2))
    tooth = 0.80 + 0.20 * (1 - gap)
    shade = 1.0 - 0.6 * smooth_step(np.abs(x), 0.12, 0.40)
    points = vectors(x, height, depth - 1.25 * x**2)
    return rigid_part("teeth", points, triangles, {"tooth": tooth, "mouth": 1.0 - tooth}, shade, jaw)


def _upper_teeth(first: int) -> Part:
    return _teeth((-1.125, -1.05, -0.95), 1.0, 0.42, 0.0, first)


def _lower_teeth(first: int) -> Part:
    return _teeth((-1.26, -1.20, -1.135), 0.88, 0.385, 1.0, first)


def _tongue(first: int) -> Part:
    x, y, triangles = patch(np.linspace(-0.22, 0.22, 7), np.linspace(-1.34, -1.17, 4), first)
    points = vectors(x, y, 0.35 - 2.2 * x**2 - 5.0 * (y + 1.34) ** 2)
    shade = 0.9 - 0.3 * bell(x, 0.0, 0.03)
    return rigid_part("tongue", points, triangles, {"tongue": np.ones(len(x))}, shade, 0.95)
