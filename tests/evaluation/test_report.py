"""The report: what stands in its values, its text and its markdown."""

import json

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.prediction_table import prediction_table
from fer_zoo.evaluation.report import EvaluationReport, evaluate_table
from fer_zoo.evaluation.subject_sums import NO_INTERVALS, Bootstrap

SPACE = label_space("emotion/facial_expressions6")
AU = label_space("au/fera2015")
FEW = Bootstrap(resamples=100)


@pytest.fixture
def report() -> EvaluationReport:
    rng = np.random.default_rng(0)
    words = [*SPACE.entries, "fear"]
    labels = [words[i] for i in rng.integers(0, 7, 140)]
    ids = [f"{i:012x}" for i in range(140)]
    asked = pd.DataFrame({"id": ids, "subject": [f"s{i // 3}" for i in range(140)], "clip": "", "emotion": labels})
    asked["source"] = rng.choice(["press", "stills"], 140)
    asked["second_emotion"] = [labels[i] if i % 4 == 0 else None for i in range(140)]
    probabilities = rng.dirichlet(np.ones(6), 130)
    table = prediction_table(asked, SPACE, ids[10:], probabilities)
    return evaluate_table(table, SPACE, training=asked, bootstrap=FEW, name="ours")


def test_values_are_json_and_name_every_row(report: EvaluationReport) -> None:
    stored = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert stored["schema"] == 1
    assert [row["name"] for row in stored["rows"]] == [
        "ours",
        "ours",
        "majority",
        "prior_random",
        "label_by_source",
        "second_annotator",
        "model_on_these",
    ]
    assert stored["coverage"]["asked"] == 140
    assert stored["bootstrap"] == {
        "resamples": 100,
        "seed": 0,
        "level": 0.95,
        "unit": "subject",
        "error": "jackknife",
    }
    assert set(stored["rows"][0]["values"]["accuracy"]) == {"value", "low", "high"}
    assert stored["rows"][1]["values"]["expected_calibration_error"]["value"] is None
    assert np.array(stored["confusion_matrix"]).sum() == stored["coverage"]["scored"]
    assert [entry["name"] for entry in stored["per_entry"]] == list(SPACE.entries)
    assert stored["apart"][0]["target"] == "fear"
    assert {part["name"] for part in stored["per_source"]} == {"press", "stills"}


def test_text_fits_the_terminal_and_holds_every_part(report: EvaluationReport) -> None:
    text = report.to_text(width=110)
    assert max(map(len, text.splitlines())) <= 110
    scored = report.scores.coverage.scored
    for words in (
        f"Scored {scored} of 140 images",
        "10 without an output",
        "95% intervals, value ± Student's t × its standard error over people, from leaving out each person once.",
        "ours, no output is wrong",
        "prior_random: drawn from the training frequencies; expected values.",
        "Within each source",
        "labels outside emotion/facial_expressions6",
        "few scored images per class",
    ):
        assert words in text.replace("\n", " "), words


def test_markdown_tables_are_well_formed(report: EvaluationReport) -> None:
    markdown = report.to_markdown()
    blocks = [block.splitlines() for block in markdown.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 4
    for block in blocks:
        assert len({line.count("|") for line in block}) == 1
        assert set(block[1]) <= set("|-: ")
    value = report.scores.values["accuracy"]
    cells = f"{value.value:.3f} [{value.interval.low:.2f}, {value.interval.high:.2f}]".replace("0.", ".")
    assert f"| {cells} |" in markdown


def test_a_report_needs_neither_training_labels_nor_intervals() -> None:
    asked = pd.DataFrame({"id": ["a" * 12], "subject": "s1", "clip": "", "source": "", "emotion": "anger"})
    table = prediction_table(asked, SPACE, ["a" * 12], np.eye(6)[:1])
    report = evaluate_table(table, SPACE, bootstrap=NO_INTERVALS)
    assert report.references == ()
    assert "No intervals were asked for." in report.to_text()
    assert "at least two people" in report.to_text()


def test_a_report_on_values_names_each_and_marks_constants() -> None:
    rng = np.random.default_rng(1)
    ids = [f"{i:012x}" for i in range(30)]
    labels = pd.DataFrame(rng.uniform(0, 5, (30, 5)), columns=list(AU.entries)).assign(AU17=0.0)
    asked = pd.concat([pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": "a"}), labels], axis=1)
    table = prediction_table(asked, AU, ids, labels.to_numpy() + rng.normal(size=(30, 5))).assign(AU06=1.0)
    report = evaluate_table(table, AU, training=asked, bootstrap=FEW, metrics=["icc31", "mae"])
    text = report.to_text()
    assert "outputs that never change: AU06." in text
    assert "correlations say nothing: AU17." in text
    assert [entry["name"] for entry in report.to_dict()["per_entry"]] == list(AU.entries)
    assert [row.name for row in report.references] == ["train_mean", "all_zero"]
    assert report.to_dict()["confusion_matrix"] is None
    json.dumps(report.to_dict(), allow_nan=False)


def test_values_without_a_labelled_image_are_counted_and_not_listed() -> None:
    rng = np.random.default_rng(2)
    ids = [f"{i:012x}" for i in range(20)]
    labels = pd.DataFrame(rng.uniform(0, 5, (20, 5)), columns=list(AU.entries)).assign(AU17=np.nan, AU06=np.nan)
    asked = pd.concat([pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": "a"}), labels], axis=1)
    report = evaluate_table(prediction_table(asked, AU, ids, rng.uniform(0, 5, (20, 5))), AU, bootstrap=FEW)
    text = report.to_text(width=120)
    assert "2 of 5 names have no labelled image and are not listed." in text
    assert not [line for line in text.splitlines() if line.startswith(("AU06", "AU17"))]
    assert [entry["name"] for entry in report.to_dict()["per_entry"]] == list(AU.entries)
    assert "…" not in text and max(map(len, text.splitlines())) <= 120
