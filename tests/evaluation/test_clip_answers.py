"""Answers of clips as means over frames."""

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.clip_answers import clip_table
from fer_zoo.evaluation.prediction_table import output_columns, prediction_table
from fer_zoo.evaluation.report import evaluate_table
from fer_zoo.evaluation.subject_sums import Bootstrap

SPACE = label_space("emotion/basic6")
FRAMES = [  # clip, label, the probability of anger and of fear
    ("a", "anger", 0.9, 0.1), ("a", "anger", 0.3, 0.7), ("a", "anger", 0.4, 0.6),
    ("b", "fear", 0.8, 0.2), ("b", "fear", 0.6, 0.4), ("b", "anger", 0.2, 0.8),
    ("", "fear", 0.1, 0.9), ("", "fear", 0.7, 0.3),
]  # fmt: skip


def table_of(frames: list[tuple[str, str | None, float, float]]) -> pd.DataFrame:
    ids = [f"i{n}" for n in range(len(frames))]
    asked = pd.DataFrame({"id": ids, "clip": [f[0] for f in frames], "emotion": [f[1] for f in frames]})
    asked["subject"] = [f"s{n % 3}" if not f[0] else f"s{f[0]}" for n, f in enumerate(frames)]
    asked["source"] = ""
    outputs = np.zeros((len(frames), len(SPACE)))
    outputs[:, SPACE.index("anger")] = [f[2] for f in frames]
    outputs[:, SPACE.index("fear")] = [f[3] for f in frames]
    return prediction_table(asked, SPACE, ids, outputs)


def test_a_clip_answers_the_mean_and_photographs_for_themselves() -> None:
    table = table_of(FRAMES)
    clips = clip_table(table, SPACE)
    assert clips is not None
    assert list(clips.columns) == list(table.columns)
    found = list(zip(clips["clip"], clips["target_emotion"], clips["emotion"], strict=True))
    assert found == [
        ("a", "anger", "anger"),  # .53, though two of three frames say fear
        ("b", "fear", "anger"),
        ("b", "anger", "fear"),  # labelled otherwise: by itself
        ("", "fear", "fear"),
        ("", "fear", "anger"),
    ]
    np.testing.assert_allclose(clips["prob_anger"][:2], [1.6 / 3, 0.7])


def test_frames_without_an_output_are_left_out_and_unlabelled_ones_stay_apart() -> None:
    table = table_of([*FRAMES[:3], ("a", None, 0.5, 0.5)])
    table.loc[1, output_columns(SPACE)] = np.nan
    clips = clip_table(table, SPACE)
    assert clips is not None
    assert clips["prob_anger"].tolist() == pytest.approx([0.65, 0.5])
    assert clips["target_emotion"].isna().tolist() == [False, True]


def test_without_clips_of_several_frames_there_is_none() -> None:
    assert clip_table(table_of(FRAMES[5:]), SPACE) is None


def test_reports_have_a_row_of_clips() -> None:
    report = evaluate_table(table_of(FRAMES), SPACE, bootstrap=Bootstrap(resamples=0), metrics=["accuracy"])
    assert report.clips is not None
    assert report.clips[0] == 5
    assert report.clips[1]["accuracy"].value == pytest.approx(2 / 5)
    assert "model, clips by the mean of their frames" in report.to_text(200)
    assert any(row["note"] == "clips by the mean of their frames" for row in report.to_dict()["rows"])
