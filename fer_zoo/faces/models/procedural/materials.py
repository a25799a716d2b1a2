"""What the skin is made of, how much light reaches it, where actions wrinkle it, and which part of the face it is."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Num, UInt8

from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.models.procedural.frame import MOUTH_HALF_WIDTH, MOUTH_Y, Values, bell, smooth_step, spot
from fer_zoo.faces.models.procedural.grid import (
    BROW_ARCH,
    BROW_HEIGHT,
    BROW_INNER,
    BROW_LENGTH,
    LIP_HEIGHTS,
    brow_arch,
    jaw_line,
    mouth_arch,
)
from fer_zoo.faces.models.procedural.ground import Ground
from fer_zoo.faces.models.procedural.relief import front_share
from fer_zoo.faces.models.procedural.sheet import Sheet


@dataclass(frozen=True)
class Brow:
    """A kind of brows: half its width, height of its arch, lift of the whole, share of hair on the skin."""

    width: float = 0.050
    arch: float = BROW_ARCH
    lift: float = 0.0
    amount: float = 0.88


BROWS = {
    "natural": Brow(),
    "arched": Brow(width=0.042, arch=0.105, lift=-0.01, amount=0.85),
    "straight": Brow(width=0.048, arch=0.030, lift=0.02),
    "thick": Brow(width=0.072, amount=0.92),
    "thin": Brow(width=0.036, arch=0.070, lift=0.005, amount=0.65),
}


def lip_share(sheet: Sheet, x: Values) -> Values:
    """The red of the lips."""
    height = sheet.row - MOUTH_Y
    inside = 1.0 - smooth_step(np.abs(height) / np.where(height >= 0, *LIP_HEIGHTS), 0.85, 1.15)
    return inside * smooth_step(mouth_arch(x), 0.0, 0.08) * front_share(sheet.theta)


def brow_line(far: Values, arch: float = BROW_ARCH, lift: float = 0.0) -> Values:
    """Height of the middle of a brow."""
    return BROW_HEIGHT + lift + arch * brow_arch(far)


def brow_share(sheet: Sheet, far: Values, brow: Brow) -> Values:
    """A brow: a band about its line, thin at the outer end."""
    place = np.clip((far - BROW_INNER) / BROW_LENGTH, 0.0, 1.0)
    half = brow.width * (0.45 + 0.55 * smooth_step(place, 0.0, 0.16)) * (1.0 - 0.55 * smooth_step(place, 0.45, 1.0))
    band = 1.0 - smooth_step(np.abs(sheet.y - brow_line(far, brow.arch, brow.lift)) / half, 0.5, 1.6)
    ends = smooth_step(far, 0.10, 0.19) * (1.0 - smooth_step(far, 0.75, 0.86))
    return brow.amount * band * ends * front_share(sheet.theta)


def skin_weights(
    sheet: Sheet, ground: Ground, hair: Values, brow: Values, stubble: Values
) -> dict[str, Float[np.ndarray, " n"]]:
    """Shares of all that the sheet is made of; hair, brows and stubble change with the styles."""
    lip = 0.85 * lip_share(sheet, ground.x)
    nostril = 0.9 * ground.spot((0.10, -0.672), (0.045, 0.024)) * front_share(sheet.theta)
    lash = _lash(sheet)
    skin = 1.0 - lip - nostril - lash - hair - brow - stubble
    return {"skin": skin, "lip": lip, "mouth": nostril, "lash": lash, "hair": hair, "brow": brow, "stubble": stubble}


def skin_shade(sheet: Sheet, ground: Ground) -> Values:
    """Ambient light: less of it in sockets, beside the nose, under lip and jaw."""
    y, far = ground.y, ground.far
    dark = (
        0.20 * ground.spot((0.29, 0.07), (0.12, 0.10))
        + 0.14 * ground.spot((0.48, 0.165), (0.22, 0.035)) * ~sheet.below_eyes
        + 0.14 * ground.spot((0.245, -0.62), (0.04, 0.08))
        + 0.10 * spot(ground.x, y, (0.0, -0.71), (0.18, 0.03))
        + 0.16 * spot(ground.x, y, (0.0, -1.33), (0.26, 0.055))
        + 0.18 * spot(far, y, (MOUTH_HALF_WIDTH + 0.015, MOUTH_Y), (0.035, 0.03))
        + 0.30 * bell(sheet.row, MOUTH_Y, 0.012) * smooth_step(mouth_arch(ground.x), 0.0, 0.1)
    )
    under_jaw = 0.30 * smooth_step(jaw_line(sheet.theta) - y, -0.02, 0.14)
    under_jaw = under_jaw * (1.0 - smooth_step(np.degrees(np.abs(sheet.theta)), 60.0, 84.0))
    return 1.0 - np.clip(dark * front_share(sheet.theta) + under_jaw, 0.0, 0.6)


def wrinkles(ground: Ground) -> Float[np.ndarray, "n 51"]:
    """How much darker the skin is at 1 of each action."""
    x, y, far = ground.x, ground.y, ground.far
    fold = bell(far, 0.27 + 0.42 * (-0.62 - y), 0.04) * smooth_step(-y, 0.55, 0.68) * smooth_step(y, -1.2, -0.95)
    outer_fold = bell(far, 0.29 + 0.50 * (-0.62 - y), 0.045) * smooth_step(-y, 0.58, 0.72) * smooth_step(y, -1.2, -0.95)
    forehead = sum(bell(y, height, 0.035) for height in (0.62, 0.77, 0.91))
    root = bell(y, -0.02, 0.035) + bell(y, 0.07, 0.03)
    crow = bell(far, 0.83, 0.07) * (bell(y, 0.07, 0.035) + bell(y, -0.05, 0.035))
    two_sided = {
        "browDown": 0.36 * bell(far, 0.08, 0.035) * bell(y, 0.31, 0.13) + 0.12 * ground.spot((0.30, 0.16), (0.2, 0.05)),
        "browOuterUp": 0.28 * forehead * bell(far, 0.55, 0.28),
        "cheekSquint": 0.20 * bell(y, -0.20, 0.035) * bell(far, 0.50, 0.20) + 0.18 * crow,
        "eyeSquint": 0.16 * bell(y, -0.16, 0.03) * bell(far, 0.47, 0.20),
        "noseSneer": 0.24 * fold * smooth_step(y, -0.98, -0.7) + 0.36 * root * bell(x, 0.0, 0.14),
        "mouthUpperUp": 0.20 * fold,
        "mouthSmile": 0.28 * outer_fold,
        "mouthDimple": 0.42 * ground.spot((MOUTH_HALF_WIDTH + 0.07, MOUTH_Y), (0.035, 0.10)),
        "mouthFrown": 0.34 * ground.spot((MOUTH_HALF_WIDTH + 0.03, -1.24), (0.035, 0.10)),
        "mouthStretch": 0.24 * ground.spot((MOUTH_HALF_WIDTH + 0.10, -1.15), (0.04, 0.16)),
        "mouthPress": 0.22 * ground.spot((MOUTH_HALF_WIDTH + 0.03, MOUTH_Y), (0.04, 0.09))
        + 0.12 * bell(x, 0.0, 0.22) * bell(y, -1.36, 0.04),
    }
    shares = {
        "browInnerUp": 0.32 * forehead * bell(x, 0.0, 0.34),
        "mouthShrugLower": 0.26 * bell(x, 0.0, 0.20) * bell(y, -1.38, 0.035)
        + 0.10 * spot(x, y, (0, -1.6), (0.15, 0.06)),
        "mouthPucker": 0.10 * bell(far, 0.30, 0.05) * bell(y, MOUTH_Y, 0.15),
    }
    for name, share in two_sided.items():
        shares |= {f"{name}Left": share * ground.left, f"{name}Right": share * (1.0 - ground.left)}
    darker = np.zeros((len(x), len(ACTIONS)))
    for name, share in shares.items():
        darker[:, ACTIONS.index(name)] = share * ground.front
    return darker


def face_parts(sheet: Sheet, ground: Ground, weights: dict[str, Float[np.ndarray, " n"]]) -> UInt8[np.ndarray, " t"]:
    """The Helen part of each of the sheet's triangles; neck and back of the head belong to none."""

    def mean(values: Num[np.ndarray, " n"]) -> Float[np.ndarray, " t"]:
        """Over quadrangles, which are two triangles in succession: parts would else have teeth like a saw."""
        return np.repeat(values[sheet.triangles].reshape(-1, 6).mean(axis=1), 2)

    x, y, far = mean(ground.x), mean(ground.y), mean(ground.far)
    above_jaw = (sheet.y - jaw_line(sheet.theta))[sheet.triangles].mean(axis=1) > 0
    on_face = above_jaw & (np.abs(np.degrees(mean(sheet.theta))) < 88)
    on_nose = (y < 0.02) & (y > -0.70) & (far < np.interp(y, (-0.70, -0.55, -0.3, 0.0), (0.25, 0.29, 0.17, 0.12)))
    lower = mean(1.0 * sheet.below_mouth) > 0.5
    names = np.select(
        [
            mean(weights["hair"]) > 0.5,
            ~on_face,
            mean(weights["brow"]) > 0.45,
            (mean(weights["lip"]) > 0.42) & lower,
            mean(weights["lip"]) > 0.42,
            on_nose,
        ],
        ["hair", "background", np.where(x > 0, "left_brow", "right_brow"), "lower_lip", "upper_lip", "nose"],
        "face_skin",
    )
    return np.array([FACE_PARTS.index(name) for name in names], dtype=np.uint8)


def _lash(sheet: Sheet) -> Values:
    """Dark rims of the lids, the upper one broader."""
    edge = np.zeros(len(sheet.y))
    for rim in sheet.eyes:
        edge[rim] = np.where(sheet.below_eyes[rim], 0.45, 0.85)
    return edge
