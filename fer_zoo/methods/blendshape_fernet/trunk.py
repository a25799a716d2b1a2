"""The trunk of every stage: seven convolutions and a fully connected layer, 128 features of a face."""

from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Channels of the seven 3x3 convolutions, and behind which of them sides are halved: 96x112 becomes 6x7.
CHANNELS = (32, 64, 64, 128, 96, 192, 256)
HALVED_AFTER = (2, 4, 6, 7)
NARROWED = 64  # channels whose covariance is taken: 2,080 numbers


class Trunk(nn.Module):
    """Images in, features out.

    Args:
        in_channels: 1 for grey images, 3 for colour.
        image_size: (height, width) of the images.
        width_mult: factor on the channels of the convolutions.
        norm: "batch" norms behind the convolutions, or "none".
        pooling: "flatten", or "covariance".
        num_features: what comes out.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        width_mult: float,
        norm: str,
        pooling: str,
        num_features: int,
    ) -> None:
        super().__init__()
        channels = [max(1, round(width_mult * count)) for count in CHANNELS]
        self.convolutions = _convolutions(in_channels, channels, with_norm=norm == "batch")
        halvings = len(HALVED_AFTER)
        places = (image_size[0] >> halvings) * (image_size[1] >> halvings)
        covariance = CovariancePooling(channels[-1], min(NARROWED, channels[-1]))
        self.pooling = covariance if pooling == "covariance" else nn.Flatten()
        num_inputs = covariance.num_outputs if pooling == "covariance" else channels[-1] * places
        self.fc1 = nn.Linear(num_inputs, num_features)
        # Without numbers to learn: else most features soon are 0 for every face, and learn no more.
        self.norm_fc1 = nn.BatchNorm1d(num_features, affine=False) if norm == "batch" else nn.Identity()
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b f"]:
        """What the first fully connected layer gives, after its rectifier (F of Eq. 6)."""
        return self.norm_fc1(self.fc1(self.pooling(self.convolutions(image)))).relu()


def _convolutions(in_channels: int, channels: list[int], *, with_norm: bool) -> nn.Sequential:
    """conv1, norm1, relu1 … pool7, by name, so that weights are handed over by name."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (before, after) in enumerate(zip([in_channels, *channels], channels, strict=False), start=1):
        layers[f"conv{number}"] = nn.Conv2d(before, after, 3, padding=1, bias=not with_norm)
        if with_norm:
            layers[f"norm{number}"] = nn.BatchNorm2d(after)
        layers[f"relu{number}"] = nn.ReLU(inplace=True)
        if number in HALVED_AFTER:
            layers[f"pool{number}"] = nn.MaxPool2d(2)
    return nn.Sequential(layers)


class CovariancePooling(nn.Module):
    """How channels vary together over the places of an image, as the square root of their covariance.

    Sources: Acharya et al., Covariance pooling for facial expression recognition, CVPR workshops 2018, which the paper
    names; the root by Newton and Schulz's iteration, which has a gradient everywhere: Li et al., Towards faster
    training of global covariance pooling networks, CVPR 2018.

    Args:
        in_channels: of the feature map.
        narrowed: channels that are left of them, linearly, before the covariance is taken.
    """

    ITERATIONS = 5

    def __init__(self, in_channels: int, narrowed: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(in_channels, narrowed, 1, bias=False)
        self.num_outputs = narrowed * (narrowed + 1) // 2
        self.register_buffer("upper", torch.triu_indices(narrowed, narrowed), persistent=False)
        self.upper: Tensor

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """The upper triangle of the root, in single precision at least: half precision loses small directions."""
        narrowed = self.narrow(features).flatten(2)
        with torch.autocast(features.device.type, enabled=False):
            exact = narrowed.float() if narrowed.dtype in (torch.float16, torch.bfloat16) else narrowed
            centred = exact - exact.mean(dim=2, keepdim=True)
            root = square_root(centred @ centred.mT / centred.shape[2], iterations=self.ITERATIONS)
        return root[:, self.upper[0], self.upper[1]]


def square_root(matrices: Float[Tensor, "b n n"], *, iterations: int) -> Float[Tensor, "b n n"]:
    """The square roots of covariance matrices, nearly.

    A thousandth of the mean variance is added to each diagonal: there are fewer places than channels, and directions
    without any variance would keep the iteration from its end.
    """
    count = matrices.shape[1]
    one = torch.eye(count, dtype=matrices.dtype, device=matrices.device)
    trace = matrices.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None].clamp_min(torch.finfo(matrices.dtype).tiny)
    root = matrices / trace + 1e-3 / count * one
    inverse = one.expand_as(root)
    for _ in range(iterations):
        step = (3 * one - inverse @ root) / 2
        root, inverse = root @ step, step @ inverse
    return root * trace.sqrt()
