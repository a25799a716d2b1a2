"""Objectives: predictions from outputs, and what is followed."""

import pytest
import torch

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import label_space
from fer_zoo.losses.euclidean import euclidean
from fer_zoo.losses.labelled import labelled_rows
from fer_zoo.losses.loss import Loss
from fer_zoo.metrics import metric
from fer_zoo.tasks.objectives import class_objective, number_objective, value_objective

LOSS = Loss(euclidean, labelled_rows)


def test_classes_become_probabilities_in_float32() -> None:
    objective = class_objective(label_space("emotion/basic7"), LOSS)
    outputs = torch.randn(4, 7, dtype=torch.bfloat16)
    predictions = objective.predictions(outputs)
    assert predictions.dtype == torch.float32
    torch.testing.assert_close(predictions, torch.softmax(outputs.float(), 1))
    assert objective.target == "emotion"


@pytest.mark.parametrize("temperature", [0.05, 0.7, 3.0, 20.0])
def test_temperature_divides_the_outputs_and_changes_no_answer(temperature: float) -> None:
    objective = class_objective(label_space("emotion/basic7"), LOSS)
    outputs = 3 * torch.randn(4000, 7, generator=torch.Generator().manual_seed(0))
    plain, scaled = objective.predictions(outputs), objective.predictions(outputs, temperature)
    torch.testing.assert_close(scaled, torch.softmax(outputs / temperature, 1), rtol=1e-6, atol=0)
    assert torch.equal(scaled.argmax(1), plain.argmax(1))
    assert torch.equal(objective.predictions(outputs, 1.0), plain)


def test_output_that_is_not_finite_stays_missing_at_any_temperature() -> None:
    objective = class_objective(label_space("emotion/basic7"), LOSS)
    outputs = torch.zeros(2, 7)
    outputs[1, 3] = float("nan")
    assert objective.predictions(outputs, 2.0).isnan().any(dim=1).tolist() == [False, True]


def test_values_have_no_temperature() -> None:
    objective = value_objective(label_space("au/disfa12"), LOSS)
    outputs = torch.rand(3, 12)
    assert torch.equal(objective.predictions(outputs, 2.0), outputs)


@pytest.mark.parametrize("name", ["au/disfa12", "blendshapes/51", "expression/29"])
def test_values_stay_in_the_range_of_their_space(name: str) -> None:
    space = label_space(name)
    outputs = torch.linspace(-9, 9, 3 * len(space)).reshape(3, -1)
    predictions = value_objective(space, LOSS).predictions(outputs)
    inside = (outputs >= space.minimum) & (outputs <= space.maximum)
    assert torch.equal(predictions[inside], outputs[inside])
    assert float(predictions.min()) == space.minimum
    assert float(predictions.max()) == space.maximum


@pytest.mark.parametrize("make", [class_objective, value_objective])
def test_monitor_is_among_the_metrics_with_its_direction(make: object) -> None:
    space = label_space("emotion/basic7" if make is class_objective else "au/disfa12")
    objective = make(space, LOSS)  # type: ignore[operator]  # one of two functions
    assert objective.monitor in objective.metrics
    assert objective.higher_is_better == metric(objective.monitor).higher_is_better


def test_points_are_relative_to_the_input_in_the_loss_and_pixels_in_predictions() -> None:
    spec = InputSpec(height=40, width=60)
    objective = number_objective(label_space("landmarks/68"), LOSS, spec)
    outputs = torch.randn(3, 136, dtype=torch.bfloat16)
    predictions = objective.predictions(outputs)
    assert predictions.dtype == torch.float32
    points, relative = predictions.reshape(3, 68, 2), outputs.float().reshape(3, 68, 2)
    torch.testing.assert_close(points[..., 0], 30 + 30 * relative[..., 0])
    torch.testing.assert_close(points[..., 1], 20 + 20 * relative[..., 1])
    labels = objective.labels({"landmarks": points + torch.tensor([15.0, 5.0])})  # half and a quarter of half a side
    assert labels.shape == (3, 136)
    exact = outputs.float()
    assert float(objective.loss(exact, labels)) == pytest.approx(68 * (0.5**2 + 0.25**2) / 2, rel=1e-5)
    assert int(objective.loss.count(labels)) == 3
    assert float(objective.loss(exact, torch.full((3, 136), torch.nan))) == 0


def test_values_that_are_no_points_keep_their_own_objective() -> None:
    space = label_space("au/disfa12")
    assert number_objective(space, LOSS, InputSpec(height=8, width=8)) == value_objective(space, LOSS)
