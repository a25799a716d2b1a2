"""The losses of an epoch as one number: batches and processes count by what they have labelled."""

from collections.abc import Sequence

import torch
import torchmetrics
from jaxtyping import Float
from torch import Tensor


class LossMeans(torchmetrics.Metric):
    """The weighted sum of the mean losses of some targets, each mean over all that was labelled.

    So it does not depend on how the samples fall into batches and processes. A target of which nothing was labelled
    adds nothing.

    Args:
        weights: of the targets in the sum.

    Example:
        >>> mean = LossMeans([1.0])
        >>> mean.update(torch.tensor([0.5]), torch.tensor([30.0]))
        >>> mean.update(torch.tensor([1.5]), torch.tensor([10.0]))
        >>> mean.compute()
        tensor(0.7500)
    """

    is_differentiable = False
    full_state_update = False
    totals: Tensor
    counts: Tensor

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__()
        self.weights = tuple(weights)
        for name in ("totals", "counts"):
            self.add_state(name, torch.zeros(len(weights)), dist_reduce_fx="sum")

    def update(self, losses: Float[Tensor, "t"], counts: Float[Tensor, "t"]) -> None:
        """Add the mean losses of a batch, and what they were divided by."""
        self.totals += losses.detach() * counts
        self.counts += counts

    def compute(self) -> Float[Tensor, ""]:
        """The sum."""
        means = self.totals / self.counts.where(self.counts > 0, 1.0)
        return (means.new_tensor(self.weights) * means).sum()
