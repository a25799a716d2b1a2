"""Which triangles can be seen at all: most of the mouth's inside, of gums, teeth and eye sockets never shows."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree
from torch import Tensor

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.geometry.rasterizer import rasterize
from fer_zoo.geometry.rotations import rotated, rotation

if TYPE_CHECKING:
    from fer_zoo.faces.models.ict.mesh import IctMesh

BATCH, NUM_BATCHES = 16, 20
# Of the head as it turns about its neck only eyes and mouth lie in the picture.
PIXELS, PIXELS_PER_CENTIMETRE = 256, 14
PIVOT, CENTRE = (0.0, -1.0, 4.0), (0.0, -1.0)
YAW, PITCH = 1.05, 0.85
# What opens the mouth is drawn more often than the others.
OPENING = ("jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
OFTEN, SELDOM = 0.6, 0.15
FEWEST = 16  # pixels of all views together that a triangle of gums or teeth is kept for


def seen(mesh: "IctMesh") -> Bool[np.ndarray, " t"]:
    """Triangles that at least one of 320 random views or its mirror image shows; the same ones each time on a machine.

    People of N(0, 1) clipped to ±2, actions of any strength, yaw to 60 and pitch to 49 degrees to each side. Gums and
    teeth that hardly ever show are dropped; the mouth's lining is whole, so that no background shows in their place.
    """
    random = torch.Generator().manual_seed(0)
    triangles = torch.from_numpy(mesh.triangles)
    pixels = torch.zeros(len(triangles), dtype=torch.long)
    for _ in range(NUM_BATCHES):
        hits = rasterize(_screen(mesh, random), triangles, PIXELS, PIXELS)
        pixels += torch.bincount(hits.triangle.long(), minlength=len(triangles))
    centres = mesh.neutral[mesh.triangles].mean(axis=1)
    mirrored = cKDTree(centres).query(centres * (-1, 1, 1))[1]
    shown = pixels.numpy() + pixels.numpy()[mirrored]
    return mesh.of("mouth") | (shown >= np.where(mesh.of("gums", "teeth"), FEWEST, 1))


def _screen(mesh: "IctMesh", random: torch.Generator) -> Float[Tensor, "v 3 b"]:
    """A batch of random views in pixels, y down, z away from the viewer."""
    often = torch.tensor([OFTEN if name in OPENING else SELDOM for name in BLENDSHAPES_51.entries])
    active = torch.rand(BATCH, len(often), generator=random) < often
    strength = 2 * torch.rand(BATCH, len(often), generator=random)
    actions = strength.clamp(max=1) * active  # half of them full
    closing, opening = (BLENDSHAPES_51.entries.index(name) for name in ("mouthClose", "jawOpen"))
    actions[:, closing] = torch.minimum(actions[:, closing], actions[:, opening])
    identity = torch.randn(BATCH, mesh.identities.shape[2], generator=random).clamp(-2, 2)
    vertices = torch.from_numpy(mesh.neutral).float()[:, :, None]
    vertices = vertices + torch.from_numpy(mesh.identities) @ identity.T + torch.from_numpy(mesh.actions) @ actions.T
    sides = torch.rand(BATCH, 3, generator=random) * 2 - 1
    pivot = torch.tensor(PIVOT)[:, None]
    turned = rotated(vertices - pivot, rotation(sides * torch.tensor([YAW, PITCH, 0.0]))) + pivot
    x, y, z = turned.unbind(dim=1)
    middle = PIXELS / 2
    scale = PIXELS_PER_CENTIMETRE
    return torch.stack([(x - CENTRE[0]) * scale + middle, (CENTRE[1] - y) * scale + middle, -z * scale], dim=1)
