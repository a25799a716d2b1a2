"""Metrics of the confusion matrix: how often the most probable class is the labelled one."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64, Int, Int64
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
        group = torch.zeros_like(target, dtype=torch.int64)
        return self.grouped(prediction, target, group, 1)[0]

    def grouped(
        self, prediction: Float[Tensor, "b k"], target: Int[Tensor, "b"], group: Int64[Tensor, "b"], num_groups: int
    ) -> Float64[Tensor, "g k k"]:
        """The sums of each group of rows.

        Args:
            prediction: as for `sums`.
            target: as for `sums`.
            group: number of each row's group, such as its person.
            num_groups: how many groups there are; one without rows has zeros.

        Raises:
            UserError: for a class number outside the space.
        """
        scored = scored_rows(prediction, target)
        labelled = group[scored] * self.num_classes + target[scored]
        cells = labelled * self.num_classes + prediction[scored].argmax(dim=1)
        return torch.bincount(cells, minlength=num_groups * self.num_classes**2).double().view(-1, *self.shape)


@dataclass(frozen=True)
class CountSums:
    """Hits, labels and answers of each class: all that single numbers need of a confusion matrix, in k cells, not k².

    Attributes:
        num_classes: k.
    """

    num_classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the sums."""
        return (3, self.num_classes)

    def sums(self, prediction: Float[Tensor, "b k"], target: Int[Tensor, "b"]) -> Float64[Tensor, "3 k"]:
        """Hits, labels and answers; rows that `ConfusionSums` skips are skipped.

        Raises:
            UserError: for a class number outside the space.
        """
        return self.grouped(prediction, target, torch.zeros_like(target, dtype=torch.int64), 1)[0]

    def grouped(
        self, prediction: Float[Tensor, "b k"], target: Int[Tensor, "b"], group: Int64[Tensor, "b"], num_groups: int
    ) -> Float64[Tensor, "g 3 k"]:
        """The sums of each group of rows; see `ConfusionSums.grouped`.

        Raises:
            UserError: for a class number outside the space.
        """
        scored = scored_rows(prediction, target)
        label, answer = target[scored], prediction[scored].argmax(dim=1)
        first = group[scored] * 3 * self.num_classes
        hit = label == answer
        cells = torch.cat(
            [first[hit] + label[hit], first + self.num_classes + label, first + 2 * self.num_classes + answer]
        )
        return torch.bincount(cells, minlength=num_groups * 3 * self.num_classes).double().view(-1, *self.shape)


def class_counts(sums: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s 3 k"]:
    """The `CountSums` of a confusion matrix."""
    return torch.stack([sums.diagonal(dim1=-2, dim2=-1), sums.sum(dim=-1), sums.sum(dim=-2)], dim=-2)


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


def accuracy(counts: Float64[Tensor, "*s 3 k"]) -> Float64[Tensor, "*s"]:
    """Share of samples whose most probable class is the labelled one; NaN without samples."""
    return counts[..., 0, :].sum(dim=-1) / counts[..., 1, :].sum(dim=-1)


def mean_class_accuracy(counts: Float64[Tensor, "*s 3 k"]) -> Float64[Tensor, "*s"]:
    """Mean over the classes that have labelled samples of the share recognised; NaN without samples."""
    return (counts[..., 0, :] / counts[..., 1, :]).nanmean(dim=-1)  # 0 / 0 of an absent class is NaN and left out


def macro_f1(counts: Float64[Tensor, "*s 3 k"]) -> Float64[Tensor, "*s"]:
    """Mean of 2·hits / (labelled + predicted) over the classes that occur as label or as prediction; NaN without."""
    return (2 * counts[..., 0, :] / (counts[..., 1, :] + counts[..., 2, :])).nanmean(dim=-1)
