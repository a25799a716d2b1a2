"""Priors of what of a face stays: creases that no expression makes, and how bright eyes and teeth are."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.faces.face_model import MATERIALS
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.expressions import sides_of
from fer_zoo.faces.priors.settings import SkinPrior

# What leaves creases in faces that have done it often, one of which is that from the nose to the mouth.
_FOLDING = (
    "browDown", "browInnerUp", "browOuterUp", "noseSneer", "cheekSquint", "eyeSquint",
    "mouthUpperUp", "mouthSmile", "mouthDimple", "mouthFrown",
)  # fmt: skip
_BRIGHT = ("sclera", "tooth")


def draw_creases(prior: SkinPrior, people: Draws) -> Float[Tensor, "b 51"]:
    """As if these actions were done, but by the skin alone: few of most people, many of some."""
    drawn = people.uniform("skin/creases", 1 + len(_FOLDING))
    strength = prior.creases * drawn[:, :1] * drawn[:, 1:]
    found = np.zeros((len(people), len(BLENDSHAPES_51)), np.float32)
    for place, name in enumerate(_FOLDING):
        for side in sides_of(name):
            found[:, BLENDSHAPES_51.entries.index(side)] = strength[:, place]
    return torch.from_numpy(found)


def in_shade(materials: Float[Tensor, "b m 3"], prior: SkinPrior, people: Draws) -> Float[Tensor, "b m 3"]:
    """With eyeballs and teeth that are darker, as lids and lips leave them in the shade."""
    share = torch.from_numpy(1 - prior.dim * people.uniform("skin/dim", len(_BRIGHT))).to(materials)
    changed = materials.clone()
    changed[:, [MATERIALS.index(name) for name in _BRIGHT]] *= share[:, :, None]
    return changed
