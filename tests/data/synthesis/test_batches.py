"""A batch of drawn faces is drawn at once, exactly its rows, with the bytes that each row has alone; also by a GPU."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.settings import build_settings
from fer_zoo.data.cache import open_cache
from fer_zoo.data.datamodule import DataSettings, FaceDataModule
from fer_zoo.data.dataset import FaceDataset
from fer_zoo.data.frames import select_frames
from fer_zoo.data.image_sources import image_source
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits
from fer_zoo.data.synthesis import images
from fer_zoo.data.synthesis.blocks import photographs_of
from fer_zoo.data.synthesis.images import Drawing, DrawnImages, drawn_on
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.renderer import BLOCK

NAME, COUNT = "synthetic_faces", 48
SETTINGS: dict[str, Any] = {"num_samples": COUNT, "size": 24, "occluders": {"probability": 0.4}}
SPEC = InputSpec(height=24, width=24, colour="rgb", mean=(0.5,) * 3, std=(0.25,) * 3)
DENSE = ("mask", "position_map", "shading")
has_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU, PyTorch finds none here")


def faces(**others: Any) -> SynthesisSettings:
    return build_settings(SynthesisSettings, {**SETTINGS, **others}, where="")


@lru_cache
def alone(device: str = "cpu") -> list[tuple[bytes, ...]]:
    """Each sample in a block of its own."""
    drawing = Drawing(faces(), device)
    found = []
    for number in range(COUNT):
        (photograph,) = photographs_of(faces(), np.array([number]), device)
        (maps,) = drawing.dense([f"x/{number}.png"], DENSE[1:], SPEC)
        found.append((photograph.image.tobytes(), photograph.mask.tobytes(), *(maps[t].tobytes() for t in DENSE[1:])))
    return found


def together(numbers: Sequence[int], device: str = "cpu") -> list[tuple[bytes, ...]]:
    photographs = photographs_of(faces(), np.array(numbers), device)
    dense = Drawing(faces(), device).dense([f"x/{number}.png" for number in numbers], DENSE[1:], SPEC)
    return [
        (one.image.tobytes(), one.mask.tobytes(), *(maps[t].tobytes() for t in DENSE[1:]))
        for one, maps in zip(photographs, dense, strict=True)
    ]


@settings(max_examples=12)
@given(st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=40))
def test_any_batch_has_the_bytes_that_its_samples_have_alone(numbers: list[int]) -> None:
    assert together(numbers) == [alone()[number] for number in numbers]


@has_gpu
def test_any_batch_drawn_by_a_gpu_has_the_bytes_that_its_samples_have_alone() -> None:
    generator = np.random.default_rng(0)
    for _ in range(5):
        numbers = generator.integers(0, COUNT, int(generator.integers(1, 40))).tolist()
        assert together(numbers, "cuda") == [alone("cuda")[number] for number in numbers]


@has_gpu
def test_a_gpu_draws_the_faces_that_the_processor_draws() -> None:
    settings = faces(size=64)
    pairs = zip(*(photographs_of(settings, np.arange(BLOCK), device) for device in ("cpu", "cuda")), strict=True)
    for cpu, gpu in pairs:
        away = np.abs(cpu.image.astype(int) - gpu.image.astype(int))
        assert np.median(away) == 0 and (away > 8).mean() < 0.01  # edges of triangles, and JPEG
        assert (cpu.mask != gpu.mask).mean() < 0.005


@has_gpu
def test_training_data_come_from_the_gpu() -> None:
    data = module(drawing="gpu", workers=0, cache=False)
    assert isinstance(data.index.images, DrawnImages) and data.index.images.drawing.device == "cuda"
    batch = next(iter(data.train_dataloader()))
    assert batch["image"].isfinite().all() and not batch["unreadable"].any()


def index_of(**others: Any) -> Index:
    return open_dataset(NAME, **{**SETTINGS, **others})


def module(**others: Any) -> FaceDataModule:
    index = index_of()
    (split,) = make_splits(index, "subject_holdout", {"test_share": 0.3}, "blendshapes")
    words = {"batch_size": 16, "progress": False, "augmentation": "none", **others}
    targets = {target: index.space(target) for target in ("blendshapes", *DENSE)}
    data = FaceDataModule(index, split, SPEC, targets, build_settings(DataSettings, words, where="data"))
    data.setup("fit")
    return data


@pytest.fixture
def drawn_numbers(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What is drawn from now on, call by call."""
    calls: list[list[int]] = []

    def counted(settings: SynthesisSettings, numbers: np.ndarray, device: str = "cpu") -> Any:
        calls.append(numbers.tolist())
        return photographs_of(settings, numbers, device)

    monkeypatch.setattr(images, "photographs_of", counted)
    return calls


def test_a_shuffled_epoch_draws_each_face_once(drawn_numbers: list[list[int]]) -> None:
    data = module(workers=0, cache=False)
    rows = [row for batch in data.train_dataloader() for row in batch["row"].tolist()]
    assert sorted(rows) != rows and len(set(rows)) == len(rows)
    assert sorted(number for call in drawn_numbers for number in call) == sorted(rows)
    assert {len(call) for call in drawn_numbers} == {16}  # picture and mask of a batch in one go


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_what_single_samples_are(workers: int) -> None:
    data = module(workers=workers, cache=False)
    single = FaceDataset(data.index, data.index.ids, SPEC, data.targets)
    for batch in data.val_dataloader():
        for place, row in enumerate(batch["row"].tolist()):
            sample = single[0, row, 0]
            assert all(np.array_equal(batch[key][place].numpy(), sample[key]) for key in ("image", *DENSE))


def test_reading_one_by_one_draws_in_blocks(drawn_numbers: list[list[int]]) -> None:
    source = image_source(index_of())
    for row in range(COUNT):
        source.read(row)
    assert drawn_numbers == [list(range(start, start + BLOCK)) for start in range(0, COUNT, BLOCK)]


def test_a_cache_is_filled_in_blocks_and_targets_need_no_picture(
    drawn_numbers: list[list[int]], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path))
    index = index_of()
    cache = open_cache(index, SPEC, progress=False)
    assert drawn_numbers == [list(range(COUNT))]
    spaces = {target: index.space(target) for target in ("position_map", "shading")}
    FaceDataset(index, index.ids, SPEC, spaces, cache=cache)[0, 5, 0]
    assert len(drawn_numbers) == 1


def test_what_is_left_of_an_index_keeps_its_faces() -> None:
    whole = index_of(clips={"frames": 4})
    pictures = [image_source(whole).read(row) for row in range(COUNT)]
    for part in (select_frames(whole, "last_1"), replace(whole, table=whole.table.iloc[[31, 2, 17]])):
        assert 0 < len(part) < COUNT
        dataset = FaceDataset(part, part.ids, SPEC, {"mask": whole.space("mask")})
        source = image_source(part)
        for row, name in enumerate(part.table["image"]):
            place = whole.table["image"].tolist().index(name)
            assert (source.read(row) == pictures[place]).all()
            assert (
                dataset[0, row, 0]["mask"] == photographs_of(faces(clips={"frames": 4}), np.array([place]))[0].mask
            ).all()


def test_another_process_draws_on_the_same_device() -> None:
    there = drawn_on(index_of(), "cuda")  # nothing is drawn yet
    assert isinstance(there.images, DrawnImages) and there.images.drawing is there.dense
    copy = pickle.loads(pickle.dumps(there))
    assert copy.images.drawing.device == "cuda" and copy.images.drawing is copy.dense
    assert image_source(copy).stamps()[0] == f"{faces().key} cuda" != image_source(index_of()).stamps()[0]
    photographs = replace(index_of(), images=None, dense=None)
    assert drawn_on(photographs, "cuda") is photographs


def test_a_gpu_draws_in_the_process_that_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"data\.workers is 2: set data\.workers=0\.$"):
        module(drawing="gpu", workers=2)
    with pytest.raises(UserError, match="PyTorch finds none"):
        module(drawing="gpu", workers=0)
    assert module(drawing="auto", workers=0, cache=False).index.images.drawing.device == "cpu"  # type: ignore[union-attr]  # drawn
