"""The data module: what becomes a batch, what is counted instead, and that a resumed run sees what a whole one sees."""

import signal
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from fakes.pictures import drawn_face, picture_index
from PIL import Image
from pytorch_lightning.callbacks import ModelCheckpoint

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.core.settings import build_settings
from fer_zoo.data.alignment import FIVE_POINT_TEMPLATE
from fer_zoo.data.datamodule import DataSettings, FaceDataModule
from fer_zoo.data.detection import HaarDetector
from fer_zoo.data.image_sources import NO_FACE, NO_POINTS, NOT_DECODABLE, NOT_FOUND, POINT_COLUMNS
from fer_zoo.data.index import Index, Note
from fer_zoo.data.protocols import Split

SPEC = InputSpec(height=24, width=24, colour="grey", mean=(0.5,), std=(0.25,))
SIX = {"emotion": label_space("emotion/facial_expressions6")}


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path / "cache"))


def thirds(index: Index) -> Split:
    """Training gets the first two thirds, validation and test half of the rest each."""
    ids, n = index.ids, len(index)
    return Split("thirds", tuple(ids[: 4 * n // 6]), tuple(ids[4 * n // 6 : 5 * n // 6]), tuple(ids[5 * n // 6 :]))


def module(
    index: Index,
    targets: dict[str, LabelSpace] = SIX,
    seed: int = 0,
    spec: InputSpec = SPEC,
    tell: Callable[[str], None] | None = None,
    **settings: Any,
) -> FaceDataModule:
    values = {"workers": 0, "batch_size": 5, "progress": False, **settings}
    built = build_settings(DataSettings, values, where="data")
    return FaceDataModule(index, thirds(index), spec, targets, built, seed, tell)


def rows_of_epoch(data: FaceDataModule, epoch: int) -> list[int]:
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]  # EpochSampler
    return [row for batch in loader for row in batch["row"].tolist()]


def test_batches_of_the_three_parts(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 72)
    data = module(index)
    data.setup()
    assert sorted(rows_of_epoch(data, 0)) != list(range(48))  # 48 = 9 batches of 5 and an incomplete one, dropped
    assert len(set(rows_of_epoch(data, 0))) == 45
    assert rows_of_epoch(data, 0) != rows_of_epoch(data, 1)
    assert rows_of_epoch(data, 1) == rows_of_epoch(module(index), 1)
    assert [row for batch in data.val_dataloader() for row in batch["row"].tolist()] == list(range(48, 60))
    for loader in (data.test_dataloader(), data.predict_dataloader()):
        batches = list(loader)
        assert [row for batch in batches for row in batch["row"].tolist()] == list(range(60, 72))
        assert batches[0]["image"].shape == (5, 1, 24, 24)
    assert (data.left_out, data.skipped) == ({}, {})


def test_evaluation_is_not_augmented_and_training_is(tmp_path: Path) -> None:
    data = module(picture_index(tmp_path, 36), augmentation="strong")
    data.setup()
    one, two = next(iter(data.val_dataloader())), next(iter(data.val_dataloader()))
    assert torch.equal(one["image"], two["image"])
    first = {
        row: image for b in data.train_dataloader() for row, image in zip(b["row"].tolist(), b["image"], strict=True)
    }
    plain = module(picture_index(tmp_path, 36), augmentation="none")
    plain.setup()
    second = {
        row: image for b in plain.train_dataloader() for row, image in zip(b["row"].tolist(), b["image"], strict=True)
    }
    assert not any(torch.equal(first[row], second[row]) for row in first)


def test_the_only_batch_of_a_small_training_part_stays(tmp_path: Path) -> None:
    data = module(picture_index(tmp_path, 12), batch_size=50)
    data.setup("fit")
    assert len(rows_of_epoch(data, 0)) == 8


def test_loading_leaves_the_global_generators_alone(tmp_path: Path) -> None:
    data = module(picture_index(tmp_path, 24), augmentation="strong", sampling="class_balanced")
    data.setup()
    state = torch.get_rng_state()
    legacy = np.random.mtrand._rand.get_state()[1].copy()
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        list(loader)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(np.random.mtrand._rand.get_state()[1], legacy)


def test_persistent_workers_give_what_none_give(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 48)
    alone, shared = module(index, augmentation="strong"), module(index, augmentation="strong", workers=2)
    loaders = []
    for data in (alone, shared):
        data.setup("fit")
        loaders.append(data.train_dataloader())
    for epoch in range(2):
        for loader in loaders:
            loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]  # EpochSampler
        for a, b in zip(*loaders, strict=True):
            assert torch.equal(a["row"], b["row"])
            assert torch.equal(a["image"], b["image"])


def test_workers_start_although_opencv_had_threads_in_the_main_process(tmp_path: Path) -> None:
    def hangs(*_: object) -> None:
        raise AssertionError("the workers hang")

    cv2.setNumThreads(2)
    with ThreadPoolExecutor(2) as pool:  # detection, as it is run for a set that is not cropped
        list(pool.map(lambda finder: finder.detect(drawn_face(350)), [HaarDetector(), HaarDetector()]))
    data = module(picture_index(tmp_path, 24), workers=2)
    data.setup("fit")
    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(60)
    try:
        assert len(list(data.train_dataloader())) == 3
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_samples_without_a_usable_label_are_left_out_of_learning_and_counted(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 36)
    emotions = index.table["emotion"].tolist()
    emotions[0], emotions[1], emotions[25], emotions[35] = None, "contempt", "fear", None
    index = Index("fake", tmp_path, index.table.assign(emotion=emotions), index.label_spaces, is_cropped=True)
    data = module(index, batch_size=22)
    data.setup("fit")
    assert data.left_out == {"no emotion label": 1, "emotion outside the label space": 2}
    assert sorted(rows_of_epoch(data, 0)) == list(range(2, 24))
    assert [row for b in data.val_dataloader() for row in b["row"].tolist()] == [24, *range(26, 30)]
    tested = [
        (row, label)
        for b in data.test_dataloader()
        for row, label in zip(b["row"].tolist(), b["emotion"].tolist(), strict=True)
    ]
    assert [row for row, _ in tested] == list(range(30, 36))
    assert tested[-1] == (35, -1)
    assert data.class_counts("emotion").tolist() == [3, 3, 4, 4, 4, 4]


def test_a_class_without_training_samples_stops_before_training(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 24, emotions=("anger", "neutral", "happiness"))
    with pytest.raises(UserError, match=r"no training sample of disgust, sadness, surprise \(anger 6, disgust 0"):
        module(index).setup("fit")
    module(index).setup("test")


def test_an_empty_training_part_says_why(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 12, emotions=("fear",))
    with pytest.raises(UserError, match="8: emotion outside the label space"):
        module(index).setup("fit")


def test_a_target_without_classes_has_no_counts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no classes to count"):
        module(picture_index(tmp_path, 12)).class_counts("au")


def test_balanced_sampling_draws_rare_classes_as_often(tmp_path: Path) -> None:
    emotions = ("anger",) * 50 + ("neutral",) * 10
    index = picture_index(tmp_path, 360, emotions=emotions)
    two = {"emotion": LabelSpace(name="emotion/two", target="emotion", entries=("anger", "neutral"))}
    data = module(index, two, sampling="class_balanced")
    data.setup("fit")
    labels = index.target_array("emotion", two["emotion"])
    drawn = np.concatenate([labels[rows_of_epoch(data, epoch)] for epoch in range(10)])
    assert abs(drawn.mean() - 0.5) < 0.05  # 2,400 draws: five standard deviations
    with pytest.raises(UserError, match="found 0"):
        module(picture_index(tmp_path, 12), {}, sampling="class_balanced").train_dataloader()


def break_pictures(index: Index, rows: tuple[int, ...]) -> None:
    for row in rows:
        (index.root / index.table["image"][row]).write_bytes(b"damaged")


@pytest.mark.parametrize("cache", [True, False])
def test_unreadable_images_stop_with_their_ids(tmp_path: Path, cache: bool) -> None:
    index = picture_index(tmp_path, 36)
    break_pictures(index, (2, 35))
    data = module(index, cache=cache)
    with pytest.raises(UserError, match=index.ids[2]) as caught:
        data.setup("fit")
        for batch in data.train_dataloader():
            data.on_before_batch_transfer(batch, 0)
    assert "data.on_unreadable=skip" in str(caught.value)
    assert "picture" not in str(caught.value)
    assert index.ids[35] not in str(caught.value)  # of the test part, which nobody asked for


@pytest.mark.parametrize("cache", [True, False])
def test_unreadable_images_are_skipped_when_asked_and_remembered(tmp_path: Path, cache: bool) -> None:
    index = picture_index(tmp_path, 36)
    break_pictures(index, (2, 31, 35))
    data = module(index, cache=cache, on_unreadable="skip", batch_size=24)
    data.setup("fit")
    trained = [data.on_before_batch_transfer(batch, 0) for batch in data.train_dataloader()]
    assert sorted(row for batch in trained for row in batch["row"].tolist()) == [i for i in range(24) if i != 2]
    assert data.skipped == {index.ids[2]: NOT_DECODABLE}
    assert data.left_out == ({NOT_DECODABLE: 1} if cache else {})
    data.setup("test")
    tested = [data.on_before_batch_transfer(batch, 0) for batch in data.test_dataloader()]
    assert [row for batch in tested for row in batch["row"].tolist()] == [30, 32, 33, 34]
    assert {len(values) for values in tested[0].values()} == {4}
    assert data.skipped == dict.fromkeys((index.ids[31], index.ids[35]), NOT_DECODABLE)


def test_a_training_batch_of_nothing_stops(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 12)
    break_pictures(index, tuple(range(12)))
    data = module(index, cache=False, on_unreadable="skip")
    data.setup("fit")
    progress = SimpleNamespace(current=SimpleNamespace(processed=0))
    loop = SimpleNamespace(epoch_progress=progress)
    data.trainer = SimpleNamespace(training=True, global_rank=0, world_size=1, current_epoch=0, fit_loop=loop)
    batch = next(iter(data.train_dataloader()))
    with pytest.raises(UserError, match="No image of a training batch of 5"):
        data.on_before_batch_transfer(batch, 0)


@pytest.mark.parametrize("cache", [True, False])
def test_images_without_a_face_teach_nothing_and_are_missing_in_evaluation(tmp_path: Path, cache: bool) -> None:
    index = picture_index(tmp_path, 36, is_cropped=False)
    for row in range(36):
        picture = drawn_face(96) if row not in (1, 7, 33) else np.full((96, 96, 3), 150, np.uint8)
        Image.fromarray(picture).save(tmp_path / f"picture_{row}.png")
    told: list[str] = []
    data = module(index, cache=cache, tell=told.append)
    data.setup("fit")
    data.setup("validate")
    assert told == ["detector haar: no face found in 3 of 36 images (8.3 %)"]
    data.setup("fit")
    assert data.left_out == {NO_FACE: 2}
    assert data.miss_rate == pytest.approx(3 / 36)
    assert not {1, 7} & set(rows_of_epoch(data, 0))
    data.setup("test")
    assert data.skipped == {index.ids[33]: NO_FACE}
    assert 33 not in [row for batch in data.test_dataloader() for row in batch["row"].tolist()]
    whole = module(index, cache=cache, detector="none")
    whole.setup("fit")
    assert whole.miss_rate is None
    assert whole.left_out == {}


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("is_cropped", [True, False])
def test_images_that_a_reader_knows_to_be_absent_are_counted_and_stop_nothing(
    tmp_path: Path, cache: bool, is_cropped: bool
) -> None:
    index = picture_index(tmp_path, 36, is_cropped=is_cropped)
    for row in () if is_cropped else range(36):
        Image.fromarray(drawn_face(96)).save(tmp_path / f"picture_{row}.png")
    for row in (2, 33, 34):
        (tmp_path / f"picture_{row}.png").unlink()
    absent = (index.ids[2], index.ids[33])
    index = replace(index, notes=(Note("missing", "Two are not there.", (*absent, "0" * 12)),))
    data = module(index, cache=cache)
    data.setup("fit")
    assert data.left_out == {NOT_FOUND: 1}
    with pytest.raises(UserError, match=f"^1 image cannot be read: {index.ids[34]} .file not found"):
        data.setup("test")
        for batch in data.test_dataloader():  # without a cache, where nobody was told
            data.on_before_batch_transfer(batch, 0)
    skipping = module(index, cache=cache, on_unreadable="skip")
    skipping.setup("test")
    for batch in skipping.test_dataloader():
        skipping.on_before_batch_transfer(batch, 0)
    assert skipping.skipped == dict.fromkeys(index.ids[33:35], NOT_FOUND)


@pytest.mark.parametrize("cache", [True, False])
def test_faces_without_the_five_points_to_be_aligned_are_counted(tmp_path: Path, cache: bool) -> None:
    aligned = InputSpec(height=24, width=24, alignment="five_points", colour="grey", mean=(0.5,), std=(0.25,))
    index = picture_index(tmp_path, 36, is_cropped=False)
    with pytest.raises(UserError, match="five_points needs five points of every face, which fake does not have"):
        module(index, cache=cache, spec=aligned).setup("fit")
    points = dict(zip(POINT_COLUMNS, (FIVE_POINT_TEMPLATE * 24 / 112).ravel().tolist(), strict=True))
    table = index.table.assign(**points)
    table.loc[[1, 33], POINT_COLUMNS[3]] = np.nan
    data = module(replace(index, table=table), cache=cache, spec=aligned)
    data.setup("fit")
    assert (data.left_out, data.miss_rate) == ({NO_POINTS: 1}, None)  # nobody looked for boxes
    assert 1 not in rows_of_epoch(data, 0)
    data.setup("test")
    assert data.skipped == {index.ids[33]: NO_POINTS}
    assert 33 not in [row for batch in data.test_dataloader() for row in batch["row"].tolist()]


@pytest.mark.parametrize("length", [36, 37, 41])
def test_processes_share_evaluation_without_a_double(tmp_path: Path, length: int) -> None:
    index = picture_index(tmp_path, length)
    seen = []
    for rank in range(4):
        data = module(index)
        data.trainer = SimpleNamespace(global_rank=rank, world_size=4)
        data.setup("test")
        seen += [row for batch in data.test_dataloader() for row in batch["row"].tolist()]
    assert sorted(seen) == index.rows_of(data.split.test).tolist()


class Recorder(pl.LightningModule):
    """Remembers (epoch, row, sum of the pixels) of every training sample."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[tuple[int, int, float]] = []

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        sums = batch["image"].sum(dim=(1, 2, 3)).tolist()
        self.seen += [(self.current_epoch, *pair) for pair in zip(batch["row"].tolist(), sums, strict=True)]
        return self.layer(torch.ones(1)).sum()

    def validation_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> None:
        self.log("validated", float(self.current_epoch), batch_size=len(batch["row"]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(index: Index, folder: Path, *, epochs: int, workers: int, when: str, resume: Path | None = None) -> Recorder:
    recorder = Recorder()
    keep = ModelCheckpoint(folder, save_top_k=-1, filename="{epoch}", save_on_train_epoch_end=when == "epoch end")
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=epochs, callbacks=[keep], logger=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, num_sanity_val_steps=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Checkpoint directory|The dirpath has changed")
        warnings.filterwarnings("ignore", ".*does not have many workers")
        data = module(index, augmentation="strong", workers=workers, sampling="class_balanced", seed=3)
        trainer.fit(recorder, datamodule=data, ckpt_path=resume, weights_only=True)
    return recorder


@pytest.mark.parametrize("when", ["epoch end", "validation end"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_sees_what_an_uninterrupted_one_sees(tmp_path: Path, workers: int, when: str) -> None:
    index = picture_index(tmp_path, 36)
    whole = fit(index, tmp_path / "whole", epochs=4, workers=workers, when=when)
    fit(index, tmp_path / "first", epochs=2, workers=workers, when=when)
    rest = fit(index, tmp_path / "rest", epochs=4, workers=workers, when=when, resume=tmp_path / "first/epoch=1.ckpt")
    assert [epoch for epoch, *_ in whole.seen] == [epoch for epoch in range(4) for _ in range(20)]
    assert rest.seen == [entry for entry in whole.seen if entry[0] >= 2]


def test_a_run_without_validation_samples_trains(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 24)
    data = module(index)
    data.split = Split("no validation", data.split.train, (), data.split.test)
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_progress_bar=False, enable_checkpointing=False,
        enable_model_summary=False, limit_val_batches=0,
    )  # fmt: skip
    recorder = Recorder()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers")
        trainer.fit(recorder, datamodule=data)
    assert len(recorder.seen) == 15
