"""Optimisers and rates: head, backbone or its stages apart, no decay on biases and norms."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from fer_zoo.core.errors import UserError
from fer_zoo.core.method_settings import OptimizerSettings
from fer_zoo.networks.backbone import Backbone


def parameter_groups(network: nn.Module, settings: OptimizerSettings) -> list[dict[str, Any]]:
    """Learning parameters, apart by rate (`head`, `backbone` or its stages) and by whether they are decayed.

    Biases, norms and single factors (fewer than two axes) are not decayed. `OptimizerSettings` has the formula.

    Raises:
        UserError: if rates by stage are asked for and the network's backbone has no stages.
    """
    rates = _rates(network, settings)
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((rates[name][0], parameter.ndim >= 2), []).append(parameter)
    rate_of = dict(rates.values())
    return [
        {
            "params": parameters,
            "lr": rate_of[part],
            "weight_decay": settings.weight_decay if decayed else 0.0,
            "name": part if decayed else f"{part}, no decay",
        }
        for (part, decayed), parameters in groups.items()
    ]


def _rates(network: nn.Module, settings: OptimizerSettings) -> dict[str, tuple[str, float]]:
    """Part of the network and rate of each parameter, by name."""
    base = settings.learning_rate * settings.backbone_rate_factor
    parts = {
        name: ("backbone", base) if name.startswith("backbone.") else ("head", settings.learning_rate)
        for name, _ in network.named_parameters()
    }
    if settings.layer_rate_decay == 1:
        return parts
    backbone = getattr(network, "backbone", None)
    if not isinstance(backbone, Backbone):
        raise UserError("method.layer_rate_decay needs a backbone with stages, which this method lacks; leave it out.")
    stages = backbone.stages()
    top = max(stages.values())
    of_stages = {
        f"backbone.{name}": (f"backbone stage {stage}", base * settings.layer_rate_decay ** (top - stage))
        for name, stage in stages.items()
    }
    return {**parts, **of_stages}


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
