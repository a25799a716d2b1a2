"""The networks of the stages: a trunk with a last layer, and two trunks with one last layer between them."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fer_zoo.methods.blendshape_fernet.trunk import Trunk


class StreamNetwork(nn.Module):
    """One trunk and the second fully connected layer (Eq. 2, 4).

    Args:
        trunk: images -> features.
        target: what the last layer predicts.
        num_outputs: entries of the target's label space.
        dropout: of the features in training.
    """

    def __init__(self, trunk: Trunk, *, target: str, num_outputs: int, dropout: float) -> None:
        super().__init__()
        self.target, self.trunk = target, trunk
        self.dropout = nn.Dropout(dropout)
        self.head = _last_layer(trunk.fc1.out_features, num_outputs)

    def forward(self, image: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b k"]]:
        """Class logits or values."""
        return {self.target: self.head(self.dropout(self.trunk(image)))}


class TwoStreamNetwork(nn.Module):
    """Two trunks whose features, one after the other, one last layer tells emotions from (Eq. 6, 7).

    Args:
        streams: name -> trunk, in the order in which features are joined.
        num_outputs: classes of emotion.
        second: target and number of values that a layer of its own reads from the second stream; None: there is none.
    """

    def __init__(
        self, streams: Mapping[str, Trunk], *, num_outputs: int, second: tuple[str, int] | None = None
    ) -> None:
        super().__init__()
        self.streams = nn.ModuleDict(streams)
        sizes = [trunk.fc1.out_features for trunk in streams.values()]
        self.fusion = _last_layer(sum(sizes), num_outputs)
        self.second_target = "" if second is None else second[0]
        self.second_head = None if second is None else _last_layer(sizes[-1], second[1])

    def features(self, image: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b f"]]:
        """What each stream's first fully connected layer gives, by its name."""
        return {name: trunk(image) for name, trunk in self.streams.items()}

    def forward(self, image: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b k"]]:
        """Class logits, and the values of the second stream where it has a layer for them."""
        features = list(self.features(image).values())
        outputs = {"emotion": self.fusion(torch.cat(features, dim=1))}
        if self.second_head is not None:
            outputs[self.second_target] = self.second_head(features[-1])
        return outputs


def _last_layer(num_inputs: int, num_outputs: int) -> nn.Linear:
    """With small weights: large ones say nothing at first but loudly, and learning that kills features for good."""
    layer = nn.Linear(num_inputs, num_outputs)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return layer
