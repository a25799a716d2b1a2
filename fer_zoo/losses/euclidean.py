"""Losses of predicted numbers; a target that is NaN adds nothing."""

from jaxtyping import Float
from torch import Tensor

from fer_zoo.losses.labelled import errors, labelled_rows, labelled_values


def euclidean(prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
    """Half the mean squared distance, 1/(2n) Σ ‖prediction − target‖² (BlendshapeFERNet, Eq. 5).

    n counts the rows with at least one label; without any the loss is 0 and so is its gradient. A row's missing values
    are left out of its distance. Half precision is computed in float32.

    Example:
        >>> import torch
        >>> euclidean(torch.tensor([[3.0, 4.0], [9.0, 9.0]]), torch.tensor([[0.0, 0.0], [torch.nan, torch.nan]]))
        tensor(12.5000)
    """
    return errors(prediction, target).square().sum() / (2 * labelled_rows(target).clamp_min(1))


def mean_absolute(prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
    """Mean |prediction − target| over the labelled values; 0 with zero gradient when there is none."""
    return errors(prediction, target).abs().sum() / labelled_values(target).clamp_min(1)


def mean_squared(prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
    """Mean (prediction − target)² over the labelled values; 0 with zero gradient when there is none."""
    return errors(prediction, target).square().sum() / labelled_values(target).clamp_min(1)
