"""Boxes of an index: found once, joined by id, missing where no face is, and counted."""

from pathlib import Path

import numpy as np
import pytest
from fakes.pictures import drawn_face, picture_index
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.data import boxes as boxes_module
from fer_zoo.data.boxes import index_with_boxes, rows_without_face
from fer_zoo.data.image_sources import BOX_COLUMNS
from fer_zoo.data.index import Index


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Row 0 holds one face, row 1 a large and a small one, row 2 none, row 3 is unreadable, row 4 holds one face."""
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path / "cache"))
    index = picture_index(tmp_path, 5, is_cropped=False)
    pictures = [np.full((150, 300, 3), 150, np.uint8) for _ in range(5)]
    pictures[0][20:120, 40:140] = drawn_face(100)
    pictures[1][40:100, 10:70] = drawn_face(60)
    pictures[1][20:140, 150:270] = drawn_face(120)
    pictures[4][30:110, 200:280] = drawn_face(80)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"picture_{i}.png")
    (tmp_path / "picture_3.png").write_bytes(b"")
    return index


def test_each_row_gets_the_box_of_its_largest_face(photographs: Index) -> None:
    index, misses = index_with_boxes(photographs, progress=False)
    left, top, width, height = index.table[list(BOX_COLUMNS)].to_numpy().T
    centres = np.column_stack([left + width / 2, top + height / 2])
    for row, centre in {0: (90, 70), 1: (210, 80), 4: (240, 70)}.items():
        assert np.abs(centres[row] - centre).max() < 12
    assert rows_without_face(index).tolist() == [2, 3]
    assert misses == pytest.approx(1 / 4)  # of the images that can be read
    assert index.ids == photographs.ids
    assert index.fingerprint() == photographs.fingerprint()


def test_detection_runs_once_and_is_joined_by_id(photographs: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    first, misses = index_with_boxes(photographs, progress=False)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("detected again")

    monkeypatch.setattr(boxes_module, "_detect_all", never)
    again, same_misses = index_with_boxes(photographs, progress=True)
    assert again.table.equals(first.table)
    assert same_misses == misses


def test_changed_images_are_looked_at_again(photographs: Index) -> None:
    index_with_boxes(photographs, progress=False)
    Image.fromarray(drawn_face(140)).save(photographs.root / "picture_2.png")
    index, misses = index_with_boxes(photographs, progress=False)
    assert rows_without_face(index).tolist() == [3]
    assert misses == 0


def test_boxes_that_are_given_stay(photographs: Index) -> None:
    table = photographs.table.assign(box_left=[1.0, 2.0, np.nan, 3.0, 4.0], box_top=0.0, box_width=9.0, box_height=9.0)
    given = Index("fake", photographs.root, table, photographs.label_spaces)
    index, misses = index_with_boxes(given, progress=False)
    assert index is given
    assert misses == pytest.approx(1 / 5)


def test_a_cropped_set_has_no_row_without_a_face(photographs: Index) -> None:
    table = photographs.table.assign(**dict.fromkeys(BOX_COLUMNS, np.nan))
    cropped = Index("fake", photographs.root, table, photographs.label_spaces, is_cropped=True)
    assert rows_without_face(cropped).size == 0
    assert rows_without_face(photographs).size == 0  # nobody has looked yet


def test_an_unknown_detector_fails_before_any_image_is_read(photographs: Index) -> None:
    with pytest.raises(UserError, match="No detector is named 'mtcnn'"):
        index_with_boxes(photographs, "mtcnn", progress=False)


def test_damaged_boxes_are_found_anew(photographs: Index) -> None:
    first, _ = index_with_boxes(photographs, progress=False)
    stored = next((photographs.root / "cache" / "boxes").glob("*.parquet"))
    stored.write_bytes(stored.read_bytes()[:100])
    again, _ = index_with_boxes(photographs, progress=False)
    assert again.table.equals(first.table)
