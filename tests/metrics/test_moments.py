from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from torch import Tensor

from fer_zoo.metrics.moments import (
    MomentSums,
    ccc,
    icc21,
    icc31,
    label_constant,
    mae,
    mse,
    pearson,
    prediction_constant,
)

VALUES: dict[str, Callable[[Tensor], Tensor]] = {
    "mae": mae,
    "mse": mse,
    "pearson": pearson,
    "ccc": ccc,
    "icc31": icc31,
    "icc21": icc21,
}
# Shrout & Fleiss (1979): 6 targets, 4 judges.
JUDGES = torch.tensor(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=torch.float64
)


def column(values: list[float] | Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)[:, None]


def scores(prediction: list[float] | Tensor, target: list[float] | Tensor, centre: float = 0.0) -> dict[str, float]:
    sums = MomentSums(1, centre).sums(column(prediction), column(target))
    return {name: value(sums).item() for name, value in VALUES.items()}


def ratings(seed: int, b: int = 60, k: int = 3) -> tuple[Tensor, Tensor]:
    """Predictions and labels 0..5 that agree to different degrees, some of both missing."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 6, (b, k), generator=generator).double()
    noise = torch.randn(b, k, generator=generator, dtype=torch.float64)
    prediction = 0.3 * target * torch.arange(k) + noise + 1
    prediction[torch.rand(b, k, generator=generator) < 0.1] = torch.nan
    target[torch.rand(b, k, generator=generator) < 0.1] = torch.nan
    return prediction, target


@pytest.mark.parametrize("centre", [0.0, 2.5, 100.0])
def test_worked_example_of_two_judges(centre: float) -> None:
    found = scores(JUDGES[:, 0], JUDGES[:, 3], centre)
    expected = {
        "icc21": 0.647887324,
        "icc31": 0.686567164,
        "ccc": 0.605263158,
        "pearson": 0.750177284,
        "mae": 8 / 6,
        "mse": 20 / 6,
    }
    assert found == pytest.approx(expected, abs=1e-9)
    biased = scores(JUDGES[:, 0], JUDGES[:, 1], centre)
    expected = {"icc21": 0.125654450, "icc31": 0.745341615, "ccc": 0.106951872, "pearson": 0.745355992}
    assert {name: biased[name] for name in expected} == pytest.approx(expected, abs=1e-9)


def test_sums_of_the_worked_example() -> None:
    sums = MomentSums(1).sums(column(JUDGES[:, 0]), column(JUDGES[:, 3]))
    assert sums[:, 0].tolist() == [6, 46, 40, 366, 298, 322, 8]


@given(seed=st.integers(0, 10_000))
def test_against_scipy_and_scikit_learn(seed: int) -> None:
    prediction, target = ratings(seed)
    sums = MomentSums(3, 2.5).sums(prediction, target)
    for j in range(3):
        kept = ~(prediction[:, j].isnan() | target[:, j].isnan())
        x, y = prediction[kept, j].numpy(), target[kept, j].numpy()
        assert pearson(sums)[j].item() == pytest.approx(stats.pearsonr(x, y).statistic)
        assert mae(sums)[j].item() == pytest.approx(sklearn_metrics.mean_absolute_error(y, x))
        assert mse(sums)[j].item() == pytest.approx(sklearn_metrics.mean_squared_error(y, x))
        covariance = np.cov(x, y, ddof=0)
        lin = 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (x.mean() - y.mean()) ** 2)
        assert ccc(sums)[j].item() == pytest.approx(lin)


@pytest.mark.parametrize("seed", range(5))
def test_intraclass_correlations_against_an_analysis_of_variance(seed: int) -> None:
    prediction, target = ratings(seed, b=25)
    kept = ~(prediction[:, 2].isnan() | target[:, 2].isnan())
    x, y = prediction[kept, 2].numpy(), target[kept, 2].numpy()
    n = len(x)
    table = pd.DataFrame({"value": [*x, *y], "sample": [*range(n), *range(n)], "rater": ["x"] * n + ["y"] * n})
    mean_square = anova_lm(ols("value ~ C(sample) + C(rater)", table).fit()).eval("sum_sq / df")
    between, judges, error = mean_square["C(sample)"], mean_square["C(rater)"], mean_square["Residual"]
    found = scores(torch.from_numpy(x), torch.from_numpy(y), 2.5)
    assert found["icc31"] == pytest.approx((between - error) / (between + error))
    assert found["icc21"] == pytest.approx((between - error) / (between + error + 2 * (judges - error) / n))


@given(seed=st.integers(0, 10_000))
def test_bounds_between_the_agreements(seed: int) -> None:
    sums = MomentSums(3, 2.5).sums(*ratings(seed))
    consistency, agreement, correlation = icc31(sums).abs(), ccc(sums).abs(), pearson(sums).abs()
    assert (agreement <= consistency + 1e-12).all()
    assert (consistency <= correlation + 1e-12).all()


def test_an_offset_costs_agreement_but_not_consistency() -> None:
    before, after = scores(JUDGES[:, 0], JUDGES[:, 3]), scores(JUDGES[:, 0] + 10, JUDGES[:, 3])
    for name in ("icc31", "pearson"):
        assert after[name] == pytest.approx(before[name])
    for name in ("icc21", "ccc"):
        assert 0 < after[name] < before[name] / 3


# The policy for constant columns and few pairs, case by case; nan is compared as equal.
NAN = float("nan")
CASES = {
    "no pair": ([NAN, 1.0], [1.0, NAN], dict.fromkeys(VALUES, NAN)),
    "one pair": (
        [1.0, NAN],
        [3.0, 2.0],
        {"mae": 2, "mse": 4, "pearson": NAN, "ccc": NAN, "icc31": NAN, "icc21": NAN},
    ),
    "label constant": (
        [1.0, 2.0, 3.3],
        [0.1, 0.1, 0.1],
        {"mae": 2.0, "mse": (0.81 + 3.61 + 10.24) / 3, "pearson": NAN, "ccc": 0, "icc31": 0, "icc21": 0},
    ),
    "prediction constant": (
        [0.1, 0.1, 0.1],
        [1.0, 2.0, 3.3],
        {"mae": 2.0, "mse": (0.81 + 3.61 + 10.24) / 3, "pearson": 0, "ccc": 0, "icc31": 0, "icc21": 0},
    ),
    "both constant and different": (
        [0.1, 0.1, 0.1],
        [0.3, 0.3, 0.3],
        {"mae": 0.2, "mse": 0.04, "pearson": NAN, "ccc": 0, "icc31": NAN, "icc21": NAN},
    ),
    "both constant and equal": (
        [0.1, 0.1, 0.1],
        [0.1, 0.1, 0.1],
        {"mae": 0, "mse": 0, "pearson": NAN, "ccc": NAN, "icc31": NAN, "icc21": NAN},
    ),
    "equal and varying": (
        [1.0, 2.0, 4.0],
        [1.0, 2.0, 4.0],
        {"mae": 0, "mse": 0, "pearson": 1, "ccc": 1, "icc31": 1, "icc21": 1},
    ),
    "two raters that swap places": (
        [0.0, 1.0],
        [1.0, 0.0],
        {"mae": 1, "mse": 1, "pearson": -1, "ccc": -1, "icc31": -1, "icc21": NAN},
    ),
}


@pytest.mark.parametrize("centre", [0.0, 2.5, -7.3])
@pytest.mark.parametrize("case", CASES)
def test_policy(case: str, centre: float) -> None:
    prediction, target, expected = CASES[case]
    assert scores(prediction, target, centre) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_zeros_of_the_policy_are_exact() -> None:
    for case in ("label constant", "prediction constant"):
        prediction, target, _ = CASES[case]
        found = scores(prediction, target, 2.5)
        assert found["icc31"] == found["icc21"] == found["ccc"] == 0


def test_the_limit_of_constant() -> None:
    """A <= 1e-12 max(1, mean²) n: a spread of 1e-7 is rounding, one of 1e-5 is not; about 1000, 1e-4 is."""
    labels = [1.0, 2.0, 3.0]
    for mean, spread, is_constant in ((0.0, 1e-7, True), (0.0, 1e-5, False), (1e3, 1e-4, True), (1e3, 1e-2, False)):
        prediction = [mean, mean + spread, mean - spread]
        assert (scores(prediction, labels)["pearson"] == 0) == is_constant


def test_flags_name_the_constant_side() -> None:
    prediction = torch.tensor([[1.0, 1.0, 1.0, torch.nan], [2.0, 1.0, 1.0, 1.0]])
    target = torch.tensor([[3.0, 3.0, 4.0, 1.0], [3.0, 3.0, 5.0, torch.nan]])
    sums = MomentSums(4, 2.5).sums(prediction, target)
    assert prediction_constant(sums).tolist() == [False, True, True, False]
    assert label_constant(sums).tolist() == [True, True, False, False]


def test_large_numbers_lose_nothing_in_float64() -> None:
    """200,000 samples of N(100, 0.5²): float32 sums are off in the third digit, these are not."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(200_000, 1, generator=generator, dtype=torch.float64)
    noise = torch.randn(200_000, 1, generator=generator, dtype=torch.float64)
    x, y = 100 + 0.5 * (truth + noise) / 2**0.5, 100 + 0.5 * truth
    deviation_x, deviation_y = (x - x.mean()).square().sum(), (y - y.mean()).square().sum()
    two_pass = (2 * ((x - x.mean()) * (y - y.mean())).sum() / (deviation_x + deviation_y)).item()
    for centre, within in ((100.0, 1e-13), (2.5, 1e-9), (0.0, 1e-9)):
        assert icc31(MomentSums(1, centre).sums(x, y)).item() == pytest.approx(two_pass, abs=within)
    narrow_x, narrow_y = x.float(), y.float()
    n, sum_x, sum_y = len(x), narrow_x.sum(), narrow_y.sum()
    spread = narrow_x.square().sum() + narrow_y.square().sum() - (sum_x**2 + sum_y**2) / n
    narrow = 2 * ((narrow_x * narrow_y).sum() - sum_x * sum_y / n) / spread
    assert abs(narrow.item() - two_pass) > 1e-4


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 60))
def test_sums_add_in_any_order(seed: int, cut: int) -> None:
    family = MomentSums(3, 2.5)
    prediction, target = ratings(seed)
    whole = family.sums(prediction, target)
    parts = family.sums(prediction[cut:], target[cut:]) + family.sums(prediction[:cut], target[:cut])
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-12)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(seed))
    np.testing.assert_allclose(family.sums(prediction[order], target[order]), whole, rtol=1e-12, atol=1e-12)


def test_more_rows_than_one_block_are_all_counted() -> None:
    prediction, target = ratings(0, b=10_001)
    kept = ~(prediction.isnan() | target.isnan())
    sums = MomentSums(3, 2.5).sums(prediction, target)
    assert sums[0].tolist() == kept.sum(dim=0).tolist()
    expected = (prediction - 2.5).where(kept, 0.0).sum(dim=0)
    np.testing.assert_allclose(sums[1], expected, rtol=1e-12)


def test_a_padded_batch_is_not_counted() -> None:
    prediction, target = ratings(0)
    padded = torch.cat([target, torch.full((5, 3), torch.nan, dtype=torch.float64)])
    found = MomentSums(3).sums(torch.cat([prediction, prediction[:5]]), padded)
    np.testing.assert_allclose(found, MomentSums(3).sums(prediction, target), rtol=1e-12)


def test_ten_thousand_resamples_at_once_are_the_resamples_one_by_one() -> None:
    generator = torch.Generator().manual_seed(0)
    per_subject = torch.stack([MomentSums(3, 2.5).sums(*ratings(seed, b=4)) for seed in range(12)])
    weights = torch.randint(0, 3, (10_000, 12), generator=generator).double()
    weights[0] = 0
    sums = torch.einsum("rs,sfk->rfk", weights, per_subject)
    for value in VALUES.values():
        together = value(sums)
        assert together.shape == (10_000, 3)
        assert together[0].isnan().all()
        torch.testing.assert_close(together[:40], torch.stack([value(one) for one in sums[:40]]), equal_nan=True)


def test_outputs_in_half_precision_are_summed_in_float64() -> None:
    prediction = torch.rand(50, 2).bfloat16()
    sums = MomentSums(2).sums(prediction, torch.ones(50, 2))
    np.testing.assert_allclose(sums[1], prediction.double().sum(dim=0), rtol=1e-14)
