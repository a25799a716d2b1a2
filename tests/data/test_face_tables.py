"""Boxes and landmarks of the user's own: how files and frames are found, and what is told of bad tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.landmarks import FIVE_POINTS, LANDMARK_COLUMNS, LANDMARK_GROUPS
from fer_zoo.data.face_tables import BOXES, OPENFACE_COLUMNS, FaceTable, five_points
from fer_zoo.data.image_sources import POINT_COLUMNS

CROPS = InputSpec(height=32, width=32)
POINTS = InputSpec(height=32, width=32, alignment="five_points")
SIZE = (200, 100)


def box(file: str, left: Any = 10, top: Any = 20, width: Any = 30, height: Any = 40, **others: Any) -> dict[str, Any]:
    return {"file": file, **dict(zip(BOXES, (left, top, width, height), strict=True)), **others}


def written(folder: Path, rows: list[dict[str, Any]], suffix: str = ".csv") -> Path:
    path = folder / f"boxes{suffix}"
    table = pd.DataFrame(rows)
    if suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_faces_come_from_left_to_right_by_file_and_frame(tmp_path: Path, suffix: str) -> None:
    rows = [box("a.jpg", left, face_score=2.5) for left in (90, 5)]
    rows += [box("clip.mp4", 7, frame=n) for n in (0, 3)] + [box("clip.mp4", None, None, None, None, frame=6)]
    table = FaceTable(written(tmp_path, rows, suffix), CROPS)
    faces, problems = table.faces("a.jpg", None, SIZE)
    assert [given.face.left for given in faces] == [5, 90]
    assert [given.points for given in faces] == [None, None] and problems == ()
    assert faces[0].face[1:] == (20, 30, 40, 2.5)
    assert np.isnan(table.faces("clip.mp4", 3, SIZE)[0][0].face.score)
    assert table.faces("clip.mp4", 6, SIZE) == ([], ("no face found",))
    assert table.faces("clip.mp4", 1, SIZE) == ([], (f"no row in {table.name}",))
    assert table.faces("other.jpg", None, SIZE) == ([], (f"no row in {table.name}",))


def test_files_are_found_by_path_and_else_by_name(tmp_path: Path) -> None:
    rows = [box("photos/a.jpg", 1), box("./b.jpg", 2), box(r"C:\photos\c.jpg", 3), box("x/d.jpg", 4), box("y/d.jpg", 5)]
    table = FaceTable(written(tmp_path, rows), CROPS)
    asked = {"photos/a.jpg": 1, "deep/b.jpg": 2, "/some/c.jpg": 3, "y/d.jpg": 5}
    assert {file: table.faces(file, None, SIZE)[0][0].face.left for file in asked} == asked
    with pytest.raises(UserError, match=r"has several files of the name d\.jpg, as x/d\.jpg and y/d\.jpg"):
        table.faces("z/d.jpg", None, SIZE)
    with pytest.raises(UserError, match=r"has one file, b\.jpg, for deep/b\.jpg and other/b\.jpg"):
        table.faces("other/b.jpg", None, SIZE)


def test_what_does_not_meet_is_counted(tmp_path: Path) -> None:
    rows = [box("a.jpg"), box("a.jpg", 50), box("b.jpg"), box("c.jpg"), box("c.jpg")]
    table = FaceTable(written(tmp_path, rows), CROPS)
    assert table.check(["a.jpg", "b.jpg", "c.jpg"], []) == []
    told = table.check(["a.jpg", "d.jpg", "e.jpg"], [])
    assert told == [
        f"3 rows of {table.name} are of files that were not asked for",
        f"2 of 3 files have no row in {table.name}",
    ]
    with pytest.raises(UserError, match=r"has no row for any of the files: its first file is 'a\.jpg', the first"):
        table.check(["d.jpg"], [])


def test_a_video_needs_frames(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs the column frame, a number from 0, in every row of clip\.mp4"):
        FaceTable(written(tmp_path, [box("clip.mp4")]), CROPS).check([], ["clip.mp4"])
    rows = [box("clip.mp4", frame=0), {"file": "clip.mp4", "problem": "unreadable after frame 0: cut off"}]
    assert FaceTable(written(tmp_path, rows), CROPS).check([], ["clip.mp4"]) == []


@pytest.mark.parametrize(
    ("numbers", "problem"),
    [
        ((10, 20, 0, 40), "the box of the face has no area"),
        ((10, 20, 30, -4), "the box of the face has no area"),
        ((200, 20, 30, 40), "the box of the face lies outside the image"),
        ((-30, 20, 30, 40), "the box of the face lies outside the image"),
        ((10, 100, 30, 40), "the box of the face lies outside the image"),
        ((10, -41, 30, 40), "the box of the face lies outside the image"),
        ((10, 20, 3000, 40), "the face is far larger than the image"),
        ((10, None, 30, 40), "numbers of the face are missing"),
        ((None, None, None, None), "no face found"),
    ],
)
def test_bad_boxes_are_told_beside_the_good_ones(tmp_path: Path, numbers: tuple[Any, ...], problem: str) -> None:
    table = FaceTable(written(tmp_path, [box("a.jpg"), box("a.jpg", *numbers)]), CROPS)
    faces, problems = table.faces("a.jpg", None, SIZE)
    assert len(faces) == 1 and problems == (problem,)


quarters = st.integers(-1200, 1200).map(lambda number: number / 4)


@given(shift=st.tuples(quarters, quarters), size=st.tuples(quarters, quarters))
def test_a_box_is_taken_exactly_where_it_shares_area_with_the_image(
    tmp_path_factory: pytest.TempPathFactory, shift: tuple[float, float], size: tuple[float, float]
) -> None:
    table = FaceTable(written(tmp_path_factory.mktemp("boxes"), [box("a.jpg", *shift, *size)]), CROPS)
    shared = [min(start + length, end) - max(start, 0) for start, length, end in zip(shift, size, SIZE, strict=True)]
    assert bool(table.faces("a.jpg", None, SIZE)[0]) == (min(*shared, *size) > 0)


@pytest.mark.parametrize("names", [LANDMARK_COLUMNS, OPENFACE_COLUMNS, POINT_COLUMNS])
def test_points_take_the_place_of_boxes(tmp_path: Path, names: tuple[str, ...]) -> None:
    points = np.random.default_rng(0).uniform(20, 80, (len(names) // 2, 2))
    row = {"file": "a.jpg", **{f" {name}": value for name, value in zip(names, points.ravel(), strict=True)}}
    table = FaceTable(written(tmp_path, [row]), POINTS)
    ((given_face,), _) = table.faces("a.jpg", None, SIZE)
    expected = points if len(points) == 5 else five_points(points)
    np.testing.assert_allclose(given_face.points, expected)
    np.testing.assert_allclose(given_face.face[:4], [*points.min(axis=0), *np.ptp(points, axis=0)])
    with pytest.raises(UserError, match="has no column 'face_x'"):
        FaceTable(written(tmp_path, [row]), CROPS)


def test_five_of_68_points_are_the_middles_of_the_eyes_nose_and_mouth() -> None:
    points = np.arange(136, dtype=float).reshape(68, 2)
    five = dict(zip(FIVE_POINTS, five_points(points), strict=True))
    for eye in ("right_eye", "left_eye"):
        np.testing.assert_array_equal(five[eye], np.mean([points[i] for i in LANDMARK_GROUPS[eye]], axis=0))
    np.testing.assert_array_equal(five["nose_tip"], points[30])
    np.testing.assert_array_equal([five["right_mouth_corner"], five["left_mouth_corner"]], points[[48, 54]])


def test_points_that_lack_or_coincide_are_told(tmp_path: Path) -> None:
    rows = [{"file": "a.jpg", **dict.fromkeys(POINT_COLUMNS, 30.0)}, {"file": "b.jpg", "nose_tip_x": 3.0}]
    rows.append({"file": "c.jpg"})
    table = FaceTable(written(tmp_path, rows), POINTS)
    told = [table.faces(f"{name}.jpg", None, SIZE)[1] for name in "abc"]
    assert told == [("the points of the face coincide",), ("numbers of the face are missing",), ("no face found",)]


@pytest.mark.parametrize(
    ("spec", "rows", "sentence"),
    [
        (CROPS, [{"photo": "a.jpg"}], r"has no column 'file'\. It has: photo"),
        (
            CROPS,
            [{"file": "a.jpg", "face_x": 1, "face_y": 1, "face_widht": 1}],
            r"no column 'face_width'\. Did you mean",
        ),
        (CROPS, [box("a.jpg"), box("a.jpg", "12px")], r"row 3: face_x is '12px', which is not a number"),
        (CROPS, [box("a.jpg", frame=1.5)], r"row 2: frame 1\.5 is no whole number from 0"),
        (CROPS, [box("a.jpg", frame=-1)], r"row 2: frame -1 is no whole number from 0"),
        (POINTS, [box("a.jpg")], r"aligns faces by five points, which .* lacks: it needs the columns right_eye_x"),
    ],
)
def test_bad_tables_are_told(tmp_path: Path, spec: InputSpec, rows: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        FaceTable(written(tmp_path, rows), spec)


def test_files_that_are_no_tables_are_told(tmp_path: Path) -> None:
    for name, content, sentence in (
        ("missing.csv", None, "is not there"),
        ("boxes.xlsx", b"", r"must end in \.csv, \.tsv or \.parquet"),
        ("empty.csv", b"", "cannot be read as csv"),
        ("bytes.csv", b"file\n\xff\xfe", "cannot be read as csv"),
        ("text.parquet", b"file", "cannot be read as parquet"),
        ("twice.csv", b"file, file\na,b\n", "has two columns of one name"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=sentence):
            FaceTable(tmp_path / name, CROPS)
