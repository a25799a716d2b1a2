"""Photographs in, a row a face out: detect, crop, classify; written as it comes."""

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.data.alignment import crop_matrix, warp
from fer_zoo.data.detection import DETECTORS, Face, detector
from fer_zoo.data.image_sources import UnreadableImage, read_image
from fer_zoo.data.transforms import to_tensor
from fer_zoo.tasks.face_task import FaceTask

Photograph = str | Path | np.ndarray  # an array is RGB, "h w 3" of uint8

# Faces pass the network in blocks of this size, the last one padded: a matrix product of another height rounds
# differently, and a face's output must not depend on its neighbours.
BLOCK = 16
_READ_AHEAD = 4  # photographs
_MOST_PIXELS = 1 << 26  # of the photographs that wait for a block to fill, in which there may be few faces

FACE_COLUMNS = ("file", "face", "face_found", "face_x", "face_y", "face_width", "face_height", "face_score")


@dataclass(frozen=True)
class FoundFaces:
    """A photograph after detection.

    Attributes:
        name: the file as given, or the number of an array.
        image: its pixels, RGB; None where it could not be read.
        faces: from left to right; None where no detector ran and the whole image is the face.
        crops: one input a face, as the network takes it.
        problem: why there is no face, "" where there is one.
    """

    name: str
    image: UInt8[np.ndarray, "h w 3"] | None
    faces: list[Face | None]
    crops: list[Tensor]
    problem: str


class Predictor:
    """A method and a detector, built once and used for any number of photographs.

    Args:
        task: with trained weights, see `load_method`.
        detector_name: a name of `DETECTORS`, or "none" where every image is a face crop already.
        device: where the network runs; by default the GPU if there is one.

    Raises:
        UserError: for an unknown detector, or a method whose faces are aligned by points, which none finds.
    """

    def __init__(
        self, task: FaceTask, *, detector_name: str = "haar", device: str | torch.device | None = None
    ) -> None:
        if task.input_spec.alignment == "five_points":
            raise UserError(
                "This checkpoint expects faces aligned by five points, which photographs come without; predict with one"
                " that was trained with method.alignment=none."
            )
        if detector_name != "none":
            detector(detector_name)  # an unknown name fails before any work
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.task = task.eval().to(self.device)
        self.detector_name = detector_name
        self._of_thread = threading.local()

    def rows(self, photographs: Iterable[Photograph]) -> Iterator[tuple[FoundFaces, list[dict[str, Any]]]]:
        """Each photograph with its rows, in order: one a face, or one that says why there is none.

        Memory does not grow with the number of photographs.
        """
        waiting: list[FoundFaces] = []
        for found in self._prepared(photographs):
            waiting.append(found)
            faces = sum(len(f.crops) for f in waiting)
            pixels = sum(f.image.size // 3 for f in waiting if f.image is not None)
            if faces >= BLOCK or pixels >= _MOST_PIXELS or len(waiting) >= 4 * BLOCK:
                yield from self._finished(waiting)
                waiting = []
        yield from self._finished(waiting)

    def table(self, photographs: Iterable[Photograph]) -> pd.DataFrame:
        """All rows as a table; columns as in `columns()`."""
        rows = [row for _, found in self.rows(photographs) for row in found]
        return pd.DataFrame(rows, columns=self.columns())

    def columns(self) -> list[str]:
        """Names of the columns: face, outputs, problem."""
        return [*FACE_COLUMNS, *self._columns_of(torch.zeros(0)), "problem"]

    def _columns_of(self, none: Tensor) -> list[str]:
        empty = {target: none.new_zeros(0, len(space)) for target, space in self.task.spaces.items()}
        return list(self.task.columns(empty))

    def _prepared(self, photographs: Iterable[Photograph]) -> Iterator[FoundFaces]:
        """Decoded and detected in threads, a few ahead of the network, in order."""
        numbered = enumerate(photographs)
        with ThreadPoolExecutor(max_workers=2) as pool:
            ahead: list[Future[FoundFaces]] = []
            for number, photograph in numbered:
                ahead.append(pool.submit(self._prepare, number, photograph))
                if len(ahead) > _READ_AHEAD:
                    yield ahead.pop(0).result()
            for future in ahead:
                yield future.result()

    def _prepare(self, number: int, photograph: Photograph) -> FoundFaces:
        if isinstance(photograph, np.ndarray):
            name, image = str(number), _checked(photograph, number)
        else:
            name = str(photograph)
            try:
                image = read_image(Path(photograph), name=name)
            except UnreadableImage as error:
                return FoundFaces(name, None, [], [], f"unreadable: {error.reason}")
        faces = self._detect(image)
        crops = [self._crop(image, face) for face in faces]
        return FoundFaces(name, image, faces, crops, "" if faces else "no face found")

    def _detect(self, image: UInt8[np.ndarray, "h w 3"]) -> list[Face | None]:
        if self.detector_name == "none":
            return [None]
        if not hasattr(self._of_thread, "detector"):  # a cascade serves one thread
            self._of_thread.detector = DETECTORS[self.detector_name]()
        return list(self._of_thread.detector.detect(image))

    def _crop(self, image: UInt8[np.ndarray, "h w 3"], face: Face | None) -> Tensor:
        spec = self.task.input_spec
        box = None if face is None else (face.left, face.top, face.width, face.height)
        pixels = warp(image, crop_matrix(spec, image_size=(image.shape[1], image.shape[0]), box=box), spec)
        return to_tensor(in_colour(pixels, spec.colour), spec)

    def _finished(self, waiting: Sequence[FoundFaces]) -> Iterator[tuple[FoundFaces, list[dict[str, Any]]]]:
        crops = iter([crop for found in waiting for crop in found.crops])
        outputs: list[dict[str, Any]] = []
        while block := list(islice(crops, BLOCK)):
            outputs += self._outputs(torch.stack(block))
        position = 0
        for found in waiting:
            number = len(found.crops)
            own = outputs[position : position + number]
            position += number
            yield found, _rows(found, own)

    @torch.inference_mode()
    def _outputs(self, images: Tensor) -> list[dict[str, Any]]:
        """Named outputs of up to BLOCK faces."""
        number = len(images)
        padded = torch.cat([images, images.new_zeros(BLOCK - number, *images.shape[1:])]).to(self.device)
        raw = self.task(padded)
        predicted = {target: values[:number] for target, values in self.task.predictions(raw).items()}
        columns = self.task.columns(predicted)
        return [{name: _plain(values[i]) for name, values in columns.items()} for i in range(number)]


def _checked(image: np.ndarray, number: int) -> UInt8[np.ndarray, "h w 3"]:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise UserError(
            f"Photograph {number} is an array {image.shape} of {image.dtype};"
            " an RGB image (height, width, 3) of uint8 is expected."
        )
    return image


def in_colour(image: UInt8[np.ndarray, "h w 3"], colour: str) -> UInt8[np.ndarray, "h w c"]:
    """RGB pixels in the channel order of an input spec."""
    import cv2

    if colour == "grey":
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None]
    return np.ascontiguousarray(image[:, :, ::-1]) if colour == "bgr" else image


def _rows(found: FoundFaces, outputs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if not outputs:
        return [{"file": found.name, "face_found": False, "problem": found.problem}]
    rows = []
    for number, (face, output) in enumerate(zip(found.faces, outputs, strict=True)):
        row: dict[str, Any] = {"file": found.name, "face": number, "face_found": True, "problem": ""}
        if face is not None:
            names = ("face_x", "face_y", "face_width", "face_height", "face_score")
            row.update(zip(names, (round(value, 2) for value in face), strict=True))
        if None in output.values():
            row["problem"] = "outputs are not finite"
        rows.append({**row, **output})
    return rows


def _plain(value: Any) -> Any:
    """A name as it is, a number to 6 digits; None for what is no number."""
    if value is None or isinstance(value, str):
        return value
    return round(float(value), 6) if math.isfinite(value) else None
