"""Landmarks of other programs, written as those write them: what comes out, where it belongs, what is told."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes.fake import write_image
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.data.face_tables import FaceTable, five_points
from fer_zoo.data.image_sources import FaceImages, UnreadableImage, known_points
from fer_zoo.data.landmark_files import face_sheet, faces_sha256, landmarks_of
from fer_zoo.data.open import open_dataset

ALIGNED = InputSpec(height=32, width=32, alignment="five_points")
SIZE = (200, 100)
POINTS = np.random.default_rng(0).uniform(20, 80, (68, 2))


def pts(points: np.ndarray = POINTS, *, head: str = "version: 1\nn_points: 68\n") -> str:
    """As iBUG writes it: the middle of the top-left pixel is (1, 1)."""
    return head + "{\n" + "\n".join(f"{x + 0.5:.6f} {y + 0.5:.6f}" for x, y in points) + "\n}\n"


def openface(rows: list[dict[str, Any]], path: Path) -> Path:
    """As OpenFace writes it: a blank before each name, all x before all y, and much else."""
    table = pd.DataFrame(rows)
    names = [name for name in ("frame", "face", "face_id", "timestamp", "confidence", "success") if name in table]
    points = [f"{axis}_{number}" for axis in "xy" for number in range(68)]
    others = ["gaze_0_x", "eye_lmk_x_0", "X_0", "AU12_r"]
    table = table.reindex(columns=[*names, *others[:2], *points, *others[2:]]).fillna(0.0).astype(object)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(", ".join(table.columns) + "\n" + "".join(", ".join(map(str, row)) + "\n" for row in table.values))
    return path


def face(points: np.ndarray = POINTS, **others: Any) -> dict[str, Any]:
    columns = {f"{axis}_{number}": points[number, "xy".index(axis)] for number in range(68) for axis in "xy"}
    return {"confidence": 0.9, **others, **columns}


def points_in(sheet: Any) -> np.ndarray:
    return np.asarray(sheet.table[list(LANDMARK_COLUMNS)], np.float64).reshape(-1, 68, 2)


def test_a_pts_file_loses_half_a_pixel(tmp_path: Path) -> None:
    (tmp_path / "a.pts").write_text(pts())
    sheet = face_sheet(tmp_path / "a.pts", said="boxes=a.pts")
    assert list(sheet.table["file"]) == ["a"]
    np.testing.assert_allclose(points_in(sheet)[0], POINTS, atol=1e-5)
    corner = np.full((68, 2), 0.5)  # the middle of the top-left pixel here
    (tmp_path / "b.PTS").write_text("VERSION: 1.0\r\nn_points:  68\r\n{\r\n" + "1 1\r\n" * 68 + "}")
    np.testing.assert_array_equal(points_in(face_sheet(tmp_path / "b.PTS", said="x"))[0], corner)


def test_a_folder_of_pts_files_serves_predict(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b.c", "deep/d")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.pts").write_text(pts(POINTS + number))
    table = FaceTable(tmp_path, ALIGNED)
    for number, file in enumerate(("photos/a.jpg", "b.c.png", "x/d.jpg")):
        ((found,), problems) = table.faces(file, None, SIZE)
        assert problems == () and found.points is not None
        np.testing.assert_allclose(found.points, five_points(POINTS + number), atol=1e-5)
    assert table.faces("e.jpg", None, SIZE) == ([], (f"no row in {tmp_path}",))


def test_openface_of_a_video_counts_frames_from_one_and_forgets_failures(tmp_path: Path) -> None:
    rows = [face(frame=1, success=1), face(POINTS * 0, frame=2, success=0), face(POINTS + 3, frame=3, success=1)]
    table = FaceTable(openface(rows, tmp_path / "clip.csv"), ALIGNED)
    assert table.check([], ["clip.mp4"]) == []
    ((first,), _) = table.faces("clip.mp4", 0, SIZE)
    assert first.face.score == 0.9 and first.points is not None
    np.testing.assert_allclose(first.points, five_points(POINTS))
    assert table.faces("clip.mp4", 1, SIZE) == ([], ("no face found",))
    assert len(table.faces("clip.mp4", 2, SIZE)[0]) == 1
    assert table.faces("clip.mp4", 3, SIZE)[1] == (f"no row in {table.name}",)


def test_openface_of_photographs_has_several_faces_and_no_frame(tmp_path: Path) -> None:
    openface([face(face=0), face(POINTS + 60, face=1)], tmp_path / "of" / "a.csv")
    openface([face(face=0)], tmp_path / "of" / "b.csv")
    table = FaceTable(tmp_path / "of", ALIGNED)
    assert [len(table.faces(file, None, SIZE)[0]) for file in ("a.jpg", "b.jpg")] == [2, 1]


def test_a_table_with_success_forgets_failures_too(tmp_path: Path) -> None:
    rows = [{"file": "a.jpg", "success": 1, **face()}, {"file": "b.jpg", "success": 0, **face(POINTS * 0)}]
    for name in ("t.csv", "t.parquet"):
        write: Callable[..., Any] = getattr(pd.DataFrame(rows), f"to_{name[2:]}")
        write(tmp_path / name, index=False)
        table = FaceTable(tmp_path / name, ALIGNED)
        assert len(table.faces("a.jpg", None, SIZE)[0]) == 1
        assert table.faces("b.jpg", None, SIZE) == ([], ("no face found",))


@pytest.mark.parametrize("column", ["file", "path", "image"])
def test_a_plain_table_may_have_short_names(tmp_path: Path, column: str) -> None:
    row = {f"{axis}{number}": POINTS[number, "xy".index(axis)] for axis in "xy" for number in range(68)}
    pd.DataFrame([{column: "a.jpg", **row}]).to_csv(tmp_path / "t.csv", index=False)
    ((found,), _) = FaceTable(tmp_path / "t.csv", ALIGNED).faces("a.jpg", None, SIZE)
    assert found.points is not None
    np.testing.assert_allclose(found.points, five_points(POINTS))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no .pts file"),
        ("\x00\x01", "is no .pts file"),
        (pts(POINTS[:67]), "has 67 points and says 68; 68 are needed"),
        (pts(head="version: 1\nn_points: 67\n"), "has 68 points and says 67"),
        (pts().replace("\n}", ""), "is no .pts file"),
        (pts() + pts(), "is no .pts file"),
        (pts().replace("{\n", "{\n1 ", 1), "a point that is not two numbers"),
        (pts(np.full((68, 2), math.nan)), "a point that is not two numbers"),
        (pts().replace(".", ",", 1).replace("{", "{ ", 1).replace(",", "x", 1), "a point that is not two numbers"),
    ],
)
def test_bad_pts_files_are_told(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "Someone.pts").write_text(text)
    with pytest.raises(UserError, match=sentence) as caught:
        face_sheet(tmp_path, said="boxes=pts")
    assert str(caught.value).startswith("boxes=pts, file 1 of 1") and "Someone" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda row: row.pop("x_5"), None),
        (lambda row: row.update(x_5="left"), "x_5 is 'left', which is not a number"),
        (lambda row: row.update(success=2), "success is '2'; 0 or 1 is expected"),
        (lambda row: row.update(frame=0), "frame is '0'; OpenFace counts whole numbers from 1"),
        (lambda row: row.update(frame=1), "has a frame twice with the same face_id"),
        (lambda row: row.update(confidence="high"), "confidence is 'high', which is not a number"),
    ],
)
def test_bad_openface_tables_are_told(tmp_path: Path, change: Callable[[Any], None], sentence: str | None) -> None:
    row = face(frame=2, face_id=0, success=1)
    change(row)
    path = openface([face(frame=1, face_id=0, success=1), row], tmp_path / "clip.csv")
    if sentence is None:  # the column itself
        path.write_text(path.read_text().replace(" x_5,", " x_five,", 1))
        sentence = "lacks 1 of the columns x_0 … y_67, as x_5: run OpenFace with -2Dfp"
    with pytest.raises(UserError, match=sentence):
        face_sheet(path, said="boxes=clip.csv")


def test_the_checksum_of_a_folder_sees_names_and_contents(tmp_path: Path) -> None:
    sums = []
    (tmp_path / "a.pts").write_text(pts())
    sums.append(faces_sha256(tmp_path))
    (tmp_path / "notes.txt").write_text("no landmarks")
    assert faces_sha256(tmp_path) == sums[0]
    (tmp_path / "a.pts").rename(tmp_path / "b.pts")
    sums.append(faces_sha256(tmp_path))
    (tmp_path / "b.pts").write_text(pts(POINTS + 1))
    sums += [faces_sha256(tmp_path), faces_sha256(tmp_path / "b.pts")]
    assert len(set(sums)) == len(sums)


def test_bad_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must be a folder of \.pts files or of OpenFace's \.csv files, found neither"):
        face_sheet(tmp_path, said="boxes=x")
    (tmp_path / "a.pts").write_text(pts())
    (tmp_path / "a.csv").write_text("file\na\n")
    with pytest.raises(UserError, match=r"found \.csv and \.pts"):
        face_sheet(tmp_path, said="boxes=x")
    (tmp_path / "a.pts").unlink()
    with pytest.raises(UserError, match="has no column 'confidence'"):
        face_sheet(tmp_path, said="boxes=x")
    with pytest.raises(UserError, match="cannot be read as"):
        face_sheet(tmp_path / "none.pts", said="boxes=none.pts")


@given(st.text("version:n_points{}0123456789. -einfax\n\r\t", max_size=120) | st.binary(max_size=80))
def test_any_text_is_landmarks_or_one_sentence(tmp_path_factory: pytest.TempPathFactory, text: str | bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    content = text if isinstance(text, bytes) else text.encode()
    for name in ("a.pts", "a.csv"):
        (folder / name).write_bytes(content)
        with pytest.raises(UserError) as caught:
            FaceTable(folder / name, ALIGNED)
        assert "\n" not in str(caught.value)


@given(
    st.lists(st.tuples(st.integers(0, 134), st.sampled_from(["", "-1", "1e400", "nan", "0x1", "1,5", "é"])), max_size=3)
)
def test_any_damage_of_a_number_is_a_point_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, str]]
) -> None:
    words = pts().split(" ")
    for place, word in damage:
        words[4 + place % (len(words) - 6)] = word
    path = tmp_path_factory.mktemp("any") / "a.pts"
    path.write_text(" ".join(words))
    try:
        assert np.isfinite(points_in(face_sheet(path, said="x"))).all()
    except UserError as error:
        assert "\n" not in str(error)


def faces_folder(root: Path) -> Path:
    for number, name in enumerate(("anger/p_1.jpg", "anger/q_1.jpg", "fear/p_1.jpg", "fear/r_2.jpg")):
        write_image(root / name, number)
    return root


def test_landmarks_meet_images_by_path_and_else_by_name(tmp_path: Path) -> None:
    root = faces_folder(tmp_path / "faces")
    for number, name in enumerate(("anger/p_1", "fear/p_1", "r_2")):
        (tmp_path / "pts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pts" / f"{name}.pts").write_text(pts(POINTS + number))
    index = open_dataset("image_folder", root, label_space="emotion/basic6", landmarks=str(tmp_path / "pts"))
    known = known_points(index)
    assert known is not None and known.shape == (4, 68, 2)
    row = dict(zip(index.table["image"], range(4), strict=True))
    for number, image in enumerate(("anger/p_1.jpg", "fear/p_1.jpg", "fear/r_2.jpg")):
        np.testing.assert_allclose(known[row[image]], POINTS + number, atol=1e-5)
    assert np.isnan(known[row["anger/q_1.jpg"]]).all()
    assert index.noted("no points") == (index.ids[row["anger/q_1.jpg"]],)
    images = FaceImages(index, ALIGNED)
    assert images.read(row["fear/r_2.jpg"]).shape == (32, 32, 3)
    with pytest.raises(UnreadableImage):
        images.read(row["anger/q_1.jpg"])


def test_a_name_of_two_images_is_told_by_id(tmp_path: Path) -> None:
    root = faces_folder(tmp_path / "faces")
    (tmp_path / "p_1.pts").write_text(pts())
    with pytest.raises(UserError, match=r"has one name for 2 images, as [0-9a-f]{12}: write their paths"):
        open_dataset("image_folder", root, label_space="emotion/basic6", landmarks=str(tmp_path / "p_1.pts"))
    (tmp_path / "p_1.pts").rename(tmp_path / "other.pts")
    with pytest.raises(UserError, match="has no row for any of the 4 images"):
        open_dataset("image_folder", root, label_space="emotion/basic6", landmarks=str(tmp_path / "other.pts"))


def test_a_table_takes_landmarks_below_its_root(tmp_path: Path) -> None:
    root = faces_folder(tmp_path)
    (root / "t.csv").write_text("path,label\nanger/p_1.jpg,anger\nfear/r_2.jpg,fear\n")
    openface([face(face=0), face(POINTS * 2, face=1)], root / "of" / "r_2.csv")
    index = open_dataset("table", root, file="t.csv", label_column="label", landmarks="of")
    known = known_points(index)
    assert known is not None and np.isnan(known[0]).all()
    np.testing.assert_allclose(known[1], POINTS * 2)  # the larger face
    with pytest.raises(UserError, match=r"dataset\.faces and dataset\.landmarks both say"):
        open_dataset("table", root, file="t.csv", label_column="label", landmarks="of", faces=True)


def test_landmarks_may_be_known_by_id_but_not_by_frame(tmp_path: Path) -> None:
    row = dict(zip(LANDMARK_COLUMNS, POINTS.ravel(), strict=True))
    pd.DataFrame([{"id": "0123456789ab", **row}]).to_csv(tmp_path / "t.csv", index=False)
    sheet = face_sheet(tmp_path / "t.csv", said="x")
    found = landmarks_of(["a.jpg", "b.jpg"], ["0123456789aa", "0123456789ab"], sheet, said="x")
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], POINTS)
    clip = face_sheet(openface([face(frame=1, success=1)], tmp_path / "a.csv"), said="x")
    with pytest.raises(UserError, match="has frames of videos"):
        landmarks_of(["a.jpg"], ["0123456789aa"], clip, said="x")
    pd.DataFrame([{"file": "a.jpg", "x_0": 1}]).to_csv(tmp_path / "u.csv", index=False)
    with pytest.raises(UserError, match="lacks columns of 68 points"):
        landmarks_of(["a.jpg"], ["0123456789aa"], face_sheet(tmp_path / "u.csv", said="x"), said="x")
