"""Standard errors and intervals over people: against closed forms, plain loops, scipy and statsmodels.

How often the intervals hold the truth is shown by test_coverage.py.
"""

import math

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from scipy import stats

from fer_zoo.core.errors import UserError
from fer_zoo.evaluation.bootstrap import (
    FEW_PEOPLE,
    bootstrap_error,
    draw_weights,
    jackknife_error,
    resampled_sums,
    t_interval,
)

ANY = (-math.inf, math.inf)
RNG = np.random.default_rng(1)


def mean_of(sums: torch.Tensor) -> torch.Tensor:
    """Mean from (n, Σx)."""
    return sums[..., 1] / sums[..., 0]


def person_sums(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.ones_like(values), values], axis=1))


def drawn_error(sums: torch.Tensor, seed: int = 0) -> float:
    return bootstrap_error(mean_of(resampled_sums(sums, seed=seed)), len(sums))


def left_out_error(sums: torch.Tensor) -> float:
    return jackknife_error(mean_of(sums.sum(dim=0) - sums), torch.ones(len(sums), dtype=torch.bool))


@pytest.mark.parametrize("people", [5, 40])
def test_the_interval_of_a_mean_of_single_images_is_that_of_the_t_test(people: int) -> None:
    values = RNG.normal(3.0, 2.0, size=people)
    interval = t_interval(values.mean(), left_out_error(person_sums(values)), people, ANY)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_the_bootstrap_error_is_that_of_scipy() -> None:
    images = RNG.integers(1, 20, size=300)
    right = RNG.binomial(images, RNG.beta(6, 3, size=300))
    ours = drawn_error(torch.from_numpy(np.stack([images, right], axis=1).astype(np.float64)))
    theirs = stats.bootstrap(
        (right, images),
        lambda r, n, axis=-1: r.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=10_000,
        rng=np.random.default_rng(2),
    )
    assert ours == pytest.approx(theirs.standard_error * math.sqrt(300 / 299), rel=0.03)


@pytest.mark.parametrize("people", [40, 400])
def test_both_errors_are_near_the_cluster_robust_one_of_statsmodels(people: int) -> None:
    images = RNG.integers(5, 16, size=people)
    person = np.repeat(np.arange(people), images)
    values = RNG.normal(size=people)[person] + RNG.normal(size=len(person))
    model = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": person})
    sums = torch.from_numpy(np.stack([images, np.bincount(person, values)], axis=1).astype(np.float64))
    assert left_out_error(sums) == pytest.approx(float(model.bse[0]), rel=0.03)
    assert drawn_error(sums) == pytest.approx(float(model.bse[0]), rel=0.03)


def test_clusters_widen_the_error_as_they_should() -> None:
    """Ten equal images of a person are one image: the error is √10 times that of independent images."""
    values = RNG.normal(size=300)
    clustered = torch.from_numpy(np.stack([np.full(300, 10.0), 10 * values], axis=1))
    alone = person_sums(np.repeat(values, 10))
    for error in (drawn_error, left_out_error):
        assert error(clustered) / error(alone) == pytest.approx(math.sqrt(10), rel=0.05)


def test_weights_are_multinomial_counts() -> None:
    weights = draw_weights(np.random.default_rng(0), 20_000, 5)
    assert (weights.sum(dim=1) == 5).all()
    covariance = np.cov(weights.numpy().T)
    expected = 5 * (np.eye(5) / 5 - 1 / 25)  # n (diag p - p p')
    np.testing.assert_allclose(covariance, expected, atol=0.03)
    np.testing.assert_allclose(weights.mean(dim=0).numpy(), 1.0, atol=0.03)


def test_resampled_sums_are_those_of_the_people_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = torch.from_numpy(np.random.default_rng(3).normal(size=(7, 4)))
    people = np.random.default_rng(5).integers(0, 7, size=(50, 7))
    expected = np.stack([sums.numpy()[drawn].sum(axis=0) for drawn in people])
    np.testing.assert_allclose(resampled_sums(sums, resamples=50, seed=5).numpy(), expected, atol=1e-12)
    monkeypatch.setattr("fer_zoo.evaluation.bootstrap._CHUNK_BYTES", 8 * 7 * 3)  # blocks of three resamples
    np.testing.assert_allclose(resampled_sums(sums, resamples=50, seed=5).numpy(), expected, atol=1e-12)


def test_the_seed_decides() -> None:
    sums = person_sums(np.arange(20.0))
    assert drawn_error(sums, seed=1) == drawn_error(sums, seed=1) != drawn_error(sums, seed=2)


def test_what_does_not_exist_is_left_out_of_an_error() -> None:
    nan = torch.nan
    assert bootstrap_error(torch.tensor([1.0, nan, 3.0]).double(), 10) == pytest.approx(math.sqrt(10 / 9))
    assert math.isnan(bootstrap_error(torch.tensor([1.0, nan]).double(), 10))
    counted = torch.tensor([True, True, False, True])
    assert jackknife_error(torch.tensor([1.0, nan, 9.0, 3.0]).double(), counted) == 1.0
    assert math.isnan(jackknife_error(torch.tensor([1.0, nan, 9.0, nan]).double(), counted))


def test_intervals_stay_in_the_range_and_need_two_people() -> None:
    assert t_interval(0.95, 0.1, 10, (0.0, 1.0)).high == 1.0
    assert t_interval(0.05, 0.1, 10, (0.0, 1.0)).low == 0.0
    assert math.isnan(t_interval(0.5, 0.1, 1, (0.0, 1.0)).low)
    assert math.isnan(t_interval(0.5, math.nan, FEW_PEOPLE, (0.0, 1.0)).low)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(UserError, match="between 0 and 1"):
        t_interval(0.5, 0.1, 10, ANY, level)


def test_no_resample_and_no_person_are_refused() -> None:
    with pytest.raises(UserError, match="at least one resample and one person; found 0 and 3"):
        resampled_sums(person_sums(np.ones(3)), resamples=0)
    with pytest.raises(UserError, match="found 10 and 0"):
        resampled_sums(torch.zeros(0, 2, dtype=torch.float64), resamples=10)
