"""Samples as tensors: the same from every process, with targets by name and flips that change sides."""

from pathlib import Path

import numpy as np
import pytest
import torch
from fakes.pictures import noise, picture_index
from torch.utils.data import DataLoader

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.data.cache import open_cache
from fer_zoo.data.dataset import FaceDataset, collate
from fer_zoo.data.index import Index
from fer_zoo.data.samplers import EpochSampler

SPEC = InputSpec(height=24, width=24, colour="grey", mean=(0.5,), std=(0.25,))
SIX = {"emotion": label_space("emotion/facial_expressions6")}


def blendshape_index(root: Path, number: int = 20) -> Index:
    index = picture_index(root, number)
    values = np.random.default_rng(0).random((number, 51))
    values[0, 3] = np.nan
    table = index.table.assign(**dict(zip(BLENDSHAPES_51.entries, values.T, strict=True)))
    return Index("fake", root, table, {**SIX, "blendshapes": BLENDSHAPES_51}, is_cropped=True)


def test_a_sample_holds_its_image_row_and_targets_by_name(tmp_path: Path) -> None:
    index = picture_index(tmp_path)
    reordered = LabelSpace(name="emotion/mine", target="emotion", entries=("surprise", "anger"))
    dataset = FaceDataset(index, index.ids[::-1], SPEC, {"emotion": reordered})
    assert len(dataset) == 12
    sample = dataset[0, 0, 0]
    assert (sample["row"], sample["unreadable"], sample["emotion"]) == (11, False, 0)
    np.testing.assert_allclose(sample["image"][0].numpy(), (noise(11) / 255 - 0.5) / 0.25, atol=1e-6)
    assert dataset[0, 5, 0]["emotion"] == 1  # row 6: anger again
    assert dataset[0, 4, 0]["emotion"] == -1  # row 7: disgust, which the space lacks


def test_a_target_that_the_index_lacks_is_left_out(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 2)
    assert "blendshapes" not in FaceDataset(index, index.ids, SPEC, {"blendshapes": BLENDSHAPES_51})[0, 0, 0]


def test_a_flip_exchanges_the_sides_of_values_with_the_image(tmp_path: Path) -> None:
    index = blendshape_index(tmp_path)
    dataset = FaceDataset(index, index.ids, SPEC, index.label_spaces, augmentation="standard")
    left, right = BLENDSHAPES_51.index("mouthSmileLeft"), BLENDSHAPES_51.index("mouthSmileRight")
    truth = index.target_array("blendshapes")
    exchanged = 0
    for i in range(20):
        values, original = dataset[0, i, 0]["blendshapes"], truth[i]
        assert values.dtype == np.float32
        if values[left] == original[right]:
            exchanged += 1
            assert values[right] == original[left]
        else:
            np.testing.assert_array_equal(values, original)
    assert 3 < exchanged < 17


@pytest.mark.parametrize("cached", [False, True])
def test_the_sample_is_a_function_of_seed_epoch_position_and_repeat(tmp_path: Path, cached: bool) -> None:
    index = blendshape_index(tmp_path)
    cache = open_cache(index, SPEC, progress=False) if cached else None
    one, two = (
        FaceDataset(index, index.ids, SPEC, index.label_spaces, augmentation="strong", seed=5, cache=cache)
        for _ in range(2)
    )
    forward = [one[1, i, 0]["image"] for i in range(20)]
    assert all(torch.equal(two[1, i, 0]["image"], forward[i]) for i in reversed(range(20)))
    assert not torch.equal(one[2, 4, 0]["image"], forward[4])
    assert not torch.equal(one[1, 4, 1]["image"], forward[4])  # drawn again in the same epoch
    other = FaceDataset(index, index.ids, SPEC, index.label_spaces, augmentation="strong", seed=6, cache=cache)
    assert not torch.equal(other[1, 4, 0]["image"], forward[4])


def test_cached_and_decoded_samples_are_equal(tmp_path: Path) -> None:
    index = blendshape_index(tmp_path)
    decoded = FaceDataset(index, index.ids, SPEC, index.label_spaces, augmentation="standard")
    cache = open_cache(index, SPEC, progress=False)
    cached = FaceDataset(index, index.ids, SPEC, index.label_spaces, augmentation="standard", cache=cache)
    assert all(torch.equal(decoded[0, i, 0]["image"], cached[0, i, 0]["image"]) for i in range(20))


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_two_workers_give_exactly_what_none_give(tmp_path: Path, context: str) -> None:
    index = blendshape_index(tmp_path)
    cache = open_cache(index, SPEC, progress=False)
    dataset = FaceDataset(index, index.ids, SPEC, index.label_spaces, augmentation="strong", seed=1, cache=cache)

    def batches(workers: int) -> list[dict[str, torch.Tensor]]:
        sampler = EpochSampler(20, 1, epoch=3)
        options = {"multiprocessing_context": context} if workers else {}
        return list(
            DataLoader(dataset, 6, sampler=sampler, num_workers=workers, collate_fn=collate, **options)  # type: ignore[arg-type]  # options
        )

    alone, shared = batches(0), batches(2)
    assert len(alone) == len(shared) == 4
    for a, b in zip(alone, shared, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            assert a[key].dtype == b[key].dtype
            assert torch.equal(a[key].nan_to_num(-7), b[key].nan_to_num(-7)), key


def test_an_unreadable_image_is_a_black_sample_that_says_so(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 3)
    (tmp_path / "picture_1.png").write_bytes(b"not a picture")
    for cache in (None, open_cache(index, SPEC, progress=False)):
        dataset = FaceDataset(index, index.ids, SPEC, SIX, cache=cache)
        assert [dataset[0, i, 0]["unreadable"] for i in range(3)] == [False, True, False]
        assert (dataset[0, 1, 0]["image"] == -2.0).all()  # black, normalised


def test_a_batch_has_the_types_of_the_sample_schema(tmp_path: Path) -> None:
    index = blendshape_index(tmp_path, 4)
    dataset = FaceDataset(index, index.ids, SPEC, index.label_spaces)
    batch = collate([dataset[0, i, 0] for i in range(4)])
    found = {key: (tuple(value.shape), value.dtype) for key, value in batch.items()}
    assert found == {
        "image": ((4, 1, 24, 24), torch.float32),
        "row": ((4,), torch.int64),
        "unreadable": ((4,), torch.bool),
        "emotion": ((4,), torch.int64),
        "blendshapes": ((4, 51), torch.float32),
    }
    assert batch["blendshapes"][0, 3].isnan()
