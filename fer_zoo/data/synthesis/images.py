"""Drawn faces as the images of an index, and as the source of what each of their pixels shows."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from fer_zoo.core.input_spec import Colour, InputSpec
from fer_zoo.core.label_spaces import LabelSpace, label_spaces
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.blocks import Photograph, number_of, photographs_of
from fer_zoo.data.synthesis.maps import maps_of
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.renderer import BLOCK

_KEPT = 8 * BLOCK  # photographs


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
        """Of the targets of which every pixel has a value; of several face models those that mean the same in all."""
        names = {"mask": "mask/11"}
        if len(self.settings.heads) == 1:
            names |= {"position_map": f"position_map/{self.settings.face_model}", "shading": "shading/frontal"}
        return {target: label_spaces()[name] for target, name in names.items() if name in label_spaces()}

    def dense(self, names: Collection[str], targets: Collection[str], spec: InputSpec) -> list[dict[str, np.ndarray]]:
        """These targets of some images; see `data.dense.DenseSource`."""
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
