"""Light: the harmonics of a Lambert surface against the surface itself."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fer_zoo.geometry.shading import harmonics, lambert_coefficients

GENERATOR = torch.Generator().manual_seed(0)
NORMALS = F.normalize(torch.randn(4000, 3, generator=GENERATOR), dim=1)
DIRECTIONS = F.normalize(torch.randn(30, 1, 3, generator=GENERATOR), dim=2)


def received(ambient: Tensor, directions: Tensor, strengths: Tensor) -> Tensor:
    return harmonics(NORMALS) @ lambert_coefficients(ambient, directions, strengths).T  # "n b"


def test_a_light_from_anywhere_is_that_of_lambert_up_to_three_32nds() -> None:
    seen = received(torch.zeros(30), DIRECTIONS, torch.ones(30, 1))
    error = (seen - (NORMALS @ DIRECTIONS[:, 0].T).clamp(min=0)).abs()
    assert error.max() < 3 / 32 + 1e-5
    assert error.max() > 0.09  # the bound is not idle
    assert error.square().mean().sqrt() < 0.05


def test_the_coefficients_are_the_best_ones() -> None:
    """A least-squares fit to the light that a Lambert surface receives finds them."""
    seen = (NORMALS @ DIRECTIONS[:, 0].T).clamp(min=0)
    fitted = np.linalg.lstsq(harmonics(NORMALS).double().numpy(), seen.double().numpy(), rcond=None)[0]
    stated = lambert_coefficients(torch.zeros(30), DIRECTIONS, torch.ones(30, 1)).T.numpy()
    np.testing.assert_allclose(stated, fitted, atol=0.02)


def test_the_harmonics_are_orthogonal_over_the_sphere() -> None:
    count = 20_000
    turn, z = torch.arange(count) * (np.pi * (3 - np.sqrt(5))), 1 - (2 * torch.arange(count) + 1) / count
    radius = (1 - z * z).sqrt()
    values = harmonics(torch.stack((turn.cos() * radius, turn.sin() * radius, z), dim=1))
    products = values.T @ values / count
    assert (products - products.diag().diag()).abs().max() < 1e-3
    assert products.diag().min() > 0.06


def test_ambient_light_comes_from_everywhere() -> None:
    seen = received(torch.full((30,), 0.4), DIRECTIONS, torch.zeros(30, 1))
    torch.testing.assert_close(seen, torch.full_like(seen, 0.4))


def test_lights_add_up() -> None:
    both = received(torch.tensor([0.1]), DIRECTIONS[:2].transpose(0, 1), torch.tensor([[0.5, 0.7]]))
    one = received(torch.tensor([0.1]), DIRECTIONS[:1], torch.tensor([[0.5]]))
    other = received(torch.tensor([0.0]), DIRECTIONS[1:2], torch.tensor([[0.7]]))
    torch.testing.assert_close(both, one + other)
