"""Cross-entropy over classes, with class weights and label smoothing as torch defines them."""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.core.label_spaces import MISSING_CLASS
from fer_zoo.losses.labelled import labelled_logits, labelled_rows


def cross_entropy(
    logits: Float[Tensor, "b k"],
    target: Int[Tensor, "b"],
    *,
    class_weights: Float[Tensor, "k"] | None = None,
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Weighted mean of -log p over the labelled rows; 0 with zero gradient when there is none.

    Agrees with `torch.nn.functional.cross_entropy` wherever that is finite: with class weights the mean is divided by
    the summed weights of the targets, and a smoothed target gives every class `label_smoothing / k`.

    Args:
        logits: any floating type; half precision is computed in float32.
        target: class numbers, -1 where the label is missing.
        class_weights: weight of each class.
        label_smoothing: share of a target spread over all classes, 0 to 1.

    Example:
        >>> import torch
        >>> cross_entropy(torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.tensor([0]))
        tensor(0.3567)
    """
    rows = labelled_logits(logits, target)  # b k
    weights = None if class_weights is None else class_weights.to(rows)
    total = F.cross_entropy(
        rows,
        target.long(),
        weight=weights,
        ignore_index=MISSING_CLASS,
        reduction="sum",
        label_smoothing=label_smoothing,
    )
    divisor = summed_weights(target, weights)
    return total / divisor.where(divisor > 0, 1.0)


def summed_weights(target: Int[Tensor, "b"], class_weights: Float[Tensor, "k"] | None) -> Float[Tensor, ""]:
    """What the mean of `cross_entropy` is divided by: the weights of the labelled rows, each 1 without weights."""
    if class_weights is None:
        return labelled_rows(target)
    weights = class_weights.to(target.device)[target.long().clamp_min(0)]  # b
    return weights.where(target != MISSING_CLASS, 0.0).sum()
