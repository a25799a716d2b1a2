"""Kinds of hair and beards: where they grow and how much room they take."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from fer_zoo.faces.models.procedural.frame import SIDE_Z, Values, bell, smooth_step, spot, vectors
from fer_zoo.faces.models.procedural.grid import HAIR_ROW, hairline, jaw_line
from fer_zoo.faces.models.procedural.ground import Ground
from fer_zoo.faces.models.procedural.materials import lip_share
from fer_zoo.faces.models.procedural.relief import front_share
from fer_zoo.faces.models.procedural.sheet import Sheet

NAPE = -1.15  # height of the hairline at the back
CURTAIN_EDGE = 63.0  # degrees; between two columns, so that the edge runs straight down
UNDERSIDE = 0.3  # how far hair goes on below the tips of a curtain, which are seen from below
SOFTNESS = 0.12  # of the hairline, half of its width: finer than this the columns would show


@dataclass(frozen=True)
class HairCut:
    """How hair grows.

    Attributes:
        line: height of the hairline in the middle of the forehead.
        temple: how far it rises between the middle and the temples, as a receding one does.
        volume: thickness over the skull.
        nape: how far down the hair hangs behind the ears.
        curtain: half width of the hair that hangs down beside the neck, 0 for none.
        roughness: of curls.
        amount: share of hair on the skin.
    """

    line: float = HAIR_ROW
    temple: float = 0.0
    volume: float = 0.08
    nape: float = NAPE
    curtain: float = 0.0
    roughness: float = 0.0
    amount: float = 1.0

    @property
    def covers_ears(self) -> bool:
        """Whether ears are under it."""
        return self.curtain > 0 or self.volume > 0.2


CUTS = {
    "short": HairCut(),
    "cropped": HairCut(volume=0.02, amount=0.75),
    "receding": HairCut(line=1.25, temple=0.22, volume=0.05),
    "bald": HairCut(volume=0.0, amount=0.0),
    "long": HairCut(line=0.98, volume=0.13, nape=-3.35, curtain=1.22),
    "bob": HairCut(line=0.80, volume=0.14, nape=-1.5, curtain=1.28),
    "curly": HairCut(line=0.92, volume=0.27, nape=-1.0, roughness=0.05),
}


def hair_share(sheet: Sheet, cut: HairCut) -> Values:
    """Share of hair in the skin: above a line that falls from the forehead to the sideburns and round the ear."""
    angle = np.degrees(np.abs(sheet.theta))
    line = hairline(sheet.theta) + (cut.line - HAIR_ROW) * (1.0 - smooth_step(angle, 50.0, 80.0))
    line = line + cut.temple * bell(angle, 30.0, 16.0) + (cut.nape - NAPE) * smooth_step(angle, 84.0, 112.0)
    if cut.curtain:
        line = np.where(angle > CURTAIN_EDGE, cut.nape - 1.0, line)
    end = cut.nape - (UNDERSIDE if cut.curtain else 0.0)
    tips = smooth_step(sheet.y, end - 0.2, end)
    # behind the ears the line is steep and the columns far apart
    softness = SOFTNESS + 0.22 * smooth_step(angle, 82.0, 95.0)
    return cut.amount * tips * smooth_step((sheet.y - line) / softness, -1.0, 1.0)


def hair_shape(sheet: Sheet, ground: Ground, cut: HairCut) -> Float[np.ndarray, "n 3"]:
    """What hair adds to the skin's positions."""
    outwards = vectors(ground.x, ground.y, ground.z - SIDE_Z)
    outwards = outwards / np.linalg.norm(outwards, axis=1, keepdims=True)
    grown = smooth_step(hair_share(sheet, cut), 0.5, 1.0)
    above = smooth_step(sheet.y, -1.2, -0.3)
    curls = cut.roughness * np.sin(17 * sheet.theta) ** 2 * np.cos(16 * sheet.y)
    shape = outwards * ((cut.volume + curls) * grown * above)[:, None]
    if cut.curtain:
        hanging = _hanging(sheet, cut)[:, None]
        shape = shape * (1.0 - hanging) + hanging * _to_curtain(sheet, ground, cut)
    return shape


def _hanging(sheet: Sheet, cut: HairCut) -> Values:
    """Share of hair that hangs down: sides and back, from the temples to the tips."""
    angle = np.degrees(np.abs(sheet.theta))
    tips = smooth_step(sheet.y, cut.nape - 0.12, cut.nape + 0.05)
    return smooth_step(angle, 68.0, 86.0) * smooth_step(0.8 - sheet.y, 0.0, 1.0) * tips


def _to_curtain(sheet: Sheet, ground: Ground, cut: HairCut) -> Float[np.ndarray, "n 3"]:
    """The way from the skin to an ellipse round head and neck."""
    sine, cosine = np.sin(sheet.theta), np.cos(sheet.theta)
    sine[np.isclose(sheet.theta, np.pi)] = 0.0
    goal_z = SIDE_Z + 1.40 * np.minimum(cosine, 0.0) + 0.25 * np.maximum(cosine, 0.0)
    return vectors(cut.curtain * sine - ground.x, 0.0, goal_z - ground.z)


@dataclass(frozen=True)
class Beard:
    """Where a beard grows, each a share of what could."""

    amount: float = 0.0
    cheeks: float = 0.0
    chin: float = 0.0
    lip: float = 1.0


BEARDS = {
    "none": Beard(),
    "stubble": Beard(amount=0.38, cheeks=1.0, chin=1.0),
    "full": Beard(amount=0.88, cheeks=1.0, chin=1.0),
    "goatee": Beard(amount=0.85, chin=1.0),
    "moustache": Beard(amount=0.85),
}


def beard_share(sheet: Sheet, ground: Ground, beard: Beard) -> Values:
    """Share of stubble in the skin."""
    angle = np.degrees(np.abs(sheet.theta))
    line = -1.24 + 0.64 * smooth_step(angle, 26.0, 72.0)
    jaw = smooth_step(line - sheet.y, -0.12, 0.16) * smooth_step(sheet.y - jaw_line(sheet.theta), -0.24, -0.04)
    cheeks = beard.cheeks * (1.0 - smooth_step(angle, 54.0, 72.0))
    chin = beard.chin * (1.0 - smooth_step(angle, 18.0, 30.0))
    above_lip = bell(sheet.y - 0.22 * ground.far, -0.94, 0.085) * (1.0 - smooth_step(ground.far, 0.30, 0.52))
    beside_mouth = max(beard.cheeks, beard.chin) * spot(ground.far, sheet.y, (0.46, -1.12), (0.10, 0.20))
    grown = np.maximum.reduce([jaw * np.maximum(cheeks, chin), beard.lip * above_lip, beside_mouth])
    off_lips = 1.0 - smooth_step(lip_share(sheet, ground.x), 0.0, 0.6)
    beside_hair = 1.0 - np.maximum.reduce([hair_share(sheet, cut) for cut in CUTS.values()])
    return beard.amount * grown * off_lips * beside_hair * front_share(sheet.theta)
