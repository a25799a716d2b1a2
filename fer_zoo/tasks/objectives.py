"""Objectives: target + loss + weight + metrics, and how outputs of the network become predictions."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.losses.loss import Loss

CLASS_METRICS = ("accuracy", "mean_class_accuracy", "macro_f1", "expected_calibration_error")
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
