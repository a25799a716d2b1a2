"""Parts of scenes drawn as a training does it: by the workers of a loader, each with a model of its own."""

from collections.abc import Sequence
from dataclasses import fields

import torch
from torch.utils.data import Dataset

from fer_zoo.faces.models.procedural.build import build
from fer_zoo.faces.renderer import Renderer
from fer_zoo.faces.scenes import Scenes


class DrawnParts(Dataset[dict[str, list[bytes]]]):
    """What the renderer says of each scene, as bytes."""

    def __init__(self, scenes: Scenes, parts: Sequence[torch.Tensor], size: int) -> None:
        self.scenes, self.parts, self.size = scenes, parts, size

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, part: int) -> dict[str, list[bytes]]:
        drawn = Renderer(build(), size=self.size)(self.scenes.rows(self.parts[part]))
        return {item.name: [row.numpy().tobytes() for row in getattr(drawn, item.name)] for item in fields(drawn)}
