"""Lines that actions draw on the skin, darker since the mesh is too coarse to fold."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.models.ict.mesh import IctMesh
from fer_zoo.faces.models.ict.shape_tools import distance_to_lines

# Lines on the left half of the face as it is seen from the front, (x, y) in centimetres.
Line = tuple[tuple[float, float], ...]
FROWN: Line = ((0.6, 4.9), (0.65, 6.0), (0.95, 7.0))
FOREHEAD_INNER = tuple(((0.0, y), (1.6, y + 0.15), (2.9, y)) for y in (7.9, 8.9, 9.9))
FOREHEAD_OUTER = tuple(((1.4, y), (3.2, y + 0.3), (5.0, y - 0.3)) for y in (7.9, 8.9, 9.9))
NOSE_ROOT: Line = ((0.0, 3.2), (0.7, 3.0), (1.2, 2.4))
NASOLABIAL: Line = ((1.75, -0.3), (2.5, -1.6), (3.2, -3.2))
CROWS_FEET: tuple[Line, ...] = (((4.9, 3.7), (6.0, 4.3)), ((5.0, 3.2), (6.2, 3.1)), ((4.9, 2.8), (6.0, 2.1)))
CORNER: Line = ((2.9, -2.9), (3.1, -3.7), (2.9, -4.5))
MARIONETTE: Line = ((2.6, -3.9), (3.0, -4.7), (3.1, -5.6))
CHIN: Line = ((0.0, -5.3), (0.8, -5.4), (1.4, -5.8))

# Action, without its side if it has one -> its lines and how much darker they are at 1.
WRINKLES: Mapping[str, tuple[tuple[tuple[Line, ...], float], ...]] = {
    "browDown": (((FROWN,), 0.35),),
    "browInnerUp": ((FOREHEAD_INNER, 0.25),),
    "browOuterUp": ((FOREHEAD_OUTER, 0.2),),
    "noseSneer": (((NOSE_ROOT,), 0.35), ((NASOLABIAL,), 0.2)),
    "mouthUpperUp": (((NASOLABIAL,), 0.2),),
    "mouthSmile": (((NASOLABIAL,), 0.25),),
    "cheekSquint": ((CROWS_FEET, 0.2),),
    "mouthDimple": (((CORNER,), 0.25),),
    "mouthStretch": (((CORNER,), 0.15),),
    "mouthFrown": (((MARIONETTE,), 0.12),),
    "mouthShrugLower": (((CHIN,), 0.2),),
}
HALF_WIDTH = 0.22  # centimetres


def wrinkles(mesh: IctMesh) -> Float64[np.ndarray, "v 51"]:
    """How much darker a vertex is at 1 of each action; the skin in front alone."""
    x, y, z = mesh.neutral.T
    skin = mesh.vertices_of("face") & (z > 6)
    darker = np.zeros((len(x), len(ACTIONS)))
    for name, lines in WRINKLES.items():
        for side in (-1, 1):
            folded = np.stack([x * side, y], axis=1)
            own = sum(share * _near(folded, group) for group, share in lines) * skin * (x * side >= 0)
            action = name if name in ACTIONS else name + ("Left" if side > 0 else "Right")
            column = ACTIONS.index(action)
            darker[:, column] = np.maximum(darker[:, column], own)
    return darker


def _near(points: Float64[np.ndarray, "v 2"], lines: tuple[Line, ...]) -> Float64[np.ndarray, " v"]:
    nearest = np.min([distance_to_lines(points, np.array(line)) for line in lines], axis=0)
    return np.exp(-((nearest / HALF_WIDTH) ** 2))
