"""Pictures: which errors are shown, what stands in the matrix, and that files are whole pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.pictures import confusion_figure, errors_figure, most_confident_errors, save_figure
from fer_zoo.evaluation.prediction_table import prediction_table

BASIC = label_space("emotion/basic6")


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def errors_of(labels: list[str | None], answers: list[int], confidences: list[float]) -> pd.DataFrame:
    ids = [f"{i:012x}" for i in range(len(labels))]
    asked = pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": "", "emotion": labels})
    confidence = np.array(confidences)[:, None]
    probabilities = np.eye(6)[answers] * (confidence - (1 - confidence) / 5) + (1 - confidence) / 5
    return most_confident_errors(prediction_table(asked, BASIC, ids, probabilities), BASIC)


def test_the_surest_errors_come_first_and_only_errors() -> None:
    labels = ["anger", "anger", "fear", "contempt", None, "fear"]
    errors = errors_of(labels, [0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.8, 0.99, 0.99, np.nan])
    assert errors["id"].to_list() == ["000000000002", "000000000001"]
    assert errors["target"].to_list() == ["fear", "anger"]
    assert errors["prediction"].to_list() == ["anger", "disgust"]
    assert errors["probability"].to_list() == pytest.approx([0.8, 0.5])


def test_the_matrix_shows_counts_recall_and_what_stands_apart() -> None:
    shown = texts(confusion_figure(np.array([[3, 1], [0, 0]]), ["anger", "fear"], {"contempt": [2, 5]}))
    assert shown.count("0.75") == 1  # recall of anger
    assert shown.count("–") == 1  # fear has no image
    assert {"contempt", "5", "7", "not in the label space, not scored:"} <= set(shown)


def test_texts_of_the_matrix_stay_inside_the_picture_and_apart(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).integers(0, 99_999, (8, 8))
    figure = confusion_figure(matrix, label_space("emotion/basic8").entries, {"other": [1] * 8}, title="long " * 30)
    save_figure(tmp_path / "c.png", figure)
    boxes = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
    width, height = figure.canvas.get_width_height()
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_faces_of_any_shape_and_absent_ones_are_drawn(tmp_path: Path) -> None:
    errors = errors_of(["anger"] * 8, [1] * 8, [0.9] * 8)
    rng = np.random.default_rng(0)
    images = {
        "000000000000": rng.integers(0, 255, (30, 20, 3), dtype=np.uint8),
        "000000000001": rng.integers(0, 255, (10, 40, 1), dtype=np.uint8),
    }
    figure = errors_figure(errors, images)
    assert texts(figure).count("no image") == 6
    assert "anger → disgust\np = 0.90 · 000000000000" in texts(figure)
    save_figure(tmp_path / "errors.png", figure)
    with Image.open(tmp_path / "errors.png") as picture:
        picture.load()
        assert picture.width > 1000


def test_no_errors_are_an_empty_sheet(tmp_path: Path) -> None:
    save_figure(tmp_path / "none.png", errors_figure(errors_of(["anger"], [0], [0.9]), {}))
    assert (tmp_path / "none.png").stat().st_size > 0
