"""Which part of the face a pixel shows: hair and brows are where a style has them."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.faces.face_model import FaceModel

_SKIN, _HAIR = FACE_PARTS.index("face_skin"), FACE_PARTS.index("hair")
_BROWS = (FACE_PARTS.index("right_brow"), FACE_PARTS.index("left_brow"))
_MATERIAL_OF = {"hair": "hair", "brows": "brow"}  # of discrete modes


class StyledParts:
    """Parts of a face model, of pixels; skin, ears and neck are hair or brow where more than half of them is.

    Args:
        model: with parts, materials and styles.
    """

    def __init__(self, model: FaceModel) -> None:
        parts = model.parts
        worn = (parts == _HAIR) | (parts == _BROWS[0]) | (parts == _BROWS[1])
        self.bare = torch.where(worn, torch.full_like(parts, _SKIN), parts)
        is_left = model.mean[model.triangles.long(), 0].mean(dim=1) > 0
        self.brow = torch.where(is_left, _BROWS[1], _BROWS[0]).to(torch.uint8)
        self.tables = {mode: _choices(model, mode) for mode in _MATERIAL_OF}

    def weights(self, styles: Mapping[str, Int[Tensor, " b"]], count: int) -> Float[Tensor, "v 2 b"]:
        """Hair and brow of each vertex."""
        none = torch.zeros(count, dtype=torch.long, device=self.bare.device)
        tables = [table.index_select(1, styles.get(mode, none)) for mode, table in self.tables.items()]
        return torch.stack(tables, dim=1)

    def __call__(self, triangle: Int[Tensor, " n"], worn: Float[Tensor, "n 2"]) -> UInt8[Tensor, " n"]:
        """The parts that pixels show, given hair and brow there."""
        part = self.bare.index_select(0, triangle)
        is_bare = part <= _SKIN
        part = torch.where(is_bare & (worn[:, 1] > 0.5), self.brow.index_select(0, triangle), part)
        return part.masked_fill_(is_bare & (worn[:, 0] > 0.5), _HAIR)


def _choices(model: FaceModel, mode: str) -> Float[Tensor, "v c"]:
    usual = model.weights[_MATERIAL_OF[mode]]
    choices = [style.weights.get(_MATERIAL_OF[mode], usual) for style in model.styles.get(mode, ())]
    return torch.stack(choices or [usual], dim=1)
