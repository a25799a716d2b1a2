"""Settings that several methods share: loss, optimiser, and what the weights start from. No torch here."""

from dataclasses import dataclass, fields
from typing import Any

from fer_zoo.core.settings import setting

CLASSIFICATION_LOSSES = ("cross_entropy", "focal", "binary_focal")
REGRESSION_LOSSES = ("euclidean", "mean_absolute", "mean_squared")
STARTING_WEIGHTS = ("backbone_pretrained", "backbone_weights")  # which a checkpoint takes the place of


@dataclass(kw_only=True)
class ClassificationLossSettings:
    """The loss of a method that names classes."""

    loss: str = setting("cross_entropy", "what is minimised", choices=CLASSIFICATION_LOSSES)
    class_weights: str = setting("none", "weight of a class in the loss", choices=("none", "balanced"))
    label_smoothing: float = setting(0.0, "share of a target spread over all classes", at_least=0.0, at_most=0.99)
    focal_gamma: float = setting(2.0, "exponent of the focal losses", at_least=0.0)
    focal_alpha: list[float] = setting([0.25], "weight of the focal losses: one number, or one a class", at_least=0.0)


@dataclass(kw_only=True)
class RegressionLossSettings:
    """The loss of a method that predicts numbers."""

    loss: str = setting("euclidean", "what is minimised", choices=REGRESSION_LOSSES)


@dataclass(kw_only=True)
class OptimizerSettings:
    """How the weights move; epochs and batch size belong to the run.

    The head learns at `learning_rate`, stage s of the n stages 0 … n - 1 of the backbone at
    `learning_rate * backbone_rate_factor * layer_rate_decay ** (n - 1 - s)`.
    """

    optimizer: str = setting("adamw", "which optimiser", choices=("adamw", "adam", "sgd"))
    learning_rate: float = setting(1e-3, "peak rate of the head", at_least=0.0)
    backbone_rate_factor: float = setting(1.0, "rate of the backbone over that of the head", at_least=0.0)
    layer_rate_decay: float = setting(
        1.0, "rate of a stage of the backbone over that of the stage above it", at_least=0.0, at_most=1.0
    )
    weight_decay: float = setting(0.05, "decay of weights; biases and norms are left out", at_least=0.0)
    momentum: float = setting(0.9, "momentum of sgd", at_least=0.0, at_most=1.0)
    schedule: str = setting("cosine", "how the rate falls after warm-up", choices=("cosine", "constant", "plateau"))
    warmup_share: float = setting(0.1, "share of all steps over which the rate rises", at_least=0.0, at_most=1.0)


@dataclass(kw_only=True)
class StartSettings:
    """What the weights of a backbone start from, and which of them learn."""

    backbone_pretrained: bool = setting(False, "start from timm's default weights of that name")
    backbone_weights: str = setting("", "start from a file: safetensors, or a state dict")
    freeze_backbone: bool = setting(False, "train the head alone; batch norms stay as they are")
    frozen_stages: int = setting(
        0, "the first stages of the backbone do not learn, and their batch norms stay as they are", at_least=0
    )


_OF_TRAINING = (ClassificationLossSettings, RegressionLossSettings, OptimizerSettings, StartSettings)


def network_settings(settings: type[Any]) -> list[str]:
    """The fields of a method's settings that say what the network is and what it sees, not how it is trained."""
    of_training = {entry.name for cls in _OF_TRAINING for entry in fields(cls)}
    return [entry.name for entry in fields(settings) if entry.name not in of_training]
