"""What faces are made of: colours of materials and what they give on each vertex."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.faces.face_model import MATERIALS, FaceModel, Style

# Red, green, blue, 0 to 1: from light to dark, as photographs of skin have them.
SKIN_TONES = ((0.93, 0.74, 0.64), (0.84, 0.63, 0.51), (0.72, 0.50, 0.38), (0.55, 0.36, 0.26), (0.36, 0.23, 0.17))
HAIR_COLOURS: Mapping[str, tuple[float, float, float]] = {
    "black": (0.07, 0.05, 0.04),
    "brown": (0.16, 0.10, 0.06),
    "light_brown": (0.33, 0.21, 0.12),
    "blond": (0.62, 0.47, 0.28),
    "grey": (0.50, 0.50, 0.50),
    "red": (0.40, 0.17, 0.08),
}
IRIS_COLOURS: Mapping[str, tuple[float, float, float]] = {
    "blue": (0.25, 0.38, 0.48),
    "brown": (0.20, 0.12, 0.07),
    "green": (0.30, 0.35, 0.20),
    "hazel": (0.35, 0.24, 0.12),
    "dark": (0.12, 0.07, 0.05),
}
LIP_OF_SKIN = (0.86, 0.60, 0.60)  # how lips differ from the skin about them
_FIXED: Mapping[str, tuple[float, float, float]] = {
    "lash": (0.13, 0.08, 0.07),
    "sclera": (0.93, 0.91, 0.89),
    "pupil": (0.03, 0.03, 0.03),
    "tooth": (0.90, 0.88, 0.82),
    "tongue": (0.62, 0.28, 0.28),
    "mouth": (0.17, 0.05, 0.05),
}


def skin_colour(tone: Float[Tensor, " b"]) -> Float[Tensor, "b 3"]:
    """The colour on the ramp of `SKIN_TONES` at 0 (lightest) to 1 (darkest)."""
    ramp = tone.new_tensor(SKIN_TONES)
    place = tone.clamp(0, 1) * (len(ramp) - 1)
    before = place.floor().clamp(max=len(ramp) - 2)
    share = (place - before)[:, None]
    return ramp[before.long()] * (1 - share) + ramp[before.long() + 1] * share


def material_colours(
    skin: Float[Tensor, "b 3"], hair: Float[Tensor, "b 3"], iris: Float[Tensor, "b 3"], make_up: Float[Tensor, " b"]
) -> Float[Tensor, "b m 3"]:
    """Colours of `MATERIALS` in their order.

    Args:
        skin, hair, iris: red, green, blue.
        make_up: 0 for lips as they are, 1 for painted ones.
    """
    lip = skin * skin.new_tensor(LIP_OF_SKIN) + make_up[:, None] * skin.new_tensor([0.08, -0.1, -0.06])
    own = {"skin": skin, "lip": lip.clamp(0, 1), "brow": 0.9 * hair, "hair": hair, "iris": iris, "stubble": 0.75 * hair}
    colours = [own[name] if name in own else skin.new_tensor(_FIXED[name]).expand_as(skin) for name in MATERIALS]
    return torch.stack(colours, dim=1)


def default_materials() -> Float[Tensor, "1 m 3"]:
    """Of a plain face: light skin, brown hair, blue eyes."""
    skin = skin_colour(torch.tensor([0.15]))
    hair, iris = torch.tensor([HAIR_COLOURS["brown"]]), torch.tensor([IRIS_COLOURS["blue"]])
    return material_colours(skin, hair, iris, torch.zeros(1))


class VertexColours:
    """The colours of a face model's vertices, as matrix products.

    Args:
        model: with its materials, shade, wrinkles and styles.
    """

    def __init__(self, model: FaceModel) -> None:
        self.shade, self.wrinkles = model.shade, model.wrinkles
        self.weights = torch.stack([model.weights[name] for name in MATERIALS], dim=1)
        self.changes = [
            (mode, number, torch.stack([_change(model, style, name) for name in MATERIALS], dim=1))
            for mode, choices in model.styles.items()
            for number, style in enumerate(choices)
            if style.weights
        ]

    def __call__(
        self,
        materials: Float[Tensor, "b m 3"],
        folds: Float[Tensor, "b 51"],
        styles: Mapping[str, Int[Tensor, " b"]],
    ) -> Float[Tensor, "v 3 b"]:
        """Red, green and blue of each vertex under full light, darker where light does not reach.

        Args:
            materials: colours of each.
            folds: how much each action folds the skin, which is darker there.
            styles: mode -> number of its choice.
        """
        size = len(materials)
        by_channel = materials.permute(1, 2, 0)  # "m 3 b"
        colours = self.weights @ by_channel.reshape(len(MATERIALS), -1)
        for mode, number, change in self.changes:
            if mode in styles and bool((chosen := styles[mode] == number).any()):
                colours += change @ (by_channel * chosen).reshape(len(MATERIALS), -1)
        light = self.shade[:, None] * (1 - self.wrinkles @ folds.T).clamp_(min=0.2)
        return colours.view(-1, 3, size).clamp_(0, 1) * light[:, None]


def _change(model: FaceModel, style: Style, material: str) -> Float[Tensor, " v"]:
    usual = model.weights[material]
    return style.weights.get(material, usual) - usual
