"""Sums per person: their total is that of all rows at once, a certain draw is an answer, intervals come from people."""

import math

import numpy as np
import pytest
import torch

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.bootstrap import percentile_bounds, resampled_sums
from fer_zoo.evaluation.subject_sums import (
    NO_INTERVALS,
    Bootstrap,
    answered,
    class_sums,
    drawn_class_sums,
    precision,
    recall,
    value_sums,
)
from fer_zoo.metrics import metric, sums_of

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


def test_intervals_are_those_of_the_bootstrap_over_people() -> None:
    sums = class_sums(PEOPLE, RNG.dirichlet(np.ones(6), 60), RNG.integers(0, 6, 60), BASIC)
    estimate = sums.draw(Bootstrap(resamples=300, seed=4)).estimate("macro_f1")
    per_person = answered(sums.sums["answers"])
    drawn = resampled_sums(per_person.flatten(1), resamples=300, seed=4).reshape(-1, 6, 6)
    low, high = percentile_bounds(metric("macro_f1").value(drawn)).tolist()
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((low, high))


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


def test_a_calibration_error_has_no_percentile_interval() -> None:
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
