"""Predictions on videos: a row for every face and frame, tracks, tables of boxes, and where a video breaks off."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes.pictures import drawn_face
from fakes.videos import faces_on_ground, textures, write
from PIL import Image

import fer_zoo
from fer_zoo.core.errors import UserError
from fer_zoo.data.face_tables import FaceTable
from fer_zoo.data.image_sources import POINT_COLUMNS
from fer_zoo.data.video import Video
from fer_zoo.engine.create import create_method
from fer_zoo.engine.predict import Predictor, Resume
from fer_zoo.tasks.face_task import FaceTask

PLACES = ((10, 20), (130, 20))
NUMBER = 14


@pytest.fixture(scope="module")
def task() -> FaceTask:
    return create_method("timm_classifier", backbone="resnet10t", image_size=32, seed=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two faces in each of 14 frames."""
    return write(tmp_path_factory.mktemp("clip") / "clip.mp4", faces_on_ground(NUMBER, PLACES))


@pytest.fixture(scope="module")
def whole(task: FaceTask, clip: Path) -> pd.DataFrame:
    return Predictor(task, device="cpu", track=True).table([clip])


def outputs(table: pd.DataFrame) -> pd.DataFrame:
    return table.filter(regex="^(face_|emotion|prob_)").reset_index(drop=True)


def test_a_row_for_every_face_and_frame(whole: pd.DataFrame, clip: Path) -> None:
    assert len(whole) == 2 * NUMBER
    assert whole["file"].unique().tolist() == [str(clip)]
    assert whole["frame"].tolist() == [n for n in range(NUMBER) for _ in PLACES]
    assert whole["face"].tolist() == whole["track"].tolist() == [0, 1] * NUMBER
    np.testing.assert_allclose(whole["seconds"], whole["frame"] / 30, atol=1e-4)
    assert (whole["face_x"].to_numpy().reshape(-1, 2)[:, 0] < whole["face_x"].to_numpy().reshape(-1, 2)[:, 1]).all()
    assert whole["face_found"].all() and (whole["problem"] == "").all()
    assert [str(whole[name].dtype) for name in ("frame", "face", "track")] == ["Int64"] * 3


def test_frames_and_single_pictures_agree(task: FaceTask, whole: pd.DataFrame, clip: Path, tmp_path: Path) -> None:
    """A frame as part of a video, as an array and as a file has the same row, but for how it is called."""
    predictor = Predictor(task, device="cpu")
    for number in (0, 6, NUMBER - 1):
        image = Video(clip).frame(number).image
        Image.fromarray(image).save(tmp_path / "frame.png")
        of_video = outputs(whole[whole["frame"] == number])
        assert outputs(predictor.table([image])).equals(of_video)
        assert outputs(predictor.table([tmp_path / "frame.png"])).equals(of_video)


def test_every_nth_frame(task: FaceTask, whole: pd.DataFrame, clip: Path) -> None:
    table = fer_zoo.predict(clip, task, every=5)
    assert table["frame"].tolist() == [0, 0, 5, 5, 10, 10]
    assert outputs(table).equals(outputs(whole[whole["frame"] % 5 == 0]))
    assert "track" not in table


def test_photographs_and_videos_go_together(task: FaceTask, clip: Path, tmp_path: Path) -> None:
    Image.fromarray(drawn_face()).save(tmp_path / "one.png")
    write(tmp_path / "none.mkv", textures(3))
    (tmp_path / "bad.mp4").write_text("no video")
    files = [tmp_path / "one.png", clip, tmp_path / "none.mkv", tmp_path / "bad.mp4", tmp_path / "one.png"]
    table = fer_zoo.predict(files, task, every=7)
    assert [Path(file).name for file in table["file"]] == ["one.png"] + ["clip.mp4"] * 4 + [
        "none.mkv", "bad.mp4", "one.png",
    ]  # fmt: skip
    assert table["frame"].fillna(-1).tolist() == [-1, 0, 0, 7, 7, 0, -1, -1]
    assert table["seconds"].isna().tolist() == [True, False, False, False, False, False, True, True]
    reason = "no video in it, or cut off before its index"
    assert table["problem"].tolist()[5:] == ["no face found", f"unreadable: {reason}", ""]
    assert not table["face_found"].iloc[5:7].any()


def test_a_video_that_breaks_off_has_its_rows_and_one_that_says_so(task: FaceTask, clip: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "cut.mkv", faces_on_ground(30, PLACES))
    content = path.read_bytes()
    path.write_bytes(content[: round(0.7 * len(content))])
    table = fer_zoo.predict([path, clip], task)
    own = table[table["file"] == str(path)]
    last = own.iloc[-1]
    assert last["problem"] == f"unreadable after frame {own['frame'].max()}: the file is cut off or damaged"
    assert not last["face_found"] and pd.isna(last["frame"]) and pd.isna(last["face"])
    assert own["frame"].tolist()[:-1] == [n for n in range(own["frame"].max() + 1) for _ in PLACES]
    assert len(table) - len(own) == 2 * NUMBER


@pytest.mark.parametrize("frame", [3, 10])
def test_a_run_that_goes_on_gives_the_rows_of_an_unbroken_one(
    task: FaceTask, whole: pd.DataFrame, clip: Path, frame: int
) -> None:
    names = ["face_x", "face_y", "face_width", "face_height"]
    before = whole[whole["frame"] < frame]
    tracked = [(int(r["frame"]), int(r["track"]), tuple(r[names])) for _, r in before.iterrows()]
    predictor = Predictor(task, device="cpu", track=True)
    rows = [row for _, found in predictor.rows([clip], Resume(frame, tracked)) for row in found]
    assert [row["frame"] for row in rows] == [n for n in range(frame, NUMBER) for _ in PLACES]
    expected = whole[whole["frame"] >= frame]
    for name in ("track", "face_x", "emotion", "prob_happiness", "seconds"):
        assert [row[name] for row in rows] == expected[name].tolist()


def test_tracks_go_on_though_faces_change_places(task: FaceTask, tmp_path: Path) -> None:
    """A third face comes from the left: numbers by place shift, tracks do not."""
    images = [*faces_on_ground(6, PLACES[1:]), *faces_on_ground(6, PLACES)]
    table = fer_zoo.predict(write(tmp_path / "clip.mp4", images), task, track=True)
    right = table[table["face_x"] > 100]
    assert right["face"].tolist() == [0] * 6 + [1] * 6
    assert right["track"].tolist() == [0] * 12
    assert table[table["face_x"] < 100]["track"].tolist() == [1] * 6


def test_each_video_has_tracks_of_its_own_and_photographs_none(task: FaceTask, clip: Path, tmp_path: Path) -> None:
    Image.fromarray(drawn_face()).save(tmp_path / "one.png")
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    files = [clip, tmp_path / "one.png", other, other]
    table = fer_zoo.predict(files, task, track=True, every=5)
    assert table["track"].fillna(-1).tolist() == [0, 1] * 3 + [-1] + [0, 1] * 6


def test_a_table_of_boxes_takes_the_place_of_the_detector(
    task: FaceTask, whole: pd.DataFrame, clip: Path, tmp_path: Path
) -> None:
    """One predict's output feeds another: the same boxes give the same outputs; frames without a row say so."""
    for suffix in ("csv", "parquet"):
        boxes = tmp_path / f"boxes.{suffix}"
        some = whole[whole["frame"] < 4]
        some.to_csv(boxes, index=False) if suffix == "csv" else some.to_parquet(boxes)
        table = fer_zoo.predict(clip, task, boxes=boxes, track=True)
        assert outputs(table.iloc[:8]).equals(outputs(some))
        assert table["track"].iloc[:8].tolist() == [0, 1] * 4
        assert table["problem"].iloc[8:].unique().tolist() == [f"no row in {boxes}"]
        assert len(table) == 8 + NUMBER - 4


def test_points_make_aligned_methods_usable(tmp_path: Path) -> None:
    """A face turned in the plane gives the output of the upright one, as its points turn with it."""
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32, seed=1, alignment="five_points")
    face = drawn_face(120)
    Image.fromarray(face).save(tmp_path / "upright.png")
    Image.fromarray(np.rot90(face)).save(tmp_path / "turned.png")
    points = np.array([(43, 52), (77, 52), (60, 70), (45, 95), (75, 95)], float)
    turned = np.stack([points[:, 1], 120 - points[:, 0]], axis=1)
    rows: list[dict[str, Any]] = [
        {"file": name, **dict(zip(POINT_COLUMNS, values.ravel(), strict=True))}
        for name, values in (("upright.png", points), ("turned.png", turned))
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "points.csv", index=False)
    table = fer_zoo.predict([tmp_path / row["file"] for row in rows], task, boxes=tmp_path / "points.csv")
    assert table["face_found"].all()
    assert table["face_width"].tolist() == [34.0, 43.0]  # the box around the points
    probabilities = table.filter(like="prob_").to_numpy()
    np.testing.assert_allclose(probabilities[0], probabilities[1], atol=5e-3)
    with pytest.raises(UserError, match="give them with boxes=TABLE"):
        fer_zoo.predict(tmp_path / "upright.png", task)


def test_bad_rows_of_a_table_stand_beside_good_ones(task: FaceTask, tmp_path: Path) -> None:
    Image.fromarray(drawn_face(120)).save(tmp_path / "a.png")
    names = ("file", "face_x", "face_y", "face_width", "face_height")
    rows = [("a.png", 10, 10, 90, 90), ("a.png", 500, 10, 90, 90), ("a.png", 5, 5, 0, 9)]
    boxes = tmp_path / "boxes.csv"
    pd.DataFrame(rows, columns=list(names)).to_csv(boxes, index=False)
    table = Predictor(task, device="cpu", given=FaceTable(boxes, task.input_spec)).table([tmp_path / "a.png"])
    assert table["face_found"].tolist() == [True, False, False]
    assert table["problem"].tolist() == [
        "", "the box of the face lies outside the image", "the box of the face has no area",
    ]  # fmt: skip
    assert table[["face", "face_x", "emotion"]].iloc[1:].isna().all().all()


@pytest.fixture(scope="module")
def peak(task: FaceTask, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], int]:
    folder = tmp_path_factory.mktemp("long")

    def measured(number: int) -> int:
        path = write(folder / f"{number}.mp4", textures(number))
        tracemalloc.start()
        for _ in Predictor(task, device="cpu", track=True).rows([path]):
            pass
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    return measured


def test_memory_does_not_grow_with_a_video(peak: Callable[[int], int]) -> None:
    """From where what waits to be looked at is full: four times the frames, and not a third more memory."""
    peak(20)
    assert peak(1600) < 1.3 * peak(400)
