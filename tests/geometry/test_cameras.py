"""Cameras in closed form."""

import itertools

import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.geometry.cameras import Pinhole, WeakPerspective

CENTRE = torch.tensor([[48.0, 40.0], [10.0, 20.0]])
SCALE = torch.tensor([20.0, 5.0])
POINTS = torch.randn(7, 3, 2, generator=torch.Generator().manual_seed(0))


def at(*points: tuple[float, float, float]) -> torch.Tensor:
    """The same points for both faces."""
    return torch.tensor(points, dtype=torch.float32)[:, :, None].repeat(1, 1, 2)


def test_right_is_right_up_is_up_and_near_is_small() -> None:
    seen = WeakPerspective(SCALE, CENTRE).project(at((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert seen[:, :, 0].tolist() == [[48, 40, 0], [68, 40, 0], [48, 20, 0], [48, 40, -20]]
    assert seen[:, :, 1].tolist() == [[10, 20, 0], [15, 20, 0], [10, 15, 0], [10, 20, -5]]


def test_a_pinhole_divides_by_the_distance_from_it() -> None:
    camera = Pinhole(torch.tensor([4.0, 10.0]), SCALE, CENTRE)
    seen = camera.project(at((0, 0, 2), (1, 0, 0), (1, 1, 2), (1, 0, -4)))
    torch.testing.assert_close(seen[:, :2, 0], torch.tensor([[48.0, 40.0], [68.0, 40.0], [88.0, 0.0], [58.0, 40.0]]))
    torch.testing.assert_close(seen[:, 2, 0], torch.tensor([-80.0, 0.0, -80.0, 40.0]))
    torch.testing.assert_close(seen[2, :, 1], torch.tensor([10 + 6.25, 20 - 6.25, -12.5]))


def test_a_pinhole_far_away_sees_without_perspective() -> None:
    plain = WeakPerspective(SCALE, CENTRE).project(POINTS)
    errors = []
    for distance in (10.0, 100.0, 1000.0, 10000.0):
        seen = Pinhole(torch.full((2,), distance), SCALE, CENTRE).project(POINTS)
        errors.append(float((seen - plain).abs().max()))
    assert all(later < earlier / 5 for earlier, later in itertools.pairwise(errors))
    assert errors[-1] < 0.02


def test_height_undoes_depth() -> None:
    face = torch.tensor([0, 1]).repeat(7)
    for camera in (WeakPerspective(SCALE, CENTRE), Pinhole(torch.tensor([4.0, 10.0]), SCALE, CENTRE)):
        depth = camera.project(POINTS)[:, 2].flatten()
        torch.testing.assert_close(camera.height(depth, face), POINTS[:, 2].flatten())


def test_straight_lines_stay_straight_in_the_image_and_in_depth() -> None:
    """Otherwise the depth between corners of a triangle would not be the blend of theirs."""
    share = torch.linspace(0, 1, 9)[:, None]
    line = (torch.tensor([[-1.0, 0.5, 1.5]]) * (1 - share) + torch.tensor([[2.0, -1.0, -2.0]]) * share)[:, :, None]
    for camera in (
        Pinhole(torch.tensor([3.0]), SCALE[:1], CENTRE[:1]),
        WeakPerspective(SCALE[:1], CENTRE[:1]),
    ):
        seen = camera.project(line)[:, :, 0]
        along = seen[1:] - seen[:1]
        torch.testing.assert_close(along / along[:, :1], (along[-1:] / along[-1:, :1]).expand(8, 3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("z", [4.0, 3.999, 6.0, 1e9])
def test_a_vertex_at_the_camera_or_behind_it_is_refused(z: float) -> None:
    camera = Pinhole(torch.tensor([10.0, 4.0]), SCALE, CENTRE)
    points = torch.zeros(2, 3, 2)
    points[1, 2, 1] = z
    with pytest.raises(
        UserError, match=r"A face reaches to z = .*, but its camera is at the distance 4; camera\.distance"
    ):
        camera.project(points)
    points[1, 2, 1] = 3.9
    assert camera.project(points).isfinite().all()
