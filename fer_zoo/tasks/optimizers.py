"""Optimisers and rates: backbone and head apart, no decay on biases and norms."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from fer_zoo.core.method_settings import OptimizerSettings


def parameter_groups(network: nn.Module, settings: OptimizerSettings) -> list[dict[str, Any]]:
    """Learning parameters in up to four groups: of the `backbone` or not, decayed or not.

    Biases, norms and single factors (fewer than two axes) are not decayed.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name.startswith("backbone."), parameter.ndim >= 2), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": settings.learning_rate * (settings.backbone_rate_factor if in_backbone else 1.0),
            "weight_decay": settings.weight_decay if decayed else 0.0,
            "name": f"{'backbone' if in_backbone else 'head'}{'' if decayed else ', no decay'}",
        }
        for (in_backbone, decayed), parameters in groups.items()
    ]


def build_optimizers(
    network: nn.Module, settings: OptimizerSettings, *, steps: int, monitor: tuple[str, bool]
) -> dict[str, Any]:
    """Optimiser and schedule in the form Lightning takes.

    Args:
        network: its learning parameters are grouped by `parameter_groups`.
        settings: which optimiser, rates and schedule.
        steps: optimiser steps of the whole run; warm-up and cosine are shares of them.
        monitor: name and direction of the metric that the plateau schedule watches.
    """
    groups = parameter_groups(network, settings)
    optimizer: torch.optim.Optimizer
    if settings.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum)
    elif settings.optimizer == "adam":
        optimizer = torch.optim.Adam(groups, lr=settings.learning_rate)
    else:
        optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate)
    if settings.schedule == "plateau":
        name, higher_is_better = monitor
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode="max" if higher_is_better else "min", factor=0.1, patience=3
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": name}}
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(settings, steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def rate_factor(settings: OptimizerSettings, steps: int) -> Callable[[int], float]:
    """Factor on the peak rate at a step: a linear rise over the warm-up, then constant or half a cosine to zero."""
    warmup = round(settings.warmup_share * steps)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        if settings.schedule == "constant":
            return 1.0
        progress = min(1.0, (step - warmup) / max(1, steps - warmup))
        return 0.5 * (1 + math.cos(math.pi * progress))

    return factor
