"""Actions of mouth, jaw and cheeks' puff, in the manner of Waters (1987): each muscle a field over the skin."""

import numpy as np

from fer_zoo.faces.models.procedural.frame import MOUTH_HALF_WIDTH, MOUTH_Y, Values, bell, beyond, smooth_step, vectors
from fer_zoo.faces.models.procedural.ground import Field, Ground

CORNER = (MOUTH_HALF_WIDTH, MOUTH_Y)  # of the mouth, as (|x|, y)
CHIN_Y = -1.52  # of the boss that the muscle of the chin pushes up
UPPER_EDGE, LOWER_EDGE = 0.11, -0.12  # of the lips' red, from the mouth's line
JAW_HINGE = (-0.35, -0.75)  # y, z
JAW_ANGLE = np.radians(22.0)
JAW_GLIDE = (-0.06, 0.32)  # y, z: an opening jaw slides forwards in its joint


def jaw_motion(points: Field) -> dict[str, Field]:
    """How the bare jaw moves, at points fixed to it."""
    y, z = points[:, 1] - JAW_HINGE[0], points[:, 2] - JAW_HINGE[1]
    cosine, sine = np.cos(JAW_ANGLE), np.sin(JAW_ANGLE)
    zero = np.zeros(len(points))
    return {
        "jawOpen": vectors(zero, y * cosine - z * sine - y + JAW_GLIDE[0], y * sine + z * cosine - z + JAW_GLIDE[1]),
        "jawLeft": vectors(zero + 0.15, -0.01, -0.02),
        "jawRight": vectors(zero - 0.15, -0.01, -0.02),
        "jawForward": vectors(zero, -0.01, 0.13),
    }


def lower_face_actions(ground: Ground) -> dict[str, Field]:
    """Displacements of the skin at 1 of each action."""
    fields = _jaw(ground) | _whole_mouth(ground) | _rolls_and_shrugs(ground)
    for name, field in (
        ("mouthSmile", _lip_corner_puller(ground)),
        ("mouthFrown", _lip_corner_depressor(ground)),
        ("mouthDimple", _dimpler(ground)),
        ("mouthStretch", _lip_stretcher(ground)),
        ("mouthPress", _lip_pressor(ground)),
        ("mouthUpperUp", _upper_lip_raiser(ground)),
        ("mouthLowerDown", _lower_lip_depressor(ground)),
    ):
        fields |= ground.one_sided(name, field)
    return fields


def _jaw(ground: Ground) -> dict[str, Field]:
    """The jaw's motion by the share of it, half in the corners of the mouth; only where it opens do the lips part."""
    height = np.abs(ground.y - MOUTH_Y)
    away = smooth_step(height / (0.10 + np.maximum(ground.far - 0.5 * MOUTH_HALF_WIDTH, 0.0)), 0.0, 1.0)
    side = 1.0 - 2.0 * ground.above
    reach = smooth_step(ground.z, -0.75, -0.05) * smooth_step(ground.y + 0.65 * ground.z, -2.6, -1.65)
    share, parted = (
        ((0.5 + 0.5 * side * lips) * reach)[:, None] for lips in (away, np.maximum(np.sqrt(ground.arch), away))
    )
    motion = jaw_motion(vectors(ground.x, ground.y, ground.z))
    fields = {name: field * share for name, field in motion.items()}
    narrowed = vectors(x=-0.10 * ground.x * ground.spot(CORNER, (0.40, 0.50)))
    fields["jawOpen"] = (motion["jawOpen"] + narrowed) * parted
    # lips meet a third of the way down: what jawOpen does to them, undone
    arch = np.sqrt(ground.arch)
    meeting = np.where(ground.above > 0, 0.35, -0.65) * arch * bell(height, 0.0, 0.30)
    fields["mouthClose"] = (motion["jawOpen"] + narrowed) * meeting[:, None]
    return fields


def _whole_mouth(ground: Ground) -> dict[str, Field]:
    x, y = ground.x, ground.y
    height = y - MOUTH_Y
    around = beyond(ground.far, 0.25, 0.35) * bell(height, 0.0, 0.32) * ground.front
    upwards = np.where(ground.above > 0, 1.0, -1.0)
    rounded = _ring_muscle(ground)
    puff = ground.spot((0.55, -1.02), (0.26, 0.27))
    return {
        "mouthLeft": vectors(0.13 * around, 0.02 * bell(x, 0.4, 0.25) * around, 0.01 * around),
        "mouthRight": vectors(-0.13 * around, 0.02 * bell(x, -0.4, 0.25) * around, 0.01 * around),
        "mouthPucker": vectors(
            -0.45 * x * rounded,
            0.02 * upwards * ground.arch * ground.lip * (1.0 - bell(height, 0.0, 0.03)),
            0.11 * bell(x, 0.0, 0.26) * bell(height, 0.0, 0.20),
        ),
        "mouthFunnel": vectors(
            -0.28 * x * rounded,
            np.where(ground.above > 0, 0.075, -0.10) * np.sqrt(ground.arch) * ground.lip,
            0.12 * bell(x, 0.0, 0.30) * bell(height, 0.0, 0.20),
        ),
        "cheekPuff": vectors(
            ground.outwards * 0.11 * ground.spot((0.62, -1.02), (0.28, 0.30)),
            0.0,
            0.18 * puff + 0.05 * _lips_only(ground),
        ),
    }


def _ring_muscle(ground: Ground) -> Values:
    """Share in what draws the corners of the mouth together."""
    return np.exp(-((ground.far / 0.5) ** 4)) * bell(ground.y - MOUTH_Y, 0.0, 0.30)


def _lips_only(ground: Ground) -> Values:
    return bell(ground.y - MOUTH_Y, 0.0, 0.13) * np.exp(-((ground.far / 0.42) ** 4))


def _rolls_and_shrugs(ground: Ground) -> dict[str, Field]:
    height, arch = ground.y - MOUTH_Y, np.sqrt(ground.arch)
    upper, lower = ground.above, 1.0 - ground.above
    chin = bell(ground.x, 0.0, 0.30) * bell(ground.y, CHIN_Y, 0.20)
    pushed = bell(height, 0.0, 0.20) * arch
    return {
        "mouthRollUpper": vectors(
            y=-0.075 * upper * arch * bell(height, UPPER_EDGE, 0.085),
            z=-0.09 * upper * arch * bell(height, 0.02, 0.09),
        ),
        "mouthRollLower": vectors(
            y=0.078 * lower * arch * bell(height, LOWER_EDGE, 0.090),
            z=-0.10 * lower * arch * bell(height, -0.03, 0.10),
        ),
        "mouthShrugLower": vectors(
            y=0.10 * chin + np.where(upper > 0, 0.045 * bell(height, 0.0, 0.14) * arch, 0.075 * pushed),
            z=0.03 * chin + 0.05 * lower * bell(height, -0.06, 0.10) * arch,
        ),
        "mouthShrugUpper": vectors(
            y=np.where(upper > 0, 0.07 * bell(height, 0.0, 0.25), 0.055 * bell(height, 0.0, 0.12)) * arch,
            z=0.05 * upper * bell(height, 0.05, 0.10) * arch,
        ),
    }


def _lip_corner_puller(ground: Ground) -> Field:
    cheek = ground.spot((0.52, -0.92), (0.34, 0.32))
    middle = bell(ground.x, 0.0, 0.20)
    return vectors(
        x=ground.outwards * (0.125 * ground.corner_pull + 0.035 * cheek),
        y=0.115 * ground.corner + 0.055 * cheek - 0.03 * middle * ground.lip,
        z=-0.085 * ground.corner
        + 0.075 * ground.spot((0.62, -0.60), (0.24, 0.20))
        - 0.02 * bell(ground.x, 0.0, 0.25) * bell(ground.y, MOUTH_Y, 0.20),
    )


def _lip_corner_depressor(ground: Ground) -> Field:
    middle = bell(ground.x, 0.0, 0.16) * bell(ground.y, MOUTH_Y, 0.15)
    return vectors(
        x=ground.outwards * 0.02 * ground.corner_pull,
        y=-0.11 * ground.corner - 0.03 * ground.spot((0.42, -1.30), (0.22, 0.20)) + 0.02 * middle,
        z=-0.02 * ground.corner,
    )


def _dimpler(ground: Ground) -> Field:
    return vectors(
        x=ground.outwards * 0.11 * ground.corner_pull,
        y=0.045 * ground.corner,
        z=-0.075 * ground.spot((0.43, MOUTH_Y), (0.12, 0.12)) + 0.035 * ground.spot((0.61, -1.05), (0.12, 0.20)),
    )


def _lip_stretcher(ground: Ground) -> Field:
    return vectors(
        x=ground.outwards * (0.15 * ground.corner_pull + 0.05 * ground.spot((0.60, -1.10), (0.25, 0.30))),
        y=-0.04 * ground.corner - 0.025 * ground.spot((0.30, -1.30), (0.30, 0.20)),
        z=-0.09 * ground.corner,
    )


def _lip_pressor(ground: Ground) -> Field:
    height, arch = ground.y - MOUTH_Y, ground.arch
    upper = ground.above
    thinned = np.where(upper > 0, -0.055 * bell(height, UPPER_EDGE, 0.09), 0.055 * bell(height, LOWER_EDGE, 0.09))
    return vectors(
        x=-0.05 * ground.x * _ring_muscle(ground),
        y=thinned * np.sqrt(arch) + 0.02 * bell(ground.x, 0.0, 0.3) * bell(ground.y, CHIN_Y, 0.15),
        z=-0.045 * _lips_only(ground) + 0.03 * ground.spot((0.50, MOUTH_Y), (0.07, 0.12)),
    )


def _upper_lip_raiser(ground: Ground) -> Field:
    lip = ground.above * ground.lip * beyond(ground.far, 0.24, 0.22) * (0.35 + 0.65 * np.sqrt(ground.arch))
    return vectors(
        y=0.115 * lip + 0.05 * ground.spot((0.24, -0.62), (0.14, 0.14)) + 0.03 * ground.spot((0.5, -0.45), (0.2, 0.15)),
        z=0.02 * lip + 0.035 * ground.spot((0.36, -0.72), (0.12, 0.16)),
    )


def _lower_lip_depressor(ground: Ground) -> Field:
    lip = (1.0 - ground.above) * ground.lip * beyond(ground.far, 0.24, 0.20) * np.sqrt(ground.arch)
    return vectors(y=-0.12 * lip, z=0.01 * lip)
