"""Which rows and values count: a missing label adds nothing to a loss, and its output gets no gradient."""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from fer_zoo.core.label_spaces import MISSING_CLASS


def computed(values: Shaped[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The same numbers in the type that losses are computed in: float32, or float64 if they come so."""
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def labelled_logits(logits: Float[Tensor, "b k"], target: Int[Tensor, "b"]) -> Float[Tensor, "b k"]:
    """Logits in float32 or float64; rows without label are zeros, so that nothing in them reaches loss or gradient."""
    return computed(logits).where((target != MISSING_CLASS)[:, None], 0.0)


def labelled_rows(target: Shaped[Tensor, "b ..."]) -> Float[Tensor, ""]:
    """How many rows have a label: a class that is not -1, or at least one value that is not NaN."""
    if target.is_floating_point():
        return (~target.isnan()).flatten(1).any(dim=1).sum().float()
    return (target != MISSING_CLASS).sum().float()


def labelled_values(target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
    """How many values are not NaN."""
    return (~target.isnan()).sum().float()


def mean_over_labelled(losses: Float[Tensor, "b"], target: Int[Tensor, "b"]) -> Float[Tensor, ""]:
    """Mean of the rows' losses over the labelled rows; 0 when there is none."""
    labelled = target != MISSING_CLASS
    return losses.where(labelled, 0.0).sum() / labelled_rows(target).clamp_min(1)


def errors(prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, "b k"]:
    """Prediction minus target, zero where the target is NaN."""
    labelled = ~target.isnan()
    wanted = computed(target).where(labelled, 0.0)
    return (computed(prediction) - wanted).where(labelled, 0.0)
