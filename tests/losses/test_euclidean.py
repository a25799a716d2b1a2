from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fer_zoo.losses import euclidean, mean_absolute, mean_squared

ALL = pytest.mark.parametrize("loss", [euclidean, mean_absolute, mean_squared])
Loss = Callable[[Tensor, Tensor], Tensor]


def test_agree_with_torch_when_all_is_labelled() -> None:
    prediction, target = torch.randn(6, 4), torch.randn(6, 4)
    torch.testing.assert_close(mean_absolute(prediction, target), F.l1_loss(prediction, target))
    torch.testing.assert_close(mean_squared(prediction, target), F.mse_loss(prediction, target))
    torch.testing.assert_close(euclidean(prediction, target), F.mse_loss(prediction, target) * 4 / 2)


@given(seed=st.integers(0, 10_000))
def test_against_loops_over_what_is_labelled(seed: int) -> None:
    generator = np.random.default_rng(seed)
    prediction, target = generator.normal(size=(2, 5, 3))
    target[generator.random((5, 3)) < 0.5] = np.nan
    target[0, 0] = 1.0
    pairs = [(p, t) for p, t in zip(prediction.ravel(), target.ravel(), strict=True) if not np.isnan(t)]
    rows = sum(any(not np.isnan(t) for t in row) for row in target)
    x, y = torch.from_numpy(prediction), torch.from_numpy(target)
    assert euclidean(x, y).item() == pytest.approx(sum((p - t) ** 2 for p, t in pairs) / (2 * rows))
    assert mean_absolute(x, y).item() == pytest.approx(np.mean([abs(p - t) for p, t in pairs]))
    assert mean_squared(x, y).item() == pytest.approx(np.mean([(p - t) ** 2 for p, t in pairs]))


@ALL
def test_missing_values_reach_neither_loss_nor_gradient(loss: Loss) -> None:
    prediction, target = torch.randn(4, 3), torch.randn(4, 3)
    target[1] = torch.nan
    target[2, 0] = torch.nan
    prediction[1, 1] = torch.nan
    prediction.requires_grad_()
    value = loss(prediction, target)
    value.backward()
    assert value.isfinite()
    assert prediction.grad is not None
    assert torch.equal(prediction.grad.eq(0), target.isnan())


@ALL
def test_no_label_is_zero_with_zero_gradient(loss: Loss) -> None:
    prediction = torch.randn(4, 3, requires_grad=True)
    value = loss(prediction, torch.full((4, 3), torch.nan))
    value.backward()
    assert value.item() == 0
    assert prediction.grad is not None
    assert prediction.grad.eq(0).all()


@ALL
def test_a_nan_where_a_label_stands_is_not_hidden(loss: Loss) -> None:
    assert loss(torch.full((1, 2), torch.nan), torch.zeros(1, 2)).isnan()


@ALL
def test_half_precision_is_computed_in_float32(loss: Loss) -> None:
    prediction, target = torch.rand(64, 3).bfloat16(), torch.rand(64, 3)
    found = loss(prediction, target)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss(prediction.float(), target), rtol=0, atol=0)


@ALL
def test_extreme_values_stay_finite(loss: Loss) -> None:
    prediction = torch.tensor([[1e4, -1e4]], requires_grad=True)
    value = loss(prediction, torch.zeros(1, 2))
    value.backward()
    assert prediction.grad is not None
    assert value.isfinite()
    assert prediction.grad.isfinite().all()
