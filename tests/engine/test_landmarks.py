"""Landmarks from end to end: trained, scored and predicted in pixels of the photograph, and their table read again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from fakes import constellations, patterns
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.data.face_tables import five_points
from fer_zoo.data.image_sources import POINT_COLUMNS
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.checkpoint import load_method, save_method
from fer_zoo.engine.config import compose
from fer_zoo.engine.create import create_method
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.face_drawing import draw_faces
from fer_zoo.engine.predict_files import predict_files
from fer_zoo.engine.predict_settings import PredictSettings
from fer_zoo.engine.train import train
from fer_zoo.evaluation.prediction_table import outputs_of, read_predictions, values_of
from fer_zoo.tasks.face_task import FaceTask

SPACE = label_space("landmarks/68")
TRAINING = {"subject_hashes": [], "licences": {}}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return constellations.write(tmp_path_factory.mktemp("constellations") / "faces", 48)


def settings(root: Path, output: Path, **others: object) -> list[tuple[str, str]]:
    """A run on a table of points; what is None is left out."""
    words: dict[str, object] = {
        "method": "timm_regressor", "method__target": "landmarks", "method__image_size": 48,
        "dataset": "table", "dataset__file": "faces.csv", "dataset__path_column": "file",
        "dataset__subject_column": "who", "dataset__faces": "true", "dataset__cropped": "false",
        "protocol__folds": 3, **others,
    }  # fmt: skip
    typed = patterns.settings(root, output, **words)
    return [(key, text) for key, text in typed if key not in ("dataset.label_space", "dataset.subject_pattern")]


@pytest.fixture(scope="module")
def trained(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = settings(photographs, tmp_path_factory.mktemp("runs"), trainer__max_epochs=25, data__augmentation="none")
    return train(compose(words, verb="train"), echo=lambda line: None)


def predicted(checkpoint: Path, files: list[Path], output: Path, **others: Any) -> pd.DataFrame:
    said = PredictSettings(checkpoint=str(checkpoint), output=str(output), device="cpu", **others)
    predict_files(files, said, pictures=False, echo=lambda line: None)
    return pd.read_csv(output)


def points_in(table: pd.DataFrame) -> np.ndarray:
    return table[list(LANDMARK_COLUMNS)].to_numpy(np.float64).reshape(len(table), 68, 2)


def test_training_learns_and_evaluation_scores_in_pixels_of_the_photograph(trained: Path, photographs: Path) -> None:
    report, folder = evaluate(trained, [], echo=lambda line: None)
    score = report.scores.values["nme"]
    assert set(report.scores.values) == {"nme"}
    assert score.value < 0.15 and score.interval.low < score.value < score.interval.high
    rows = {row.name: row.values["nme"].value for row in report.references}
    assert set(rows) == {"train_mean"} and rows["train_mean"] > 2 * score.value
    table, meta = read_predictions(folder / "predictions.parquet")
    assert meta.space == SPACE and meta.columns["landmark_0_x"]["unit"] == "pixels"
    index = open_dataset("table", photographs, file="faces.csv", path_column="file", faces=True)
    truth = index.target_array("landmarks")[index.rows_of(table["id"])]
    np.testing.assert_allclose(values_of(table, SPACE), truth, atol=1e-4)
    assert np.abs(outputs_of(table, SPACE) - truth).mean() < 4
    text = report.to_text()
    assert "nme" in text and "Points: 1,088 of 1,088 scored" in text and "Per name" not in text
    assert report.to_dict()["points"] == {"scored": 1088, "skipped": 0}


def test_the_validation_score_is_that_of_the_kept_epoch_in_the_photographs(trained: Path) -> None:
    """Crops around boxes are not stretched, so that pixels of the input and of the photograph give one score."""
    told = load_method(trained).card["validation"]["val/landmarks/nme"]
    table, _ = read_predictions(trained / "validation" / "predictions.parquet")
    target, output = (values(table, SPACE).reshape(-1, 68, 2) for values in (values_of, outputs_of))
    eyes = np.linalg.norm(target[:, 36] - target[:, 45], axis=1)
    by_hand = np.linalg.norm(output - target, axis=2).mean(axis=1) / eyes
    assert told == pytest.approx(by_hand.mean(), rel=1e-4)


def test_predict_gives_what_evaluation_gave(trained: Path, photographs: Path, tmp_path: Path) -> None:
    _, folder = evaluate(trained, [], echo=lambda line: None)
    table, _ = read_predictions(folder / "predictions.parquet")
    index = open_dataset("table", photographs, file="faces.csv", path_column="file", faces=True)
    files = [photographs / str(name) for name in index.table["image"].iloc[index.rows_of(table["id"])]]
    found = predicted(trained, files, tmp_path / "out.csv", boxes=str(photographs / "faces.csv"))
    np.testing.assert_allclose(points_in(found).reshape(-1, 136), outputs_of(table, SPACE), atol=0.01)


def regressor(**others: Any) -> FaceTask:
    return create_method("timm_regressor", target="landmarks", backbone="test_resnet", image_size=32, **others)


@pytest.fixture
def fixed(tmp_path: Path) -> Callable[..., Path]:
    """A checkpoint that answers the same relative points whatever it sees."""

    def saved(relative: np.ndarray, **others: Any) -> Path:
        task = regressor(**others)
        with torch.no_grad():
            head: Any = task.network.head
            head.weight.zero_()
            head.bias.copy_(torch.from_numpy(relative.ravel()))
        save_method(tmp_path / "fixed", task, training=TRAINING, validation={})
        return tmp_path / "fixed"

    return saved


def test_points_are_mapped_back_from_whole_images_and_from_crops(fixed: Callable[..., Path], tmp_path: Path) -> None:
    relative = np.random.default_rng(0).uniform(-1, 1, (68, 2))
    checkpoint = fixed(relative, crop_scale=1.5)
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for file, size in zip(files, ((200, 100), (90, 120)), strict=True):
        Image.new("RGB", size).save(file)
    whole = predicted(checkpoint, files, tmp_path / "whole.csv", detector="none")
    for points, size in zip(points_in(whole), ((200, 100), (90, 120)), strict=True):
        np.testing.assert_allclose(points, (relative + 1) * np.array(size) / 2, atol=1e-4)
    boxes = pd.DataFrame({"file": ["a.png"], "face_x": 50, "face_y": 20, "face_width": 40, "face_height": 20})
    boxes.to_csv(tmp_path / "boxes.csv", index=False)
    cut = predicted(checkpoint, files[:1], tmp_path / "cut.csv", boxes=str(tmp_path / "boxes.csv"))
    np.testing.assert_allclose(points_in(cut)[0], np.array([70, 30]) + relative * 30, atol=1e-4)


def test_the_table_of_points_is_read_again_by_predict_and_by_training(
    fixed: Callable[..., Path], photographs: Path, tmp_path: Path
) -> None:
    """Its points align the faces of another checkpoint, in `boxes` and in `dataset.landmarks`."""
    checkpoint = fixed(constellations.shape() * 0.7)
    files = [photographs / f"{number}.png" for number in range(4)]
    first = predicted(checkpoint, files, tmp_path / "points.csv", boxes=str(photographs / "faces.csv"))
    save_method(tmp_path / "aligned", regressor(alignment="five_points"), training=TRAINING, validation={})
    second = predicted(tmp_path / "aligned", files, tmp_path / "again.csv", boxes=str(tmp_path / "points.csv"))
    assert second["face_found"].all()
    assert np.isfinite(points_in(second)).all()
    (tmp_path / "classes" / "happiness").mkdir(parents=True)
    for file in files:
        (tmp_path / "classes" / "happiness" / file.name).write_bytes(file.read_bytes())
    index = open_dataset("image_folder", tmp_path / "classes", landmarks=str(tmp_path / "points.csv"))
    assert list(index.label_spaces) == ["emotion", "landmarks"]
    found = index.table.set_index("image").loc[[f"happiness/{file.name}" for file in files]]
    np.testing.assert_allclose(found[list(LANDMARK_COLUMNS)], points_in(first).reshape(-1, 136), atol=1e-6)
    five = five_points(points_in(first)).reshape(-1, 10)
    np.testing.assert_allclose(found[list(POINT_COLUMNS)], five, atol=1e-4)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_a_photograph_without_a_face_has_no_points(fixed: Callable[..., Path], tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (80, 80)).save(tmp_path / "none.png")
    output = tmp_path / f"out{suffix}"
    said = PredictSettings(checkpoint=str(fixed(np.zeros((68, 2)))), output=str(output), device="cpu")
    predict_files([tmp_path / "none.png"], said, pictures=True, echo=lambda line: None)
    read: Any = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".json": pd.read_json}[suffix]
    table = read(output)
    assert table["problem"].tolist() == ["no face found"]
    assert table[list(LANDMARK_COLUMNS)].isna().all(axis=None)


@pytest.mark.parametrize("size", [(80, 60), (640, 480)])
def test_points_are_drawn_where_they_are(size: tuple[int, int]) -> None:
    points = constellations.shape() * size[1] / 4 + np.array(size) / 2
    row = {"face": 0, "face_found": True, **dict(zip(LANDMARK_COLUMNS, points.ravel().tolist(), strict=True))}
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    drawn = draw_faces(image, [row], {"landmarks": SPACE})
    scale = drawn.shape[1] // size[0]
    yellow = (np.abs(drawn.astype(int) - (255, 225, 25)) < 12).all(axis=2)
    for x, y in points * scale:
        assert yellow[int(y) - 1 : int(y) + 1, int(x) - 1 : int(x) + 1].any()
    without = draw_faces(image, [{**row, "landmark_8_x": None}], {"landmarks": SPACE})
    x, y = (points[8] * scale).astype(int)
    assert tuple(without[y, x]) == (90, 90, 90)


def test_an_unlabelled_target_is_named(tmp_path: Path) -> None:
    root = patterns.write(tmp_path / "faces")
    words = patterns.settings(root, tmp_path, method="timm_regressor", method__target="landmarks")
    with pytest.raises(UserError, match="learns 'landmarks', but image_folder has labels of: emotion"):
        train(compose(words, verb="train"), echo=lambda line: None)
