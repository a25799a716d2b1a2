"""The detector interface and the bundled cascade, on drawn faces at known places."""

import numpy as np
import pytest
from fakes.pictures import drawn_face

from fer_zoo.core.errors import UserError
from fer_zoo.data.detection import DETECTORS, Detector, Face, HaarDetector, detector

GROUND = 150


def scene(height: int, width: int, places: list[tuple[int, int, int]]) -> np.ndarray:
    """A plain picture with drawn faces at (left, top, side)."""
    image = np.full((height, width, 3), GROUND, np.uint8)
    for left, top, side in places:
        image[top : top + side, left : left + side] = drawn_face(side)
    return image


def assert_about(face: Face, place: tuple[int, int, int]) -> None:
    left, top, side = place
    centre = np.array([face.left + face.width / 2, face.top + face.height / 2])
    assert np.abs(centre - (left + side / 2, top + side / 2)).max() < 0.15 * side
    assert 0.6 * side < face.width < 1.2 * side


def test_detectors_are_known_by_name() -> None:
    assert isinstance(detector("haar"), HaarDetector)
    assert all(isinstance(make(), Detector) for make in DETECTORS.values())
    with pytest.raises(UserError, match="Did you mean 'haar'"):
        detector("harr")


@pytest.mark.parametrize(("height", "width", "place"), [(160, 200, (60, 30, 100)), (900, 1400, (500, 200, 480))])
def test_a_face_is_found_where_it_is_in_pixels_of_the_photograph(
    height: int, width: int, place: tuple[int, int, int]
) -> None:
    faces = HaarDetector().detect(scene(height, width, [place]))
    assert len(faces) == 1
    assert_about(faces[0], place)


def test_a_face_that_fills_the_picture_is_found() -> None:
    for side in (64, 128, 350):
        faces = HaarDetector().detect(drawn_face(side))
        assert len(faces) == 1
        assert_about(faces[0], (0, 0, side))


def test_all_of_several_faces_come_from_left_to_right() -> None:
    places = [(20, 120, 80), (130, 20, 70), (230, 110, 80)]
    faces = HaarDetector().detect(scene(220, 320, places))
    assert len(faces) == 3
    for face, place in zip(faces, places, strict=True):
        assert_about(face, place)


def test_a_photograph_gives_the_same_faces_whatever_came_before() -> None:
    finder = HaarDetector()
    image = scene(220, 320, [(20, 120, 80), (230, 110, 80)])
    first = finder.detect(image)
    finder.detect(drawn_face(350))
    assert finder.detect(image) == first == HaarDetector().detect(image)


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (24, 24), (200, 300)])
def test_a_picture_without_a_face_gives_an_empty_list(size: tuple[int, int]) -> None:
    assert HaarDetector().detect(np.full((*size, 3), GROUND, np.uint8)) == []


def test_only_rgb_pictures_are_taken() -> None:
    with pytest.raises(Exception, match="image"):
        HaarDetector().detect(np.zeros((40, 40, 1), np.uint8))
