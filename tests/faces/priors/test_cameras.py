"""Cameras of drawn faces: where in the picture a face lies."""

import numpy as np
import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.settings import CameraPrior, FacePrior
from fer_zoo.faces.priors.views import draw_cameras
from fer_zoo.faces.scenes import FACE_CENTRE, FACE_HEIGHT

FACES, SIZE = Draws(2, np.arange(500)), 80
STILL = {"zoom": 0.0, "shift": 0.0}


@pytest.mark.parametrize("lower", [-0.5, -0.1, 0.0, 0.04, 0.5])
@pytest.mark.parametrize("tightness", [1.0, 1.7])
def test_the_middle_of_the_head_lies_so_far_below_that_of_the_picture(lower: float, tightness: float) -> None:
    camera = draw_cameras(CameraPrior(lower=lower, tightness=tightness, **STILL), FACES, SIZE)
    middle = torch.tensor([[0.0, FACE_CENTRE, 0.0]])[:, :, None].expand(1, 3, len(FACES))
    found = camera.project(middle)[0, :2]
    wanted = torch.tensor([0.5, 0.5 + lower])[:, None] * SIZE
    torch.testing.assert_close(found, wanted.expand_as(found), atol=1e-4, rtol=0)
    torch.testing.assert_close(camera.scale, torch.full((500,), SIZE / FACE_HEIGHT * tightness))


def test_lower_moves_every_face_alike_and_nothing_else() -> None:
    usual, low = (draw_cameras(CameraPrior(lower=lower), FACES, SIZE) for lower in (0.0, 0.15))
    moved = low.centre - usual.centre
    torch.testing.assert_close(moved, torch.tensor([0.0, 0.15 * SIZE]).expand_as(moved), atol=1e-4, rtol=0)
    assert torch.equal(low.scale, usual.scale) and torch.equal(low.distance, usual.distance)


def test_a_camera_depends_on_no_other() -> None:
    together = draw_cameras(CameraPrior(lower=0.1), FACES, SIZE)
    for rows in ([7], [499, 0, 12], [5, 5]):
        alone = draw_cameras(CameraPrior(lower=0.1), FACES.of(np.array(rows)), SIZE)
        for name in ("distance", "scale", "centre"):
            assert torch.equal(getattr(alone, name), getattr(together, name)[rows]), name


@pytest.mark.parametrize(
    ("lower", "sentence"),
    [
        (0.51, r"dataset\.camera\.lower is 0\.51; it must be at most 0\.5"),
        (-0.6, r"dataset\.camera\.lower is -0\.6; it must be at least -0\.5"),
        (float("inf"), r"dataset\.camera\.lower is inf; it must be a finite number"),
    ],
)
def test_no_such_place(lower: float, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        build_settings(FacePrior, {"camera": {"lower": lower}}, where="dataset")
