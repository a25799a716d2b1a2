"""Landmarks as a target: a bright dot planted on a landmark is where the target says, whatever is done to the image."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.landmarks import FIVE_POINTS_MIRROR, LANDMARK_COLUMNS, MIRROR
from fer_zoo.core.sample import TARGETS
from fer_zoo.data.alignment import FIVE_POINT_TEMPLATE, inverse, moved
from fer_zoo.data.cache import open_cache
from fer_zoo.data.dataset import FaceDataset, collate
from fer_zoo.data.image_sources import BOX_COLUMNS, POINT_COLUMNS, FaceImages, read_image, read_size
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.protocols import make_splits
from fer_zoo.data.protocols.labelled import subject_labels
from fer_zoo.data.sample_groups import sample_groups

NUMBER, WIDTH, HEIGHT = 24, 200, 140
SPEC = InputSpec(height=64, width=80, colour="grey", mean=(0.0,), std=(1.0,), crop_scale=1.2)
LANDMARKS = {"landmarks": label_space("landmarks/68")}


def planted(number: int) -> int:
    """The landmark with the dot in an image."""
    return (number * 5) % 68


def points_of(number: int) -> np.ndarray:
    generator = np.random.default_rng(number)
    return generator.uniform((70, 40), (130, 100), (68, 2))


def photograph(number: int) -> np.ndarray:
    x, y = points_of(number)[planted(number)]
    rows, columns = np.indices((HEIGHT, WIDTH)) + 0.5
    return (250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 3.0**2))).astype(np.uint8)


def dotted_index(root: Path, *, boxes: bool = False, five: bool = False) -> Index:
    names = [f"{number}.png" for number in range(NUMBER)]
    for number, name in enumerate(names):
        Image.fromarray(photograph(number)).save(root / name)
    points = np.stack([points_of(number).ravel() for number in range(NUMBER)])
    columns: dict[str, Any] = dict(zip(LANDMARK_COLUMNS, points.T, strict=True))
    if boxes:
        columns |= dict(
            zip(BOX_COLUMNS, ([50.0] * NUMBER, [25.0] * NUMBER, [100.0] * NUMBER, [90.0] * NUMBER), strict=True)
        )
    if five:
        turn = np.array([[0.9, -0.3], [0.3, 0.9]])
        aligned = FIVE_POINT_TEMPLATE @ turn.T + (40, -20)
        columns |= dict(zip(POINT_COLUMNS, np.repeat(aligned.reshape(10, 1), NUMBER, axis=1), strict=True))
    return Index("fake", root, index_table("fake", names, **columns), LANDMARKS, is_cropped=not boxes and not five)


def centre_of_light(image: np.ndarray) -> np.ndarray | None:
    """Of the brightest spot; None where there is none."""
    light = np.clip(image - 0.5 * image.max(), 0, None)
    if image.max() < 0.3:
        return None
    rows, columns = np.indices(image.shape) + 0.5
    return np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("place", ["whole", "boxes", "five"])
@pytest.mark.parametrize("augmentation", ["none", "standard", "strong"])
def test_the_dot_is_where_the_target_says(tmp_path: Path, augmentation: str, place: str, cached: bool) -> None:
    index = dotted_index(tmp_path, boxes=place == "boxes", five=place == "five")
    spec = replace(SPEC, alignment="five_points") if place == "five" else SPEC
    cache = open_cache(index, spec, progress=False) if cached else None
    dataset = FaceDataset(index, index.ids, spec, LANDMARKS, augmentation=augmentation, cache=cache)
    straight, mirrored, seen = 0, 0, 0
    for number in range(NUMBER):
        sample = dataset[0, number, 0]
        found = centre_of_light(sample["image"][0].numpy())
        if found is None:  # moved out, or under an erased patch
            continue
        point = planted(number)
        seen += 1
        errors = np.abs(sample["landmarks"] - found).max(axis=1)
        straight += int(errors[point] < 0.4)
        mirrored += int(errors[MIRROR[point]] < 0.4 and MIRROR[point] != point)
    assert seen >= NUMBER - 4
    if augmentation == "none":
        assert straight == NUMBER and mirrored == 0
        return
    hidden = 3 if augmentation == "strong" else 0  # partly under an erased patch, so that its centre moves
    assert seen - straight - mirrored <= hidden
    assert min(straight, mirrored) >= 4


def test_points_that_are_not_known_stay_so_and_a_batch_has_the_schema(tmp_path: Path) -> None:
    index = dotted_index(tmp_path, boxes=True)
    table = index.table.copy()
    table.loc[0, "landmark_3_x"] = np.nan
    table.loc[1, list(BOX_COLUMNS)] = np.nan
    table.loc[2, list(LANDMARK_COLUMNS)] = np.nan
    dataset = FaceDataset(replace(index, table=table), index.ids[:3], SPEC, LANDMARKS, augmentation="standard")
    batch = collate([dataset[0, number, 0] for number in range(3)])["landmarks"]
    assert batch.shape == (3, 68, 2) and str(batch.dtype).endswith(TARGETS["landmarks"].dtype)
    known = batch.isfinite().all(dim=2)
    assert known.sum(dim=1).tolist() == [67, 0, 0]
    assert not known[0, 3] or not known[0, MIRROR[3]]


def test_rows_of_a_dataset_are_those_of_its_ids(tmp_path: Path) -> None:
    index = dotted_index(tmp_path)
    backwards = FaceDataset(index, index.ids[::-1], SPEC, LANDMARKS)
    forwards = FaceDataset(index, index.ids, SPEC, LANDMARKS)
    assert len(FaceDataset(index, [], SPEC, LANDMARKS)) == 0
    np.testing.assert_array_equal(backwards[0, 0, 0]["landmarks"], forwards[0, NUMBER - 1, 0]["landmarks"])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_of_a_file_is_that_of_its_upright_pixels(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in ("jpg", "png", "webp", "tif"):
        file = tmp_path / f"a.{suffix}"
        Image.fromarray(photograph(0)).convert("RGB").save(file, exif=exif)
        height, width, _ = read_image(file, name="a").shape
        assert read_size(file, name="a") == (width, height)


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_a_file_without_a_head_has_no_points(tmp_path: Path, content: bytes) -> None:
    index = dotted_index(tmp_path)
    (tmp_path / "0.png").write_bytes(content)
    (tmp_path / "1.png").unlink()
    matrices = FaceImages(index, SPEC).matrices(np.arange(3))
    assert np.isnan(matrices).any(axis=(1, 2)).tolist() == [True, True, False]


def test_maps_and_their_inverses_undo_each_other() -> None:
    generator = np.random.default_rng(0)
    matrices = generator.normal(size=(5, 2, 3)) + np.array([[3.0, 0, 0], [0, 3.0, 0]])
    points = generator.normal(size=(5, 7, 2))
    np.testing.assert_allclose(moved(moved(points, matrices), inverse(matrices)), points, atol=1e-12)
    nothing = inverse(np.full((2, 2, 3), np.nan))
    assert np.isnan(nothing).all()


def test_a_space_of_points_is_whole() -> None:
    with pytest.raises(UserError, match=r"all 136 in order"):
        label_space("landmarks/68").only(["landmark_0_x"])
    assert len(FIVE_POINTS_MIRROR) == 5


def test_points_have_one_sheet_and_one_count(tmp_path: Path) -> None:
    index = dotted_index(tmp_path)
    (group,) = sample_groups(index, 4, seed=0)
    assert (group.target, group.entry, len(group.rows), group.values) == ("landmarks", "landmarks", 4, ())


def test_folds_are_stratified_by_the_number_of_images_alone(tmp_path: Path) -> None:
    index = dotted_index(tmp_path)
    index = replace(index, table=index.table.assign(subject=[f"s{number % 7}" for number in range(NUMBER)]))
    people, counts = subject_labels(index, "landmarks")
    assert len(people) == 7 and counts.tolist() == [[4.0]] * 3 + [[3.0]] * 4
    splits = make_splits(index, "stratified_subject_kfold", {"folds": 3}, "landmarks")
    assert sorted(name for split in splits for name in split.test) == sorted(index.ids)
