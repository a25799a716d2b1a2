"""What is drawn lies where the faces are, in any size, for classes and for values."""

import numpy as np
import pytest

from fer_zoo.core.label_spaces import label_space
from fer_zoo.engine.face_drawing import draw_faces, enlargement

EMOTIONS = label_space("emotion/basic6")
CLASSES = {"emotion": EMOTIONS}
ANSWER = {"emotion": "happiness", **{f"prob_{entry}": 0.1 for entry in EMOTIONS.entries}, "prob_happiness": 0.5}
YELLOW = (255, 225, 25)


def grey(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def row(left: float, top: float, side: float, face: int = 0, **others: object) -> dict[str, object]:
    box = {"face_x": left, "face_y": top, "face_width": side, "face_height": side}
    return {"face": face, "face_found": True, **box, **ANSWER, **others}


def is_colour(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) < 12).all(axis=2)


@pytest.mark.parametrize("size", [(60, 80), (480, 640), (700, 300)])
def test_boxes_are_drawn_where_the_faces_are(size: tuple[int, int]) -> None:
    side = min(size) // 3
    drawn = draw_faces(grey(*size), [row(10, 35, side)], CLASSES)
    scale = enlargement(size[1], size[0])
    assert drawn.shape == (size[0] * scale, size[1] * scale, 3)
    assert max(drawn.shape) >= 320
    hits = is_colour(drawn, YELLOW)
    middle, centre = round((35 + side / 2) * scale), round((10 + side / 2) * scale)
    for line, place in ((hits[middle], 10), (hits[:, centre], 35)):
        assert line[place * scale] and line[(place + side) * scale - 1]
        assert not line[place * scale + 4 : (place + side) * scale - 4].any()


def test_a_face_without_a_box_is_the_whole_picture() -> None:
    whole = dict.fromkeys(("face_x", "face_y", "face_width", "face_height"))
    hits = is_colour(draw_faces(grey(400, 400), [row(0, 0, 1, **whole)], CLASSES), YELLOW)
    assert hits[200, 0] and hits[200, 399] and hits[399, 200]


def test_lines_grow_with_the_picture() -> None:
    hits = is_colour(draw_faces(grey(3000, 4000), [row(1000, 1000, 500)], CLASSES), YELLOW)
    assert hits[1250, 1000:1010].all() and hits[1005, 1000:1500].all()


@pytest.mark.parametrize("left, top", [(-60, -200), (-60, 300), (450, -200)])
def test_the_answer_to_a_box_that_begins_outside_can_be_read(left: int, top: int) -> None:
    image = grey(480, 640)
    inside = (draw_faces(image, [row(left, top, 300)], CLASSES) == 0).all(axis=2).sum()
    assert inside > 0.8 * (draw_faces(image, [row(100, 150, 300)], CLASSES) == 0).all(axis=2).sum()


def test_pictures_without_a_face_stay_as_they_are() -> None:
    image = grey(400, 400)
    rows = [{"face_found": False, "problem": "no face found"}]
    assert np.array_equal(draw_faces(image, rows, CLASSES), image)
    assert np.array_equal(draw_faces(image, [], CLASSES), image)


def test_bars_have_the_length_of_the_probabilities_and_hide_no_face() -> None:
    alone = is_colour(draw_faces(grey(480, 640), [row(100, 100, 150)], CLASSES), YELLOW)
    beside = alone[100:250, 256:]  # right of the box
    lengths = [int(line.sum()) for line in beside if line.sum() > 3]
    assert max(lengths) >= 4 * min(lengths) > 0
    neighbours = [row(100, 100, 150), row(260, 100, 150, face=1), row(0, 100, 90, face=2)]
    drawn = draw_faces(grey(480, 640), neighbours, CLASSES)
    inside = drawn[130:240, 270:400]
    assert np.array_equal(inside, np.full_like(inside, 90))


def test_tracks_have_the_colour_of_their_number() -> None:
    one, other = (draw_faces(grey(400, 400), [row(100, 100, 90, face=0, track=n)], CLASSES) for n in (0, 1))
    assert is_colour(one, YELLOW).any() and not is_colour(other, YELLOW).any()


@pytest.mark.parametrize("name", ["au/disfa12", "blendshapes/51"])
def test_values_are_drawn_and_missing_ones_left_out(name: str) -> None:
    space = label_space(name)
    values = dict.fromkeys(space.entries, space.maximum)
    box = {"face": 0, "face_found": True, "face_x": 20, "face_y": 60, "face_width": 100, "face_height": 100}
    full = draw_faces(grey(480, 640), [{**box, **values}], {space.target: space})
    none = draw_faces(grey(480, 640), [{**box, **dict.fromkeys(space.entries)}], {space.target: space})
    empty = draw_faces(grey(480, 640), [box], {space.target: space})
    assert is_colour(full, YELLOW).sum() > is_colour(none, YELLOW).sum() + 100
    assert np.array_equal(none, empty)
