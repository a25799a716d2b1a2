"""Objectives: predictions from outputs, and what is followed."""

import pytest
import torch

from fer_zoo.core.label_spaces import label_space
from fer_zoo.losses.euclidean import euclidean
from fer_zoo.metrics import metric
from fer_zoo.tasks.objectives import class_objective, value_objective


def test_classes_become_probabilities_in_float32() -> None:
    objective = class_objective(label_space("emotion/basic7"), euclidean)
    outputs = torch.randn(4, 7, dtype=torch.bfloat16)
    predictions = objective.predictions(outputs)
    assert predictions.dtype == torch.float32
    torch.testing.assert_close(predictions, torch.softmax(outputs.float(), 1))
    assert objective.target == "emotion"


@pytest.mark.parametrize("name", ["au/disfa12", "blendshapes/51", "expression/29"])
def test_values_stay_in_the_range_of_their_space(name: str) -> None:
    space = label_space(name)
    outputs = torch.linspace(-9, 9, 3 * len(space)).reshape(3, -1)
    predictions = value_objective(space, euclidean).predictions(outputs)
    inside = (outputs >= space.minimum) & (outputs <= space.maximum)
    assert torch.equal(predictions[inside], outputs[inside])
    assert float(predictions.min()) == space.minimum
    assert float(predictions.max()) == space.maximum


@pytest.mark.parametrize("make", [class_objective, value_objective])
def test_monitor_is_among_the_metrics_with_its_direction(make: object) -> None:
    space = label_space("emotion/basic7" if make is class_objective else "au/disfa12")
    objective = make(space, euclidean)  # type: ignore[operator]  # one of two functions
    assert objective.monitor in objective.metrics
    assert objective.higher_is_better == metric(objective.monitor).higher_is_better
