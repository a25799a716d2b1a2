"""Photographs and videos in, a row a face out: detect, crop, classify; written as it comes."""

import math
import os
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8

from fer_zoo.core.errors import UserError
from fer_zoo.data.detection import DETECTORS, Face, detector, one_thread_each
from fer_zoo.data.face_tables import FaceTable, GivenFace, five_points
from fer_zoo.data.image_sources import UnreadableImage, read_image
from fer_zoo.data.tracking import Box, OverlapTracker
from fer_zoo.engine.crops import Crop, crop
from fer_zoo.engine.landmark_source import LandmarkSource
from fer_zoo.engine.photograph_points import in_photograph
from fer_zoo.engine.picture_streams import Photograph, Picture, pictures
from fer_zoo.tasks.face_task import FaceTask

# Faces pass the network in blocks of this size, the last one padded: a matrix product of another height rounds
# differently, and a face's output must not depend on its neighbours.
BLOCK = 32
_MOST_WAITING = 4 * BLOCK  # pictures whose rows wait for a block to fill, as there may be no face in them
_MOST_PIXELS = 1 << 26  # of the frames that are looked at at once

# Name -> kind of every column before the outputs; `track` stands after `face` where tracks are asked for.
FACE_COLUMNS: Mapping[str, type] = {
    "file": str,
    "frame": int,
    "seconds": float,
    "face": int,
    "face_found": bool,
    "face_x": float,
    "face_y": float,
    "face_width": float,
    "face_height": float,
    "face_score": float,
}
BOX_COLUMNS = ("face_x", "face_y", "face_width", "face_height")


@dataclass(frozen=True)
class FoundFaces:
    """A photograph or frame after detection; its pixels are gone.

    Attributes:
        name: the file as given, or the number of an array.
        frame, seconds: of a video's frame.
        faces: from left to right; None where no detector ran and the whole image is the face.
        crops: one input a face, as the network takes it.
        problems: why there is no face, or not another one; empty where there is nothing to say.
        tracks: one a face, where tracks are asked for.
    """

    name: str
    frame: int | None
    seconds: float | None
    faces: Sequence[Face | None]
    crops: Sequence[Crop]
    problems: tuple[str, ...]
    tracks: Sequence[int] = ()


@dataclass(frozen=True)
class Resume:
    """Where a broken run goes on: in the first of the files given, a video.

    Attributes:
        frame: the next one to look at.
        tracked: frame, track and box of the last rows, in order.
    """

    frame: int
    tracked: Sequence[tuple[int, int, Box]] = ()


class Predictor:
    """A method and a detector, built once and used for any number of photographs and videos.

    Args:
        task: with trained weights, see `load_method`.
        detector_name: a name of `DETECTORS`, or "none" where every image is a face crop already.
        device: where the network runs; by default the GPU if there is one.
        given: boxes or points of the user's own, in place of a detector.
        landmarks: says where the points of faces are, for a method whose faces are aligned by them.
        every: of a video, each frame whose number this divides.
        track: number the faces of a video by their tracks, too.

    Raises:
        UserError: for an unknown detector, a method whose faces are aligned by points, where none are given, or points
            for one whose faces are not.
    """

    def __init__(
        self,
        task: FaceTask,
        *,
        detector_name: str = "haar",
        device: str | torch.device | None = None,
        given: FaceTable | None = None,
        landmarks: LandmarkSource | None = None,
        every: int = 1,
        track: bool = False,
    ) -> None:
        is_aligned = task.input_spec.alignment == "five_points"
        if is_aligned and given is None and landmarks is None:
            raise UserError(
                "This checkpoint expects faces aligned by five points, which no detector here finds; give them with"
                " boxes=TABLE, let weights find them with landmarks=NAME, or predict with a checkpoint that was trained"
                " with method.alignment=none."
            )
        if landmarks is not None and not is_aligned:
            raise UserError("This checkpoint aligns no faces, so it has no use for landmarks; leave landmarks out.")
        if detector_name != "none" and given is None:
            detector(detector_name)  # an unknown name fails before any work
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.task = task.eval().to(self.device)
        self.task.network.to(memory_format=torch.channels_last)  # the layout in which convolutions are fastest
        self.detector_name, self.given, self.every, self.track = detector_name, given, every, track
        self.landmarks = landmarks
        self._of_thread = threading.local()
        self._workers = max(2, min(8, os.cpu_count() or 1))

    def rows(
        self, photographs: Iterable[Photograph], resume: Resume | None = None
    ) -> Generator[tuple[FoundFaces, list[dict[str, Any]]], None, None]:
        """Each photograph and frame with its rows, in order: one a face, or one that says why there is none.

        Memory does not grow with the number of photographs, nor with the length of a video.
        """
        waiting: list[FoundFaces] = []
        with closing(self._tracked(photographs, resume)) as tracked:
            for found in tracked:
                waiting.append(found)
                if sum(len(f.crops) for f in waiting) >= BLOCK or len(waiting) >= _MOST_WAITING:
                    yield from self._finished(waiting)
                    waiting = []
            yield from self._finished(waiting)

    def table(self, photographs: Iterable[Photograph]) -> pd.DataFrame:
        """All rows as a table; columns as in `columns()`, whole numbers as Int64."""
        rows = [row for _, found in self.rows(photographs) for row in found]
        table = pd.DataFrame(rows, columns=list(self.columns()))
        return table.astype({name: "Int64" for name, kind in self.columns().items() if kind is int})

    def columns(self) -> dict[str, type]:
        """Names and kinds of the columns: face, outputs, problem."""
        face = dict(FACE_COLUMNS)
        if self.track:
            names = list(face)
            face = {name: face.get(name, int) for name in [*names[:4], "track", *names[4:]]}
        empty = {target: torch.zeros(0, len(space)) for target, space in self.task.spaces.items()}
        outputs = {
            name: str if isinstance(values, list) else float for name, values in self.task.columns(empty).items()
        }
        return {**face, **outputs, "problem": str}

    def _tracked(self, photographs: Iterable[Photograph], resume: Resume | None) -> Generator[FoundFaces, None, None]:
        """Detected pictures, their faces numbered by tracks where that is asked for."""
        tracker, video, last = OverlapTracker(self.every), None, -1
        first_frame = resume.frame if resume else 0
        with closing(self._prepared(pictures(photographs, every=self.every, first_frame=first_frame))) as prepared:
            for found in prepared:
                if found.name != video or (found.frame is not None and found.frame <= last):
                    tracker = OverlapTracker(self.every)
                    if resume and video is None:
                        tracker.recall(resume.tracked)
                    video = found.name
                last = -1 if found.frame is None else found.frame
                if self.track and found.frame is not None:
                    found = replace(found, tracks=tracker.update(found.frame, [_box(face) for face in found.faces]))
                yield found

    def _prepared(self, stream: Generator[Picture, None, None]) -> Generator[FoundFaces, None, None]:
        """Detected in threads, a few ahead of the network, in order."""
        ahead: deque[tuple[int, Future[FoundFaces]]] = deque()
        with one_thread_each(), closing(stream), ThreadPoolExecutor(max_workers=self._workers) as pool:
            for picture in stream:
                size = picture.pixels.size // 3 if isinstance(picture.pixels, np.ndarray) else 0
                ahead.append((size, pool.submit(self._prepare, picture)))
                while len(ahead) > 2 * self._workers or (
                    len(ahead) > 1 and sum(pixels for pixels, _ in ahead) > _MOST_PIXELS
                ):
                    yield ahead.popleft()[1].result()
            while ahead:
                yield ahead.popleft()[1].result()

    def _prepare(self, picture: Picture) -> FoundFaces:
        of_picture = (picture.name, picture.frame, picture.seconds)
        image = picture.pixels
        if image is None:
            return FoundFaces(*of_picture, [], [], (picture.problem,))
        if isinstance(image, Path):
            try:
                image = read_image(image, name=picture.name)
            except UnreadableImage as error:
                return FoundFaces(*of_picture, [], [], (f"unreadable: {error.reason}",))
        found, problems = self._faces(_checked(image, picture.name), picture)
        faces = [given and given.face for given in found]
        points = [given and given.points for given in found]
        if self.landmarks is not None:
            faces, points = _with_points(self.landmarks, image, faces)
            problems += ("the points of the face coincide",) * (len(found) - len(faces))
        crops = [crop(image, self.task.input_spec, face, own) for face, own in zip(faces, points, strict=True)]
        return FoundFaces(*of_picture, faces, crops, problems)

    def _faces(
        self, image: UInt8[np.ndarray, "h w 3"], picture: Picture
    ) -> tuple[Sequence[GivenFace | None], tuple[str, ...]]:
        """The faces of an image, and why there are no others."""
        if self.given is not None:
            return self.given.faces(picture.name, picture.frame, (image.shape[1], image.shape[0]))
        if self.detector_name == "none":
            return [None], ()
        if not hasattr(self._of_thread, "detector"):  # a cascade serves one thread
            self._of_thread.detector = DETECTORS[self.detector_name]()
        faces = self._of_thread.detector.detect(image)
        return [GivenFace(face, None) for face in faces], () if faces else ("no face found",)

    def _finished(self, waiting: Sequence[FoundFaces]) -> Iterator[tuple[FoundFaces, list[dict[str, Any]]]]:
        crops = iter([crop for found in waiting for crop in found.crops])
        outputs: list[dict[str, Any]] = []
        while block := list(islice(crops, BLOCK)):
            outputs += self._outputs(block)
        position = 0
        for found in waiting:
            number = len(found.crops)
            own = outputs[position : position + number]
            position += number
            yield found, _rows(found, own)

    @torch.inference_mode()
    def _outputs(self, crops: Sequence[Crop]) -> list[dict[str, Any]]:
        """Named outputs of up to BLOCK faces; points in pixels of their photographs."""
        number, images = len(crops), torch.stack([crop.image for crop in crops])
        padded = torch.cat([images, images.new_zeros(BLOCK - number, *images.shape[1:])]).to(self.device)
        predicted = self.task.predictions(self.task(padded))
        own = {target: values[:number] for target, values in predicted.items()}
        columns = self.task.columns(in_photograph(own, self.task.spaces, np.stack([crop.matrix for crop in crops])))
        return [{name: _plain(values[i]) for name, values in columns.items()} for i in range(number)]


def _with_points(
    source: LandmarkSource, image: UInt8[np.ndarray, "h w 3"], faces: Sequence[Face | None]
) -> tuple[list[Face | None], list[Float[np.ndarray, "5 2"] | None]]:
    """The faces whose points a network tells apart, and five of each."""
    found = five_points(source.points(image, faces))
    apart = [np.isfinite(five).all() and np.ptp(five, axis=0).max() > 0.01 for five in found]
    kept = [number for number, is_apart in enumerate(apart) if is_apart]
    return [faces[number] for number in kept], [found[number] for number in kept]


def _checked(image: np.ndarray, name: str) -> UInt8[np.ndarray, "h w 3"]:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise UserError(
            f"Photograph {name} is an array {image.shape} of {image.dtype};"
            " an RGB image (height, width, 3) of uint8 is expected."
        )
    return image


def _rows(found: FoundFaces, outputs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    seconds = None if found.seconds is None else round(found.seconds, 6)
    picture = {"file": found.name, "frame": found.frame, "seconds": seconds}
    rows = []
    for number, (face, output) in enumerate(zip(found.faces, outputs, strict=True)):
        row: dict[str, Any] = {**picture, "face": number, "face_found": True, "problem": ""}
        if found.tracks:
            row["track"] = found.tracks[number]
        if face is not None:
            score = None if math.isnan(face.score) else round(face.score, 2)
            row.update(zip(BOX_COLUMNS, _box(face), strict=True), face_score=score)
        if None in output.values():
            row["problem"] = "outputs are not finite"
        rows.append({**row, **output})
    return rows + [{**picture, "face_found": False, "problem": problem} for problem in found.problems]


def _box(face: Face | None) -> Box:
    """As the table has it, so that tracks can be taken up from there; a whole image overlaps itself."""
    if face is None:
        return (0.0, 0.0, 1.0, 1.0)
    left, top, width, height = (round(value, 2) for value in face[:4])
    return (left, top, width, height)


def _plain(value: Any) -> Any:
    """A name as it is, a number to 6 digits; None for what is no number."""
    if value is None or isinstance(value, str):
        return value
    return round(float(value), 6) if math.isfinite(value) else None
