"""Makes the head `ict` from a copy of ICT-FaceKit."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.models.ict import eyes
from fer_zoo.faces.models.ict.cache import load
from fer_zoo.faces.models.ict.materials import paint
from fer_zoo.faces.models.ict.mesh import IctMesh
from fer_zoo.faces.models.ict.parts import mirror, parts
from fer_zoo.faces.models.ict.regions import BALLS, NUM_IDENTITIES
from fer_zoo.faces.models.ict.shape_tools import sphere_centre
from fer_zoo.faces.models.ict.styles import as_tensor, styles, usual_cut
from fer_zoo.faces.models.ict.wrinkles import wrinkles


def build(root: Path, num_identity: int = 50) -> FaceModel:
    """The head, in units of the distance between its eyeballs' centres.

    Args:
        root: a copy of ICT-FaceKit, as unpacked.
        num_identity: how many of the 100 modes, the strongest first; 50 look like different people, the others add
            asymmetry.

    Raises:
        UserError: for a file that is missing, damaged or of another mesh, or more modes than there are.
    """
    if not 1 <= num_identity <= NUM_IDENTITIES:
        raise UserError(f"num_identity is {num_identity}; the model ict has 1 to {NUM_IDENTITIES} identity modes.")
    mesh = load(root)
    right, left = (sphere_centre(mesh.neutral[mesh.vertices_of(name)]) for name in BALLS)
    mesh = eyes.fit(mesh)
    unit, origin = float(np.linalg.norm(left - right)), (left + right) / 2
    weights = paint(mesh)
    _, volume = usual_cut(mesh)
    return FaceModel(
        name="ict",
        mean=as_tensor((mesh.neutral + volume - origin) / unit),
        identity_names=tuple(f"identity{mode:03d}" for mode in range(num_identity)),
        identity_basis=torch.from_numpy(mesh.identities[:, :, :num_identity] / np.float32(unit)),
        action_basis=torch.from_numpy(mesh.actions / np.float32(unit)),
        triangles=torch.from_numpy(mesh.triangles),
        parts=torch.from_numpy(parts(mesh, weights)),
        landmarks=torch.from_numpy(mesh.landmarks),
        mirror=torch.from_numpy(mirror(mesh)),
        eyeballs=(_vertices(mesh, "right_ball"), _vertices(mesh, "left_ball")),
        uv=as_tensor(mesh.uv),
        in_map=torch.from_numpy(mesh.in_map),
        weights={name: as_tensor(share) for name, share in weights.items()},
        shade=as_tensor(mesh.ambient),
        wrinkles=as_tensor(wrinkles(mesh)),
        styles=styles(mesh, weights, unit),
    )


def _vertices(mesh: IctMesh, region: str) -> Tensor:
    return torch.from_numpy(np.flatnonzero(mesh.vertices_of(region)))
