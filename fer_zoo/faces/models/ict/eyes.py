"""Eyes that lids can close over, whoever's they are.

The outer shells bulge where the cornea is, which in life is clear. Here it carries the painted iris, and in one of four
people it would come through the closed lid: so it is flattened to the ball's sphere, and a blink lifts the lid off it.
"""

from dataclasses import replace

import numpy as np

from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.models.ict.mesh import IctMesh
from fer_zoo.faces.models.ict.regions import BALLS
from fer_zoo.faces.models.ict.shape_tools import smoothstep, sphere_centre

CORNEA = 1.54  # centimetres from the ball's centre; the white around the iris lies at 1.5
LIFT = 0.08  # centimetres, of the lid of a closed eye
LID_REACH = (1.9, 2.6)  # how far from the ball's centre the lift fades out


def fit(mesh: IctMesh) -> IctMesh:
    """The mesh with flatter corneas and lids that pass over them."""
    neutral, actions = mesh.neutral.copy(), mesh.actions.copy()
    for ball, side in zip(BALLS, ("Right", "Left"), strict=True):
        inside = mesh.vertices_of(ball)
        centre = sphere_centre(mesh.neutral[inside])
        outwards = mesh.neutral[inside] - centre
        radius = np.linalg.norm(outwards, axis=1)
        cornea = outwards[:, 2] > 0
        neutral[inside] = centre + outwards * np.where(cornea, np.minimum(radius, CORNEA) / radius, 1.0)[:, None]
        for name in (f"eyeBlink{side}", f"eyeLookDown{side}"):
            action = ACTIONS.index(name)
            actions[:, :, action] += _lift(mesh, mesh.actions[:, :, action], centre)
    return replace(mesh, neutral=neutral, actions=actions)


def _lift(mesh: IctMesh, motion: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """What pushes a moving lid away from the ball, the more the further it moves."""
    away = mesh.neutral + motion - centre
    radius = np.linalg.norm(away, axis=1)
    moves = np.linalg.norm(motion, axis=1)
    share = smoothstep(moves, 0.05, 0.4) * smoothstep(radius, *LID_REACH[::-1]) * mesh.vertices_of("face")
    return (LIFT * share / radius)[:, None] * away
