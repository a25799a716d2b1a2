"""A backbone and one linear layer."""

from jaxtyping import Float
from torch import Tensor, nn

from fer_zoo.networks.backbone import Backbone


class BackboneWithHead(nn.Module):
    """Pooled features of a backbone, dropout, one linear layer."""

    def __init__(self, backbone: Backbone, *, target: str, num_outputs: int, dropout: float) -> None:
        super().__init__()
        self.target = target
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(backbone.num_features, num_outputs)

    def forward(self, image: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b k"]]:
        """Logits of the classes, or the predicted values, under the name of the target."""
        features = self.backbone(image)  # b f
        return {self.target: self.head(self.dropout(features))}
