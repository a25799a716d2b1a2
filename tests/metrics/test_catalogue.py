import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.metrics import (
    METRICS,
    CalibrationSums,
    ConfusionSums,
    CountSums,
    MomentSums,
    family_for,
    mean_over_names,
    metric,
    metric_names,
    names_entered,
    sums_of,
)

CLASSES, VALUES = label_space("emotion/basic6"), label_space("au/disfa12")
POINTS = label_space("landmarks/68")
NAMES = (
    "accuracy",
    "mean_class_accuracy",
    "macro_f1",
    "confusion_matrix",
    "expected_calibration_error",
    "mae",
    "mse",
    "pearson",
    "ccc",
    "icc31",
    "icc21",
    "nme",
)


def test_the_names_are_these() -> None:
    assert tuple(METRICS) == NAMES
    assert metric_names(POINTS) == ("nme",)
    assert {*metric_names(CLASSES), *metric_names(VALUES), *metric_names(POINTS)} == set(NAMES) - {"confusion_matrix"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("leading", [(), (3,), (2, 5)])
def test_every_metric_keeps_leading_axes_and_its_direction_is_true(name: str, leading: tuple[int, ...]) -> None:
    chosen = metric(name)
    space = VALUES if chosen.per_name else POINTS if chosen.fits(POINTS) else CLASSES
    if space is POINTS:
        target = torch.rand(40, 136) * 100
        good, bad = target + torch.rand(40, 136), 100 - target
    elif space is VALUES:
        target = torch.rand(40, 12) * 5
        good, bad = target + 0.01 * torch.rand(40, 12), 5 - target
    else:
        target = torch.arange(40) % 6
        good, bad = torch.eye(6)[target], torch.eye(6)[(target + 1) % 6]
    sums = [sums_of(chosen.family, p, target, space) for p in (good, bad)]
    values = [chosen.value(of_one.expand(*leading, *of_one.shape)) for of_one in sums]
    last = (12,) if chosen.per_name else (6, 6) if name == "confusion_matrix" else ()
    assert values[0].shape == (*leading, *last)
    if chosen.higher_is_better is not None:
        assert ((values[0] > values[1]) == chosen.higher_is_better).all()


def test_families_carry_size_and_centre_of_the_space() -> None:
    assert family_for(CLASSES, "macro_f1") == CountSums(6)
    assert family_for(CLASSES, "confusion_matrix") == ConfusionSums(6)
    assert family_for(CLASSES, "expected_calibration_error") == CalibrationSums(15)
    assert family_for(VALUES, "icc31") == MomentSums(12, 2.5)
    sums = sums_of("moments", torch.full((1, 12), 3.0), torch.full((1, 12), 2.0), VALUES)
    assert sums[:, 0].tolist() == [1.0, 0.5, -0.5, 0.25, 0.25, -0.25, 1.0]


def test_unknown_and_unfitting_metrics_are_one_sentence() -> None:
    with pytest.raises(UserError, match=r"No metric is named 'acuracy'. Did you mean 'accuracy'"):
        metric("acuracy")
    with pytest.raises(UserError, match=r"'accuracy' does not fit au/disfa12, a space of values; take one of mae, mse"):
        family_for(VALUES, "accuracy")
    with pytest.raises(UserError, match=r"'icc31' does not fit emotion/basic6, a space of classes"):
        family_for(CLASSES, "icc31")
    with pytest.raises(UserError, match=r"'mae' does not fit landmarks/68, a space of points; take one of nme"):
        family_for(POINTS, "mae")
    with pytest.raises(UserError, match=r"7 columns, but emotion/basic6 has 6 entries"):
        sums_of("confusion", torch.rand(2, 7), torch.tensor([0, 1]), CLASSES)


def test_the_mean_skips_names_without_value_and_counts_the_others() -> None:
    values = torch.tensor([[0.2, torch.nan, 0.6], [torch.nan] * 3, [1.0, 2.0, 3.0]], dtype=torch.float64)
    means = mean_over_names(values)
    assert means[0].item() == pytest.approx(0.4)
    assert means[1].isnan()
    assert means[2].item() == pytest.approx(2.0)
    assert names_entered(values).tolist() == [2, 0, 3]


def test_the_strict_mean_names_what_is_without_value() -> None:
    values = torch.tensor([[0.2, torch.nan, 0.6], [1.0, 2.0, 3.0]], dtype=torch.float64)
    with pytest.raises(UserError, match=r"needs all 3 names, but AU02 have no value"):
        mean_over_names(values, required=("AU01", "AU02", "AU04"))
    assert mean_over_names(values[1], required=("AU01", "AU02", "AU04")).item() == pytest.approx(2.0)
