"""Samples as tensors: an image of an index, augmented, with its targets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor
from torch.utils.data import Dataset

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.alignment import moved
from fer_zoo.data.cache import ImageCache
from fer_zoo.data.image_sources import FaceImages, UnreadableImage
from fer_zoo.data.index import Index
from fer_zoo.data.samplers import Draw
from fer_zoo.data.transforms import Augmentation, mirror_values, to_tensor

Sample = dict[str, Any]
Batch = dict[str, Tensor]


class FaceDataset(Dataset[Sample]):
    """The samples of some ids of an index, in their order.

    A sample is a function of (seed, epoch, position, repeat) alone, whatever process draws it.

    Args:
        index: the data set.
        ids: which of its samples.
        spec: what the network expects of an image.
        targets: per target the label space into which its labels are mapped by name; those the index lacks are left
            out, so that unlabelled photographs can be predicted.
        augmentation: "none", "standard" or "strong".
        seed: of the run.
        cache: the images of the index, else they are decoded each time.
    """

    def __init__(
        self,
        index: Index,
        ids: Sequence[str],
        spec: InputSpec,
        targets: Mapping[str, LabelSpace],
        augmentation: str = "none",
        seed: int = 0,
        cache: ImageCache | None = None,
    ) -> None:
        self.rows = index.rows_of(ids)
        self._spec, self._seed = spec, seed
        self._spaces = {target: space for target, space in targets.items() if target in index.label_spaces}
        self._labels = {target: index.target_array(target, space) for target, space in self._spaces.items()}
        self._augmentation = Augmentation(augmentation, spec)
        images = FaceImages(index, spec)
        self._images = images if cache is None else cache
        self._landmarks = None
        if "landmarks" in self._labels:
            self._landmarks = _in_input(self._labels.pop("landmarks"), self.rows, images)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: Draw) -> Sample:
        """The sample of (epoch, position, repeat), see `EpochSampler`.

        Returns:
            `image` float32 (c, h, w) normalised; `row` int, position in the index's table; `unreadable` bool, with a
            black image; each class target as int with -1, each value target as float32 (k,) with NaN for missing;
            `landmarks` float32 (n, 2) in pixels of `image`, with NaN.
        """
        epoch, position, repeat = draw
        row = int(self.rows[position])
        image, unreadable = self._read(row)
        landmarks = None if self._landmarks is None else self._landmarks[position]
        augmented = self._augmentation(image, landmarks=landmarks, seed=(self._seed, epoch, position, repeat))
        sample: Sample = {"image": to_tensor(augmented.image, self._spec), "row": row, "unreadable": unreadable}
        for target, labels in self._labels.items():
            label = labels[row]
            if labels.ndim > 1 and augmented.flipped:
                label = mirror_values(label, self._spaces[target])
            sample[target] = label
        if augmented.landmarks is not None:
            sample["landmarks"] = augmented.landmarks.astype(np.float32)
        return sample

    def _read(self, row: int) -> tuple[np.ndarray, bool]:
        if isinstance(self._images, ImageCache):
            return self._images.read(row), bool(self._images.reason(row))
        try:
            return self._images.read(row), False
        except UnreadableImage:
            return np.zeros((self._spec.height, self._spec.width, self._spec.channels), np.uint8), True


def _in_input(
    labels: Float32[np.ndarray, "n k"], rows: Int64[np.ndarray, "m"], images: FaceImages
) -> Float64[np.ndarray, "m n2 2"]:
    """The points of some rows in pixels of the input; NaN where no face is known."""
    return moved(labels[rows].reshape(len(rows), labels.shape[1] // 2, 2), images.matrices(rows))


def collate(samples: Sequence[Sample]) -> Batch:
    """A batch: each entry of the samples stacked along a new first axis."""
    batch: Batch = {"image": torch.stack([sample["image"] for sample in samples])}
    for key in samples[0]:
        if key != "image":
            batch[key] = torch.from_numpy(np.stack([np.asarray(sample[key]) for sample in samples]))
    return batch
