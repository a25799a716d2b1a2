"""Targets of which every pixel has a value, from where a data set has them to the pixels of the network's input.

`mask`, the part of the face that each pixel shows, follows the image: crop, augmentation and flip move both alike, each
pixel takes the nearest, and beyond the photograph there is background.

`position_map` is the unwrapped face (PRNet's, in the layout of its face model): for each place of the surface its x
and y in pixels of the input, as of landmarks, and its z in the same pixels towards the viewer, 0 at the point farthest
away. The map keeps its layout whatever is done to the image, and its values move; a flip exchanges its sides.

`shading` shows the face without pose and camera (Deep 3-D re-centralization's): it changes sides in a flip and nothing
else moves it.
"""

from collections.abc import Collection, Mapping
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int64, Shaped, UInt8

from fer_zoo.core.face_parts import mirror_parts
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import MISSING_CLASS, LabelSpace
from fer_zoo.core.sample import TARGETS
from fer_zoo.data.transforms import with_centres

Matrix = Float[np.ndarray, "2 3"]
_CHANNELS = {"position_map": 3, "shading": 1}


@runtime_checkable
class DenseSource(Protocol):
    """What knows the dense targets of an index, by the names of its images.

    Attributes:
        label_spaces: of the targets that it has.
    """

    @property
    def label_spaces(self) -> Mapping[str, LabelSpace]:
        """See above."""
        ...

    def dense(
        self, names: Collection[str], targets: Collection[str], spec: InputSpec
    ) -> list[dict[str, Shaped[np.ndarray, "..."]]]:
        """The targets of some images, one after the other.

        Args:
            names: of the images, as the index has them.
            targets: which of the targets.
            spec: of whose height and width maps and shading are.

        Returns:
            `mask` uint8 (h, w) of the photograph, `position_map` float32 (3, h, w) of the spec, in pixels of the
            photograph, `shading` float32 (1, h, w) of the spec; of an image without what is not known of it.
        """
        ...


def in_input(
    target: str, values: Shaped[np.ndarray, "..."], matrix: Matrix, spec: InputSpec, *, flipped: bool
) -> Shaped[np.ndarray, "..."]:
    """A target as a batch has it, see `core.sample`, after the photograph was moved.

    Args:
        target: one of the dense ones.
        values: as a `DenseSource` gives them.
        matrix: from the photograph's pixels to the input's, a flip included.
        spec: the input.
        flipped: whether left and right have changed places.
    """
    if target == "mask":
        return moved_mask(values, matrix, spec, flipped=flipped)
    if flipped:  # of a map, which is symmetric, as of a picture
        values = values[:, :, ::-1]
    return moved_map(values, matrix) if target == "position_map" else np.ascontiguousarray(values)


def moved_mask(
    mask: UInt8[np.ndarray, "h w"], matrix: Matrix, spec: InputSpec, *, flipped: bool
) -> Int64[np.ndarray, "h2 w2"]:
    """The parts that the input's pixels show; sides stay the subject's own."""
    moved = cv2.warpAffine(mask, with_centres(matrix), (spec.width, spec.height), flags=cv2.INTER_NEAREST)
    return (mirror_parts(moved) if flipped else moved).astype(np.int64)


def moved_map(positions: Float32[np.ndarray, "3 h w"], matrix: Matrix) -> Float32[np.ndarray, "3 h w"]:
    """The places on the moved photograph; z grows as lengths do on the mean of the axes."""
    places = np.tensordot(matrix[:, :2], positions[:2], axes=1) + matrix[:, 2, None, None]
    scale = np.sqrt(np.abs(np.linalg.det(matrix[:, :2])))
    return np.concatenate([places, scale * positions[2:]]).astype(np.float32)


def unknown(target: str, spec: InputSpec) -> Shaped[np.ndarray, "..."]:
    """A target of an image of which it is not known."""
    if TARGETS[target].dtype == "int64":
        return np.full((spec.height, spec.width), MISSING_CLASS, np.int64)
    return np.full((_CHANNELS[target], spec.height, spec.width), np.nan, np.float32)
