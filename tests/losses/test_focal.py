from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fer_zoo.losses import binary_focal, cross_entropy, focal

Loss = Callable[..., Tensor]
BOTH = pytest.mark.parametrize("loss", [focal, binary_focal])
WORKED = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64).log()  # methods reference, 6.8


def rows(seed: int, b: int = 9, k: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(b, k, generator=generator) * 3, torch.randint(0, k, (b,), generator=generator)


def test_worked_values() -> None:
    assert focal(WORKED, torch.tensor([0])).item() == pytest.approx(0.008025, abs=5e-7)
    assert binary_focal(WORKED, torch.tensor([0])).item() == pytest.approx(0.015510, abs=5e-7)


@given(seed=st.integers(0, 10_000))
def test_focal_without_focus_is_cross_entropy(seed: int) -> None:
    logits, target = rows(seed)
    torch.testing.assert_close(focal(logits, target, gamma=0.0, alpha=1.0), cross_entropy(logits, target))


@given(seed=st.integers(0, 10_000), gamma=st.sampled_from([0.0, 0.5, 2.0, 5.0]), per_class=st.booleans())
def test_both_against_the_formulas_row_by_row(seed: int, gamma: float, per_class: bool) -> None:
    logits, target = rows(seed)
    alpha = np.array([0.1, 0.9, 0.25, 0.5, 1.0]) if per_class else np.full(5, 0.25)
    softmax = np.exp(logits.double().numpy())
    softmax /= softmax.sum(axis=1, keepdims=True)

    def binary(p: np.ndarray, y: int) -> float:
        parts = [
            alpha[c] * (1 - p[c]) ** gamma * np.log(p[c])
            if c == y
            else (1 - alpha[c]) * p[c] ** gamma * np.log1p(-p[c])
            for c in range(5)
        ]
        return -sum(parts)

    pairs = list(enumerate(target.tolist()))
    wanted = [-np.mean([alpha[y] * (1 - softmax[i, y]) ** gamma * np.log(softmax[i, y]) for i, y in pairs])]
    wanted += [np.mean([binary(softmax[i], y) for i, y in pairs])]
    given_alpha = torch.from_numpy(alpha) if per_class else 0.25
    arguments = {"gamma": gamma, "alpha": given_alpha}
    x = logits.double()
    found = [
        focal(x, target, **arguments),
        binary_focal(x, target, **arguments),
    ]
    assert [value.item() for value in found] == pytest.approx(wanted, rel=1e-6)


def test_two_classes_are_equations_6_to_8_twice() -> None:
    """-alpha_t (1 - p_t)^gamma log p_t with p_t = p, alpha_t = alpha if y = 1, else 1 - p, 1 - alpha."""
    p, alpha, gamma = 0.3, 0.25, 2.0
    logits = torch.tensor([[np.log(p / (1 - p)), 0.0]])  # p, 1 - p
    holds = -alpha * (1 - p) ** gamma * np.log(p)
    does_not = -(1 - alpha) * (1 - p) ** gamma * np.log(p)  # the second class, whose p_t is p, too
    found = binary_focal(logits, torch.tensor([0]), alpha=alpha, gamma=gamma)
    assert found.item() == pytest.approx(holds + does_not)


@BOTH
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_extreme_logits_have_finite_loss_and_gradient(loss: Loss, gamma: float) -> None:
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [0.0, 0.0, 0.0]], requires_grad=True)
    for target in (torch.tensor([0, 1, 2]), torch.tensor([1, 0, 0])):
        value = loss(logits, target, gamma=gamma)
        (gradient,) = torch.autograd.grad(value, logits)
        assert value.isfinite()
        assert gradient.isfinite().all()
    assert value.item() > 1e3  # certain and wrong is not cheap


@BOTH
def test_gradient_agrees_with_differences(loss: Loss) -> None:
    logits, target = rows(1, b=3, k=4)
    for gamma in (0.0, 0.5, 2.0):
        assert torch.autograd.gradcheck(
            lambda x, gamma=gamma: loss(x, target, gamma=gamma), logits.double().requires_grad_()
        )


@BOTH
def test_rows_without_label_reach_neither_loss_nor_gradient(loss: Loss) -> None:
    logits, target = rows(2)
    target[2], target[5] = -1, -1
    logits[2] = torch.nan
    logits.requires_grad_()
    value = loss(logits, target)
    value.backward()
    kept = target >= 0
    torch.testing.assert_close(value, loss(logits[kept], target[kept]))
    assert logits.grad is not None
    assert logits.grad[~kept].eq(0).all()
    assert logits.grad[kept].ne(0).any(dim=1).all()


@BOTH
def test_no_label_is_zero_with_zero_gradient(loss: Loss) -> None:
    logits = torch.randn(4, 3, requires_grad=True)
    value = loss(logits, torch.full((4,), -1))
    value.backward()
    assert value.item() == 0
    assert logits.grad is not None
    assert logits.grad.eq(0).all()


@BOTH
def test_half_precision_is_computed_in_float32(loss: Loss) -> None:
    logits, target = rows(3)
    found = loss(logits.bfloat16(), target)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss(logits.bfloat16().float(), target), rtol=0, atol=0)


def test_gamma_moves_weight_to_the_hard_sample() -> None:
    easy, hard = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    target = torch.tensor([0])
    ratios = [(focal(hard, target, gamma=g) / focal(easy, target, gamma=g)).item() for g in (0.0, 1.0, 2.0)]
    assert ratios[0] < ratios[1] / 10 < ratios[2] / 100
