"""Sums per person: their total is that of all rows at once, a certain draw is an answer, intervals come from people."""

import math

import numpy as np
import pytest
import torch

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.bootstrap import FEW_PEOPLE, bootstrap_error, jackknife_error, resampled_sums, t_interval
from fer_zoo.evaluation.subject_sums import (
    NO_INTERVALS,
    Bootstrap,
    class_sums,
    drawn_class_sums,
    numbered,
    value_sums,
)
from fer_zoo.evaluation.sum_values import answered, precision, recall
from fer_zoo.metrics import CalibrationSums, ConfusionSums, MomentSums, class_counts, metric, sums_of

BASIC = label_space("emotion/basic6")
AU = label_space("au/fera2015")
RNG = np.random.default_rng(0)
PEOPLE = [f"s{i}" for i in RNG.integers(0, 9, 60)]


def test_the_people_add_up_to_all_rows_at_once() -> None:
    probabilities, target = RNG.dirichlet(np.ones(6), 60), RNG.integers(-1, 6, 60)
    sums = class_sums(PEOPLE, probabilities, target, BASIC)
    at_once = [torch.from_numpy(probabilities), torch.from_numpy(target)]
    torch.testing.assert_close(answered(sums.total("answers")), sums_of("confusion", *at_once, BASIC))
    torch.testing.assert_close(sums.total("calibration"), sums_of("calibration", *at_once, BASIC))
    assert sums.images == (target >= 0).sum()
    values = RNG.uniform(0, 5, (2, 60, 5))
    moments = value_sums(PEOPLE, values[0], values[1], AU).total("moments")
    torch.testing.assert_close(moments, sums_of("moments", *torch.from_numpy(values), AU))


def test_people_are_numbered_in_the_order_of_their_codes() -> None:
    people, person = numbered(["b", "a", "b", "c"])
    assert people == ("a", "b", "c")
    assert person.tolist() == [1, 0, 1, 2]


@pytest.mark.parametrize("kind", ["confusion", "calibration", "moments"])
def test_sums_of_all_people_at_once_are_those_of_one_person_after_the_other(kind: str) -> None:
    rows = 9_000  # more than one block
    person = torch.from_numpy(RNG.integers(0, 40, rows))
    if kind == "moments":
        family: ConfusionSums | CalibrationSums | MomentSums = MomentSums(12, 2.5)
        prediction, target = torch.from_numpy(RNG.uniform(0, 5, (2, rows, 12)))
        target[torch.rand(target.shape) < 0.1] = torch.nan
    else:
        family = ConfusionSums(6) if kind == "confusion" else CalibrationSums()
        prediction = torch.from_numpy(RNG.dirichlet(np.ones(6), rows))
        target = torch.from_numpy(RNG.integers(-1, 6, rows))
    prediction[torch.rand(rows) < 0.1] = torch.nan
    one_by_one = torch.stack([family.sums(prediction[person == i], target[person == i]) for i in range(42)])
    at_once = family.grouped(prediction, target, person, 42)
    torch.testing.assert_close(at_once, one_by_one, rtol=1e-12, atol=1e-12)
    assert not at_once[40:].any()


def some_people(people: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    rows = 8 * people
    subjects = [f"s{i % people:03d}" for i in range(rows)]
    return subjects, RNG.dirichlet(np.ones(6), rows), RNG.integers(0, 6, rows)


def test_intervals_of_few_people_leave_out_one_after_the_other() -> None:
    subjects, probabilities, target = some_people(12)
    whole = class_sums(subjects, probabilities, target, BASIC).draw(Bootstrap(resamples=10)).estimate("macro_f1")
    without = []
    for code in sorted(set(subjects)):
        rows = np.array(subjects) != code
        part = class_sums(np.array(subjects)[rows].tolist(), probabilities[rows], target[rows], BASIC)
        without.append(part.draw(NO_INTERVALS).estimate("macro_f1").value)
    error = jackknife_error(torch.tensor(without, dtype=torch.float64), torch.ones(12, dtype=torch.bool))
    assert whole.interval.low == pytest.approx(t_interval(whole.value, error, 12, (0, 1)).low)


def test_intervals_of_many_people_are_those_of_the_bootstrap() -> None:
    sums = class_sums(*some_people(FEW_PEOPLE), BASIC)
    estimate = sums.draw(Bootstrap(resamples=300, seed=4)).estimate("macro_f1")
    per_person = answered(sums.sums["answers"])
    resampled = resampled_sums(per_person.flatten(1), resamples=300, seed=4).reshape(-1, 6, 6)
    drawn = metric("macro_f1").value(class_counts(resampled))
    expected = t_interval(estimate.value, bootstrap_error(drawn, FEW_PEOPLE), FEW_PEOPLE, (0, 1))
    assert vars(estimate.interval) == pytest.approx(vars(expected))


def test_a_class_of_few_people_counts_as_few_people() -> None:
    """Its recall has the interval that these people alone have, and none where it hangs on one."""
    subjects, probabilities, target = some_people(FEW_PEOPLE)
    target[target == 5] = 4
    rare = np.flatnonzero(np.isin(subjects, ["s001", "s002", "s003"]))
    target[rare] = 5
    target[np.flatnonzero(np.array(subjects) == "s004")[:1]] = 3
    sums = class_sums(subjects, probabilities, target, BASIC)
    alone = class_sums([subjects[i] for i in rare], probabilities[rare], target[rare], BASIC)
    of_all, of_three = (of.draw(Bootstrap(resamples=50)).recalls()[5] for of in (sums, alone))
    assert vars(of_all.interval) == pytest.approx(vars(of_three.interval))
    target[rare[np.array(subjects)[rare] != "s001"]] = 0
    hangs_on_one = class_sums(subjects, probabilities, target, BASIC).draw(Bootstrap(resamples=50))
    assert math.isnan(hangs_on_one.recalls()[5].interval.low)
    assert math.isfinite(hangs_on_one.estimate("accuracy").interval.low)


def test_a_missing_value_is_the_end_of_the_range_farther_from_the_label() -> None:
    target = np.array([[1.0] * 5, [4.0] * 5])
    sums = value_sums(["a", "b"], np.full((2, 5), np.nan), target, AU)
    draws = sums.draw(NO_INTERVALS)
    assert math.isnan(draws.estimate("mae").value)
    assert draws.estimate("mae", missing_is_wrong=True).value == 4.0


def test_one_person_has_no_interval() -> None:
    sums = class_sums(["s"] * 6, np.eye(6), np.arange(6), BASIC)
    estimate = sums.draw(Bootstrap(resamples=50)).estimate("accuracy")
    assert estimate.value == 1.0
    assert math.isnan(estimate.interval.low)


def test_without_resamples_there_are_values_only() -> None:
    sums = class_sums(PEOPLE, RNG.dirichlet(np.ones(6), 60), RNG.integers(0, 6, 60), BASIC)
    estimate = sums.draw(NO_INTERVALS).estimate("accuracy")
    assert math.isfinite(estimate.value)
    assert math.isnan(estimate.interval.low)


def test_a_calibration_error_has_no_interval() -> None:
    sums = class_sums(PEOPLE, RNG.dirichlet(np.ones(6), 60), RNG.integers(0, 6, 60), BASIC)
    estimate = sums.draw(Bootstrap(resamples=50)).estimate("expected_calibration_error")
    assert math.isfinite(estimate.value)
    assert math.isnan(estimate.interval.low)


def test_a_certain_draw_is_an_answer() -> None:
    target = RNG.integers(-1, 6, 60)
    certain = np.eye(6)[RNG.integers(0, 6, 60)]
    drawn, answers = drawn_class_sums(PEOPLE, certain, target, BASIC), class_sums(PEOPLE, certain, target, BASIC)
    torch.testing.assert_close(drawn.sums["answers"], answers.sums["answers"])


def test_a_row_without_output_is_an_answer_of_its_own() -> None:
    probabilities = np.array([[0.9, 0.1, 0, 0, 0, 0], [np.nan] * 6, [np.nan, 1.0, 0, 0, 0, 0]])
    sums = class_sums(["a", "a", "b"], probabilities, np.array([0, 0, 1]), BASIC)
    counts = sums.total("answers")
    assert (counts[0, 0], counts[0, 6], counts[1, 6], counts.sum()) == (1, 1, 1, 3)
    assert sums.total("calibration")[:, 0].sum() == 1


def test_recall_and_precision_of_a_small_matrix() -> None:
    confusion = torch.tensor([[3.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    assert recall(confusion)[:2].tolist() == [0.75, 1.0]
    assert precision(confusion)[:2].tolist() == [1.0, pytest.approx(2 / 3)]
    assert recall(confusion)[2].isnan()
    assert precision(confusion)[2].isnan()
