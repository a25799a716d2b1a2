"""Metrics of the confusion matrix: how often the most probable class is the labelled one."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import MISSING_CLASS


@dataclass(frozen=True)
class ConfusionSums:
    """Counts of (labelled, predicted) pairs; they add over batches, processes and subjects.

    Attributes:
        num_classes: k.
    """

    num_classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the sums."""
        return (self.num_classes, self.num_classes)

    def sums(self, prediction: Float[Tensor, "b k"], target: Int[Tensor, "b"]) -> Float64[Tensor, "k k"]:
        """Counts, rows the label and columns the prediction; the first of equal probabilities is the prediction.

        Args:
            prediction: probabilities or logits; a row with a NaN is a missing output and is skipped.
            target: class numbers; -1 is a missing label and is skipped.

        Raises:
            UserError: for a class number outside the space.
        """
        scored = scored_rows(prediction, target)
        cells = target[scored].long() * self.num_classes + prediction[scored].argmax(dim=1)
        counts = torch.zeros(self.num_classes**2, dtype=torch.float64, device=prediction.device)
        counts.index_add_(0, cells, torch.ones_like(cells, dtype=torch.float64))
        return counts.view(self.shape)


def scored_rows(prediction: Float[Tensor, "b k"], target: Int[Tensor, "b"]) -> Bool[Tensor, "b"]:
    """Which rows have both a label and an output.

    Raises:
        UserError: for a class number outside the space.
    """
    num_classes = prediction.shape[1]
    if bool(((target < MISSING_CLASS) | (target >= num_classes)).any()):
        found = sorted(set(target.tolist()) - set(range(MISSING_CLASS, num_classes)))
        raise UserError(
            f"The targets hold class {', '.join(map(str, found[:5]))}, but there are {num_classes} classes, 0 to "
            f"{num_classes - 1}, and -1 for a missing label; map the labels onto the label space by name first."
        )
    return (target != MISSING_CLASS) & ~prediction.isnan().any(dim=1)


def confusion_matrix(sums: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s k k"]:
    """The counts themselves, rows the label and columns the prediction."""
    return sums


def accuracy(sums: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s"]:
    """Share of samples whose most probable class is the labelled one; NaN without samples."""
    return _hits(sums).sum(dim=-1) / sums.sum(dim=(-2, -1))


def mean_class_accuracy(sums: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s"]:
    """Mean over the classes that have labelled samples of the share recognised; NaN without samples."""
    return (_hits(sums) / sums.sum(dim=-1)).nanmean(dim=-1)  # 0 / 0 of an absent class is NaN and left out


def macro_f1(sums: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s"]:
    """Mean of 2·hits / (labelled + predicted) over the classes that occur as label or as prediction; NaN without."""
    return (2 * _hits(sums) / (sums.sum(dim=-1) + sums.sum(dim=-2))).nanmean(dim=-1)


def _hits(sums: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s k"]:
    return sums.diagonal(dim1=-2, dim2=-1)
