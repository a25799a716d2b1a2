"""The 51 actions over all vertices: the skin's fields, and what the other parts take on of them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.models.procedural.ground import Ground
from fer_zoo.faces.models.procedural.lower_face import jaw_motion, lower_face_actions
from fer_zoo.faces.models.procedural.mesh import Part
from fer_zoo.faces.models.procedural.sheet import Sheet
from fer_zoo.faces.models.procedural.upper_face import upper_face_actions


def action_basis(
    sheet: Sheet, closed: Float[np.ndarray, "n 3"], ground: Ground, parts: Sequence[Part]
) -> Float[np.ndarray, "v 3 51"]:
    """Displacement of each vertex at 1 of each action, in the order of `ACTIONS`."""
    fields = upper_face_actions(sheet, closed, ground) | lower_face_actions(ground)
    skin = np.stack([fields[name] * ground.front[:, None] for name in ACTIONS], axis=-1)
    return np.concatenate([skin, *(_of_part(part, skin) for part in parts)])


def _of_part(part: Part, skin: Float[np.ndarray, "n 3 51"]) -> Float[np.ndarray, "m 3 51"]:
    moved = skin[part.follows] * part.share[:, None, None]
    for name, motion in jaw_motion(part.points).items():
        moved[:, :, ACTIONS.index(name)] += motion * ((1.0 - part.share) * part.jaw)[:, None]
    return moved
