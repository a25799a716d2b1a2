"""Modes of identity in standard deviations: position, orientation and scale of the components of a face (GE-Net), and
build, age and sex, which move many of them at once.

Every mode is one displacement field over the places of all vertices, so that lids go with balls and teeth with lips.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from fer_zoo.faces.models.procedural.frame import (
    EYE_X,
    MOUTH_HALF_WIDTH,
    MOUTH_Y,
    Values,
    bell,
    smooth_step,
    spot,
    vectors,
)
from fer_zoo.faces.models.procedural.ground import Field
from fer_zoo.faces.models.procedural.relief import nasolabial_fold


@dataclass(frozen=True)
class Places:
    """Where the vertices are, and the components that modes move as a whole, each 1 inside and fading around it."""

    x: Values
    y: Values
    z: Values
    far: Values
    outwards: Values
    front: Values
    eye: Values
    fissure: Values
    brow: Values
    nose: Values
    mouth: Values
    lips: Values
    ear: Values

    def spot(self, centre: tuple[float, float], width: tuple[float, float]) -> Values:
        """A bell on either side of the face."""
        return spot(self.far, self.y, centre, width) * self.front


def places_of(
    points: Field, is_ball: Bool[np.ndarray, " v"], is_ear: Bool[np.ndarray, " v"], is_skin: Bool[np.ndarray, " v"]
) -> Places:
    """Components about neutral positions."""
    x, y, z = points.T
    far = np.abs(x)
    front = np.where(is_ball, 1.0, smooth_step(z, -0.6, 0.0))
    from_eye = np.hypot(far - EYE_X, y)
    return Places(
        x=x,
        y=y,
        z=z,
        far=far,
        outwards=np.sign(x),
        front=front,
        eye=np.where(is_ball, 1.0, (1.0 - smooth_step(from_eye, 0.27, 0.50)) * front),
        fissure=np.where(is_ball, 0.0, (1.0 - smooth_step(from_eye, 0.20, 0.36)) * front),
        brow=spot(far, y, (0.45, 0.35), (0.45, 0.14)) * front,
        nose=np.exp(-((far / 0.30) ** 4)) * smooth_step(-y, -0.05, 0.35) * (1.0 - smooth_step(-y, 0.72, 0.95)) * front,
        mouth=np.exp(-(((y - MOUTH_Y) / 0.30) ** 4) - (far / 0.75) ** 4) * front,
        lips=bell(y, MOUTH_Y, 0.14) * front * is_skin,
        ear=is_ear.astype(float),
    )


def identity_modes(at: Places) -> dict[str, Field]:
    """Displacement of each vertex at one standard deviation of each mode."""
    return {**_head(at), **_jaw_and_cheeks(at), **_eyes_and_brows(at), **_nose(at), **_mouth(at), **_types(at)}


def _head(at: Places) -> dict[str, Field]:
    return {
        "face_width": vectors(x=0.045 * at.x),
        "face_length": vectors(y=-0.07 * smooth_step(-at.y, 0.15, 1.7)),
        "forehead_height": vectors(y=0.07 * smooth_step(at.y, 0.38, 1.3)),
        "forehead_slope": vectors(z=-0.05 * bell(at.y, 0.85, 0.40) * at.front),
        "head_depth": vectors(z=-0.10 * smooth_step(-at.z, 0.1, 1.8)),
        "temple_width": vectors(x=0.035 * at.x * bell(at.y, 0.45, 0.45)),
        "neck_width": vectors(x=0.09 * at.x * smooth_step(-at.y, 1.45, 1.95)),
        "ear_size": vectors(y=0.10 * (at.y + 0.17) * at.ear, z=0.10 * (at.z + 0.95) * at.ear),
        "ear_protrusion": vectors(x=0.10 * at.outwards * smooth_step(-at.z, 0.85, 1.2) * at.ear),
    }


def _jaw_and_cheeks(at: Places) -> dict[str, Field]:
    return {
        "jaw_width": vectors(x=0.055 * at.x * bell(at.y, -1.45, 0.42)),
        "jaw_height": vectors(y=-0.05 * bell(at.y, -1.40, 0.35) * smooth_step(at.far, 0.35, 0.8)),
        "chin_length": vectors(y=-0.055 * smooth_step(-at.y, 1.28, 1.7) * at.front),
        "chin_protrusion": vectors(z=0.05 * at.spot((0.0, -1.62), (0.32, 0.25))),
        "chin_width": vectors(x=0.08 * at.x * bell(at.y, -1.65, 0.20) * at.front),
        "cheekbone": vectors(
            x=0.02 * at.outwards * at.spot((0.85, -0.35), (0.30, 0.25)), z=0.045 * at.spot((0.68, -0.38), (0.25, 0.20))
        ),
        "cheek_fullness": vectors(
            x=0.03 * at.outwards * at.spot((0.80, -0.95), (0.40, 0.40)), z=0.05 * at.spot((0.55, -0.95), (0.28, 0.32))
        ),
    }


def _eyes_and_brows(at: Places) -> dict[str, Field]:
    along = at.outwards * (at.far - EYE_X)
    return {
        "eye_distance": vectors(x=0.028 * at.outwards * at.eye),
        "eye_height": vectors(y=0.022 * at.eye),
        "eye_depth": vectors(z=-0.025 * at.eye),
        "eye_size": vectors(0.06 * along * at.eye, 0.05 * at.y * at.eye, 0.03 * at.z * at.eye),
        "eye_opening": vectors(y=0.10 * at.y * at.fissure),
        "eye_tilt": vectors(y=0.09 * (at.far - EYE_X) * at.eye),
        "eye_asymmetry": vectors(y=0.010 * np.tanh(at.x / 0.1) * at.eye),
        "brow_height": vectors(y=0.035 * at.brow),
        "brow_tilt": vectors(y=0.08 * (at.far - 0.45) * at.brow),
        "brow_distance": vectors(x=0.025 * at.outwards * at.brow),
        "brow_ridge": vectors(z=0.028 * at.spot((0.45, 0.30), (0.42, 0.13))),
        "brow_thickness": vectors(y=0.20 * (at.y - 0.35) * at.spot((0.45, 0.35), (0.40, 0.12))),
        "brow_asymmetry": vectors(y=0.015 * np.tanh(at.x / 0.1) * at.brow),
    }


def _nose(at: Places) -> dict[str, Field]:
    y = at.y
    return {
        "nose_length": vectors(y=-0.045 * smooth_step(-y, 0.1, 0.55) * at.nose),
        "nose_width": vectors(x=0.13 * at.x * np.exp(-((at.far / 0.33) ** 4)) * bell(y, -0.58, 0.18) * at.front),
        "nose_protrusion": vectors(z=0.05 * at.spot((0.0, -0.5), (0.22, 0.28))),
        "nose_hump": vectors(z=0.03 * at.spot((0.0, -0.18), (0.12, 0.13))),
        "nose_tip_height": vectors(y=0.03 * at.spot((0.0, -0.52), (0.16, 0.11))),
        "nose_tip_size": vectors(
            0.10 * at.x * at.spot((0.0, -0.55), (0.16, 0.10)), z=0.02 * at.spot((0.0, -0.54), (0.11, 0.1))
        ),
        "nose_bend": vectors(x=0.016 * at.spot((0.0, -0.40), (0.20, 0.25))),
        "bridge_width": vectors(x=0.16 * at.x * at.spot((0.0, -0.15), (0.22, 0.25))),
        "bridge_depth": vectors(z=0.025 * at.spot((0.0, 0.0), (0.13, 0.18))),
    }


def _mouth(at: Places) -> dict[str, Field]:
    height = at.y - MOUTH_Y
    tilt = np.minimum(at.far / MOUTH_HALF_WIDTH, 1.0)
    return {
        "mouth_width": vectors(x=0.09 * at.x * at.mouth),
        "mouth_height": vectors(y=0.03 * at.mouth),
        "mouth_protrusion": vectors(z=0.035 * at.mouth),
        "mouth_tilt": vectors(y=0.022 * tilt**2 * at.mouth),
        "upper_lip": vectors(
            y=0.20 * np.maximum(height, 0.0) * at.lips,
            z=0.012 * bell(height, 0.04, 0.06) * bell(at.x, 0.0, 0.3) * at.lips,
        ),
        "lower_lip": vectors(
            y=0.20 * np.minimum(height, 0.0) * at.lips,
            z=0.015 * bell(height, -0.06, 0.07) * bell(at.x, 0.0, 0.3) * at.lips,
        ),
        "philtrum_length": vectors(y=0.02 * np.exp(-((at.far / 0.5) ** 4)) * bell(at.y, -0.72, 0.2) * at.front),
        "mouth_asymmetry": vectors(0.018 * at.mouth, 0.012 * at.outwards * tilt * at.mouth),
    }


def _types(at: Places) -> dict[str, Field]:
    """What goes together: build (heavy at +1), age (old) and sex (male)."""
    height = at.y - MOUTH_Y
    fold = bell(at.far, nasolabial_fold(at.y), 0.07) * smooth_step(-at.y, 0.58, 0.75) * smooth_step(at.y, -1.25, -1.0)
    jowl = at.spot((0.52, -1.42), (0.20, 0.20))
    below_eye = at.spot((0.45, -0.24), (0.22, 0.06))
    heavy = vectors(
        x=at.outwards * (0.06 * at.spot((0.85, -0.95), (0.45, 0.50))) + 0.07 * at.x * smooth_step(-at.y, 1.2, 1.8),
        y=-0.02 * at.spot((0.0, -1.85), (0.4, 0.2)),
        z=0.06 * at.spot((0.55, -0.85), (0.32, 0.35)) + 0.07 * at.spot((0.0, -1.95), (0.5, 0.2)),
    )
    old = vectors(
        x=at.outwards * (0.025 * jowl - 0.03 * (at.far - EYE_X) * at.eye) - 0.02 * at.x * bell(at.y, 0.4, 0.5),
        y=-0.028 * jowl
        - 0.012 * at.brow * smooth_step(at.far, 0.3, 0.7)
        - 0.03 * smooth_step(-at.y, 0.2, 0.55) * at.nose
        - 0.05 * smooth_step(-at.y, 0.3, 1.7)
        - 0.025 * at.y * at.eye
        - 0.10 * height * at.lips
        - 0.025 * at.y * at.fissure
        - 0.025 * at.spot((0.42, MOUTH_Y), (0.14, 0.10))
        - 0.05 * at.ear,
        z=-0.014 * fold
        + 0.024 * jowl
        - 0.030 * at.spot((0.70, -0.90), (0.20, 0.25))
        + 0.018 * at.spot((0.50, -0.50), (0.18, 0.10))
        - 0.018 * below_eye
        - 0.018 * at.mouth
        + 0.025 * at.spot((0.0, -0.45), (0.18, 0.30)),
    )
    male = vectors(
        x=0.045 * at.x * bell(at.y, -1.45, 0.40)
        + 0.06 * at.x * bell(at.y, -1.68, 0.20) * at.front
        + 0.06 * at.x * smooth_step(-at.y, 1.6, 2.0)
        + 0.05 * at.x * bell(at.y, -0.58, 0.18) * at.nose,
        y=-0.030 * at.brow - 0.10 * height * at.lips - 0.05 * at.y * at.fissure - 0.045 * smooth_step(-at.y, 0.9, 1.7),
        z=0.030 * at.spot((0.42, 0.28), (0.42, 0.12))
        + 0.030 * at.spot((0.0, -0.45), (0.18, 0.30))
        + 0.030 * at.spot((0.0, -1.62), (0.32, 0.20))
        - 0.020 * at.spot((0.60, -0.62), (0.25, 0.22)),
    )
    return {"build": heavy, "age": old, "sex": male}
