"""How often each class is predicted: when a sentence is given, what it says, and the bars."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.pictures import save_figure
from fer_zoo.evaluation.predicted_classes import (
    label_counts,
    predicted_classes_figure,
    predicted_counts,
    warning_of,
)
from fer_zoo.evaluation.prediction_table import prediction_table

SPACE = label_space("emotion/basic7")


def test_sentence_has_share_number_class_and_counts() -> None:
    counts = {"anger": 14, "fear": 0, "neutral": 336}
    sentence = warning_of(counts)
    assert sentence.startswith("96 % of the 350 predictions are neutral (anger 14, neutral 336)")
    labelled = warning_of(counts, {"anger": 250, "neutral": 100})
    assert labelled.startswith("96 % of the 350 predictions are neutral, but only 28 % of the labels (anger 14,")


@pytest.mark.parametrize(
    ("predicted", "labelled", "is_told"),
    [
        ({}, None, False),
        ({"anger": 19}, None, False),  # too few
        ({"anger": 20}, None, True),
        ({"anger": 63, "fear": 7}, None, True),  # 90 %, exactly
        ({"anger": 62, "fear": 8}, None, False),
        ({"anger": 30}, {"anger": 27, "fear": 3}, False),  # nearly all labels, too
        ({"anger": 30}, {"anger": 26, "fear": 4}, True),
        ({"anger": 30}, {"fear": 30}, True),
        ({"anger": 30}, {"anger": 0, "fear": 0}, True),  # no label is known
    ],
)
def test_when_the_sentence_is_given(predicted: dict[str, int], labelled: dict[str, int] | None, is_told: bool) -> None:
    assert bool(warning_of(predicted, labelled)) == is_told


def test_only_all_of_them_are_100_percent() -> None:
    assert warning_of({"anger": 999, "fear": 1}).startswith("99 % of the 1,000")
    assert warning_of({"anger": 1000, "fear": 0}).startswith("100 % of the 1,000")


def test_counts_leave_out_what_is_missing_or_outside_the_space() -> None:
    ids = [f"{i:012x}" for i in range(5)]
    labels = ["anger", "contempt", None, "fear", "fear"]
    asked = pd.DataFrame({"id": ids, "subject": "s1", "clip": "", "source": "", "emotion": labels})
    outputs = np.eye(7)[[SPACE.index("fear")] * 3 + [SPACE.index("neutral")]]
    table = prediction_table(asked, SPACE, ids[1:], outputs)
    assert predicted_counts(table, SPACE) == {**dict.fromkeys(SPACE.entries, 0), "fear": 3, "neutral": 1}
    assert label_counts(table, SPACE) == {**dict.fromkeys(SPACE.entries, 0), "anger": 1, "fear": 2}


def test_bars_are_shares_of_predictions_and_labels(tmp_path: Path) -> None:
    figure = predicted_classes_figure({"anger": 30, "fear": 10}, {"anger": 1, "fear": 1}, title="validation")
    (axes,) = figure.axes
    assert sorted(bar.get_width() for bar in axes.patches) == [0.25, 0.5, 0.5, 0.75]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["predicted (40)", "true (2)"]
    assert axes.get_title("left") == "validation"
    save_figure(tmp_path / "bars.png", figure)


@pytest.mark.parametrize("labelled", [None, {"anger": 0, "fear": 0}])
def test_without_labels_there_is_one_row_of_bars_and_a_warning_stands_above(labelled: dict[str, int] | None) -> None:
    (axes,) = predicted_classes_figure({"anger": 40, "fear": 1}, labelled).axes
    assert len(axes.patches) == 2
    assert "97 % of the 41 predictions are anger" in axes.get_title("left").replace("\n", " ")


def test_nothing_predicted_is_drawn_too(tmp_path: Path) -> None:
    save_figure(tmp_path / "none.png", predicted_classes_figure(dict.fromkeys(SPACE.entries, 0)))
