"""Which images are on the sheet of differences, what stands below them, and that the draw does not hang on order."""

from pathlib import Path

import numpy as np
import pandas as pd

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.pictures import save_figure
from fer_zoo.evaluation.prediction_table import prediction_table
from fer_zoo.evaluation.right_where_wrong import drawn_of, right_where_wrong, right_where_wrong_figure

BASIC = label_space("emotion/basic6")


def table(labels: list[str | None], answers: list[int | None], p: float) -> pd.DataFrame:
    """Answers with one probability; None leaves an image without an output."""
    ids = [f"{number:012x}" for number in range(len(labels))]
    asked = pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": "", "emotion": labels})
    there = [number for number, answer in enumerate(answers) if answer is not None]
    best = np.eye(6)[[answer for answer in answers if answer is not None]]
    outputs = best * (p - (1 - p) / 5) + (1 - p) / 5
    return prediction_table(asked, BASIC, [ids[number] for number in there], outputs)


def test_only_labelled_images_that_one_gets_right_and_the_other_wrong() -> None:
    labels = ["anger", "anger", "fear", "contempt", None, "anger", "fear"]
    right = table(labels, [0, 0, 1, 0, 0, 0, 2], 0.7)
    wrong = table(labels, [1, 0, 2, 1, 1, None, 5], 0.6)
    found = right_where_wrong(right, wrong, BASIC)
    assert found["id"].tolist() == ["000000000000", "000000000006"]
    assert found["target"].tolist() == ["anger", "fear"]
    assert found["answer"].tolist() == [BASIC.entries[1], BASIC.entries[5]]
    np.testing.assert_allclose(found[["p_right", "p_wrong"]], [[0.7, 0.6]] * 2)
    assert right_where_wrong(wrong, right, BASIC)["id"].tolist() == ["000000000002"]
    shuffled = right_where_wrong(right.sample(frac=1, random_state=0), wrong.iloc[::-1], BASIC)
    pd.testing.assert_frame_equal(shuffled, found)


def test_answers_of_the_same_fold_belong_together() -> None:
    """An image may be tested in two folds."""
    right, wrong = table(["anger"], [0], 0.7), table(["anger"], [0], 0.6)
    other = [part.assign(fold="1") for part in (table(["anger"], [0], 0.8), table(["anger"], [3], 0.9))]
    found = right_where_wrong(pd.concat([right, other[0]]), pd.concat([wrong, other[1]]), BASIC)
    assert found["p_right"].round(3).tolist() == [0.8]


def test_the_sheet_shows_a_draw_and_its_texts_stay_apart(tmp_path: Path) -> None:
    labels: list[str | None] = ["happiness"] * 40
    found = right_where_wrong(table(labels, [3] * 40, 0.7), table(labels, [1] * 40, 0.6), BASIC)
    shown = drawn_of(found)
    assert len(shown) == 24
    images = {shown["id"][0]: np.zeros((9, 9, 3), np.uint8)}
    figure = right_where_wrong_figure(shown, images, ("blendshape_fernet", "fused"), total=40, reverse=3)
    save_figure(tmp_path / "sheet.png", figure)
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    said = [text.get_text() for text in texts]
    assert said[:2] == [
        "Right by blendshape_fernet, wrong by fused: 24 of 40, drawn at random",
        "The other way round there are 3.",
    ]
    assert sum("blendshape_fernet: happiness 0.70\nfused: disgust 0.60\n" in text for text in said) == 24
    boxes = [text.get_window_extent() for text in texts]
    width, height = figure.canvas.get_width_height()
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
