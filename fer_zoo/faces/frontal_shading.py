"""Shading of heads that look straight ahead, as Deep 3-D re-centralization has it (its §3.3, Eq. 2).

A Lambert surface in light from the viewer's side is as bright as the cosine of the angle between its normal and the
viewer: the z of the normal. The head stands before the camera without its pose, in a frame that is the same for all
faces of a model, so that the picture tells shape and expression alone: no light, no colour, no pose, no crop.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.geometry.cameras import WeakPerspective
from fer_zoo.geometry.interpolation import interpolate
from fer_zoo.geometry.normals import ring_normals, ring_of_four
from fer_zoo.geometry.rasterizer import rasterize

MARGIN = 0.05  # of the sides, about the mean face
_BESIDE = ("background", "hair")  # parts that are not shown: ears and neck, scalp


class FrontalShading:
    """Shading of one face model at one size.

    Shown are skin, brows, eyes, nose, lips and mouth, as the model's triangles have them: the same of every person,
    whatever the hair. Ears, neck and scalp are not.

    Args:
        model: of the faces.
        height, width: of the pictures, pixels; the mean face fills them but for a margin of 5 %.

    Raises:
        UserError: for a picture that is too small.
    """

    def __init__(self, model: FaceModel, height: int, width: int) -> None:
        if min(height, width) < 2:
            raise UserError(f"A shading of {min(height, width)} pixels shows no face; 2 are the least.")
        self.height, self.width = height, width
        beside = model.parts.new_tensor([FACE_PARTS.index(part) for part in _BESIDE])
        self.triangles = model.triangles[~torch.isin(model.parts, beside)]
        ring = ring_of_four(model.mean.cpu(), model.triangles.cpu())  # on the processor: the same for every device
        self.ring = ring.to(model.mean.device)
        face = model.mean[torch.unique(self.triangles).long()]
        least, most = face.amin(dim=0).tolist(), face.amax(dim=0).tolist()
        half = max(-least[0], most[0])  # the middle of the picture is that of the head: its mirror image is a flip
        room = 1 - 2 * MARGIN
        self.scale = min(room * width / (2 * half), room * height / (most[1] - least[1]))
        self.middle = (width / 2, height / 2 + self.scale * (most[1] + least[1]) / 2)

    def __call__(self, vertices: Float[Tensor, "v 3 b"]) -> Float[Tensor, "b 1 h w"]:
        """The shading of meshes before any pose, 0 to 1; 0 beside the face."""
        count = vertices.shape[2]
        camera = WeakPerspective(vertices.new_full((count,), self.scale), vertices.new_tensor([self.middle] * count))
        hits = rasterize(camera.project(vertices), self.triangles, self.height, self.width)
        normals = interpolate((ring_normals(vertices, self.ring),), self.triangles, hits)
        shown = F.normalize(normals, dim=1)[:, 2].clamp(0, 1)
        shading = vertices.new_zeros(count * self.height * self.width)
        return shading.index_copy(0, hits.pixel, shown).view(count, 1, self.height, self.width)
