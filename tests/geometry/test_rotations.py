"""Rotations: which way each angle turns."""

import math

import pytest
import torch

from fer_zoo.geometry.cameras import Pinhole, WeakPerspective
from fer_zoo.geometry.rotations import rotated, rotation

ANGLES = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
NOSE, TOP, SIDE = torch.eye(3)[[2, 1, 0]]  # to the viewer, up, right


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> torch.Tensor:
    return rotation(torch.tensor([[yaw, pitch, roll]]))[0]


def test_they_are_rotations() -> None:
    turns = rotation(ANGLES)
    torch.testing.assert_close(turns @ turns.mT, torch.eye(3).expand(20, 3, 3), atol=1e-6, rtol=0)
    torch.testing.assert_close(torch.linalg.det(turns), torch.ones(20))
    torch.testing.assert_close(turned(), torch.eye(3))


def test_positive_yaw_turns_the_nose_to_the_viewers_right() -> None:
    torch.testing.assert_close(turned(yaw=0.3) @ NOSE, torch.tensor([math.sin(0.3), 0, math.cos(0.3)]))
    torch.testing.assert_close(turned(yaw=0.3) @ TOP, TOP)


def test_positive_pitch_turns_the_nose_down() -> None:
    torch.testing.assert_close(turned(pitch=0.3) @ NOSE, torch.tensor([0, -math.sin(0.3), math.cos(0.3)]))
    torch.testing.assert_close(turned(pitch=0.3) @ SIDE, SIDE)


def test_positive_roll_turns_the_top_counter_clockwise() -> None:
    torch.testing.assert_close(turned(roll=0.3) @ TOP, torch.tensor([-math.sin(0.3), math.cos(0.3), 0]))
    torch.testing.assert_close(turned(roll=0.3) @ NOSE, NOSE)


def test_yaw_comes_first_and_roll_last() -> None:
    zero = torch.zeros(20)
    yaw, pitch, roll = (
        rotation(torch.stack(parts, dim=1))
        for parts in ((ANGLES[:, 0], zero, zero), (zero, ANGLES[:, 1], zero), (zero, zero, ANGLES[:, 2]))
    )
    torch.testing.assert_close(rotation(ANGLES), roll @ pitch @ yaw, atol=1e-6, rtol=0)


def test_each_mesh_turns_by_its_own_rotation() -> None:
    points = torch.randn(5, 3, 20, generator=torch.Generator().manual_seed(1))
    turns = rotation(ANGLES)
    for face in range(20):
        expected = points[:, :, face] @ turns[face].T
        torch.testing.assert_close(rotated(points, turns)[:, :, face], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_full_turn_is_none(axis: int) -> None:
    angles = torch.zeros(1, 3, dtype=torch.float64)
    angles[0, axis] = 2 * math.pi
    torch.testing.assert_close(rotation(angles)[0], torch.eye(3, dtype=torch.float64))


def test_gradients_of_rotation_and_projection() -> None:
    points = torch.randn(3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    angles, scale = ANGLES[:2].double().requires_grad_(), torch.tensor([20.0, 30.0]).double().requires_grad_()
    centre = torch.tensor([[4.0, 5.0], [6.0, 7.0]]).double().requires_grad_()
    distance = torch.tensor([9.0, 12.0]).double().requires_grad_()
    torch.autograd.gradcheck(
        lambda a, s, c: WeakPerspective(s, c).project(rotated(points, rotation(a))), (angles, scale, centre)
    )
    torch.autograd.gradcheck(
        lambda a, d, s, c: Pinhole(d, s, c).project(rotated(points, rotation(a))), (angles, distance, scale, centre)
    )
