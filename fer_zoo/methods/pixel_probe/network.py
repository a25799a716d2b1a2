"""Multinomial logistic, or linear, regression on pixels."""

from jaxtyping import Float
from torch import Tensor, nn


class LinearOnPixels(nn.Module):
    """Grey images of one size to one number an entry of the target's space.

    Args:
        image_size: height and width.
        target: name under which the outputs are given.
        num_outputs: k.
    """

    def __init__(self, *, image_size: int, target: str, num_outputs: int) -> None:
        super().__init__()
        self.target = target
        self.head = nn.Linear(image_size * image_size, num_outputs)

    def forward(self, image: Float[Tensor, "b 1 h w"]) -> dict[str, Float[Tensor, "b k"]]:
        """Logits or values under the name of the target."""
        return {self.target: self.head(image.flatten(1))}
