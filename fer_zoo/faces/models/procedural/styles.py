"""The model's usual brows and hair, and its discrete modes as `Style`s over all vertices."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.faces.face_model import MATERIALS, Style
from fer_zoo.faces.models.procedural.frame import UNIT, Values
from fer_zoo.faces.models.procedural.ground import Ground
from fer_zoo.faces.models.procedural.hair import BEARDS, CUTS, HairCut, beard_share, hair_shape, hair_share
from fer_zoo.faces.models.procedural.materials import BROWS, brow_share, skin_weights
from fer_zoo.faces.models.procedural.mesh import Part
from fer_zoo.faces.models.procedural.sheet import Sheet

Points = Float[np.ndarray, "_ 3"]


def as_tensor(values: Float[np.ndarray, "*shape"]) -> Float[Tensor, "*shape"]:
    """In the precision of the model."""
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def usual_hair(sheet: Sheet, ground: Ground) -> tuple[Values, Float[np.ndarray, "n 3"]]:
    """Share and shape of the first cut."""
    cut = next(iter(CUTS.values()))
    return hair_share(sheet, cut), hair_shape(sheet, ground, cut)


def usual_weights(sheet: Sheet, ground: Ground) -> dict[str, Float[np.ndarray, " n"]]:
    """Materials of the skin with the first choice of each mode."""
    hair, _ = usual_hair(sheet, ground)
    brow = brow_share(sheet, ground.far, next(iter(BROWS.values())))
    return skin_weights(sheet, ground, hair, brow, beard_share(sheet, ground, next(iter(BEARDS.values()))))


def all_weights(skin: Mapping[str, Float[np.ndarray, " n"]], parts: Sequence[Part]) -> dict[str, Float[Tensor, " v"]]:
    """Share of each material in all vertices, the skin's given."""

    def of(part: Part, material: str) -> np.ndarray:
        return part.weights.get(material, np.zeros(len(part.points)))

    nothing = np.zeros(len(skin["skin"]))
    return {
        name: as_tensor(np.concatenate([skin.get(name, nothing), *(of(part, name) for part in parts)]))
        for name in MATERIALS
    }


def styles_of(sheet: Sheet, ground: Ground, parts: Sequence[Part]) -> dict[str, tuple[Style, ...]]:
    """The discrete modes; the first choice of each is the model's own.

    What a choice takes away from the usual material falls to the skin. Modes touch different places, so that choices of
    several modes are put together by adding up their differences from the model.
    """
    usual = usual_weights(sheet, ground)
    _, usual_shape = usual_hair(sheet, ground)

    def style(name: str, material: str, share: Float[np.ndarray, " n"], shape: Points | None = None) -> Style:
        changed = {material: share, "skin": usual["skin"] + usual[material] - share}
        weights = all_weights({**usual, **changed}, parts)
        moved = None if shape is None else as_tensor(UNIT * shape)
        return Style(name=name, weights={material: weights[material], "skin": weights["skin"]}, shape=moved)

    def hair(name: str, cut: HairCut) -> Style:
        shape = hair_shape(sheet, ground, cut) - usual_shape
        return style(name, "hair", hair_share(sheet, cut), _with_ears(shape, parts, cut.covers_ears))

    return {
        "brows": tuple(style(name, "brow", brow_share(sheet, ground.far, brow)) for name, brow in BROWS.items()),
        "hair": tuple(hair(name, cut) for name, cut in CUTS.items()),
        "beard": tuple(style(name, "stubble", beard_share(sheet, ground, kind)) for name, kind in BEARDS.items()),
    }


def _with_ears(shape: Points, parts: Sequence[Part], covers_ears: bool) -> Points:
    """A cut's shape for all vertices; ears under hair are drawn into the head, so that they do not pierce it."""
    moved = [np.zeros_like(part.points) for part in parts]
    for part, move in zip(parts, moved, strict=True):
        if covers_ears and part.name == "ear":
            move[:, 0] = -0.3 * np.sign(part.points[:, 0])
    return np.concatenate([shape, *moved])
