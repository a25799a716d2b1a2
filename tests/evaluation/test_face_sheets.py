"""Sheets are measured: where a dot, a box or a crop comes to lie is compared with where it must."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from fer_zoo.core.errors import UserError
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
    save_sheet,
)

GREY = np.full((96, 96, 1), 128, np.uint8)
PHOTOGRAPH = np.full((300, 400, 3), 90, np.uint8)
COLUMNS = ("photograph", "in evaluation", "in training")
# With inputs of 96 pixels: cells of 192, a photograph of 269 x 192, the first line below title, legend and headings.
SIDE, WIDE, LEFT_EDGE, GAP = 192, 269, 16, 8
VIEW = LEFT_EDGE + WIDE + GAP


def place(picture: Image.Image, colour: str, left: int = 0) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the pixels of a colour, right of a column, below the legend; edges at +1."""
    pixels = np.asarray(picture)
    found = (pixels == ImageColor.getrgb(colour)).all(axis=2)
    found[:57] = False
    found[:, :left] = False
    y, x = np.nonzero(found)
    return float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1)


def top_of_cells(picture: Image.Image) -> int:
    """The first row of the first view, which is grey 128."""
    return int(np.flatnonzero((np.asarray(picture)[:, VIEW + 5] == 128).all(axis=1))[0])


def face(**others: object) -> SheetFace:
    whole = SheetFace(notes=("happiness · 0123456789ab",), photograph=PHOTOGRAPH, views=(View(pixels=GREY),) * 2)
    return replace(whole, **others)  # type: ignore[arg-type]  # keywords of SheetFace


def test_points_of_a_view_lie_where_its_pixels_are_shown() -> None:
    points = np.array([(20.0, 30.0), (80.0, 31.0), (50.0, 50.0), (np.nan, np.nan), (70.0, 80.0)])
    picture = class_sheet([face(views=(View(pixels=GREY, points=points),))], COLUMNS[:2], title="t")
    top = top_of_cells(picture)
    left, upper, right, lower = place(picture, RIGHT, VIEW)
    assert ((left + right) / 2 - VIEW, (upper + lower) / 2 - top) == pytest.approx((40, 60), abs=0.6)  # twice as large
    left, upper, right, lower = place(picture, LEFT, VIEW)
    assert (left - VIEW, right - VIEW) == pytest.approx((140, 160), abs=3)  # left eye and left corner of the mouth
    assert (upper - top, lower - top) == pytest.approx((62, 160), abs=3)
    left, upper, right, lower = place(picture, OTHER, VIEW)
    assert np.isfinite((left, upper, right, lower)).all()


def test_68_points_have_the_colours_of_their_sides_and_exchange_them_with_a_mirror() -> None:
    x, y = np.meshgrid(np.linspace(5, 90, 9), np.linspace(5, 90, 8))
    points = np.stack([x.ravel(), y.ravel()], axis=1)[:68]

    def counts(given: np.ndarray) -> tuple[int, int]:
        pixels = np.asarray(class_sheet([face(views=(View(pixels=GREY, points=given),))], COLUMNS[:2], title="t"))
        cell = pixels[57:, VIEW:]
        return tuple(int((cell == ImageColor.getrgb(colour)).all(axis=2).sum()) for colour in (RIGHT, LEFT))  # type: ignore[return-value]  # two

    right, left = counts(points)
    assert right == left > 29 * 5
    only_right_brow = np.full((68, 2), np.nan)
    only_right_brow[17] = (40, 40)
    assert counts(only_right_brow)[1] == 0 < counts(only_right_brow)[0]
    assert counts(only_right_brow[list(MIRROR)])[0] == 0 < counts(only_right_brow[list(MIRROR)])[1]


def test_box_and_crop_lie_on_the_photograph_in_proportion() -> None:
    crop = np.array([(100.0, 50.0), (300.0, 50.0), (300.0, 250.0), (100.0, 250.0)])
    picture = class_sheet([face(box=(120.0, 70.0, 160.0, 160.0), crop=crop)], COLUMNS, title="t")
    scale = (SIDE - 4) / 300  # height bounds
    shift_x, shift_y = LEFT_EDGE + WIDE / 2 - 200 * scale, top_of_cells(picture) + SIDE / 2 - 150 * scale
    expected = np.array([100, 50, 300, 250]) * scale + (shift_x, shift_y) * 2
    assert place(picture, CROP) == pytest.approx(tuple(expected), abs=2)
    expected = np.array([120, 70, 280, 230]) * scale + (shift_x, shift_y) * 2
    assert place(picture, BOX) == pytest.approx(tuple(expected), abs=2)


def test_a_crop_that_leaves_the_photograph_is_shown_whole() -> None:
    crop = np.array([(-300.0, 0.0), (300.0, 0.0), (300.0, 600.0), (-300.0, 600.0)])
    picture = class_sheet([face(crop=crop)], COLUMNS, title="t")
    left, top, right, bottom = place(picture, CROP)
    assert right - left == pytest.approx(bottom - top, abs=2)
    assert LEFT_EDGE <= left < right <= LEFT_EDGE + WIDE


@pytest.mark.parametrize(("size", "shown"), [(32, 192), (64, 192), (96, 192), (112, 224), (224, 224), (384, 256)])
def test_small_inputs_are_shown_in_whole_multiples_and_large_ones_reduced(size: int, shown: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 200, (size, size, 3), dtype=np.uint8)
    picture = class_sheet([face(views=(View(pixels=pixels),), photograph=None)], COLUMNS[:2], title="t")
    left = LEFT_EDGE + round(1.4 * shown) + GAP
    assert picture.width == left + shown + LEFT_EDGE
    if size <= 256:
        cells = np.asarray(picture)[:, left : left + shown]
        repeated = pixels.repeat(shown // size, axis=0).repeat(shown // size, axis=1)
        top = int(np.flatnonzero((cells[:, 0] == repeated[0, 0]).all(axis=1))[0])
        np.testing.assert_array_equal(cells[top : top + shown], repeated)


def test_a_face_without_views_keeps_its_place_and_says_why() -> None:
    lacking = SheetFace(notes=("fear · 0123456789ab",), problem="no face found\nleft out of training")
    sheets = [class_sheet([first, face()], COLUMNS, title="t") for first in (lacking, face())]
    assert sheets[0].size == sheets[1].size
    cell = np.asarray(sheets[0])[150:300, VIEW:]
    assert (cell < 128).any() and (cell > 200).any()  # letters on a pale ground
    assert class_sheet([lacking], COLUMNS, title="t").height > 200


def test_an_overview_has_a_line_for_each_class() -> None:
    red = View(pixels=np.full((32, 32, 3), (250, 0, 0), np.uint8))
    blue = View(pixels=np.full((32, 32, 3), (0, 0, 250), np.uint8))
    lacking = SheetFace(notes=(), problem="not an image or cut short\nmore")
    picture = overview_sheet(
        [("first", ("2 samples",), [face(views=(red,)), lacking]), ("second", (), [face(views=(blue,))])], title="t"
    )
    assert place(picture, "#fa0000")[3] <= place(picture, "#0000fa")[1]
    assert place(picture, "#fa0000")[0] == place(picture, "#0000fa")[0]
    right, bottom = place(picture, "#fa0000")[2:]
    assert (right - place(picture, "#fa0000")[0], bottom - place(picture, "#fa0000")[1]) == (96, 96)


def test_a_long_note_ends_before_the_next_column() -> None:
    picture = class_sheet([face(notes=("m" * 400,))], COLUMNS, title="t")
    below = np.asarray(picture)[top_of_cells(picture) + SIDE + 2 :, LEFT_EDGE + WIDE : VIEW]
    assert (below == 255).all()


def test_a_sheet_is_written_whole_and_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    picture = class_sheet([face()], COLUMNS, title="Überraschung, удивление, έκπληξη")
    save_sheet(tmp_path / "new" / "sheet.png", picture)
    with Image.open(tmp_path / "new" / "sheet.png") as written:
        np.testing.assert_array_equal(np.asarray(written), np.asarray(picture))
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot write"):
        save_sheet(tmp_path / "file" / "sheet.png", picture)
