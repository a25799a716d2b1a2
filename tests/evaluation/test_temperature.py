"""Temperature scaling: planted temperatures, an independent minimiser, and what has no best temperature."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from fer_zoo.core.errors import UserError
from fer_zoo.evaluation.temperature import (
    FEWEST,
    LARGEST,
    SMALLEST,
    at_temperature,
    fit_temperature,
    log_probabilities_of,
)
from fer_zoo.metrics.calibration import CalibrationSums, expected_calibration_error


def planted(temperature: float, *, samples: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of which softmax(outputs / temperature) is the truth, and classes drawn from it."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(samples, 6)) * rng.uniform(0.5, 3.0, (samples, 1))
    chances = softmax(outputs, axis=1)
    classes = np.array([rng.choice(6, p=row) for row in chances])
    return outputs * temperature, classes


def loss_at(temperature: float, outputs: np.ndarray, classes: np.ndarray) -> float:
    return float(-log_softmax(outputs / temperature, axis=1)[np.arange(len(classes)), classes].mean())


def calibration_error(probabilities: np.ndarray, classes: np.ndarray) -> float:
    sums = CalibrationSums().sums(torch.from_numpy(probabilities), torch.from_numpy(classes))
    return float(expected_calibration_error(sums))


@pytest.mark.parametrize("truth", [0.4, 0.8, 1.0, 1.7, 4.0])
def test_planted_temperature_is_found_again(truth: float) -> None:
    """Within three standard errors: the curvature of the mean loss times the samples is the Fisher information."""
    outputs, classes = planted(truth)
    fitted = fit_temperature(outputs, classes)
    scaled = outputs / truth
    chances = softmax(scaled, axis=1)
    variance = (chances * scaled**2).sum(1) - (chances * scaled).sum(1) ** 2
    assert fitted.value is not None
    assert abs(truth / fitted.value - 1) < 3 / math.sqrt(variance.sum())
    assert fitted.samples == 4000
    assert fitted.loss_after <= fitted.loss_before
    assert fitted.reason == ""


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), samples=st.integers(FEWEST, 200), k=st.integers(2, 9), scale=st.floats(0.05, 30.0))
def test_no_other_minimiser_finds_less(seed: int, samples: int, k: int, scale: float) -> None:
    """Whatever the outputs: scipy's bounded search over 1 / temperature finds no smaller loss in the range."""
    rng = np.random.default_rng(seed)
    outputs, classes = scale * rng.normal(size=(samples, k)), rng.integers(0, k, samples)
    outputs[np.arange(samples), classes] += scale
    fitted = fit_temperature(outputs, classes)
    if fitted.value is None:
        assert fitted.reason
        return
    found = minimize_scalar(
        lambda inverse: loss_at(1 / inverse, outputs, classes), bounds=(1 / LARGEST, 1 / SMALLEST), method="bounded"
    )
    assert SMALLEST * (1 - 1e-12) <= fitted.value <= LARGEST * (1 + 1e-12)
    assert fitted.loss_after <= found.fun + 1e-9
    assert fitted.loss_after == pytest.approx(loss_at(fitted.value, outputs, classes), rel=1e-9, abs=1e-12)
    assert fitted.loss_before == pytest.approx(loss_at(1.0, outputs, classes), rel=1e-9, abs=1e-12)


def test_derivative_is_zero_at_the_minimum() -> None:
    outputs, classes = planted(2.0, samples=500)
    value = fit_temperature(outputs, classes).value
    assert value is not None
    step = 1e-4
    slope = (loss_at(value + step, outputs, classes) - loss_at(value - step, outputs, classes)) / (2 * step)
    away = (loss_at(2 * value + step, outputs, classes) - loss_at(2 * value - step, outputs, classes)) / (2 * step)
    assert abs(slope) < 1e-8 < abs(away)


def test_log_probabilities_and_outputs_give_the_same() -> None:
    """Outputs differ from log-probabilities by a constant a row, which the probabilities do not see."""
    outputs, classes = planted(1.5, samples=300)
    probabilities = softmax(outputs, axis=1).astype(np.float32)
    first = fit_temperature(outputs, classes)
    second = fit_temperature(log_probabilities_of(probabilities), classes)
    assert second.value == pytest.approx(first.value, rel=1e-4)


def test_rows_without_output_or_label_are_left_out() -> None:
    outputs, classes = planted(1.5, samples=300)
    more = np.concatenate([outputs, np.full((5, 6), np.nan), outputs[:7]])
    labels = np.concatenate([classes, classes[:5], np.full(7, -1)])
    assert fit_temperature(more, labels) == fit_temperature(outputs, classes)


def test_missing_classes_do_no_harm() -> None:
    """Labels of two of six classes only: a finite temperature, the best one."""
    outputs, classes = planted(1.5, samples=2000)
    some = classes < 2
    fitted = fit_temperature(outputs[some], classes[some])
    assert fitted.value is not None
    assert SMALLEST < fitted.value < LARGEST


@pytest.mark.parametrize(
    ("outputs", "classes", "reason"),
    [
        (np.zeros((0, 3)), np.zeros(0, int), "no image has a label"),
        (np.eye(3)[np.arange(19) % 3], np.arange(19) % 3, "only 19 images"),
        (np.full((30, 3), 0.7), np.arange(30) % 3, "same probability"),
        (5 * np.eye(3)[np.arange(30) % 3], np.arange(30) % 3, "all 30 answers are right"),
        (5 * np.eye(3)[np.arange(30) % 3], (np.arange(30) + 1) % 3, "say nothing about the labels"),
    ],
)
def test_what_has_no_best_temperature_says_why(outputs: np.ndarray, classes: np.ndarray, reason: str) -> None:
    fitted = fit_temperature(outputs, classes)
    assert fitted.value is None
    assert reason in fitted.reason
    assert math.isnan(fitted.loss_before) == (len(classes) == 0)
    assert len(classes) == 0 or fitted.loss_after == fitted.loss_before


@pytest.mark.parametrize(("scale", "end"), [(1e-4, SMALLEST), (1e4, LARGEST)])
def test_temperature_ends_at_its_bounds(scale: float, end: float) -> None:
    outputs, classes = planted(1.0, samples=200)
    assert fit_temperature(scale * outputs, classes).value == pytest.approx(end)


def test_numbers_that_are_none_are_refused() -> None:
    outputs = np.zeros((30, 3))
    outputs[4, 1] = -np.inf
    with pytest.raises(UserError, match="finite"):
        fit_temperature(outputs, np.zeros(30, int))
    with pytest.raises(UserError, match="classes from 0 to 2"):
        fit_temperature(np.zeros((30, 3)), np.full(30, 3))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), temperature=st.floats(SMALLEST, LARGEST))
def test_order_of_the_classes_stays_and_the_reciprocal_undoes(seed: int, temperature: float) -> None:
    probabilities = softmax(np.random.default_rng(seed).normal(size=(20, 7)), axis=1)
    scaled = at_temperature(probabilities, temperature)
    assert (np.argsort(scaled, axis=1) == np.argsort(probabilities, axis=1)).all()
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    if temperature > 0.3:  # below, the smallest ones are lost
        np.testing.assert_allclose(at_temperature(scaled, 1 / temperature), probabilities, rtol=1e-6)


def test_scaled_probabilities_are_the_softmax_of_divided_outputs() -> None:
    outputs, _ = planted(1.0, samples=50)
    scaled = at_temperature(softmax(outputs, axis=1), 2.5)
    np.testing.assert_allclose(scaled, softmax(outputs / 2.5, axis=1), rtol=1e-9)
    assert np.isnan(at_temperature(np.full((1, 3), np.nan), 2.0)).all()


@pytest.mark.parametrize("truth", [0.4, 2.5])
def test_calibration_error_falls_where_confidence_was_wrong(truth: float) -> None:
    """Fitted on one half, measured on the other."""
    outputs, classes = planted(truth, samples=6000)
    fitted = fit_temperature(outputs[:3000], classes[:3000])
    assert fitted.value is not None
    probabilities, held = softmax(outputs[3000:], axis=1), classes[3000:]
    before, after = (
        calibration_error(probabilities, held),
        calibration_error(at_temperature(probabilities, fitted.value), held),
    )
    assert before > 0.1
    assert after < 0.04
