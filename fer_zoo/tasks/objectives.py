"""Objectives: target + loss + weight + metrics, and how outputs of the network become predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from jaxtyping import Float, Shaped
from torch import Tensor

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.losses.loss import Loss

CLASS_METRICS = ("accuracy", "mean_class_accuracy", "macro_f1", "expected_calibration_error")
POINT_METRICS = ("nme",)
VALUE_METRICS = ("icc31", "mae", "pearson", "ccc")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What is asked of one output.

    Attributes:
        space: label space of the target.
        loss: of (outputs b k, labels) -> scalar; skips missing labels, and knows what its mean is divided by.
        metrics: names in `fer_zoo.metrics`.
        monitor: the metric by which the best weights are kept.
        higher_is_better: direction of the monitor.
        weight: of the loss in the sum.
    """

    space: LabelSpace
    loss: Loss
    metrics: tuple[str, ...]
    monitor: str
    higher_is_better: bool
    weight: float = 1.0

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.space.target

    def labels(self, batch: Mapping[str, Tensor]) -> Shaped[Tensor, "b ..."]:
        """The target of a batch as losses and metrics take it: classes "b", values and points "b k"."""
        labels = batch[self.target]
        return labels if self.space.kind == "classes" else labels.flatten(1)

    def predictions(self, outputs: Float[Tensor, "b k"], temperature: float = 1.0) -> Float[Tensor, "b k"]:
        """Probabilities of the classes, or values clipped to the range of the space, in float32.

        Args:
            outputs: of the network.
            temperature: of classes, more than 0: what the outputs are divided by, which changes no answer; values have
                none.
        """
        if self.space.kind == "classes":
            return (outputs.float() / temperature).softmax(dim=1)
        return outputs.float().clamp(self.space.minimum, self.space.maximum)


@dataclass(frozen=True, kw_only=True)
class PointObjective(Objective):
    """Points: the network gives them relative to its input, 0 the middle and ±1 the edges, predictions are in pixels.

    Attributes:
        half_size: half the width and height of the input.
    """

    half_size: tuple[float, float]

    def predictions(self, outputs: Float[Tensor, "b k"], temperature: float = 1.0) -> Float[Tensor, "b k"]:
        """Pixels of the input, in float32, clipped to the range of the space."""
        return super().predictions(_half(outputs.float(), self.half_size) * (outputs.float() + 1))


def class_objective(space: LabelSpace, loss: Loss, *, weight: float = 1.0) -> Objective:
    """Classes: kept by the mean class accuracy, because the sets of this field are unbalanced."""
    return Objective(
        space=space,
        loss=loss,
        metrics=CLASS_METRICS,
        monitor="mean_class_accuracy",
        higher_is_better=True,
        weight=weight,
    )


def value_objective(space: LabelSpace, loss: Loss, *, weight: float = 1.0) -> Objective:
    """Values: kept by the mean absolute error, which is defined for constant columns too."""
    return Objective(
        space=space, loss=loss, metrics=VALUE_METRICS, monitor="mae", higher_is_better=False, weight=weight
    )


def number_objective(space: LabelSpace, loss: Loss, spec: InputSpec, *, weight: float = 1.0) -> Objective:
    """The objective of a space that is no classes: points, or values one by one."""
    if space.is_points:
        return point_objective(space, loss, spec, weight=weight)
    return value_objective(space, loss, weight=weight)


def point_objective(space: LabelSpace, loss: Loss, spec: InputSpec, *, weight: float = 1.0) -> PointObjective:
    """Points: kept by the normalised mean error; the loss is of numbers relative to the input."""
    half_size = (spec.width / 2, spec.height / 2)
    return PointObjective(
        space=space,
        loss=Loss(partial(_relative_loss, loss=loss, half_size=half_size), loss.count),
        metrics=POINT_METRICS,
        monitor="nme",
        higher_is_better=False,
        weight=weight,
        half_size=half_size,
    )


def _relative_loss(
    outputs: Float[Tensor, "b k"], target: Float[Tensor, "b k"], loss: Loss, half_size: tuple[float, float]
) -> Float[Tensor, ""]:
    return loss(outputs, target / _half(target, half_size) - 1)


def _half(points: Float[Tensor, "b k"], half_size: tuple[float, float]) -> Float[Tensor, "k"]:
    """Half the input's width and height in turn."""
    return points.new_tensor(half_size).repeat(points.shape[1] // 2)
