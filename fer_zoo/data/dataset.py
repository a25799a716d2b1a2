"""Samples as tensors: an image of an index, augmented, with its targets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor
from torch.utils.data import Dataset

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.alignment import after, moved
from fer_zoo.data.cache import ImageCache
from fer_zoo.data.dense import in_input, unknown
from fer_zoo.data.image_sources import FaceImages, UnreadableImage
from fer_zoo.data.index import Index
from fer_zoo.data.samplers import Draw
from fer_zoo.data.transforms import Augmentation, mirror_values, to_tensor, turned_pose

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
        self._faces = FaceImages(index, spec)
        self._cache = cache
        self._landmarks = None
        if "landmarks" in self._labels:
            self._landmarks = _in_input(self._labels.pop("landmarks"), self.rows, self._faces)
        self._names: list[str] = index.table["image"].tolist()
        self._dense = index.dense
        self._dense_targets = _dense_targets(index, targets)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: Draw) -> Sample:
        """The sample of (epoch, position, repeat), see `EpochSampler`.

        Returns:
            `image` float32 (c, h, w) normalised; `row` int, position in the index's table; `unreadable` bool, with a
            black image; each class target as int with -1, each value target as float32 (k,) with NaN for missing;
            `pose` as the head stands in `image`; `landmarks` float32 (n, 2) in its pixels, with NaN; `mask` int64
            (h, w), `position_map` float32 (3, h, w) and `shading` float32 (1, h, w), see `data.dense`.
        """
        (sample,) = self.__getitems__([draw])
        return sample

    def __getitems__(self, draws: Sequence[Draw]) -> list[Sample]:
        """The samples of a batch: what draws faces draws all of them together."""
        rows = [int(self.rows[position]) for _, position, _ in draws]
        if self._cache is None:
            self._faces.expect(rows)
        dense: Sequence[Mapping[str, np.ndarray]] = [{}] * len(rows)
        if self._dense is not None and self._dense_targets:
            dense = self._dense.dense([self._names[row] for row in rows], self._dense_targets, self._spec)
        return [self._sample(draw, row, of) for draw, row, of in zip(draws, rows, dense, strict=True)]

    def _sample(self, draw: Draw, row: int, dense: Mapping[str, np.ndarray]) -> Sample:
        epoch, position, repeat = draw
        image, unreadable = self._read(row)
        landmarks = None if self._landmarks is None else self._landmarks[position]
        augmented = self._augmentation(image, landmarks=landmarks, seed=(self._seed, epoch, position, repeat))
        sample: Sample = {"image": to_tensor(augmented.image, self._spec), "row": row, "unreadable": unreadable}
        for target, labels in self._labels.items():
            label = labels[row]
            if target == "pose" and self._faces.points is not None:  # which turn faces upright
                label = turned_pose(label, self._spaces[target], self._faces.matrices(self.rows[[position]])[0])
            if labels.ndim > 1 and augmented.flipped:
                label = mirror_values(label, self._spaces[target])
            sample[target] = turned_pose(label, self._spaces[target], augmented.matrix) if target == "pose" else label
        if augmented.landmarks is not None:
            sample["landmarks"] = augmented.landmarks.astype(np.float32)
        for target in self._dense_targets:
            sample[target] = unknown(target, self._spec)
            if target in dense and not unreadable:
                matrix = after(self._faces.matrix(row), augmented.matrix)
                sample[target] = in_input(target, dense[target], matrix, self._spec, flipped=augmented.flipped)
        return sample

    def _read(self, row: int) -> tuple[np.ndarray, bool]:
        if self._cache is not None:
            return self._cache.read(row), bool(self._cache.reason(row))
        try:
            return self._faces.read(row), False
        except UnreadableImage:
            return np.zeros((self._spec.height, self._spec.width, self._spec.channels), np.uint8), True


def _dense_targets(index: Index, targets: Mapping[str, LabelSpace]) -> tuple[str, ...]:
    """Those that are asked for, and that the index has.

    Raises:
        UserError: if they are asked for in another space than the index has them in.
    """
    found = tuple(target for target, space in targets.items() if space.is_dense and target in index.spaces)
    for target in found:
        if targets[target] != index.space(target):
            raise UserError(
                f"{index.dataset} has {target!r} in {index.space(target).name}, which does not fit into"
                f" {targets[target].name}."
            )
    return found


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
