"""Values of vertices at the pixels that show them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.geometry.rasterizer import Hits


def interpolate(values: Float[Tensor, "v c b"], triangles: Int[Tensor, "t 3"], hits: Hits) -> Float[Tensor, "n c"]:
    """Values at hit pixels, blended by the weights of the corners; gradients reach the values and the weights.

    Each channel of the result is contiguous.
    """
    _, channels, size = values.shape
    flat = values.reshape(-1)
    weights = hits.weights.unbind(dim=1)
    rows = [
        corner.index_select(0, hits.triangle).mul_(channels * size).add_(hits.face)
        for corner in triangles.unbind(dim=1)
    ]
    blended = []
    for channel in range(channels):
        plane = flat[channel * size :]
        first, second, third = (plane.index_select(0, row) for row in rows)
        blended.append(torch.addcmul(torch.addcmul(first * weights[0], second, weights[1]), third, weights[2]))
    return torch.stack(blended).T
