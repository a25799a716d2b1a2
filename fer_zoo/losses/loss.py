"""A loss as a pair, its mean and what that mean is divided by: several processes need both to act as one."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A mean over what is labelled in a batch, called like a function.

    Attributes:
        mean: (outputs "b k", target "b" or "b k") -> scalar; skips missing labels, and is 0 without any.
        count: target -> scalar, what the mean is divided by: labelled rows, their summed weights, labelled values.

    Example:
        >>> import torch
        >>> from fer_zoo.losses.euclidean import euclidean
        >>> from fer_zoo.losses.labelled import labelled_rows
        >>> loss, target = Loss(euclidean, labelled_rows), torch.tensor([[0.0, 0.0], [torch.nan, torch.nan]])
        >>> loss(torch.tensor([[3.0, 4.0], [9.0, 9.0]]), target), loss.count(target)
        (tensor(12.5000), tensor(1.))
    """

    mean: Callable[[Tensor, Tensor], Tensor]
    count: Callable[[Tensor], Tensor]

    def __call__(self, outputs: Float[Tensor, "b k"], target: Shaped[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The mean."""
        return self.mean(outputs, target)
