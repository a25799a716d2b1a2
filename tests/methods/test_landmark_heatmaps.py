"""What is particular to landmark_heatmaps: centres of maps, stages, and how rounding acts on maps that were learned."""

import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.engine.create import create_method
from fer_zoo.methods.landmark_heatmaps.network import centres
from tests.fakes.constellations import shape

SMALL = {"backbone": "resnet10t", "image_size": 32, "width": 16}


def test_the_centre_of_a_peak_is_the_middle_of_its_pixel() -> None:
    maps = torch.full((1, 3, 4, 8), -1e4)
    for point, (row, column) in enumerate([(0, 0), (3, 7), (1, 2)]):
        maps[0, point, row, column] = 0.0
    expected = torch.tensor([[-0.875, -0.75], [0.875, 0.75], [-0.375, -0.25]])
    torch.testing.assert_close(centres(maps)[0], expected)


def test_the_centre_of_two_equal_peaks_lies_between_them_and_of_a_flat_map_in_the_middle() -> None:
    maps = torch.full((1, 2, 4, 4), -1e4)
    maps[0, 0, 1, 0] = maps[0, 0, 1, 2] = 3.0
    maps[0, 1] = 7.0
    torch.testing.assert_close(centres(maps)[0], torch.tensor([[-0.25, -0.25], [0.0, 0.0]]))


def test_gradients_of_centres_are_those_of_differences() -> None:
    maps = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(centres, maps)


def test_a_stride_that_the_backbone_lacks_is_named() -> None:
    with pytest.raises(UserError, match=r"resnet10t has stages of strides 2, 4, 8, 16, 32: set method\.stride to one"):
        create_method("landmark_heatmaps", stride=3, **SMALL)
    with pytest.raises(UserError, match="vit_tiny_patch16_224 has stages of strides 16"):
        create_method("landmark_heatmaps", **{**SMALL, "backbone": "vit_tiny_patch16_224"})
    with pytest.raises(UserError, match="Did you mean 'resnet10t'"):
        create_method("landmark_heatmaps", **{**SMALL, "backbone": "resnet10"})


@pytest.fixture(scope="module")
def learned() -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """A network that finds dots that stand for a face, somewhere in the image; images and points, -1 to 1."""
    torch.manual_seed(0)
    places = 0.3 * (2 * torch.rand(64, 1, 2) - 1)
    points = 0.5 * torch.from_numpy(shape()).float() + places
    grid = (torch.arange(32) + 0.5) / 16 - 1
    away_x, away_y = grid - points[:, :, :1], grid - points[:, :, 1:]
    dots = torch.exp(-200 * away_y.square())[..., :, None] * torch.exp(-200 * away_x.square())[..., None, :]
    images = dots.sum(dim=1, keepdim=True).clamp(max=1)
    network = create_method("landmark_heatmaps", **SMALL).network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        loss = (network(images)["landmarks"] - points.flatten(1)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval(), images, points


def test_it_learns_where_the_points_are(learned: tuple[torch.nn.Module, torch.Tensor, torch.Tensor]) -> None:
    network, images, points = learned
    with torch.no_grad():
        error = (network(images)["landmarks"] - points.flatten(1)).abs().mean()
    assert error < 0.2 * (points - points.mean(dim=0)).abs().mean()


def test_bfloat16_is_close_to_float32(learned: tuple[torch.nn.Module, torch.Tensor, torch.Tensor]) -> None:
    network, images, points = learned
    with torch.no_grad():
        exact = network(images)["landmarks"]
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(images)["landmarks"].float()
    difference = (rounded - exact).square().mean().sqrt()
    assert 0 < difference < 0.05 * (points - points.mean(dim=(0, 1))).square().mean().sqrt()
