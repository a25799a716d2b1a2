"""Features of several stages, joined; a heat map for each point; the centre of each map; one layer over all points.

The last layer starts as the identity. It makes up for centres of maps that reach over the edge, and lets points that
show little, as those of the jaw, follow those that show much.
"""

import timm
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from fer_zoo.core.errors import UserError, unknown_name


class HeatmapNetwork(nn.Module):
    """Grey images in, points out, relative to the image: 0 its middle and ±1 its edges.

    Args:
        backbone: any convolutional backbone of timm.
        stride: pixels of the image over those of a heat map.
        width: channels of the layers that join the stages.
        num_points: of a face.

    Raises:
        UserError: for an unknown backbone, or one without stages, or without one of that stride.
    """

    def __init__(self, *, backbone: str, stride: int, width: int, num_points: int) -> None:
        super().__init__()
        if not timm.is_model(backbone):
            raise unknown_name("timm backbone", backbone, timm.list_models())
        self.stages, channels = _stages(backbone, stride)
        self.joints = nn.ModuleList([nn.Conv2d(count, width, 1) for count in channels])
        last = nn.Conv2d(width, num_points, 1)
        nn.init.normal_(last.weight, std=0.3)  # or all maps would be flat at first, and learn slowly
        self.maps = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            last,
        )
        self.points = nn.Linear(2 * num_points, 2 * num_points)
        nn.init.eye_(self.points.weight)
        nn.init.zeros_(self.points.bias)

    def forward(self, image: Float[Tensor, "b 1 h w"]) -> dict[str, Float[Tensor, "b k"]]:
        """x and y of each point in turn."""
        finest, *coarser = (joint(stage) for joint, stage in zip(self.joints, self.stages(image), strict=True))
        for features in coarser:
            finest = finest + F.interpolate(features, size=finest.shape[2:], mode="bilinear")
        return {"landmarks": self.points(centres(self.maps(finest)).flatten(1))}


def centres(maps: Float[Tensor, "b n h w"]) -> Float[Tensor, "b n 2"]:
    """The mean place (x, y) of each map's softmax, -1 to 1 from edge to edge.

    Source: Sun et al., Integral Human Pose Regression, ECCV 2018, equation 3.
    """
    share = maps.flatten(2).softmax(dim=2).view(maps.shape)
    y, x = (
        (share.sum(dim=across) * ((2 * torch.arange(count, device=maps.device) + 1) / count - 1).to(share)).sum(dim=2)
        for across, count in ((3, maps.shape[2]), (2, maps.shape[3]))
    )
    return torch.stack((x, y), dim=2)


def _stages(backbone: str, stride: int) -> tuple[nn.Module, list[int]]:
    """The backbone as a list of its stages from that stride on, and their channels."""
    try:
        every = timm.create_model(backbone, features_only=True, in_chans=1).feature_info.reduction()
    except (RuntimeError, AttributeError, AssertionError) as error:
        raise UserError(f"{backbone} gives no features of its stages; choose a convolutional backbone.") from error
    chosen = [place for place, reduction in enumerate(every) if reduction >= stride]
    if not chosen or every[chosen[0]] != stride:
        raise UserError(f"{backbone} has stages of strides {', '.join(map(str, every))}: set method.stride to one.")
    stages = timm.create_model(backbone, features_only=True, in_chans=1, out_indices=chosen)
    return stages, stages.feature_info.channels()
