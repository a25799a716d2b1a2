import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fer_zoo.losses import cross_entropy


def rows(seed: int, b: int = 9, k: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(b, k, generator=generator) * 3, torch.randint(-1, k, (b,), generator=generator)


def test_worked_value() -> None:
    logits = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64).log()
    assert cross_entropy(logits, torch.tensor([0])).item() == pytest.approx(0.356675, abs=5e-7)


@given(seed=st.integers(0, 10_000), smoothing=st.sampled_from([0.0, 0.1, 0.7]), weighted=st.booleans())
def test_agrees_with_torch(seed: int, smoothing: float, weighted: bool) -> None:
    logits, target = rows(seed)
    target[0] = 2  # at least one label
    weights = torch.tensor([0.2, 1.0, 3.0, 0.5, 7.0]) if weighted else None
    found = cross_entropy(logits, target, class_weights=weights, label_smoothing=smoothing)
    expected = F.cross_entropy(logits, target, weight=weights, ignore_index=-1, label_smoothing=smoothing)
    torch.testing.assert_close(found, expected)


def test_rows_without_label_reach_neither_loss_nor_gradient() -> None:
    logits, target = rows(0)
    target[:4] = torch.tensor([1, -1, -1, 3])
    logits[1] = torch.nan
    logits[2] = torch.inf
    logits.requires_grad_()
    loss = cross_entropy(logits, target, label_smoothing=0.1)
    loss.backward()
    kept = target >= 0
    torch.testing.assert_close(loss, cross_entropy(logits[kept], target[kept], label_smoothing=0.1))
    assert logits.grad is not None
    assert logits.grad[~kept].eq(0).all()
    assert logits.grad[kept].ne(0).all()


def test_a_nan_in_a_labelled_row_is_not_hidden() -> None:
    logits, target = rows(0)
    target[0] = 1
    logits[0, 3] = torch.nan
    assert cross_entropy(logits, target).isnan()


@pytest.mark.parametrize("weights", [None, torch.tensor([0.0, 1.0, 1.0, 1.0, 1.0])])
@pytest.mark.parametrize("target", [torch.full((9,), -1), torch.zeros(9, dtype=torch.int64)])
def test_nothing_that_counts_is_zero_with_zero_gradient(weights: Tensor | None, target: Tensor) -> None:
    if weights is None and target.max() >= 0:
        target = target[:0]  # an empty batch
    logits = torch.randn(len(target), 5, requires_grad=True)
    loss = cross_entropy(logits, target, class_weights=weights)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.eq(0).all()


def test_half_precision_is_computed_in_float32() -> None:
    logits, target = rows(3)
    found = cross_entropy(logits.bfloat16(), target)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, cross_entropy(logits.bfloat16().float(), target), rtol=0, atol=0)


def test_int32_targets_are_taken() -> None:
    logits, target = rows(3)
    torch.testing.assert_close(cross_entropy(logits, target.int()), cross_entropy(logits, target))
