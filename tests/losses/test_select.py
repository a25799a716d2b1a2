from typing import Any

import pytest
import torch
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.core.method_settings import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    ClassificationLossSettings,
    RegressionLossSettings,
)
from fer_zoo.losses import (
    Loss,
    binary_focal,
    classification_loss,
    cross_entropy,
    focal,
    mean_absolute,
    regression_loss,
)
from fer_zoo.losses.select import balanced_weights

SPACE: LabelSpace = label_space("emotion/basic6")
LOGITS = torch.randn(12, 6, generator=torch.Generator().manual_seed(0))
TARGET = torch.arange(12) % 7 - 1
COUNTS = torch.tensor([10, 20, 30, 40, 50, 60])


def chosen(counts: Tensor | None = None, **settings: Any) -> Tensor:
    return classification_loss(ClassificationLossSettings(**settings), SPACE, counts)(LOGITS, TARGET)


@pytest.mark.parametrize("name", CLASSIFICATION_LOSSES)
def test_every_classification_loss_is_built(name: str) -> None:
    assert chosen(loss=name).item() > 0


@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_every_regression_loss_is_built(name: str) -> None:
    assert regression_loss(RegressionLossSettings(loss=name))(torch.ones(2, 3), torch.zeros(2, 3)).item() > 0


def test_settings_reach_the_function() -> None:
    alphas = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    pairs = [
        (chosen(label_smoothing=0.1), cross_entropy(LOGITS, TARGET, label_smoothing=0.1)),
        (
            chosen(loss="focal", focal_gamma=1.0, focal_alpha=alphas),
            focal(LOGITS, TARGET, gamma=1.0, alpha=torch.tensor(alphas)),
        ),
        (
            chosen(loss="binary_focal", focal_gamma=1.0, focal_alpha=[0.4]),
            binary_focal(LOGITS, TARGET, gamma=1.0, alpha=0.4),
        ),
    ]
    for found, expected in pairs:
        torch.testing.assert_close(found, expected)
    assert regression_loss(RegressionLossSettings(loss="mean_absolute")).mean is mean_absolute


@pytest.mark.parametrize(
    "settings",
    [
        *({"loss": name} for name in CLASSIFICATION_LOSSES),
        {"label_smoothing": 0.2},
        {"class_weights": "balanced"},
        {"class_weights": "balanced", "label_smoothing": 0.2},
        {"loss": "focal", "class_weights": "balanced"},
    ],
)
def test_mean_of_a_batch_is_that_of_its_parts_by_their_counts(settings: dict[str, Any]) -> None:
    loss = classification_loss(ClassificationLossSettings(**settings), SPACE, COUNTS)
    check_parts(loss, LOGITS.double(), TARGET)


@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_mean_of_values_is_that_of_its_parts_by_their_counts(name: str) -> None:
    target = torch.rand(12, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target[:3] = torch.nan
    target[4:7, :4] = torch.nan
    check_parts(regression_loss(RegressionLossSettings(loss=name)), LOGITS.double(), target)


def check_parts(loss: Loss, outputs: Tensor, target: Tensor) -> None:
    """Parts of 3, 6 and 3 rows, the first without a label where the target is one of values."""
    whole = loss(outputs, target)
    sizes = [3, 6, 3]
    parts = list(zip(outputs.split(sizes), target.split(sizes), strict=True))
    counts = [loss.count(own) for _, own in parts]
    assert len({float(count) for count in counts}) > 1
    weighted = sum(loss(*part) * count for part, count in zip(parts, counts, strict=True))
    torch.testing.assert_close(weighted / sum(counts), whole, rtol=1e-6, atol=1e-6)
    with pytest.raises(AssertionError):  # the mean over the parts is another number
        torch.testing.assert_close(sum(loss(*part) for part in parts) / 3, whole, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(loss.count(target), torch.stack(counts).sum())


def test_balanced_weights_make_classes_equal() -> None:
    weights = balanced_weights(SPACE, COUNTS)
    torch.testing.assert_close(weights * COUNTS, torch.full((6,), 35.0))  # 210 / 6
    found = chosen(COUNTS, class_weights="balanced")
    torch.testing.assert_close(found, cross_entropy(LOGITS, TARGET, class_weights=weights))
    found = chosen(COUNTS, loss="focal", class_weights="balanced", focal_alpha=[0.5])
    torch.testing.assert_close(found, focal(LOGITS, TARGET, alpha=0.5 * weights))


def test_a_class_without_training_samples_is_named() -> None:
    with pytest.raises(UserError, match=r"no training sample shows disgust, sadness \(.*anger 1, disgust 0"):
        chosen(torch.tensor([1, 0, 3, 4, 0, 6]), class_weights="balanced")


def test_without_counts_the_loss_is_built_but_cannot_be_called() -> None:
    loss = classification_loss(ClassificationLossSettings(class_weights="balanced"), SPACE, None)
    with pytest.raises(UserError, match="number of training samples"):
        loss(LOGITS, TARGET)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"loss": "focall"}, "Did you mean 'focal'"),
        ({"loss": "focal", "focal_alpha": [0.1, 0.2]}, "2 numbers.*each of the 6 classes.*anger, disgust"),
        ({"loss": "focal", "focal_alpha": []}, "0 numbers"),
        ({"loss": "focal", "label_smoothing": 0.1}, "does not go with loss=focal"),
        ({"loss": "binary_focal", "focal_alpha": [1.5]}, "1.5.*from 0 to 1"),
        ({"loss": "binary_focal", "class_weights": "balanced"}, "focal_alpha one number a class"),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        chosen(COUNTS, **settings)
    assert "\n" not in str(caught.value)


def test_unknown_regression_loss_names_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'mean_squared'"):
        regression_loss(RegressionLossSettings(loss="mean_square"))
