"""Pictures of drawn faces as an image source: made when they are asked for, in blocks that the renderer fills."""

import threading
from collections import OrderedDict
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from fer_zoo.core.input_spec import Colour
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.effects import to_bytes
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.open import open_face_model
from fer_zoo.faces.photographs import photographed
from fer_zoo.faces.priors.face_prior import draw_faces
from fer_zoo.faces.renderer import BLOCK, Renderer

_KEPT = 8  # blocks


@lru_cache(maxsize=2)
def face_model_of(name: str) -> FaceModel:
    """A face model, built once a process."""
    return open_face_model(name)


@lru_cache(maxsize=2)
def renderer_of(name: str, size: int) -> Renderer:
    """Its renderer."""
    return Renderer(face_model_of(name), size=size)


def pictures_of(settings: SynthesisSettings, numbers: np.ndarray) -> UInt8[np.ndarray, "b h w 3"]:
    """The pictures of samples, red, green, blue; their bytes depend on no other sample."""
    renderer = renderer_of(settings.face_model, settings.size)
    drawn = draw_faces(renderer.model, settings, seed=settings.seed, numbers=numbers, size=settings.size)
    with torch.no_grad():
        return to_bytes(photographed(renderer, drawn).image)


class DrawnImages:
    """The image source of an index of drawn faces, whose row i is sample i.

    Args:
        settings: of the faces.
    """

    def __init__(self, settings: SynthesisSettings) -> None:
        self.settings = settings
        self._blocks: OrderedDict[int, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, object]:
        return {"settings": self.settings}  # a lock crosses to no other process

    def __setstate__(self, state: dict[str, SynthesisSettings]) -> None:
        self.__init__(state["settings"])  # type: ignore[misc]  # what it holds follows from the settings

    def read(self, row: int, colour: Colour = "rgb") -> UInt8[np.ndarray, "h w c"]:
        """The picture of a row; see `ImageSource`."""
        pixels = self._block(row // BLOCK)[row % BLOCK]
        if colour == "grey":
            return np.array(Image.fromarray(pixels).convert("L"))[:, :, None]
        return pixels.copy() if colour == "rgb" else np.ascontiguousarray(pixels[:, :, ::-1])

    def size(self, row: int) -> tuple[int, int]:
        """Width and height of a row's picture, without drawing it."""
        return self.settings.size, self.settings.size

    def stamps(self) -> list[str]:
        """The key of the settings, for every row."""
        return [self.settings.key] * self.settings.num_samples

    def _block(self, number: int) -> UInt8[np.ndarray, "b h w 3"]:
        with self._lock:
            if number not in self._blocks:
                self._blocks[number] = pictures_of(self.settings, np.arange(number * BLOCK, (number + 1) * BLOCK))
                if len(self._blocks) > _KEPT:
                    self._blocks.popitem(last=False)
            self._blocks.move_to_end(number)
            return self._blocks[number]
