"""Augmentation: a function of its seed, in which image, landmarks and the names of sides move together."""

import random
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.action_units import ACTION_UNIT_SPACES
from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import Colour, InputSpec
from fer_zoo.core.label_spaces import value_space
from fer_zoo.core.landmarks import LANDMARK_GROUPS, MIRROR
from fer_zoo.data.transforms import (
    Augmentation,
    mirror_name,
    mirror_order,
    mirror_positions,
    mirror_values,
    to_pixels,
    to_tensor,
)

SPEC = InputSpec(height=96, width=80, colour="grey", mean=(0.5,), std=(0.25,))
NOISE = np.random.default_rng(0).integers(0, 256, (96, 80, 1), dtype=np.uint8)
RGB = InputSpec(height=48, width=64)


def flipping_seeds(number: int, *, flipped: bool) -> list[tuple[int, int, int, int]]:
    augmentation = Augmentation("standard", SPEC)
    seeds = [(0, 0, i, 0) for i in range(40)]
    return [seed for seed in seeds if augmentation(NOISE, seed=seed).flipped == flipped][:number]


@pytest.mark.parametrize("name", ["standard", "strong"])
def test_equal_seeds_give_equal_bytes_in_any_order_and_object(name: str) -> None:
    seeds = [(3, epoch, i, repeat) for epoch in range(2) for i in range(10) for repeat in range(2)]
    first = Augmentation(name, SPEC)
    forward = {seed: first(NOISE, seed=seed).image for seed in seeds}
    second = Augmentation(name, SPEC)
    for seed in reversed(seeds):
        np.testing.assert_array_equal(second(NOISE, seed=seed).image, forward[seed])
    assert len({image.tobytes() for image in forward.values()}) == len(seeds)


def test_landmarks_beside_the_image_change_nothing_about_it() -> None:
    augmentation = Augmentation("strong", SPEC)
    points = np.full((68, 2), 20.0)
    for i in range(12):
        alone = augmentation(NOISE, seed=(0, 0, i, 0))
        beside = augmentation(NOISE, landmarks=points, seed=(0, 0, i, 0))
        np.testing.assert_array_equal(alone.image, beside.image)
        assert alone.flipped == beside.flipped


def test_global_generators_are_neither_read_nor_moved() -> None:
    augmentation = Augmentation("strong", RGB)
    image = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    results = []
    for start in (1, 2):
        random.seed(start)
        torch.manual_seed(start)
        before = random.getstate(), torch.get_rng_state()
        results.append([augmentation(image, seed=(0, 0, i, 0)).image for i in range(10)])
        assert random.getstate() == before[0]
        assert torch.equal(torch.get_rng_state(), before[1])
    np.testing.assert_array_equal(*results)


def test_none_is_the_image_itself() -> None:
    augmented = Augmentation("none", SPEC)(NOISE, seed=(0, 0, 0, 0))
    assert augmented.image is NOISE
    assert not augmented.flipped


def test_half_of_the_images_are_flipped() -> None:
    augmentation = Augmentation("standard", SPEC)
    flips = sum(augmentation(NOISE, seed=(7, 0, i, 0)).flipped for i in range(400))
    assert 150 < flips < 250  # five standard deviations


def bright_centre(image: np.ndarray) -> np.ndarray | None:
    """(x, y) of the light of a bright square, pixel centres at +0.5; None where it is not whole."""
    light = np.clip(image[:, :, 0].astype(float) - np.median(image), 0, None)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    edge = light[[0, 1, -2, -1]].sum() + light[:, [0, 1, -2, -1]].sum()
    if light.sum() < 20 or edge > 0:
        return None
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


def test_a_planted_dot_and_its_landmark_move_together() -> None:
    augmentation = Augmentation("standard", SPEC)
    rng = np.random.default_rng(0)
    compared = {True: 0, False: 0}
    for i in range(300):
        x, y = int(rng.integers(20, 60)), int(rng.integers(20, 76))
        image = np.full((96, 80, 1), 60, np.uint8)
        image[y - 2 : y + 3, x - 2 : x + 3] = 160
        augmented = augmentation(image, landmarks=np.array([[x + 0.5, y + 0.5]]), seed=(0, 1, i, 0))
        found = bright_centre(augmented.image)
        if found is not None and augmented.landmarks is not None:
            assert np.abs(augmented.landmarks[0] - found).max() < 0.08, i
            compared[augmented.flipped] += 1
    assert min(compared.values()) > 80


def test_strong_moves_landmarks_and_keeps_those_under_an_erased_patch() -> None:
    augmentation = Augmentation("strong", SPEC)
    grid = np.stack(np.meshgrid(np.arange(10.5, 70, 10), np.arange(10.5, 90, 10)), axis=-1).reshape(-1, 2)
    erased = 0
    for i in range(60):
        augmented = augmentation(np.full((96, 80, 1), 120, np.uint8), landmarks=grid, seed=(0, 0, i, 0))
        assert augmented.landmarks is not None
        assert np.isfinite(augmented.landmarks).all()
        inner = augmented.image[30:66, 25:55, 0]
        erased += bool((inner == 0).sum() > 20)
    assert 5 < erased < 40


def test_missing_landmarks_stay_missing_and_move_no_other() -> None:
    augmentation = Augmentation("standard", SPEC)
    points = np.random.default_rng(2).uniform(20, 60, (68, 2))
    holes = points.copy()
    holes[[3, 50]] = np.nan
    for seed in flipping_seeds(3, flipped=True) + flipping_seeds(3, flipped=False):
        whole = augmentation(NOISE, landmarks=points, seed=seed)
        partly = augmentation(NOISE, landmarks=holes, seed=seed)
        assert whole.landmarks is not None
        assert partly.landmarks is not None
        lost = [MIRROR.index(3), MIRROR.index(50)] if whole.flipped else [3, 50]
        assert np.isnan(partly.landmarks[lost]).all()
        kept = np.delete(np.arange(68), lost)
        np.testing.assert_array_equal(partly.landmarks[kept], whole.landmarks[kept])


def test_a_flip_renames_the_landmarks_of_both_sides() -> None:
    """Points right of the middle belong to the subject's left; after a flip and renaming they still do."""
    points = np.zeros((68, 2))
    for group, members in LANDMARK_GROUPS.items():
        x = 20 if group.startswith("right") else 60 if group.startswith("left") else 40
        points[list(members)] = (x, 48)
    for seed in flipping_seeds(5, flipped=True):
        moved = Augmentation("standard", SPEC)(NOISE, landmarks=points, seed=seed).landmarks
        assert moved is not None
        assert moved[list(LANDMARK_GROUPS["right_eye"]), 0].max() < moved[list(LANDMARK_GROUPS["left_eye"]), 0].min()


def test_five_points_keep_their_names_in_a_flip() -> None:
    points = np.array([[25.0, 30.0], [55.0, 30.0], [40.0, 50.0], [30.0, 70.0], [50.0, 70.0]])  # FIVE_POINTS
    for seed in flipping_seeds(5, flipped=True):
        moved = Augmentation("standard", SPEC)(NOISE, landmarks=points, seed=seed).landmarks
        assert moved is not None
        assert moved[0, 0] + 15 < moved[1, 0]
        assert moved[3, 0] + 10 < moved[4, 0]
        assert moved[0, 0] < moved[2, 0] < moved[1, 0]


def test_mirroring_twice_changes_nothing() -> None:
    points = np.random.default_rng(0).random((68, 2))
    np.testing.assert_array_equal(mirror_order(mirror_order(points)), points)
    np.testing.assert_array_equal(mirror_order(mirror_order(points[:5])), points[:5])
    np.testing.assert_array_equal(mirror_order(points[:7]), points[:7])


@pytest.mark.parametrize(
    ("entry", "mirrored"),
    [
        ("mouthSmileLeft", "mouthSmileRight"), ("jawRight", "jawLeft"), ("mouthLeft", "mouthRight"),
        ("browInnerUp_L", "browInnerUp_R"), ("brow_left", "brow_right"), ("left_smile", "right_smile"),
        ("right_eye_open", "left_eye_open"), ("jawOpen", "jawOpen"), ("AU12", "AU12"), ("ALL", "ALL"),
    ],
)  # fmt: skip
def test_names_of_the_other_side(entry: str, mirrored: str) -> None:
    assert mirror_name(entry) == mirrored
    assert mirror_name(mirrored) == entry


def test_every_blendshape_and_slider_has_its_counterpart_and_no_action_unit_moves() -> None:
    positions = mirror_positions(BLENDSHAPES_51.entries)
    assert positions is not None
    assert sorted(positions) == list(range(51))
    unmoved = {BLENDSHAPES_51.entries[i] for i in range(51) if positions[i] == i}
    assert not any(entry.endswith(("Left", "Right")) for entry in unmoved)
    for space in ACTION_UNIT_SPACES:
        moved = mirror_positions(space.entries)
        if all(entry.startswith("AU") for entry in space.entries):
            assert moved is None, space.name
        else:
            assert moved is not None
            assert sorted(moved) == list(range(len(space))), space.name


@given(st.lists(st.floats(0, 1, width=32), min_size=51, max_size=51))
def test_values_change_sides_by_name(weights: list[float]) -> None:
    values = np.array(weights, np.float32)
    mirrored = mirror_values(values, BLENDSHAPES_51)
    smile = BLENDSHAPES_51.index("mouthSmileLeft"), BLENDSHAPES_51.index("mouthSmileRight")
    assert (mirrored[smile[0]], mirrored[smile[1]]) == (values[smile[1]], values[smile[0]])
    np.testing.assert_array_equal(mirror_values(mirrored, BLENDSHAPES_51), values)


def test_a_side_without_counterpart_is_missing_after_a_flip() -> None:
    space = value_space("blendshapes/one_sided", ("jawLeft", "jawOpen"), unit="weight", maximum=1.0, centre=0.5)
    np.testing.assert_array_equal(mirror_values(np.array([0.2, 0.3], np.float32), space), np.float32([np.nan, 0.3]))


def test_unknown_names_and_other_shapes_are_refused() -> None:
    with pytest.raises(UserError, match="Did you mean 'strong'"):
        Augmentation("stron", SPEC)
    with pytest.raises(UserError, match=r"\(96, 80, 1\)"):
        Augmentation("none", SPEC)(NOISE[:50], seed=(0, 0, 0, 0))


def test_building_the_pipelines_raises_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("standard", "strong"):
            assert Augmentation(name, RGB).name == name


def test_to_tensor_is_pixel_minus_mean_over_std_in_channel_order() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    tensor = to_tensor(image, RGB)
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous()
    expected = (image / 255 - np.array(RGB.mean)) / np.array(RGB.std)
    np.testing.assert_allclose(tensor.numpy(), expected.transpose(2, 0, 1), atol=1e-6)


@pytest.mark.parametrize("colour", ["rgb", "bgr", "grey"])
@given(data=st.data())
def test_a_tensor_turns_back_into_the_pixels_it_was_made_of(colour: Colour, data: st.DataObject) -> None:
    channels = 1 if colour == "grey" else 3
    number = st.floats(0.01, 2.0)
    mean, std = (tuple(data.draw(number) for _ in range(channels)) for _ in range(2))
    spec = InputSpec(height=16, width=48, colour=colour, mean=mean, std=std)
    pixels = np.arange(768, dtype=np.int64).astype(np.uint8).reshape(16, 48, 1).repeat(channels, axis=2)
    pixels[:, :, -1] //= 2  # blue, or red where blue comes first
    shown = to_pixels(to_tensor(pixels, spec), spec)
    np.testing.assert_array_equal(shown, pixels[:, :, ::-1] if colour == "bgr" else pixels)
