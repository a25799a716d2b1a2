import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.functional.classification import multiclass_calibration_error

from fer_zoo.core.errors import UserError
from fer_zoo.metrics.calibration import CalibrationSums, expected_calibration_error

FAMILY = CalibrationSums()


def scored(seed: int, b: int = 200, k: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    probabilities = (torch.randn(b, k, generator=generator, dtype=torch.float64) * 2).softmax(dim=1)
    return probabilities, torch.randint(0, k, (b,), generator=generator)


@given(seed=st.integers(0, 10_000))
def test_against_torchmetrics(seed: int) -> None:
    probabilities, target = scored(seed)
    found = expected_calibration_error(FAMILY.sums(probabilities, target)).item()
    expected = multiclass_calibration_error(probabilities, target, num_classes=4, n_bins=15, norm="l1").item()
    assert found == pytest.approx(expected, abs=1e-6)


@given(seed=st.integers(0, 10_000))
def test_against_a_loop_over_bins(seed: int) -> None:
    probabilities, target = scored(seed)
    confidence, hit = probabilities.max(dim=1).values.numpy(), (probabilities.argmax(dim=1) == target).numpy()
    error = 0.0
    for m in range(1, 16):
        inside = (confidence > (m - 1) / 15) & (confidence <= m / 15)
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - hit[inside].mean())
    assert expected_calibration_error(FAMILY.sums(probabilities, target)).item() == pytest.approx(error)


def test_always_certain_and_right_half_of_the_time_is_off_by_a_half() -> None:
    certain = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert expected_calibration_error(FAMILY.sums(certain, torch.tensor([0, 1]))).item() == 0.5
    assert expected_calibration_error(FAMILY.sums(certain, torch.tensor([0, 0]))).item() == 0


def test_missing_labels_and_outputs_are_skipped() -> None:
    probabilities, target = scored(0)
    target[:20] = -1
    probabilities[20:30, 1] = torch.nan
    found, expected = FAMILY.sums(probabilities, target), FAMILY.sums(probabilities[30:], target[30:])
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found[:, 0].sum() == 170


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 200))
def test_sums_add(seed: int, cut: int) -> None:
    probabilities, target = scored(seed)
    parts = FAMILY.sums(probabilities[:cut], target[:cut]) + FAMILY.sums(probabilities[cut:], target[cut:])
    np.testing.assert_allclose(parts, FAMILY.sums(probabilities, target), rtol=1e-12)


def test_resamples_at_once_and_nothing_to_score() -> None:
    sums = torch.stack([FAMILY.sums(*scored(seed)) for seed in range(5)])
    together = expected_calibration_error(sums)
    assert torch.equal(together, torch.stack([expected_calibration_error(one) for one in sums]))
    assert expected_calibration_error(torch.zeros(15, 3, dtype=torch.float64)).isnan()


def test_half_precision_outputs_above_one_and_a_class_outside_the_space() -> None:
    rounded = torch.tensor([[1.0078125, 0.0]], dtype=torch.bfloat16)  # a softmax in bf16 may round above 1
    assert FAMILY.sums(rounded, torch.tensor([0]))[-1, 0] == 1
    with pytest.raises(UserError, match="hold class 2"):
        FAMILY.sums(rounded, torch.tensor([2]))
