import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.metrics.confusion import (
    ConfusionSums,
    CountSums,
    accuracy,
    class_counts,
    confusion_matrix,
    macro_f1,
    mean_class_accuracy,
)

K = 6
FAMILY = ConfusionSums(K)


def scored(seed: int, b: int = 40) -> tuple[Tensor, Tensor]:
    """Probabilities and labels, some of both missing, some classes without labels, some without predictions."""
    generator = torch.Generator().manual_seed(seed)
    probabilities = torch.randn(b, K, generator=generator).softmax(dim=1)
    probabilities[:, seed % K] *= 0.01
    probabilities[torch.rand(b, generator=generator) < 0.1] = torch.nan
    target = torch.randint(-1, 1 + seed % K, (b,), generator=generator)
    return probabilities, target


@given(seed=st.integers(0, 10_000))
def test_against_scikit_learn(seed: int) -> None:
    probabilities, target = scored(seed)
    kept = (target >= 0) & ~probabilities.isnan().any(dim=1)
    truth, chosen = target[kept].numpy(), probabilities[kept].argmax(dim=1).numpy()
    if not len(truth):
        return
    sums = FAMILY.sums(probabilities, target)
    np.testing.assert_array_equal(
        confusion_matrix(sums), sklearn_metrics.confusion_matrix(truth, chosen, labels=range(K))
    )
    assert accuracy(class_counts(sums)).item() == pytest.approx(sklearn_metrics.accuracy_score(truth, chosen))
    recall = sklearn_metrics.recall_score(truth, chosen, labels=np.unique(truth), average="macro")
    assert mean_class_accuracy(class_counts(sums)).item() == pytest.approx(recall)
    assert macro_f1(class_counts(sums)).item() == pytest.approx(
        sklearn_metrics.f1_score(truth, chosen, average="macro")
    )


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 40))
def test_sums_add_exactly_in_any_order(seed: int, cut: int) -> None:
    probabilities, target = scored(seed)
    whole = FAMILY.sums(probabilities, target)
    parts = [FAMILY.sums(probabilities[part], target[part]) for part in (slice(cut, None), slice(cut))]
    assert torch.equal(parts[0] + parts[1], whole)
    order = torch.randperm(len(target), generator=torch.Generator().manual_seed(seed))
    assert torch.equal(FAMILY.sums(probabilities[order], target[order]), whole)


def test_ten_thousand_resamples_at_once_are_the_resamples_one_by_one() -> None:
    generator = torch.Generator().manual_seed(0)
    sums = torch.randint(0, 5, (10_000, K, K), generator=generator).double()
    sums[::3, 2] = 0  # a class that the resample did not draw
    sums[::7, :, 4] = 0
    for value in (accuracy, mean_class_accuracy, macro_f1):
        together = value(class_counts(sums))
        assert together.shape == (10_000,)
        apart = torch.stack([value(class_counts(one)) for one in sums[:50]])
        assert torch.equal(together[:50], apart)
    assert value(class_counts(sums.view(100, 100, K, K))).shape == (100, 100)


def test_a_class_absent_from_the_labels_is_left_out_of_the_mean_of_recalls() -> None:
    sums = torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 2.0]], dtype=torch.float64)
    assert mean_class_accuracy(class_counts(sums)).item() == pytest.approx((3 / 4 + 2 / 4) / 2)
    # class 1 was predicted, so it counts for F1 with 0
    assert macro_f1(class_counts(sums)).item() == pytest.approx((6 / 7 + 0 + 4 / 6) / 3)


def test_a_class_that_occurs_nowhere_is_left_out_of_f1() -> None:
    sums = torch.diag(torch.tensor([2.0, 0.0, 5.0], dtype=torch.float64))
    assert macro_f1(class_counts(sums)).item() == 1


def test_nothing_to_score_is_nan() -> None:
    sums = FAMILY.sums(torch.full((3, K), torch.nan), torch.tensor([0, 1, -1]))
    assert sums.sum() == 0
    for value in (accuracy, mean_class_accuracy, macro_f1):
        assert value(class_counts(sums)).isnan()


def test_small_integer_labels_do_not_overflow() -> None:
    k = 29
    sums = ConfusionSums(k).sums(torch.eye(k), torch.arange(k, dtype=torch.int8))
    assert torch.equal(sums, torch.eye(k, dtype=torch.float64))


@pytest.mark.parametrize("stray", [6, -2, 255])
@pytest.mark.parametrize("family", [FAMILY, CountSums(K)])
def test_a_class_outside_the_space_is_refused(family: ConfusionSums | CountSums, stray: int) -> None:
    with pytest.raises(UserError, match=f"hold class {stray}, but there are 6 classes"):
        family.sums(torch.rand(2, K), torch.tensor([0, stray]))


@given(seed=st.integers(0, 10_000))
def test_counts_are_those_of_the_confusion_matrix_of_each_group(seed: int) -> None:
    probabilities, target = scored(seed)
    group = torch.randint(0, 3, (len(target),), generator=torch.Generator().manual_seed(seed))
    counts = CountSums(K).grouped(probabilities, target, group, 4)
    assert torch.equal(counts, class_counts(FAMILY.grouped(probabilities, target, group, 4)))
    assert torch.equal(CountSums(K).sums(probabilities, target.to(torch.int8)), counts.sum(dim=0))


def test_counts_of_ten_thousand_classes_take_their_number_of_cells() -> None:
    k = 10_575  # of CASIA-WebFace; a confusion matrix would have 112 million cells
    target = torch.arange(0, k, 3)
    answers = target.clone()
    answers[::2] = (answers[::2] + 1) % k
    probabilities = torch.zeros(len(target), k, dtype=torch.float16)
    probabilities[torch.arange(len(target)), answers] = 1
    counts = CountSums(k).sums(probabilities, target)
    assert counts.shape == (3, k) and counts.sum(dim=1).tolist() == [len(target) // 2, len(target), len(target)]
    assert accuracy(counts).item() == mean_class_accuracy(counts).item() == (len(target) // 2) / len(target)
