"""Bootstrap intervals: against a closed form, a plain loop and a simulation of their coverage."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from fer_zoo.core.errors import UserError
from fer_zoo.evaluation.bootstrap import (
    draw_weights,
    percentile_bounds,
    resampled_sums,
    sums_per_subject,
)


def mean_of(sums: torch.Tensor) -> torch.Tensor:
    """Mean from (n, Σx)."""
    return sums[..., 1] / sums[..., 0]


def person_sums(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.ones_like(values), values], axis=1))


def mean_interval(sums: torch.Tensor, *, resamples: int = 10_000, seed: int = 0, level: float = 0.95) -> torch.Tensor:
    return percentile_bounds(mean_of(resampled_sums(sums, resamples=resamples, seed=seed)), level)


def test_mean_of_independent_people_has_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, size=400)
    low, high = mean_interval(person_sums(values), seed=2).tolist()
    error = values.std() / math.sqrt(len(values))
    expected = stats.norm.interval(0.95, loc=values.mean(), scale=error)
    assert (low, high) == pytest.approx(expected, abs=0.05 * error)


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
    first = mean_interval(sums, resamples=500, seed=1)
    assert torch.equal(first, mean_interval(sums, resamples=500, seed=1))
    assert not torch.equal(first, mean_interval(sums, resamples=500, seed=2))


def test_clusters_widen_the_interval_as_they_should() -> None:
    """Ten equal images of a person are one image: the interval is √10 times that of independent images."""
    values = np.random.default_rng(1).normal(size=300)
    clustered = torch.from_numpy(np.stack([np.full(300, 10.0), 10 * values], axis=1))
    alone = person_sums(np.repeat(values, 10))
    widths = [float(torch.diff(mean_interval(sums), dim=0)) for sums in (clustered, alone)]
    assert widths[0] / widths[1] == pytest.approx(math.sqrt(10), rel=0.05)


def test_resamples_in_which_a_metric_is_undefined_are_left_out() -> None:
    values = torch.tensor([[1.0, torch.nan], [2.0, torch.nan], [torch.nan, torch.nan], [3.0, torch.nan]])
    low, high = percentile_bounds(values.double(), 0.5).tolist()
    assert (low[0], high[0]) == (1.5, 2.5)
    assert math.isnan(low[1])


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(UserError, match="between 0 and 1"):
        mean_interval(person_sums(np.ones(3)), resamples=10, level=level)


def test_no_resample_and_no_person_are_refused() -> None:
    with pytest.raises(UserError, match="at least one resample and one person; found 0 and 3"):
        mean_interval(person_sums(np.ones(3)), resamples=0)
    with pytest.raises(UserError, match="found 10 and 0"):
        resampled_sums(torch.zeros(0, 2, dtype=torch.float64), resamples=10)


def test_sums_of_people_do_not_depend_on_the_order_of_rows() -> None:
    subjects = ["b", "a", "b", "c"]
    values = torch.tensor([[1.0], [2.0], [3.0], [4.0]])

    def totals(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (prediction * target).sum(dim=0)

    expected = torch.tensor([[4.0], [10.0], [16.0]], dtype=torch.float64)
    assert torch.equal(sums_per_subject(subjects, totals, values, values), expected)
    turned = sums_per_subject(subjects[::-1], totals, values.flip(0), values.flip(0))
    assert torch.equal(turned, expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "experiments", "least", "most"),
    [
        (5, 1000, 0.78, 0.90),
        (10, 1000, 0.85, 0.95),
        (20, 1000, 0.88, 0.97),
        (40, 1000, 0.90, 0.98),
        (60, 300, 0.91, 0.98),
    ],
)
def test_how_often_intervals_cover_the_truth(
    people: int, experiments: int, least: float, most: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """People have 1 to 9 images and a skill of their own; accuracy .7 is the truth. Few people: too narrow."""
    rng = np.random.default_rng(11)
    hits = 0
    for experiment in range(experiments):
        skill, images = rng.beta(7, 3, size=people), rng.integers(1, 10, size=people)
        right = rng.binomial(images, skill)
        sums = torch.from_numpy(np.stack([images, right], axis=1).astype(np.float64))
        low, high = mean_interval(sums, resamples=2_000, seed=experiment).tolist()
        hits += low <= 0.7 <= high
    share = hits / experiments
    with capsys.disabled():
        print(
            f"\n95 % intervals over {people} people held the truth in {hits} of {experiments} experiments ({share:.1%})"
        )
    assert least <= share <= most
