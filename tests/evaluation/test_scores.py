"""Scores of hand-counted tables, and of random ones against scikit-learn."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.comparison import compare_methods
from fer_zoo.evaluation.matched_sums import mean_sums
from fer_zoo.evaluation.prediction_table import output_columns, prediction_table
from fer_zoo.evaluation.scores import ClassScore, ValueScore, score_table, table_sums
from fer_zoo.evaluation.subject_sums import NO_INTERVALS, Bootstrap

BASIC = label_space("emotion/basic6")
AU = label_space("au/fera2015")
FEW = Bootstrap(resamples=200)


def class_table(pairs: list[tuple[str | None, str | None]], sources: str = "") -> pd.DataFrame:
    """A table from (label, answer); a person per image, one letter of `sources` per image."""
    ids = [f"{i:012x}" for i in range(len(pairs))]
    labels = [label for label, _ in pairs]
    letters = list(sources) or ["a"] * len(pairs)
    asked = pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": letters, "emotion": labels})
    given_ids = [image for image, (_, answer) in zip(ids, pairs, strict=True) if answer is not None]
    answers = [BASIC.index(answer) for _, answer in pairs if answer is not None]
    return prediction_table(asked, BASIC, given_ids, np.eye(6)[answers].reshape(-1, 6) * 0.95 + 0.05 / 6)


HAND_COUNTED: list[tuple[str | None, str | None]] = [
    ("anger", "anger"),
    ("anger", "fear"),
    ("anger", None),  # no output
    ("fear", "fear"),
    ("fear", "fear"),
    ("sadness", None),  # no output
    ("contempt", "fear"),  # apart
    ("contempt", None),  # apart, no output
    (None, "anger"),  # no label
    (None, None),
]


def test_hand_counted_scores() -> None:
    scores = score_table(class_table(HAND_COUNTED), BASIC)
    values = {name: estimate.value for name, estimate in scores.values.items()}
    assert values["accuracy"] == 3 / 4
    assert values["mean_class_accuracy"] == (1 / 2 + 1) / 2
    assert values["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert values["expected_calibration_error"] == pytest.approx(abs(0.95 + 0.05 / 6 - 0.75))
    wrong = {name: estimate.value for name, estimate in scores.missing_is_wrong.items()}
    assert wrong["accuracy"] == 3 / 6
    assert wrong["mean_class_accuracy"] == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert wrong["macro_f1"] == pytest.approx((2 / 4 + 4 / 5 + 0) / 3)
    assert math.isnan(wrong["expected_calibration_error"])


def test_coverage_counts_every_image_asked_for() -> None:
    covered = score_table(class_table(HAND_COUNTED), BASIC).coverage
    assert vars(covered) == {
        "asked": 10,
        "with_output": 6,
        "with_target": 6,
        "apart": 2,
        "scored": 4,
        "subjects": 4,
    }


def test_classes_carry_recall_precision_and_support() -> None:
    scores = score_table(class_table(HAND_COUNTED), BASIC)
    fear = scores.entries[BASIC.index("fear")]
    assert isinstance(fear, ClassScore)
    assert (fear.recall.value, fear.precision, fear.support, fear.predicted) == (1.0, 2 / 3, 2, 3)
    surprise = scores.entries[BASIC.index("surprise")]
    assert isinstance(surprise, ClassScore)
    assert math.isnan(surprise.recall.value)
    assert math.isnan(surprise.precision)


def test_labels_outside_the_space_are_told_apart() -> None:
    (row,) = score_table(class_table(HAND_COUNTED), BASIC).apart
    assert (row.target, row.images, dict(row.predicted)) == ("contempt", 2, {"fear": 1, "": 1})


def test_scores_within_each_source() -> None:
    table = class_table([("anger", "anger"), ("fear", "anger"), ("fear", "fear"), ("fear", None)], "xxyy")
    by_source = {part.name: part for part in score_table(table, BASIC).sources}
    assert by_source["x"].values["accuracy"].value == 0.5
    assert by_source["y"].values["accuracy"].value == 1.0
    assert (by_source["x"].classes, by_source["y"].classes, by_source["y"].images) == (2, 1, 1)
    assert score_table(class_table([("anger", "anger")]), BASIC).sources == []


def test_outputs_that_are_all_missing_score_nothing_and_wrong() -> None:
    scores = score_table(class_table([("anger", None), ("fear", None)]), BASIC, bootstrap=FEW)
    assert scores.coverage.scored == 0
    assert math.isnan(scores.values["accuracy"].value)
    assert scores.missing_is_wrong["accuracy"].value == 0.0
    assert scores.missing_is_wrong["mean_class_accuracy"].value == 0.0


def test_one_person_has_values_without_intervals() -> None:
    table = class_table([("anger", "anger"), ("fear", "anger")]).assign(subject="s1")
    estimate = score_table(table, BASIC, bootstrap=FEW).values["accuracy"]
    assert estimate.value == 0.5
    assert math.isnan(estimate.interval.low)
    assert math.isnan(estimate.interval.high)


def test_intervals_surround_the_value() -> None:
    table = class_table([("anger", "anger"), ("anger", "fear")] * 20)
    estimate = score_table(table, BASIC, ["accuracy"], FEW).values["accuracy"]
    assert 0.3 < estimate.interval.low < 0.45 < 0.55 < estimate.interval.high < 0.7


def test_a_table_without_labels_of_the_space_is_refused() -> None:
    with pytest.raises(UserError, match=r"None of the 2 images has a target in emotion/basic6; found joy\."):
        score_table(class_table([("joy", "anger"), (None, "fear")]), BASIC)
    with pytest.raises(UserError, match="found no label at all"):
        score_table(class_table([(None, "fear")]), BASIC)


def test_metrics_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UserError, match="does not fit emotion/basic6"):
        score_table(class_table(HAND_COUNTED), BASIC, ["icc31"])
    with pytest.raises(UserError, match="Did you mean 'accuracy'"):
        score_table(class_table(HAND_COUNTED), BASIC, ["acuracy"])


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_any_table_scores_as_scikit_learn_does_in_any_order(rows: list[tuple[int, int, bool]]) -> None:
    pairs: list[tuple[str | None, str | None]] = [
        (BASIC.entries[label] if label >= 0 else None, BASIC.entries[answer] if has else None)
        for label, answer, has in rows
    ]
    table = class_table(pairs)
    truth = [label for label, _, _ in rows if label >= 0]
    if not truth:
        with pytest.raises(UserError):
            score_table(table, BASIC)
        return
    shuffled = table.sample(frac=1.0, random_state=len(rows))
    scores, turned = score_table(table, BASIC), score_table(shuffled, BASIC)
    np.testing.assert_array_equal(scores.confusion, turned.confusion)
    scored = [(label, answer) for label, answer, has in rows if label >= 0 and has]
    if scored:
        labels, answers = zip(*scored, strict=True)
        assert scores.values["accuracy"].value == pytest.approx(sk.accuracy_score(labels, answers))
        present = sorted(set(labels) | set(answers))
        expected = sk.f1_score(labels, answers, labels=present, average="macro", zero_division=0)
        assert scores.values["macro_f1"].value == pytest.approx(expected)
        recalls = sk.recall_score(labels, answers, labels=sorted(set(labels)), average="macro", zero_division=0)
        assert scores.values["mean_class_accuracy"].value == pytest.approx(recalls)
    if scores.missing_is_wrong:
        answers = [answer if has else 6 for label, answer, has in rows if label >= 0]
        present = sorted((set(truth) | set(answers)) - {6})
        expected = sk.f1_score(truth, answers, labels=present, average="macro", zero_division=0)
        assert scores.missing_is_wrong["macro_f1"].value == pytest.approx(expected)
        assert scores.missing_is_wrong["accuracy"].value == pytest.approx(sk.accuracy_score(truth, answers))


def value_table(target: np.ndarray, prediction: np.ndarray) -> pd.DataFrame:
    ids = [f"{i:012x}" for i in range(len(target))]
    asked = pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": "a"})
    asked[list(AU.entries)] = target
    return prediction_table(asked, AU, ids, prediction)


def test_values_are_scored_per_name_and_on_average() -> None:
    target = np.array([[0.0, 1, 2, 5, np.nan], [1.0, 1, 4, 2, np.nan], [2.0, 1, 3, 1, np.nan]])
    prediction = target + np.array([0.5, 1.0, 0.0, -1.0, 0.0])
    scores = score_table(value_table(target, prediction), AU)
    by_name = {entry.name: entry for entry in scores.entries if isinstance(entry, ValueScore)}
    errors = [entry.values["mae"].value for entry in by_name.values()]
    assert errors[:4] == pytest.approx([0.5, 1.0, 0.0, 1.0])
    assert math.isnan(errors[4])
    assert scores.values["mae"].value == pytest.approx(np.mean(errors[:4]))
    assert by_name["AU06"].values["icc31"].value == pytest.approx(1.0)  # an offset costs nothing
    assert by_name["AU10"].label_constant
    assert by_name["AU10"].prediction_constant
    assert by_name["AU17"].support == 0
    assert scores.missing_is_wrong == {}
    assert scores.confusion is None


def test_a_missing_value_counts_as_the_farther_end_of_the_range() -> None:
    target = np.array([[1.0] * 5, [4.0] * 5, [2.0] * 5])
    prediction = target.copy()
    prediction[0], prediction[1, 0] = np.nan, np.nan
    scores = score_table(value_table(target, prediction), AU, ["mae"])
    assert scores.coverage.scored == 2
    assert scores.values["mae"].value == 0.0
    assert scores.missing_is_wrong["mae"].value == pytest.approx(((4 + 4 + 0) / 3 + 4 * (4 / 3)) / 5)


def test_folds_are_pooled_and_their_repeated_row_numbers_do_no_harm() -> None:
    table = class_table([("anger", "anger"), ("contempt", "fear")])
    pooled = pd.concat([table.assign(fold="0"), table.assign(fold="1")])
    scores = score_table(pooled, BASIC)
    assert scores.coverage.asked == 4
    assert dict(scores.apart[0].predicted) == {"fear": 2}
    assert set(output_columns(BASIC)) <= set(pooled)


LANDMARKS = label_space("landmarks/68")


def point_table(target: np.ndarray, prediction: np.ndarray, *, people: int = 4) -> pd.DataFrame:
    """Photographs of some people in turn."""
    ids = [f"{i:012x}" for i in range(len(target))]
    points = pd.DataFrame(target, columns=list(LANDMARKS.entries))
    subjects = [f"s{i % people}" for i in range(len(target))]
    asked = pd.concat([pd.DataFrame({"id": ids, "subject": subjects, "clip": "", "source": "a"}), points], axis=1)
    return prediction_table(asked, LANDMARKS, ids, prediction)


def faces_and_guesses(number: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    target = rng.normal(100, 20, (number, 136))
    return target, target + rng.normal(0, 2, target.shape)


def test_points_are_scored_by_distance_with_intervals_over_people() -> None:
    target, prediction = faces_and_guesses(12)
    target[0, 8:10] = np.nan
    scores = score_table(point_table(target, prediction), LANDMARKS, bootstrap=Bootstrap(resamples=50))
    errors, truth = (values.reshape(-1, 68, 2) for values in (prediction - target, target))
    eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1)
    expected = (np.nanmean(np.linalg.norm(errors, axis=2), axis=1) / eyes).mean()
    score = scores.values["nme"]
    assert score.value == pytest.approx(expected)
    assert 0 <= score.interval.low < score.value < score.interval.high
    assert list(scores.values) == ["nme"] and not scores.entries and not scores.missing_is_wrong
    assert scores.points is not None and vars(scores.points) == {"scored": 12 * 68 - 1, "skipped": 1}


def test_a_face_without_points_counts_as_wrong_by_the_distance_of_its_eyes() -> None:
    target, prediction = faces_and_guesses(10)
    whole = score_table(point_table(target, prediction), LANDMARKS).values["nme"].value
    prediction[3] = np.nan
    scores = score_table(point_table(target, prediction), LANDMARKS)
    others = scores.values["nme"].value
    assert scores.coverage.scored == 9 and others != whole
    assert scores.missing_is_wrong["nme"].value == pytest.approx((9 * others + 1) / 10)
    assert scores.points is not None and scores.points.skipped == 68


def test_methods_of_points_are_compared_on_the_same_images() -> None:
    target, prediction = faces_and_guesses(40)
    better = table_sums(point_table(target, prediction, people=20), LANDMARKS)
    worse = table_sums(point_table(target, target + 3 * (prediction - target), people=20), LANDMARKS)
    comparison = compare_methods({"worse": worse, "better": better}, "nme", permutations=200)
    assert [(method.name, method.rank) for method in comparison.methods] == [("better", 1), ("worse", 2)]
    mean = mean_sums([better, worse]).draw(NO_INTERVALS).estimate("nme").value
    assert mean == pytest.approx(2 * better.draw(NO_INTERVALS).estimate("nme").value)
    other = target.copy()
    other[:, 72] += 5  # an eye corner
    elsewhere = table_sums(point_table(other, prediction, people=20), LANDMARKS)
    with pytest.raises(UserError, match="cannot be compared"):
        compare_methods({"a": better, "b": elsewhere}, "nme")
