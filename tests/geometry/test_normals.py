"""Normals of vertices: on a sphere, and two ways against each other on a head."""

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull
from torch import Tensor

from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.models.procedural.build import build
from fer_zoo.geometry.normals import area_weighted_normals, ring_normals, ring_of_four


def sphere(count: int) -> tuple[Tensor, Tensor]:
    """Points spread evenly on the unit sphere and triangles that face outwards."""
    turn, z = np.arange(count) * np.pi * (3 - np.sqrt(5)), 1 - (2 * np.arange(count) + 1) / count
    points = np.stack([np.cos(turn) * np.sqrt(1 - z * z), np.sin(turn) * np.sqrt(1 - z * z), z], axis=1)
    triangles = ConvexHull(points).simplices.astype(np.int64)
    a, b, c = points[triangles].transpose(1, 0, 2)
    inwards = (np.cross(b - a, c - a) * a).sum(axis=1) < 0
    triangles[inwards] = triangles[inwards][:, ::-1]
    return torch.from_numpy(points).float(), torch.from_numpy(triangles.copy())


def degrees(first: Tensor, second: Tensor) -> Tensor:
    return torch.rad2deg((first * second).sum(dim=1).clamp(-1, 1).arccos())


def by_ring(points: Tensor, triangles: Tensor) -> Tensor:
    return ring_normals(points, ring_of_four(points[:, :, 0], triangles))


@pytest.mark.parametrize("normals_of", [area_weighted_normals, by_ring])
def test_those_of_a_sphere_are_its_radii(normals_of: object) -> None:
    points, triangles = sphere(2000)
    normals = normals_of(points[:, :, None], triangles)[:, :, 0]
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(2000))
    errors = degrees(normals, points)
    assert errors.median() < 0.2
    assert errors.max() < 3


def test_both_ways_agree_on_heads_with_any_expression() -> None:
    model, generator = build(), torch.Generator().manual_seed(0)
    identity = torch.randn(4, model.num_identity, generator=generator).clamp(-2, 2)
    actions = torch.rand(4, len(ACTIONS), generator=generator) * 0.3
    vertices = model.vertices(identity, actions)
    ring = ring_of_four(model.mean, model.triangles)
    seen = (area_weighted_normals(model.mean[:, :, None], model.triangles)[:, 2, 0] > 0.3) & (model.mean[:, 2] > 0)
    seen[torch.cat(model.eyeballs)] = False
    quick, exact = ring_normals(vertices, ring)[seen], area_weighted_normals(vertices, model.triangles)[seen]
    errors = degrees(quick, exact).flatten()
    assert errors.median() < 1
    assert errors.quantile(0.95) < 6


def test_the_ring_of_a_plane_runs_counter_clockwise_a_quarter_turn_apart() -> None:
    y, x = torch.meshgrid(torch.arange(5.0), torch.arange(5.0), indexing="ij")
    points = torch.stack((x.flatten(), y.flatten(), torch.zeros(25)), dim=1)
    corner = torch.arange(25).view(5, 5)
    a, b, c, d = (
        corner[:-1, :-1].flatten(),
        corner[:-1, 1:].flatten(),
        corner[1:, 1:].flatten(),
        corner[1:, :-1].flatten(),
    )
    ring = ring_of_four(points, torch.cat((torch.stack((a, b, c), 1), torch.stack((a, c, d), 1))))
    middle = ring[12].tolist()
    assert set(middle) == {7, 11, 13, 17}
    around = [11, 7, 13, 17]  # left, below, right, above: y points up, z to the viewer
    start = around.index(middle[0])
    assert middle == around[start:] + around[:start]
    assert 0 in ring[0].tolist()  # a corner stands in where it has no neighbour


def test_gradients_of_ring_normals() -> None:
    points, triangles = sphere(12)
    ring = ring_of_four(points, triangles)
    moved = points.double()[:, :, None].repeat(1, 1, 2).requires_grad_()
    torch.autograd.gradcheck(lambda p: ring_normals(p, ring), (moved,))
