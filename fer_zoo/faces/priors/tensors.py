"""From numbers that were drawn to tensors of scenes; apart from `draws`, which settings import without torch."""

import numpy as np
import torch


def float_tensor(values: np.ndarray) -> torch.Tensor:
    """The same numbers in the precision of scenes."""
    return torch.from_numpy(np.asarray(values, np.float32))
