"""Discrete modes of the head: brows, hair and beard. The first choice of each is the head's own."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from fer_zoo.faces.face_model import Style
from fer_zoo.faces.models.ict.materials import Weights, beard, brows, hair
from fer_zoo.faces.models.ict.mesh import IctMesh


class HairCut(NamedTuple):
    """How far the hairline has gone back (centimetres), how thick the hair stands and how much of the skin it hides."""

    rise: float = 0.0
    volume: float = 0.0
    amount: float = 1.0


SKULL = (0.0, 4.0, 1.0)  # its middle, from which hair stands away
CUTS: Mapping[str, HairCut] = {
    "short": HairCut(volume=0.45),
    "cropped": HairCut(volume=0.1, amount=0.75),
    "receding": HairCut(rise=2.2, volume=0.3, amount=0.9),
    "bald": HairCut(amount=0.0),
}
BROWS: Mapping[str, float] = {"middle": 1.0, "narrow": 0.7, "wide": 1.3}  # half width to the usual one
BEARDS: Mapping[str, float] = {"none": 0.0, "stubble": 0.35, "full": 0.85}  # share of the skin where it grows


def usual_cut(mesh: IctMesh) -> tuple[Float64[np.ndarray, " v"], Float64[np.ndarray, "v 3"]]:
    """Share of hair and displacement (centimetres) of the first cut."""
    return _cut(mesh, next(iter(CUTS.values())))


def styles(mesh: IctMesh, weights: Weights, unit: float) -> dict[str, tuple[Style, ...]]:
    """All modes; what a choice takes away from its material falls to the skin, so that differences add up.

    Args:
        mesh: without the volume of hair.
        weights: of the first choices.
        unit: of the head, in centimetres.
    """
    _, usual_shape = usual_cut(mesh)
    grown = beard(mesh)

    def style(name: str, material: str, share: Float64[np.ndarray, " v"], shape: Tensor | None = None) -> Style:
        room = weights[material] + weights["skin"]
        taken = np.minimum(share, room)
        return Style(name=name, weights={material: as_tensor(taken), "skin": as_tensor(room - taken)}, shape=shape)

    def hair_style(name: str, cut: HairCut) -> Style:
        share, shape = _cut(mesh, cut)
        return style(name, "hair", share, as_tensor((shape - usual_shape) / unit))

    return {
        "brows": tuple(style(name, "brow", brows(mesh, width)) for name, width in BROWS.items()),
        "hair": tuple(hair_style(name, cut) for name, cut in CUTS.items()),
        "beard": tuple(style(name, "stubble", amount * grown) for name, amount in BEARDS.items()),
    }


def as_tensor(values: np.ndarray) -> Tensor:
    """In the precision of the head."""
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _cut(mesh: IctMesh, cut: HairCut) -> tuple[Float64[np.ndarray, " v"], Float64[np.ndarray, "v 3"]]:
    share = hair(mesh, cut.rise)
    outwards = mesh.neutral - np.array(SKULL)
    return cut.amount * share, (cut.volume * share / np.linalg.norm(outwards, axis=1))[:, None] * outwards
