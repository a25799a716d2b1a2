"""Predicted points brought back from the pixels of the network's input to those of the photograph."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.alignment import inverse, moved


def in_photograph(
    predictions: Mapping[str, Tensor], spaces: Mapping[str, LabelSpace], matrices: Float[np.ndarray, "b 2 3"]
) -> dict[str, Tensor]:
    """Predictions of some faces in the pixels in which tables and labels are; what holds no points stays as it is.

    Args:
        predictions: per target "b k", as `FaceTask.predictions` gives them; points on the processor, as float64.
        spaces: label space of each target.
        matrices: maps from each photograph to its input.
    """
    back = inverse(matrices)
    return {
        target: _moved_back(values, back) if spaces[target].is_points else values
        for target, values in predictions.items()
    }


def _moved_back(values: Float[Tensor, "b k"], back: Float[np.ndarray, "b 2 3"]) -> Float[Tensor, "b k"]:
    points = values.cpu().double().numpy().reshape(len(values), values.shape[1] // 2, 2)
    return torch.from_numpy(moved(points, back).reshape(values.shape))
