"""Scenes: all that a picture of a face depends on, a batch of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.faces.appearance import default_materials
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.geometry.cameras import Pinhole, WeakPerspective
from fer_zoo.geometry.shading import EdgeShadow, lambert_coefficients

FACE_HEIGHT = 4.2  # inter-ocular distances from above the hair to below the chin, with a margin
FACE_CENTRE = -0.35  # of that crop, below the eyes
SMALLEST = 8  # pixels of an image in which a face is anything


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """Faces, how they are held, seen, lit and coloured, and what is behind them.

    Attributes:
        identity: modes, in standard deviations.
        actions: 0 to 1.
        styles: mode -> position of the choice.
        angles: yaw, pitch, roll of the head in radians, see `rotations`.
        camera: from camera space to pixels.
        light: harmonics of red, green and blue, see `shading`.
        shine: strength of the highlight.
        materials: colours of `face_model.MATERIALS`, 0 to 1.
        background: colours behind the face, a small picture that is stretched over the image.
        creases: of the skin as if these actions were done, whatever the face does, if any.
        shadow: cast on the face by a straight edge, if any.
    """

    identity: Float[Tensor, "b k"]
    actions: Float[Tensor, "b 51"]
    styles: Mapping[str, Int[Tensor, " b"]]
    angles: Float[Tensor, "b 3"]
    camera: WeakPerspective | Pinhole
    light: Float[Tensor, "b 9 3"]
    shine: Float[Tensor, " b"]
    materials: Float[Tensor, "b m 3"]
    background: Float[Tensor, "b 3 g g2"]
    creases: Float[Tensor, "b 51"] | None = None
    shadow: EdgeShadow | None = None

    def __len__(self) -> int:
        return len(self.identity)

    def rows(self, chosen: Int[Tensor, " n"]) -> "Scenes":
        """Some of the scenes, in another order, or again."""
        return self._with_each(lambda values: values[chosen])

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "Scenes":
        """The scenes elsewhere, or in another precision; whole numbers stay whole."""
        return self._with_each(lambda values: values.to(device, dtype if values.is_floating_point() else None))

    def _with_each(self, change: Callable[[Any], Tensor]) -> "Scenes":
        """With each tensor changed."""

        def of(value: Any) -> Any:
            if isinstance(value, Tensor):
                return change(value)
            if value is None:
                return None
            if isinstance(value, Mapping):
                return {key: change(item) for key, item in value.items()}
            return replace(value, **{field.name: change(getattr(value, field.name)) for field in fields(value)})

        return replace(self, **{field.name: of(getattr(self, field.name)) for field in fields(self)})


def plain_scenes(model: FaceModel, count: int, size: int) -> Scenes:
    """Neutral mean faces from the front in soft light from above the viewer's right, on grey.

    They lie on the model's device, in its precision.

    Args:
        model: whose parameters they have.
        count: of scenes.
        size: pixels of the sides of the images.

    Raises:
        UserError: for an image in which no face can be seen.
    """
    check_size(size)
    scale = size / FACE_HEIGHT
    directions = torch.tensor([[0.35, 0.45, 0.8], [-0.8, 0.1, 0.5]])
    directions = (directions / directions.norm(dim=1, keepdim=True)).expand(count, 2, 3)
    strengths = torch.tensor([0.62, 0.2]).expand(count, 2)
    light = lambert_coefficients(torch.full((count,), 0.38), directions, strengths)
    scenes = Scenes(
        identity=torch.zeros(count, model.num_identity),
        actions=torch.zeros(count, len(ACTIONS)),
        styles={name: torch.zeros(count, dtype=torch.long) for name in model.styles},
        angles=torch.zeros(count, 3),
        camera=WeakPerspective(
            torch.full((count,), scale),
            torch.tensor([size / 2, size / 2 + FACE_CENTRE * scale]).repeat(count, 1),
        ),
        light=light[:, :, None].repeat(1, 1, 3),
        shine=torch.full((count,), 0.08),
        materials=default_materials().repeat(count, 1, 1),
        background=torch.full((count, 3, 1, 1), 0.82),
    )
    return scenes.to(model.mean.device, model.mean.dtype)


def check_size(size: int) -> None:
    """Refuses images that are too small.

    Raises:
        UserError: below `SMALLEST` pixels.
    """
    if size < SMALLEST:
        raise UserError(f"An image of {size} pixels is too small to show a face; {SMALLEST} are the least.")
