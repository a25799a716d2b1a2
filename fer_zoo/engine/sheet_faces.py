"""What is drawn of a sample: its photograph with box, crop and points, and the inputs that training makes of it."""

from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.boxes import index_with_boxes, needs_boxes
from fer_zoo.data.image_sources import BOX_COLUMNS, WITHOUT_FACE, FaceImages, UnreadableImage, known_points
from fer_zoo.data.index import Index
from fer_zoo.data.transforms import Augmentation, to_pixels, to_tensor
from fer_zoo.evaluation.face_sheets import Points, SheetFace, View

NUM_AUGMENTATIONS = 4
_LONGEST = 512  # pixels of a photograph that waits to be drawn


class SampleViews:
    """The samples of some rows as a network sees them: the code of evaluation and of training, turned back to pixels.

    Args:
        index: the data set.
        rows: the samples; faces are looked for in these alone.
        spec: how pixels reach the network.
        augmentation: "none", "standard" or "strong".
        detector: what finds the faces where the index has no boxes.
        seed: of the augmentation.

    Attributes:
        problems: why a sample has no views -> how many of those asked for.

    Raises:
        UserError: for an unknown detector or augmentation, or points that are to be aligned and not known.
    """

    def __init__(
        self, index: Index, rows: list[int], *, spec: InputSpec, augmentation: str, detector: str, seed: int
    ) -> None:
        self.problems: Counter[str] = Counter()
        drawn = replace(index, table=index.table.iloc[rows])
        self._box_origin = "the data set's" if set(BOX_COLUMNS) <= set(index.table) else detector
        if needs_boxes(drawn, spec, detector):
            drawn, _ = index_with_boxes(drawn, detector)
        self._index, self._spec, self._seed = drawn, spec, seed
        self._positions = {row: position for position, row in enumerate(rows)}
        self._images, self._points = FaceImages(drawn, spec), known_points(drawn)
        self._absent = set(index.noted("missing"))
        self._augmentation = Augmentation(augmentation, spec)

    def face(self, row: int, *, label: str, caption: str) -> SheetFace:
        """What is drawn of a row of the data set.

        Args:
            row: one of those given at first.
            label: what the sample is, for the line below its photograph.
            caption: for the overview, which has little room.
        """
        position = self._positions[row]
        sample = self._index.table.iloc[position]
        notes = [f"{label} · {sample['id']}"]
        if sample["subject"] != sample["id"]:
            notes.append(f"subject {sample['subject']}")
        try:
            photograph = self._images.source.read(position)
        except UnreadableImage as error:
            return SheetFace(caption=caption, notes=tuple(notes), problem=self._problem(error))
        height, width = photograph.shape[:2]
        box = None if self._images.boxes is None else self._images.boxes[position]
        notes.append(f"{width} × {height} px, {self._origin_of_crop(box)}")
        small, scale = _reduced(photograph)
        points = None if self._points is None else self._points[position]
        face = SheetFace(
            caption=caption,
            notes=tuple(notes),
            photograph=small,
            box=None if box is None or not np.isfinite(box).all() else tuple((box * scale).tolist()),
            points=None if points is None else points * scale,
        )
        try:
            matrix = self._images.matrix(position, (width, height))
        except UnreadableImage as error:
            return replace(face, problem=self._problem(error))
        crop = _corners_in_photograph(matrix, self._spec)
        inside = None if points is None else points @ matrix[:, :2].T + matrix[:, 2]
        return replace(face, crop=crop * scale, views=self._views(position, inside, _note_on_size(crop, self._spec)))

    def _views(self, position: int, points: Points | None, note: str) -> tuple[View, ...]:
        """The input of evaluation, then that of the first epochs of training."""
        image = self._images.read(position)
        views = [View(pixels=self._shown(image), points=points, note=note)]
        for epoch in range(NUM_AUGMENTATIONS):
            augmented = self._augmentation(image, landmarks=points, seed=(self._seed, epoch, position, 0))
            note = f"epoch {epoch + 1}{', flipped' if augmented.flipped else ''}"
            views.append(View(pixels=self._shown(augmented.image), points=augmented.landmarks, note=note))
        return tuple(views)

    def _problem(self, error: UnreadableImage) -> str:
        """Why a sample has no views, counted, and what becomes of it in a run."""
        self.problems[error.reason] += 1
        is_expected = error.reason in WITHOUT_FACE or error.name in self._absent
        left_out = "left out of training, without an output in evaluation"
        return f"{error.reason}\n{left_out if is_expected else 'stops a run, unless data.on_unreadable=skip'}"

    def _shown(self, image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c2"]:
        return to_pixels(to_tensor(image, self._spec), self._spec)

    def _origin_of_crop(self, box: Float[np.ndarray, "4"] | None) -> str:
        if self._images.points is not None:
            return "aligned by five points"
        if box is None:
            return "whole image (cropped set)" if self._index.is_cropped else "whole image (no detector)"
        size = f"box {box[2]:.0f} × {box[3]:.0f}" if np.isfinite(box).all() else "no box"
        return f"{size} ({self._box_origin})"


def _reduced(photograph: UInt8[np.ndarray, "h w 3"]) -> tuple[UInt8[np.ndarray, "h2 w2 3"], float]:
    """The photograph, its longer side made at most `_LONGEST`, and by how much."""
    height, width = photograph.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    if scale == 1:
        return photograph, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(photograph, size, interpolation=cv2.INTER_AREA), scale


def _corners_in_photograph(matrix: Float[np.ndarray, "2 3"], spec: InputSpec) -> Float[np.ndarray, "4 2"]:
    """Where the corners of the input lie in the photograph, from the top left round by the right."""
    corners = np.array([(0, 0), (spec.width, 0), (spec.width, spec.height), (0, spec.height)], dtype=np.float64)
    return (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


def _note_on_size(crop: Float[np.ndarray, "4 2"], spec: InputSpec) -> str:
    """How many pixels of the photograph become the input, and whether they are enlarged or stretched by it."""
    width, height = float(np.linalg.norm(crop[1] - crop[0])), float(np.linalg.norm(crop[3] - crop[0]))
    x_scale, y_scale = spec.width / width, spec.height / height
    words = ["enlarged"] if max(x_scale, y_scale) > 1.05 else []
    words += ["stretched"] if abs(x_scale / y_scale - 1) > 0.05 else []
    return ", ".join([f"{width:.0f}×{height:.0f} → {spec.width}×{spec.height}", *words])
