"""Crops and alignments against closed forms and planted dots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.alignment import FIVE_POINT_TEMPLATE, crop_matrix, five_point_matrix, warp


def grey_spec(height: int, width: int, crop_scale: float = 1.0) -> InputSpec:
    return InputSpec(height=height, width=width, crop_scale=crop_scale, colour="grey", mean=(0.0,), std=(1.0,))


def centre_of_light(image: np.ndarray) -> np.ndarray:
    """(x, y) of the light's centre of mass, pixel centres at +0.5."""
    light = image[:, :, 0].astype(float)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


def dot(height: int, width: int, x: int, y: int, radius: int = 4) -> np.ndarray:
    image = np.zeros((height, width, 1), np.uint8)
    image[y - radius : y + radius + 1, x - radius : x + radius + 1] = 250
    return image


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points of the photograph in pixels of the input."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def test_whole_image_without_a_box_corner_to_corner() -> None:
    matrix = crop_matrix(grey_spec(112, 96), image_size=(200, 50))
    corners = np.array([[0.0, 0.0], [200.0, 50.0]])
    np.testing.assert_allclose(moved(corners, matrix), [[0, 0], [96, 112]], atol=1e-9)


def test_a_box_becomes_a_square_of_its_larger_side_about_its_centre() -> None:
    matrix = crop_matrix(grey_spec(64, 64, 1.25), image_size=(200, 300), box=(50, 80, 40, 20))
    side = 1.25 * 40
    corners = np.array([[70 - side / 2, 90 - side / 2], [70 + side / 2, 90 + side / 2]])
    np.testing.assert_allclose(moved(corners, matrix), [[0, 0], [64, 64]], atol=1e-9)


def test_an_oblong_input_stretches_no_box() -> None:
    matrix = crop_matrix(grey_spec(112, 96, 1.0), image_size=(500, 500), box=(100, 100, 50, 100))
    assert matrix[0, 0] == pytest.approx(matrix[1, 1])
    corners = np.array([[125 - 100 * 96 / 112 / 2, 100.0], [125 + 100 * 96 / 112 / 2, 200.0]])
    np.testing.assert_allclose(moved(corners, matrix), [[0, 0], [96, 112]], atol=1e-9)


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.0, 5.0), (float("nan"), 0.0, 5.0, 5.0), (0.0, 0.0, 5.0, -1.0)])
def test_a_box_without_area_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(UserError, match="positive size"):
        crop_matrix(grey_spec(8, 8), image_size=(9, 9), box=box)


def test_a_crop_of_whole_pixels_copies_them_and_is_black_outside() -> None:
    image = np.random.default_rng(0).integers(1, 256, (20, 30, 3), dtype=np.uint8)
    spec = InputSpec(height=10, width=10, crop_scale=1.0)
    inside = warp(image, crop_matrix(spec, image_size=(30, 20), box=(5, 7, 10, 10)), spec)
    np.testing.assert_array_equal(inside, image[7:17, 5:15])
    beyond = warp(image, crop_matrix(spec, image_size=(30, 20), box=(-4, 15, 10, 10)), spec)
    np.testing.assert_array_equal(beyond[:5, 4:], image[15:20, :6])
    assert (beyond[5:] == 0).all()
    assert (beyond[:, :4] == 0).all()


def test_shrinking_averages_instead_of_dropping_pixels() -> None:
    checks = np.indices((120, 120)).sum(axis=0)[:, :, None].astype(np.uint8) % 2 * 200
    spec = grey_spec(12, 12)
    for box in (None, (0.0, 0.0, 120.0, 120.0), (10.0, 20.0, 80.0, 80.0)):
        small = warp(checks, crop_matrix(spec, image_size=(120, 120), box=box), spec)
        assert np.abs(small.astype(int) - 100).max() <= 1, box


def test_shrinking_by_a_whole_number_is_the_mean_of_blocks() -> None:
    image = np.random.default_rng(1).integers(0, 256, (36, 36, 1), dtype=np.uint8)
    spec = grey_spec(6, 6)
    blocks = image[3:33, 3:33, 0].reshape(6, 5, 6, 5).mean(axis=(1, 3))
    cut = warp(image, crop_matrix(spec, image_size=(36, 36), box=(3, 3, 30, 30)), spec)
    assert np.abs(cut[:, :, 0] - blocks).max() <= 0.51


@given(
    x=st.integers(30, 110), y=st.integers(30, 80), left=st.floats(-5, 20), top=st.floats(-5, 20),
    side=st.floats(100, 140), height=st.integers(40, 150), width=st.integers(40, 150),
)  # fmt: skip
def test_a_planted_dot_and_its_point_move_together_in_a_crop(
    x: int, y: int, left: float, top: float, side: float, height: int, width: int
) -> None:
    spec = grey_spec(height, width)
    matrix = crop_matrix(spec, image_size=(150, 120), box=(left, top, side, side))
    expected = moved(np.array([[x + 0.5, y + 0.5]]), matrix)[0]
    if not (12 < expected[0] < width - 12 and 12 < expected[1] < height - 12):
        return
    found = centre_of_light(warp(dot(120, 150, x, y), matrix, spec))
    assert np.abs(found - expected).max() < 0.1


@given(
    angle=st.floats(-0.6, 0.6), scale=st.floats(0.4, 3), shift=st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    size=st.sampled_from([(112, 112), (64, 64), (112, 96), (96, 112)]),
)  # fmt: skip
def test_a_turned_template_is_turned_back(
    angle: float, scale: float, shift: tuple[float, float], size: tuple[int, int]
) -> None:
    spec = grey_spec(*size)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = FIVE_POINT_TEMPLATE @ turn.T + shift
    side = min(size)
    template = FIVE_POINT_TEMPLATE * side / 112 + (np.array([size[1], size[0]]) - side) / 2
    np.testing.assert_allclose(moved(points, five_point_matrix(points, spec)), template, atol=1e-6)


def test_five_point_alignment_is_the_least_squares_similarity() -> None:
    rng = np.random.default_rng(0)
    spec = grey_spec(112, 112)
    points = FIVE_POINT_TEMPLATE * 1.7 + rng.normal(0, 6, (5, 2))
    found = five_point_matrix(points, spec)
    rows = np.zeros((10, 4))  # x' = a x - b y + c, y' = b x + a y + d, solved without any of our algebra
    rows[0::2] = np.column_stack([points[:, 0], -points[:, 1], np.ones(5), np.zeros(5)])
    rows[1::2] = np.column_stack([points[:, 1], points[:, 0], np.zeros(5), np.ones(5)])
    a, b, c, d = np.linalg.lstsq(rows, FIVE_POINT_TEMPLATE.ravel(), rcond=None)[0]
    np.testing.assert_allclose(found, [[a, -b, c], [b, a, d]], atol=1e-9)


def test_mirrored_points_are_not_mirrored_back() -> None:
    matrix = five_point_matrix(FIVE_POINT_TEMPLATE * (-1, 1), grey_spec(112, 112))
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize("points", [np.full((5, 2), 3.0), np.full((5, 2), np.nan)])
def test_points_that_coincide_or_are_missing_are_refused(points: np.ndarray) -> None:
    with pytest.raises(UserError, match="five known points"):
        five_point_matrix(points, grey_spec(64, 64))


def test_an_aligned_dot_lands_on_the_template() -> None:
    spec = grey_spec(112, 112)
    turn = 1.6 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    points = np.floor(FIVE_POINT_TEMPLATE @ turn.T + (60, 10)) + 0.5
    matrix = five_point_matrix(points, spec)
    for point, goal in zip(points, moved(points, matrix), strict=True):
        image = dot(300, 300, int(point[0]), int(point[1]))
        assert np.abs(centre_of_light(warp(image, matrix, spec)) - goal).max() < 0.1
