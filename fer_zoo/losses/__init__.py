"""Losses: each a pure function of outputs and targets, chosen by name."""

from fer_zoo.losses.cross_entropy import cross_entropy
from fer_zoo.losses.euclidean import euclidean, mean_absolute, mean_squared
from fer_zoo.losses.focal import binary_focal, focal
from fer_zoo.losses.loss import Loss
from fer_zoo.losses.select import classification_loss, regression_loss

__all__ = [
    "Loss",
    "binary_focal",
    "classification_loss",
    "cross_entropy",
    "euclidean",
    "focal",
    "mean_absolute",
    "mean_squared",
    "regression_loss",
]
