"""Sheets: what is drawn where, in pixels of the photograph or of the input that it is drawn on."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from fer_zoo.core.landmarks import MIRROR
from fer_zoo.evaluation.face_sheets import (
    BOX,
    CROP,
    LEFT,
    OTHER,
    RIGHT,
    SheetFace,
    View,
    class_sheet,
    overview_sheet,
)

GREY = np.full((96, 96, 1), 128, np.uint8)
PHOTOGRAPH = np.full((300, 400, 3), 90, np.uint8)
COLUMNS = ("photograph", "in evaluation", "in training")


def face(**others: object) -> SheetFace:
    whole = SheetFace(notes=("happiness · 0123456789ab",), photograph=PHOTOGRAPH, views=(View(pixels=GREY),) * 2)
    return replace(whole, **others)  # type: ignore[arg-type]  # keywords of SheetFace


def colours(figure: Figure, column: int) -> list[str]:
    (dots,) = figure.axes[column].collections
    return [to_hex(colour) for colour in np.asarray(dots.get_facecolors())]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_points_of_a_view_lie_on_its_pixels_in_the_colour_of_their_side() -> None:
    points = np.array([(20.0, 30.0), (80.0, 31.0), (50.0, 50.0), (np.nan, np.nan), (70.0, 80.0)])
    figure = class_sheet([face(views=(View(pixels=GREY, points=points),))], COLUMNS[:2], title="t")
    axes = figure.axes[1]
    np.testing.assert_array_equal(np.ma.filled(axes.collections[0].get_offsets(), np.nan), points)
    assert axes.images[0].get_extent() == [0, 96, 96, 0]  # the origin is the corner of the first pixel
    assert colours(figure, 1) == [RIGHT, LEFT, OTHER, RIGHT, LEFT]


def test_68_points_exchange_the_colours_of_their_sides_with_a_mirror() -> None:
    points = np.full((68, 2), 40.0)
    drawn = colours(class_sheet([face(views=(View(pixels=GREY, points=points),))], COLUMNS[:2], title="t"), 1)
    other = {RIGHT: LEFT, LEFT: RIGHT, OTHER: OTHER}
    assert [drawn[i] for i in MIRROR] == [other[colour] for colour in drawn]
    assert drawn[17] == RIGHT and drawn.count(RIGHT) == drawn.count(LEFT) == 29


def test_box_and_crop_lie_on_the_photograph_and_a_crop_that_leaves_it_is_shown_whole() -> None:
    crop = np.array([(-100.0, 50.0), (300.0, 50.0), (300.0, 450.0), (-100.0, 450.0)])
    axes = class_sheet([face(box=(120.0, 70.0, 160.0, 161.0), crop=crop)], COLUMNS, title="t").axes[0]
    outlines = {to_hex(patch.get_edgecolor()): patch for patch in axes.patches if isinstance(patch, Polygon)}
    np.testing.assert_array_equal(outlines[CROP].get_xy()[:4], crop)
    np.testing.assert_array_equal(outlines[BOX].get_xy()[[0, 2]], [(120, 70), (280, 231)])
    assert (axes.get_xlim(), axes.get_ylim()) == ((-100, 400), (450, 0))


@pytest.mark.parametrize("size", [(32, 32, 3), (20, 40, 1), (300, 100, 3)])
def test_inputs_are_shown_whole_in_the_middle_of_a_square(size: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 200, size, dtype=np.uint8)
    axes = class_sheet([face(views=(View(pixels=pixels),), photograph=None)], COLUMNS[:2], title="t").axes[1]
    np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), pixels if size[2] == 3 else pixels[:, :, 0])
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert right - left == bottom - top == max(size)
    assert (left + right, top + bottom) == (size[1], size[0])


def test_a_face_without_views_keeps_its_place_and_says_why() -> None:
    lacking = SheetFace(notes=("fear · 0123456789ab",), problem="no face found\nleft out of training")
    figure = class_sheet([lacking, face()], COLUMNS, title="t")
    assert len(figure.axes) == 6 and "no face found\nleft out of training" in words(figure)


def test_an_overview_has_a_line_for_each_class() -> None:
    lacking = SheetFace(notes=(), problem="not an image or cut short\nmore")
    figure = overview_sheet(
        [("first", ("2 samples",), [face(caption="5"), lacking]), ("second", (), [face()])], title="t"
    )
    assert [len(axes.images) for axes in figure.axes] == [1, 0, 1, 0]
    assert words(figure) == ["first", "2 samples", "5", "not an image\nor cut short", "", "second", "", ""]


def test_a_long_note_ends_before_the_next_column() -> None:
    figure = class_sheet([face(notes=("m" * 400,))], COLUMNS, title="t")
    assert max(map(len, words(figure))) < 50
    assert any(text.endswith("m…") for text in words(figure))
