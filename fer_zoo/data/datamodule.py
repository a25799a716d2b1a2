"""The one data module: loaders of a split of an index, for every method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils.data import DataLoader

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.settings import setting
from fer_zoo.data.boxes import index_with_boxes, needs_boxes, rows_without_face
from fer_zoo.data.cache import ImageCache, open_cache
from fer_zoo.data.dataset import Batch, FaceDataset, Sample, collate
from fer_zoo.data.detection import DETECTORS
from fer_zoo.data.image_sources import NO_FACE, NOT_FOUND, FaceImages, UnreadableImage, require_points
from fer_zoo.data.index import Index
from fer_zoo.data.parts import Part, balancing_weights, choose_part, classes_of, require_every_class
from fer_zoo.data.protocols import Split
from fer_zoo.data.samplers import EpochSampler, UnpaddedSampler
from fer_zoo.data.synthesis.images import drawn_on
from fer_zoo.data.transforms import AUGMENTATIONS

STAGE_PARTS: Mapping[str | None, tuple[str, ...]] = {
    "fit": ("train", "validation"),
    "validate": ("validation",),
    "test": ("test",),
    "predict": ("test",),
    None: ("train", "validation", "test"),
}


@dataclass(kw_only=True)
class DataSettings:
    """How images become batches."""

    batch_size: int = setting(64, "samples in a batch, of one process", at_least=1)
    workers: int = setting(
        2, "processes that load images, for each process that trains; 0 loads in that one", at_least=0
    )
    augmentation: str = setting("standard", "random changes of training images", choices=AUGMENTATIONS)
    sampling: str = setting(
        "shuffled",
        "training samples in a new order each epoch, or drawn so that all classes are equally frequent",
        choices=("shuffled", "class_balanced"),
    )
    cache: bool = setting(True, "keep decoded images in the cache folder")
    on_unreadable: str = setting(
        "stop", "what to do about an image that cannot be read: skipped ones are counted", choices=("stop", "skip")
    )
    detector: str = setting(
        "haar", "finds the faces where images are not cropped; none takes whole images", choices=("none", *DETECTORS)
    )
    landmarks: str = setting(
        "",
        "points of each face for alignment=five_points: a table that `fer-zoo annotate` wrote, or of another program",
    )
    progress: bool = setting(True, "show a bar on a terminal while the cache is filled")
    drawing: str = setting(
        "cpu",
        "where faces are drawn, of data sets that draw them: gpu needs workers=0, auto is the GPU where that is so",
        choices=("cpu", "gpu", "auto"),
    )


class FaceDataModule(pl.LightningDataModule):
    """Training, validation and test batches of a split.

    Training and validation leave out samples without a label, of a class outside the space or without a face, and count
    them; the test part keeps all that can be read. Batches are dicts, see `FaceDataset`. In training the last,
    incomplete batch of an epoch is dropped unless it is the only one: batch normalisation cannot take a batch of one.
    Evaluation gives every process its own samples, none twice. Lightning must not replace the samplers:
    `Trainer(use_distributed_sampler=False)`.

    Args:
        index: the data set.
        split: ids of training, validation and test.
        spec: what the network expects of an image.
        targets: per target the label space to train in.
        settings: batches, workers, augmentation …
        seed: of everything drawn.
        tell: takes a line for the user on what a detector missed.

    Attributes:
        left_out: reason -> number of training and validation samples left out, of the stage that was set up.
        skipped: id -> reason, of samples without an image of a face, of that stage; without a cache those that this
            process has met.
        miss_rate: share of the images in which no face was found, None where none was looked for.
        cache: the decoded images, None without a cache.
    """

    def __init__(
        self,
        index: Index,
        split: Split,
        spec: InputSpec,
        targets: Mapping[str, LabelSpace],
        settings: DataSettings | None = None,
        seed: int = 0,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.seed = settings or DataSettings(), seed
        self.index = drawn_on(index, _drawing_device(self.settings))
        self.split, self.spec, self.targets = split, spec, dict(targets)
        self.left_out: dict[str, int] = {}
        self.skipped: dict[str, str] = {}
        self.miss_rate: float | None = None
        self._tell = tell
        self.cache: ImageCache | None = None
        self._parts: dict[str, Part] | None = None

    def prepare_data(self) -> None:
        """Detects faces and fills the cache, in one process of a machine."""
        self._ready_parts()

    def setup(self, stage: str | None = None) -> None:
        """Chooses the samples of each part.

        Raises:
            UserError: for images that cannot be read (unless they are skipped), an empty training part, a class of a
                target's space without training samples, or five points that are to be aligned and not known.
        """
        parts = self._ready_parts()
        self.left_out, self.skipped = {}, {}
        for name in STAGE_PARTS[stage]:
            self._note(parts[name], learns=name != "test")
        if stage in ("fit", None):
            where = f"Split {self.split.name} of {self.index.dataset}"
            if not parts["train"].usable:
                reasons = ", ".join(f"{count}: {reason}" for reason, count in parts["train"].reasons().items())
                raise UserError(f"{where} leaves no sample to train on ({reasons or 'its training part is empty'}).")
            for target, space in self.targets.items():
                if _counts(space):
                    counts, left_out = self.class_counts(target).tolist(), parts["train"].reasons()
                    require_every_class(counts, space, where=where, left_out=left_out)

    def class_counts(self, target: str) -> Int[Tensor, " k"]:
        """How many training samples each class of a target's space has.

        Raises:
            UserError: for a target without classes.
        """
        space = self.targets.get(target)
        if space is None or not _counts(space):
            raise UserError(f"Target {target!r} has no classes to count; targets are {', '.join(self.targets)}.")
        classes = classes_of(self.index, self._ready_parts()["train"].usable, space)
        return torch.from_numpy(np.bincount(classes[classes >= 0], minlength=len(space)))

    def train_dataloader(self) -> DataLoader[Sample]:
        """Augmented batches (epoch after epoch in a new order)."""
        ids = self._ready_parts()["train"].usable
        rank, world_size = self._rank()
        sampler = EpochSampler(len(ids), self.seed, self._weights(), rank, world_size)
        sampler.set_epoch(self._epoch())
        return self._loader(ids, sampler, training=True)

    def val_dataloader(self) -> DataLoader[Sample]:
        """The validation part, in order. Where it is empty, a trainer wants `limit_val_batches=0`."""
        return self._evaluation_loader("validation")

    def test_dataloader(self) -> DataLoader[Sample]:
        """The test part, in order, samples without a label included."""
        return self._evaluation_loader("test")

    def predict_dataloader(self) -> DataLoader[Sample]:
        """The same as the test part."""
        return self._evaluation_loader("test")

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """The batch without images that turned out unreadable while loading, which happens without a cache only.

        Raises:
            UserError: naming them, unless they are to be skipped, or if a training batch has no other.
        """
        if not batch["unreadable"].any():
            return batch
        images = FaceImages(self.index, self.spec)
        found = {images.ids[row]: _reason(images, row) for row in batch["row"][batch["unreadable"]].tolist()}
        if self.settings.on_unreadable == "stop":
            raise _unreadable_error(found)
        self.skipped.update(found)
        keep = ~batch["unreadable"]
        if self.trainer is not None and self.trainer.training and not keep.any():
            raise UserError(
                f"No image of a training batch of {len(keep)} can be read: check the folder of {self.index.dataset}."
            )
        return {name: values[keep] for name, values in batch.items()}

    def _ready_parts(self) -> dict[str, Part]:
        if self._parts is None:
            settings, split = self.settings, self.split
            require_points(self.index, self.spec)
            if needs_boxes(self.index, self.spec, settings.detector):
                self.index, self.miss_rate = index_with_boxes(self.index, settings.detector, progress=settings.progress)
            if settings.cache:
                self.cache = open_cache(self.index, self.spec, progress=settings.progress)
            lacking = self._lacking() if self.cache is None else self.cache.lacking()
            self._tell_misses(list(lacking.values()))
            self._parts = {
                "train": choose_part(self.index, split.train, lacking, self.targets),
                "validation": choose_part(self.index, split.validation, lacking, self.targets),
                "test": choose_part(self.index, split.test, lacking),
            }
        return self._parts

    def _lacking(self) -> dict[int, str]:
        """The rows that are known to have no face without reading every image, and why."""
        images = FaceImages(self.index, self.spec)
        absent = dict.fromkeys(self.index.rows_of(self._known_absent()).tolist(), NOT_FOUND)
        faceless = rows_without_face(self.index)
        if images.points is not None:
            faceless = np.flatnonzero(~np.isfinite(images.points).all(axis=1))
        return {**{row: _reason(images, row) for row in faceless.tolist()}, **absent}

    def _known_absent(self) -> list[str]:
        """Ids of samples without a file, which the reader of the data set was told to go on without."""
        ids = set(self.index.ids)
        return [name for name in self.index.noted("missing") if name in ids]

    def _tell_misses(self, reasons: Sequence[str]) -> None:
        if self._tell is None or self.miss_rate is None:
            return
        misses = reasons.count(NO_FACE)
        num_images = len(self.index) - len(reasons) + misses
        share = f"{misses / max(1, num_images):.1%}".replace("%", " %")
        self._tell(f"detector {self.settings.detector}: no face found in {misses} of {num_images} images ({share})")

    def _note(self, part: Part, *, learns: bool) -> None:
        absent = set(self._known_absent())
        unreadable = {name: reason for name, reason in part.unreadable.items() if name not in absent}
        if unreadable and self.settings.on_unreadable == "stop":
            raise _unreadable_error(unreadable)
        self.skipped.update(part.lacking)
        if learns:
            for reason, count in part.reasons().items():
                self.left_out[reason] = self.left_out.get(reason, 0) + count

    def _weights(self) -> npt.NDArray[np.float64] | None:
        if self.settings.sampling != "class_balanced":
            return None
        spaces = [space for space in self.targets.values() if _counts(space)]
        if len(spaces) != 1:
            raise UserError(f"sampling=class_balanced needs one target with classes, found {len(spaces)}.")
        return balancing_weights(classes_of(self.index, self._ready_parts()["train"].usable, spaces[0]))

    def _rank(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _epoch(self) -> int:
        """The epoch that is about to be trained: as many are done, whatever a batch, a step or a process holds.

        After a resume from a checkpoint written at the end of an epoch, Lightning still names that epoch as the current
        one when it fetches the first batches, and workers fetch before it tells the sampler.
        """
        if self.trainer is None:
            return 0
        progress: Any = self.trainer.fit_loop.epoch_progress.current
        return int(progress.processed)

    def _evaluation_loader(self, part: str) -> DataLoader[Sample]:
        ids = self._ready_parts()[part].usable
        return self._loader(ids, UnpaddedSampler(len(ids), *self._rank()), training=False)

    def _loader(
        self, ids: Sequence[str], sampler: EpochSampler | UnpaddedSampler, *, training: bool
    ) -> DataLoader[Sample]:
        settings = self.settings
        augmentation = settings.augmentation if training else "none"
        cv2.setNumThreads(1)  # here, not in the workers: a fork that ends threads which it did not inherit hangs
        return DataLoader(
            FaceDataset(self.index, ids, self.spec, self.targets, augmentation, self.seed, self.cache),
            batch_size=settings.batch_size,
            sampler=sampler,
            num_workers=settings.workers,
            collate_fn=collate,
            pin_memory=torch.cuda.is_available(),
            drop_last=training and len(sampler) > settings.batch_size,
            persistent_workers=settings.workers > 0,
            worker_init_fn=_one_thread,
            generator=torch.Generator().manual_seed(self.seed),  # else loading draws from the global generator
        )


def _counts(space: LabelSpace) -> bool:
    """Whether a sample is of a class; of a mask each pixel is."""
    return space.kind == "classes" and not space.is_dense


def _drawing_device(settings: DataSettings) -> str:
    """Where faces are drawn, for torch.

    Raises:
        UserError: for a GPU that is not there, or that processes which were forked would share.
    """
    if settings.drawing == "cpu":
        return "cpu"
    if settings.drawing == "auto":
        return "cuda" if torch.cuda.is_available() and settings.workers == 0 else "cpu"
    if settings.workers:
        raise UserError(
            f"data.drawing=gpu draws in the process that trains, and data.workers is {settings.workers}: set"
            " data.workers=0."
        )
    if not torch.cuda.is_available():
        raise UserError("data.drawing=gpu needs a GPU, and PyTorch finds none: set data.drawing=cpu.")
    return "cuda"


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)
    if cv2.getNumThreads() != 1:  # a worker that was spawned
        cv2.setNumThreads(1)


def _reason(images: FaceImages, row: int) -> str:
    try:
        images.read(row)
    except UnreadableImage as error:
        return error.reason
    return "could not be read at first"


def _unreadable_error(found: Mapping[str, str]) -> UserError:
    shown = ", ".join(f"{name} ({reason})" for name, reason in list(found.items())[:5])
    those = "1 image" if len(found) == 1 else f"{len(found):,} images"
    return UserError(
        f"{those} cannot be read: {shown}{', …' if len(found) > 5 else ''}. Replace what `fer-zoo check-data"
        " --show-paths` names, or leave such images out with data.on_unreadable=skip."
    )
