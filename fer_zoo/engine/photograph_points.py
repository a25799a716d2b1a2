"""Predicted points and poses brought back from the network's input to the photograph."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.alignment import inverse, moved
from fer_zoo.data.transforms import turned_pose


def in_photograph(
    predictions: Mapping[str, Tensor], spaces: Mapping[str, LabelSpace], matrices: Float[np.ndarray, "b 2 3"]
) -> dict[str, Tensor]:
    """Predictions of some faces as tables and labels have them: points in pixels of the photograph, roll as it was
    before the face was turned upright; all else stays.

    Args:
        predictions: per target "b k", as `FaceTask.predictions` gives them; points and poses come back on the
            processor, as float64.
        spaces: label space of each target.
        matrices: maps from each photograph to its input.
    """
    back = inverse(matrices)
    found = dict(predictions)
    for target, values in predictions.items():
        if spaces[target].is_points:
            found[target] = _moved_back(values, back)
        elif target == "pose":
            found[target] = torch.from_numpy(turned_pose(values.cpu().double().numpy(), spaces[target], back))
    return found


def needs_photograph(space: LabelSpace) -> bool:
    """Whether predictions in a space are about the network's input, and labels about the photograph."""
    return space.is_points or space.target == "pose"


def _moved_back(values: Float[Tensor, "b k"], back: Float[np.ndarray, "b 2 3"]) -> Float[Tensor, "b k"]:
    points = values.cpu().double().numpy().reshape(len(values), values.shape[1] // 2, 2)
    return torch.from_numpy(moved(points, back).reshape(values.shape))
