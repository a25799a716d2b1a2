"""Reference rows: planted truths, closed forms and simulated draws."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.prediction_table import prediction_table
from fer_zoo.evaluation.reference_rows import ReferenceRow, class_frequencies, reference_rows
from fer_zoo.evaluation.subject_sums import Bootstrap

BASIC = label_space("emotion/basic6")
AU = label_space("au/fera2015")


def labels(words: str, sources: str = "", second: list[str | None] | None = None) -> pd.DataFrame:
    """Rows of an index from blank-separated labels; "-" is a missing one."""
    names = [None if word == "-" else word for word in words.split()]
    ids = [f"{i:012x}" for i in range(len(names))]
    table = pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": list(sources) or ["a"] * len(names)})
    table["emotion"] = names
    return table if second is None else table.assign(second_emotion=second)


def scored_table(asked: pd.DataFrame, fold: str = "0") -> pd.DataFrame:
    """All answers are surprise, with certainty."""
    return prediction_table(asked, BASIC, asked["id"].to_list(), np.eye(6)[np.full(len(asked), 5)], fold=fold)


def by_name(rows: tuple[ReferenceRow, ...]) -> dict[str, ReferenceRow]:
    return {row.name: row for row in rows}


TRAIN = labels("anger anger anger fear fear sadness contempt -", "xxxyyyxx")
TEST = labels("anger fear fear fear sadness contempt -", "xxyyyxx")


def test_majority_is_the_commonest_training_class() -> None:
    row = by_name(reference_rows(TRAIN, scored_table(TEST), BASIC))["majority"]
    assert row.images == 5
    assert row.values["accuracy"].value == 1 / 5
    assert row.values["mean_class_accuracy"].value == pytest.approx(1 / 3)
    assert row.values["expected_calibration_error"].value == pytest.approx(3 / 6 - 1 / 5)  # confidence: its share
    assert row.note == "always anger, the commonest training class"


def test_label_by_source_is_the_commonest_class_of_the_source() -> None:
    row = by_name(reference_rows(TRAIN, scored_table(TEST), BASIC))["label_by_source"]
    assert row.values["accuracy"].value == 3 / 5  # x -> anger, y -> fear
    assert "2 sources" in row.note


def test_a_source_without_training_labels_falls_back_to_all() -> None:
    rows = by_name(reference_rows(TRAIN, scored_table(labels("anger fear", "zz")), BASIC))
    assert rows["label_by_source"].values["accuracy"].value == 0.5
    assert rows["label_by_source"].values == pytest.approx(rows["majority"].values)


def test_prior_random_has_the_closed_form_and_what_draws_give() -> None:
    row = by_name(reference_rows(TRAIN, scored_table(TEST), BASIC))["prior_random"]
    p = class_frequencies(TRAIN, BASIC)
    assert p.tolist() == pytest.approx([3 / 6, 0, 2 / 6, 0, 1 / 6, 0])
    assert row.values["accuracy"].value == pytest.approx((1 * p[0] + 3 * p[2] + 1 * p[4]) / 5)
    assert row.values["mean_class_accuracy"].value == pytest.approx(1 / 3)  # the classes present carry all of p
    assert math.isnan(row.values["expected_calibration_error"].value)
    truth = np.array([0, 2, 2, 2, 4])
    draws = np.random.default_rng(0).choice(6, p=p, size=(1000, 5))
    assert (draws == truth).mean() == pytest.approx(row.values["accuracy"].value, abs=0.02)
    recalls = [balanced_accuracy_score(truth, draw) for draw in draws[:, :] if set(draw) <= {0, 2, 4}]
    assert np.mean(recalls) == pytest.approx(row.values["mean_class_accuracy"].value, abs=0.03)


def test_macro_f1_of_the_expected_matrix_is_that_of_many_draws_of_a_large_table() -> None:
    test = labels(" ".join(TEST["emotion"][:5].to_list() * 400))
    row = by_name(reference_rows(TRAIN, scored_table(test), BASIC))["prior_random"]
    truth = np.tile([0, 2, 2, 2, 4], 400)
    draws = np.random.default_rng(0).choice(6, p=class_frequencies(TRAIN, BASIC), size=(50, 2000))
    simulated = np.mean([f1_score(truth, draw, average="macro") for draw in draws])
    assert row.values["macro_f1"].value == pytest.approx(simulated, abs=0.005)


def test_second_annotator_agrees_on_the_images_it_has() -> None:
    second = ["anger", "anger", None, "contempt", "sadness", "anger", "fear"]
    table = scored_table(labels("anger fear fear fear sadness contempt -", second=second))
    rows = by_name(reference_rows(TRAIN, table, BASIC))
    person, model = rows["second_annotator"], rows["model_on_these"]
    assert (person.images, model.images) == (4, 4)
    assert person.values["accuracy"].value == 2 / 4
    assert person.values["mean_class_accuracy"].value == pytest.approx((1 + 0 + 1) / 3)
    assert person.values["macro_f1"].value == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert math.isnan(person.values["expected_calibration_error"].value)
    assert "1 outside the label space" in person.note
    assert model.values["accuracy"].value == 0.0


def test_without_a_second_label_there_is_no_such_row() -> None:
    table = scored_table(TEST)
    assert "second_annotator" not in by_name(reference_rows(TRAIN, table, BASIC))
    assert "second_annotator" not in by_name(reference_rows(TRAIN, table.assign(second_emotion=None), BASIC))


def test_each_fold_has_its_own_training_part() -> None:
    pooled = pd.concat([scored_table(labels("anger"), "0"), scored_table(labels("fear"), "1")])
    training = {"0": labels("anger"), "1": labels("fear fear anger")}
    rows = by_name(reference_rows(training, pooled, BASIC))
    assert rows["majority"].values["accuracy"].value == 1.0
    assert rows["prior_random"].values["accuracy"].value == pytest.approx((1 + 2 / 3) / 2)
    assert rows["majority"].note.startswith("always anger or fear")
    with pytest.raises(UserError, match="Fold '1' has no training labels; there are those of 0"):
        reference_rows({"0": labels("anger")}, pooled, BASIC)


def test_rows_do_not_depend_on_whether_the_model_had_an_output() -> None:
    table = scored_table(TEST)
    gaps = table.copy()
    gaps.loc[[1, 3], "prob_anger"] = np.nan
    whole, holed = (by_name(reference_rows(TRAIN, t, BASIC))["majority"].values["accuracy"] for t in (table, gaps))
    assert whole.value == holed.value


def test_intervals_are_drawn_for_reference_rows_too() -> None:
    rows = by_name(reference_rows(TRAIN, scored_table(TEST), BASIC, ["accuracy"], Bootstrap(resamples=200)))
    interval = rows["majority"].values["accuracy"].interval
    assert interval.low == 0.0
    assert 0.4 <= interval.high <= 0.8


def test_values_have_the_training_mean_and_zero() -> None:
    train = pd.DataFrame({"source": ["a", "a"], **{entry: [1.0, 3.0] for entry in AU.entries}})
    asked = labels("- - -").assign(**{entry: [0.0, 2.0, 5.0] for entry in AU.entries})
    table = prediction_table(asked, AU, [], np.zeros((0, 5)))
    rows = by_name(reference_rows(train, table, AU, ["mae", "icc31"]))
    assert rows["train_mean"].values["mae"].value == pytest.approx((2 + 0 + 3) / 3)
    assert rows["all_zero"].values["mae"].value == pytest.approx(7 / 3)
    assert rows["train_mean"].values["icc31"].value == 0.0


def test_training_labels_must_be_there() -> None:
    with pytest.raises(UserError, match="None of the 2 training images has a label in emotion/basic6"):
        reference_rows(labels("contempt -"), scored_table(TEST), BASIC)
    with pytest.raises(UserError, match="lack the column 'emotion'"):
        reference_rows(TRAIN.drop(columns="emotion"), scored_table(TEST), BASIC)
    with pytest.raises(UserError, match="lack the column 'source'"):
        reference_rows(TRAIN.drop(columns="source"), scored_table(TEST), BASIC)
