"""Predictions on photographs: a row for every face and for every photograph without one."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fakes.pictures import drawn_face, noise
from fakes.videos import textures, write
from PIL import Image

import fer_zoo
from fer_zoo.core.errors import UserError
from fer_zoo.engine.create import create_method
from fer_zoo.engine.crops import in_colour
from fer_zoo.engine.picture_streams import Picture, pictures
from fer_zoo.engine.predict import BLOCK, BOX_COLUMNS, FoundFaces, Predictor
from fer_zoo.tasks.face_task import FaceTask


@pytest.fixture(scope="module")
def task() -> FaceTask:
    return create_method("timm_classifier", backbone="resnet10t", image_size=32, seed=1)


@pytest.fixture(scope="module")
def predictor(task: FaceTask) -> Predictor:
    return Predictor(task, device="cpu")


def two_faces() -> np.ndarray:
    """The right one brighter, so that they are told apart."""
    left = drawn_face(120)
    return np.concatenate([left, 255 - (255 - left) // 2], axis=1)


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    """A face, two faces, none, and two files that are no pictures."""
    Image.fromarray(drawn_face()).save(tmp_path / "one.png")
    Image.fromarray(two_faces()).save(tmp_path / "two.png")
    Image.fromarray(np.full((90, 120, 3), 128, np.uint8)).save(tmp_path / "none.png")
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "one.png").read_bytes()[:60])
    (tmp_path / "text.jpg").write_text("no picture")
    return [tmp_path / name for name in ("one.png", "two.png", "none.png", "broken.jpg", "text.jpg", "missing.png")]


def test_a_row_for_every_face_and_every_photograph_without_one(predictor: Predictor, photographs: list[Path]) -> None:
    table = predictor.table(photographs)
    assert table.columns.tolist() == list(predictor.columns())
    assert table["file"].tolist() == [str(photographs[i]) for i in (0, 1, 1, 2, 3, 4, 5)]
    assert table["face_found"].tolist() == [True, True, True, False, False, False, False]
    assert table["face"].tolist()[:3] == [0, 0, 1]
    assert table["problem"].tolist()[:4] == ["", "", "", "no face found"]
    assert all(problem.startswith("unreadable") for problem in table["problem"][4:])
    assert table["face_x"].iloc[1] < table["face_x"].iloc[2]
    found = table[table["face_found"]]
    probabilities = found[[column for column in table if column.startswith("prob_")]]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities.idxmax(axis=1).str.removeprefix("prob_") == found["emotion"]).all()
    lost = table[~table["face_found"]]
    assert (
        lost[["frame", "seconds", *BOX_COLUMNS, "face_score", "emotion", *probabilities]].isna().all().all()
    )  # missing, never zero


def test_face_has_the_same_answer_alone_and_among_forty(predictor: Predictor) -> None:
    generator = np.random.default_rng(0)
    crowd = [
        np.clip(drawn_face().astype(int) + generator.integers(-20, 20, (120, 120, 1)), 0, 255).astype(np.uint8)
        for _ in range(40)
    ]
    together = predictor.table([*crowd[:20], two_faces(), *crowd[20:]])
    alone = predictor.table([two_faces()])
    among = together[together["file"] == "20"].reset_index(drop=True)
    assert len(alone) == 2
    assert among.drop(columns="file").equals(alone.drop(columns="file"))
    assert together[~together["face_found"]].empty


def test_faces_are_the_crops_that_training_sees(task: FaceTask) -> None:
    """Without a detector the whole array is the face: the output is the network's on the resized pixels."""
    from fer_zoo.data.alignment import crop_matrix, warp
    from fer_zoo.data.transforms import to_tensor

    image = drawn_face(50)
    spec = task.input_spec
    pixels = warp(image, crop_matrix(spec, image_size=(50, 50), box=None), spec)
    expected = task.eval()(to_tensor(in_colour(pixels, "grey"), spec)[None])["emotion"].softmax(1)[0]
    row = Predictor(task, detector_name="none", device="cpu").table([image]).iloc[0]
    found = [row[f"prob_{entry}"] for entry in task.spaces["emotion"].entries]
    np.testing.assert_allclose(found, expected.detach(), atol=1e-5)


def test_colour_orders() -> None:
    image = np.array([[[10, 20, 30]]], np.uint8)
    assert in_colour(image, "rgb").tolist() == [[[10, 20, 30]]]
    assert in_colour(image, "bgr").tolist() == [[[30, 20, 10]]]
    assert in_colour(image, "grey").tolist() == [[[18]]]  # .299 r + .587 g + .114 b


def test_rows_come_as_they_are_ready(predictor: Predictor) -> None:
    """The photographs are taken a few ahead, never all."""
    taken = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal taken
        while True:
            taken += 1
            yield drawn_face()

    rows = predictor.rows(endless())
    for _ in range(3):
        next(rows)
    rows.close()
    assert taken <= BLOCK + 20


def test_memory_does_not_grow_with_the_photographs(predictor: Predictor) -> None:
    def peak(number: int) -> int:
        tracemalloc.start()
        for _ in predictor.rows(np.full((200, 300, 3), 7, np.uint8) for _ in range(number)):
            pass
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(10)
    assert peak(240) < 1.5 * peak(60)


def test_large_frames_do_not_pile_up(predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast a video is decoded, few of its frames wait to be looked at."""
    monkeypatch.setattr("fer_zoo.engine.predict._MOST_PIXELS", 3 * 48 * 64)
    video = write(tmp_path / "clip.mp4", textures(30))
    began, done, most = 0, 0, 0
    real = predictor._prepare

    def slow(picture: Picture) -> FoundFaces:
        nonlocal done
        time.sleep(0.005)
        done += 1
        return real(picture)

    def counted(stream: Iterator[Picture]) -> Iterator[Picture]:
        nonlocal began, most
        for picture in stream:
            began += 1
            most = max(most, began - done)
            yield picture

    monkeypatch.setattr(predictor, "_prepare", slow)
    assert len(list(predictor._prepared(counted(pictures([video]))))) == 30
    assert 2 <= most <= 5


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_arrays_that_are_no_images_are_told(predictor: Predictor, image: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"Photograph 1 is an array .*height, width, 3"):
        predictor.table([drawn_face(), image])


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2000)])
def test_odd_sizes_are_no_error(predictor: Predictor, size: tuple[int, int]) -> None:
    assert predictor.table([noise(0, *size)[:, :, None].repeat(3, axis=2)])["face_found"].tolist() == [False]


def test_unknown_detector_is_told_before_any_work(task: FaceTask) -> None:
    with pytest.raises(UserError, match=r"har.*haar"):
        Predictor(task, detector_name="har")


def test_predict_takes_one_or_many(task: FaceTask, photographs: list[Path]) -> None:
    one = fer_zoo.predict(photographs[0], task)
    assert len(one) == 1
    assert len(fer_zoo.predict(str(photographs[0]), task)) == 1
    assert len(fer_zoo.predict(drawn_face(), task)) == 1
    assert len(fer_zoo.predict(iter(photographs), task)) == 7
    assert len(fer_zoo.predict([], task)) == 0


def test_predict_takes_a_checkpoint(trained: Path, photographs: list[Path]) -> None:
    table = fer_zoo.predict(photographs[:2], trained)
    assert table["face_found"].all()
    card = json.loads((trained / "model" / "card.json").read_text())
    assert set(table["emotion"]) <= set(card["label_spaces"]["emotion"]["entries"])


def test_regressor_gives_values_in_their_range(tmp_path: Path) -> None:
    task = create_method("timm_regressor", backbone="resnet10t", image_size=32)
    table = Predictor(task, detector_name="none", device="cpu").table([drawn_face()])
    assert isinstance(table, pd.DataFrame)
    assert ((table[["AU01", "AU12"]] >= 0) & (table[["AU01", "AU12"]] <= 5)).all().all()


def test_outputs_that_are_no_numbers_are_told() -> None:
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32, seed=1)
    next(task.network.parameters()).data.fill_(float("nan"))
    (row,) = Predictor(task, detector_name="none", device="cpu").table([drawn_face()]).to_dict("records")
    assert pd.isna(row["emotion"]) and pd.isna(row["prob_happiness"])
    assert row["problem"] == "outputs are not finite"


def test_methods_that_need_points_are_refused() -> None:
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32, alignment="five_points")
    with pytest.raises(
        UserError, match="aligned by five points, which no detector here finds; give them with boxes=TABLE"
    ):
        Predictor(task, device="cpu")
