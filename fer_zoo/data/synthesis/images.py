"""Drawn faces by the numbers of their samples: pictures and masks, and the image source that they are.

Samples that are asked for together are drawn together, in blocks that the renderer fills, whatever their numbers; a
sample's bytes depend on no other one in its block. A GPU may round otherwise than the processor.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from fer_zoo.core.input_spec import Colour, InputSpec
from fer_zoo.core.label_spaces import LabelSpace, label_spaces
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.effects import to_bytes
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.open import open_face_model
from fer_zoo.faces.photographs import photographed
from fer_zoo.faces.priors.face_prior import DrawnFaces, draw_faces
from fer_zoo.faces.renderer import BLOCK, Renderer

_KEPT = 8 * BLOCK  # photographs


class Photograph(NamedTuple):
    """The picture of a sample, red, green, blue, and the part that each of its pixels shows."""

    image: UInt8[np.ndarray, "h w 3"]
    mask: UInt8[np.ndarray, "h w"]


@lru_cache(maxsize=4)
def face_model_of(name: str, device: str = "cpu") -> FaceModel:
    """A face model on a device, built once a process."""
    return open_face_model(name) if device == "cpu" else face_model_of(name).to(device)


@lru_cache(maxsize=4)
def renderer_of(name: str, size: int, device: str = "cpu") -> Renderer:
    """Its renderer."""
    return Renderer(face_model_of(name, device), size=size)


def image_name(key: str, number: int) -> str:
    """The path of a sample's image in a folder that keeps it, from which its id is made; `key` is of the settings."""
    return f"{key}/{number:07d}.png"


def number_of(name: str) -> int:
    """The number of the sample whose image is called so."""
    return int(Path(name).stem)


def drawn_blocks(settings: SynthesisSettings, numbers: np.ndarray, device: str) -> Iterator[tuple[DrawnFaces, int]]:
    """Samples of one head before they are drawn, in blocks that are filled up with the last one, and how many count.

    All blocks are of one size, on which last digits would depend.
    """
    model = face_model_of(settings.face_model)
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start : start + BLOCK]
        filled = np.pad(block, (0, BLOCK - len(block)), mode="edge")
        drawn = draw_faces(model, settings, seed=settings.seed, numbers=filled, size=settings.size)
        yield drawn.to(device), len(block)


def photographs_of(settings: SynthesisSettings, numbers: np.ndarray, device: str = "cpu") -> list[Photograph]:
    """The pictures of samples with their masks; their bytes depend on no other sample."""
    found = dict[int, Photograph]()
    for own, places in settings.by_head(numbers):
        renderer, drawn_by_it = renderer_of(own.face_model, own.size, device), list[Photograph]()
        with torch.no_grad(), exact_products():
            for drawn, count in drawn_blocks(own, numbers[places], device):
                seen = photographed(renderer, drawn)
                images, masks = to_bytes(seen.image)[:count], seen.mask[:count].cpu().numpy()
                drawn_by_it += map(Photograph, images, masks)
        found.update(zip(places.tolist(), drawn_by_it, strict=True))
    return [found[place] for place in range(len(numbers))]


def pictures_of(settings: SynthesisSettings, numbers: np.ndarray) -> UInt8[np.ndarray, "b h w 3"]:
    """The pictures alone."""
    return np.stack([photograph.image for photograph in photographs_of(settings, numbers)])


@contextmanager
def exact_products() -> Iterator[None]:
    """Products on a GPU in all digits of a float, whatever a training makes of its own."""
    products = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(products)


class Drawing:
    """Draws the samples of some settings when they are asked for; the last ones are kept.

    Args:
        settings: of the faces.
        device: "cpu", or "cuda" for the GPU of the process.
    """

    def __init__(self, settings: SynthesisSettings, device: str = "cpu") -> None:
        self.settings, self.device = settings, device
        self._kept: OrderedDict[int, Photograph] = OrderedDict()
        self._most = _KEPT
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, object]:
        return {"settings": self.settings, "device": self.device}  # a lock crosses to no other process

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # what it holds follows from these

    def photographs(self, numbers: Collection[int], others: Collection[int] = ()) -> list[Photograph]:
        """Pictures and masks of samples, all that lack drawn at once.

        Args:
            numbers: of the samples.
            others: drawn and kept, too, if any of the first has to be drawn.
        """
        with self._lock:
            lacking = [number for number in dict.fromkeys(numbers) if number not in self._kept]
            if lacking:
                lacking += [number for number in others if number not in self._kept and number not in lacking]
                drawn = photographs_of(self.settings, np.array(lacking), self.device)
                self._kept.update(zip(lacking, drawn, strict=True))
            for number in numbers:
                self._kept.move_to_end(number)
            found = [self._kept[number] for number in numbers]
            self._most = max(self._most, len(found))  # what is asked for at once may be read one by one
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found

    @property
    def label_spaces(self) -> Mapping[str, LabelSpace]:
        """Of the targets of which every pixel has a value; of several heads those that mean the same in all."""
        names = {"mask": "mask/11"}
        if len(self.settings.heads) == 1:
            names |= {"position_map": f"position_map/{self.settings.face_model}", "shading": "shading/frontal"}
        return {target: label_spaces()[name] for target, name in names.items() if name in label_spaces()}

    def dense(self, names: Collection[str], targets: Collection[str], spec: InputSpec) -> list[dict[str, np.ndarray]]:
        """These targets of some images; see `data.dense.DenseSource`."""
        from fer_zoo.data.synthesis.maps import maps_of

        numbers = [number_of(name) for name in names]
        maps = maps_of(self.settings, np.array(numbers), set(targets) - {"mask"}, spec, self.device)
        found = [{target: values[place] for target, values in maps.items()} for place in range(len(numbers))]
        if "mask" in targets:
            for one, photograph in zip(found, self.photographs(numbers), strict=True):
                one["mask"] = photograph.mask
        return found


class DrawnImages:
    """The image source of an index of drawn faces.

    Args:
        drawing: of the faces.
        names: of the images in the order of the rows; all samples in theirs unless given.
    """

    def __init__(self, drawing: Drawing, names: Sequence[str] | None = None) -> None:
        self.drawing = drawing
        count = drawing.settings.num_samples
        self._numbers = list(range(count)) if names is None else [number_of(name) for name in names]

    def of(self, names: Sequence[str]) -> "DrawnImages":
        """The same faces in the order of an index's rows."""
        return DrawnImages(self.drawing, names)

    def read(self, row: int, colour: Colour = "rgb") -> UInt8[np.ndarray, "h w c"]:
        """The picture of a row, for which those are drawn, too, that follow in a block; see `ImageSource`."""
        (photograph,) = self.drawing.photographs([self._numbers[row]], self._numbers[row : row + BLOCK])
        pixels = photograph.image
        if colour == "grey":
            return np.array(Image.fromarray(pixels).convert("L"))[:, :, None]
        return pixels.copy() if colour == "rgb" else np.ascontiguousarray(pixels[:, :, ::-1])

    def expect(self, rows: Collection[int]) -> None:
        """Draws these rows, which are read next, and no others; see `ImageSource`."""
        self.drawing.photographs([self._numbers[row] for row in rows])

    def size(self, row: int) -> tuple[int, int]:
        """Width and height of a row's picture, without drawing it."""
        return self.drawing.settings.size, self.drawing.settings.size

    def stamps(self) -> list[str]:
        """The key of the settings, for every row, and what else than the processor draws them."""
        settings, device = self.drawing.settings, self.drawing.device
        return [settings.key if device == "cpu" else f"{settings.key} {device}"] * len(self._numbers)


def drawn_on(index: Index, device: str) -> Index:
    """An index whose faces are drawn on a device, where any are drawn; else as it was."""
    drawings = (index.images.drawing if isinstance(index.images, DrawnImages) else None, index.dense)
    drawing = next((one for one in drawings if isinstance(one, Drawing)), None)
    if drawing is None or drawing.device == device:
        return index
    there = Drawing(drawing.settings, device)
    return replace(index, images=None if index.images is None else DrawnImages(there), dense=there)
