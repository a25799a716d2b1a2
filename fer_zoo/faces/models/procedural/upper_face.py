"""Actions of lids, brows, cheeks and nose, in the manner of Waters (1987): each muscle a field over the skin."""

import numpy as np
from jaxtyping import Float

from fer_zoo.faces.models.procedural.frame import bell, smooth_step, vectors
from fer_zoo.faces.models.procedural.ground import Field, Ground
from fer_zoo.faces.models.procedural.lids import lid_positions
from fer_zoo.faces.models.procedural.sheet import Sheet

# Shares of the usual heights at which the upper and the lower lid stand.
LID_ACTIONS = {
    "eyeBlink": (-1.0, 1.0),
    "eyeSquint": (0.78, 0.35),
    "eyeWide": (1.48, 1.06),
    "eyeLookDown": (0.55, 1.20),
    "eyeLookUp": (1.22, 0.90),
}


def upper_face_actions(sheet: Sheet, closed: Float[np.ndarray, "n 3"], ground: Ground) -> dict[str, Field]:
    """Displacements of the skin at 1 of each action."""
    usual = lid_positions(sheet, closed, 1.0, 1.0)
    fields: dict[str, Field] = {}
    for name, (upper, lower) in LID_ACTIONS.items():
        lids = lid_positions(sheet, closed, upper, lower) - usual
        if name == "eyeSquint":
            lids = lids + _lower_lid_bulge(ground)
        fields |= ground.one_sided(name, lids)
    # a turning ball pulls the lids along, most at the corner it turns to
    inwards, outwards = (0.012 * ground.spot((place, 0.0), (0.15, 0.12)) for place in (0.43, 0.55))
    fields |= ground.one_sided("eyeLookIn", vectors(x=-ground.outwards * inwards))
    fields |= ground.one_sided("eyeLookOut", vectors(x=ground.outwards * outwards))
    squeezed = lid_positions(sheet, closed, 0.88, 0.60) - usual
    fields |= ground.one_sided("cheekSquint", squeezed + _cheek_raiser(ground))
    fields |= ground.one_sided("browDown", _brow_lowerer(ground))
    fields |= ground.one_sided("browOuterUp", _outer_brow_raiser(ground))
    fields |= ground.one_sided("noseSneer", _nose_wrinkler(ground))
    fields["browInnerUp"] = _inner_brow_raiser(ground)
    return fields


def _lower_lid_bulge(ground: Ground) -> Field:
    return vectors(z=0.012 * ground.spot((0.49, -0.13), (0.2, 0.05)))


def _inner_brow_raiser(ground: Ground) -> Field:
    lift = 0.17 * ground.spot((0.16, 0.35), (0.24, 0.27)) * ground.off_lid
    return vectors(y=lift, z=0.02 * ground.spot((0.16, 0.44), (0.20, 0.12)))


def _outer_brow_raiser(ground: Ground) -> Field:
    lift = 0.16 * ground.spot((0.66, 0.36), (0.28, 0.27)) * ground.off_lid
    return vectors(y=lift, z=0.01 * ground.spot((0.68, 0.42), (0.25, 0.14)))


def _brow_lowerer(ground: Ground) -> Field:
    off_lid = np.sqrt(ground.off_lid)
    return vectors(
        x=-ground.outwards * 0.055 * ground.spot((0.26, 0.31), (0.22, 0.20)) * ground.off_lid,
        y=-0.125 * ground.spot((0.20, 0.35), (0.38, 0.26)) * off_lid,
        z=0.040 * ground.spot((0.12, 0.26), (0.13, 0.13)),
    )


def _cheek_raiser(ground: Ground) -> Field:
    """Fades towards the lid, which would else be pulled over the ball."""
    below_lid = smooth_step(-ground.y, 0.12, 0.30)
    return vectors(
        x=-ground.outwards * 0.02 * ground.spot((0.85, -0.1), (0.25, 0.25)) * ground.front,
        y=0.08 * ground.spot((0.58, -0.42), (0.34, 0.24)) * below_lid,
        z=0.05 * ground.spot((0.60, -0.34), (0.30, 0.15)) * below_lid,
    )


def _nose_wrinkler(ground: Ground) -> Field:
    y = ground.y
    upper_lip = 0.05 * ground.spot((0.22, -0.86), (0.24, 0.16)) * ground.above * smooth_step(y, -1.1, -0.9)
    return vectors(
        x=-ground.outwards * 0.012 * ground.spot((0.20, -0.40), (0.20, 0.30)),
        y=0.10 * ground.spot((0.17, -0.50), (0.17, 0.22))
        + upper_lip
        - 0.065 * ground.spot((0.14, 0.27), (0.26, 0.18)) * ground.off_lid,
        z=0.04 * ground.spot((0.12, -0.05), (0.10, 0.13))
        + 0.025 * ground.spot((0.27, -0.47), (0.10, 0.12))
        - 0.01 * bell(y, -0.66, 0.05) * bell(ground.x, 0.0, 0.1),
    )
