"""Values of vertices at the pixels that show them."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.geometry.rasterizer import Hits


def interpolate(
    values: Sequence[Float[Tensor, "v _ b"]], triangles: Int[Tensor, "t 3"], hits: Hits
) -> Float[Tensor, "n c"]:
    """Values at hit pixels, blended by the weights of the corners; gradients reach the values and the weights.

    Args:
        values: of vertices, one or more tensors, whose channels follow each other; none is copied.
        triangles: corners.
        hits: the pixels.

    Returns:
        The values, each channel contiguous.
    """
    weights = hits.weights.unbind(dim=1)
    corners = [corner.index_select(0, hits.triangle) for corner in triangles.unbind(dim=1)]
    blended = []
    for value in values:
        _, channels, size = value.shape
        flat = value.reshape(-1)
        rows = [(corner * (channels * size)).add_(hits.face) for corner in corners]
        for channel in range(channels):
            plane = flat[channel * size :]
            first, second, third = (plane.index_select(0, row) for row in rows)
            blended.append(torch.addcmul(torch.addcmul(first * weights[0], second, weights[1]), third, weights[2]))
    return torch.stack(blended).T
