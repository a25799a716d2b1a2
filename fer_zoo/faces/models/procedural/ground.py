"""What muscles act on: the skin's coordinates and the few masks that most of their fields share."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from fer_zoo.faces.models.procedural.frame import MOUTH_HALF_WIDTH, MOUTH_Y, Values, bell, beyond, smooth_step, spot
from fer_zoo.faces.models.procedural.grid import mouth_arch
from fer_zoo.faces.models.procedural.sheet import Sheet

Field = Float[np.ndarray, "n 3"]


@dataclass(frozen=True)
class Ground:
    """The skin with closed eyes and mouth.

    Attributes:
        x, y, z: coordinates.
        far: |x|.
        outwards: sign of x.
        left: share of the subject's left side, smooth in the middle; the right one has the rest.
        above: 1 above the mouth's line, 0 below it.
        front: 1 on the face, 0 on the back of the head.
        arch: 1 in the middle of the mouth, 0 at its corners and beyond.
        lip: how far a vertex goes with the lip next to it, by height.
        off_lid: 0 on eyelids and below, 1 from the brows upwards.
        corner, corner_pull: share in an upward and in a sideward pull at a mouth corner. Their exponents differ, so
            that the line of the lips bends rather than tilts.
    """

    x: Values
    y: Values
    z: Values
    far: Values
    outwards: Values
    left: Values
    above: Values
    front: Values
    arch: Values
    lip: Values
    off_lid: Values
    corner: Values
    corner_pull: Values

    def spot(self, centre: tuple[float, float], width: tuple[float, float]) -> Values:
        """A bell on either side of the face."""
        return spot(self.far, self.y, centre, width)

    def one_sided(self, name: str, field: Field) -> dict[str, Field]:
        """A field divided into the two actions of its sides."""
        left = self.left[:, None]
        return {f"{name}Left": field * left, f"{name}Right": field * (1.0 - left)}


def ground_of(sheet: Sheet, closed: Field) -> Ground:
    """The ground of a skin."""
    x, y, z = closed.T
    far = np.abs(x)
    height = y - MOUTH_Y
    at_mouth = bell(height, 0.0, 0.22) * beyond(far, MOUTH_HALF_WIDTH, 0.20)
    reach = np.minimum(far / MOUTH_HALF_WIDTH, 1.0)
    return Ground(
        x=x,
        y=y,
        z=z,
        far=far,
        outwards=np.sign(x),
        left=smooth_step(x, -0.06, 0.06),
        above=1.0 - sheet.below_mouth,
        front=smooth_step(z, -0.5, 0.0),
        arch=mouth_arch(x),
        lip=np.where(sheet.below_mouth, bell(height, 0.0, 0.26), bell(height, 0.0, 0.30)),
        off_lid=~sheet.below_eyes * smooth_step(y, 0.03, 0.24),
        corner=reach**2.6 * at_mouth,
        corner_pull=reach * at_mouth,
    )
