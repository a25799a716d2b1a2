"""The metrics of one target as a torchmetrics object: batches and processes add up, uneven ends included."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torchmetrics
from jaxtyping import Float, Float64, Shaped
from torch import Tensor, nn

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.metrics.catalogue import TABLE, family_for, mean_over_names, metric, sums_of

_WITHOUT_FLOAT64 = ("mps",)  # kinds of devices whose sums stay on the processor


class SumsMetric(torchmetrics.Metric):
    """Several metrics of one target, from sums that are reduced over processes by adding.

    Args:
        space: label space of predictions and targets.
        names: metrics to compute; `metric_names(space)` has all that fit.

    Raises:
        UserError: for an unknown metric, one that does not fit the space, or one that is no number.

    Example:
        >>> from fer_zoo.core.label_spaces import label_space
        >>> scores = SumsMetric(label_space("au/fera2015"), ["mae"])
        >>> scores.update(torch.ones(4, 5), torch.zeros(4, 5))
        >>> scores.compute()["mae/AU12"].item()
        1.0
    """

    is_differentiable = False
    full_state_update = False

    def __init__(self, space: LabelSpace, names: Sequence[str]) -> None:
        super().__init__()
        if TABLE in names:
            raise UserError(f"Metric {TABLE!r} is a table and cannot be followed as a number; leave it to evaluation.")
        self.space, self.names = space, tuple(names)
        families = {metric(name).family: family_for(space, name) for name in self.names}
        self.families = tuple(families)
        for family, sums in families.items():
            self.add_state(f"{family}_sums", torch.zeros(sums.shape, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, prediction: Float[Tensor, "b k"], target: Shaped[Tensor, "b ..."]) -> None:
        """Add a batch: probabilities or values, and targets; missing ones (NaN, -1) are skipped."""
        for family in self.families:
            sums: Tensor = getattr(self, f"{family}_sums")
            sums += sums_of(family, prediction.detach().to(sums.device), target.to(sums.device), self.space)

    def compute(self) -> dict[str, Float64[Tensor, ""]]:
        """Scalars by name: "accuracy"; for a metric with names "icc31", the mean, and "icc31/AU12" for each."""
        scalars: dict[str, Tensor] = {}
        for name in self.names:
            value = metric(name).value(getattr(self, f"{metric(name).family}_sums"))
            if not metric(name).per_name:
                scalars[name] = value
                continue
            scalars[name] = mean_over_names(value)
            scalars.update({f"{name}/{entry}": value[i] for i, entry in enumerate(self.space.entries)})
        return scalars

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> nn.Module:
        return super()._apply(partial(_moved, fn), exclude_state)


def _moved(fn: Callable[[Tensor], Tensor], sums: Tensor) -> Tensor:
    """The sums where `fn` takes a module's tensors, but never in its type: counts do not fit bfloat16."""
    device = fn(torch.zeros(1, device=sums.device)).device
    return sums if device.type in _WITHOUT_FLOAT64 else sums.to(device)
