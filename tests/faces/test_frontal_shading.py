"""Shading is the z of the normals that the renderer finds, in a frame of its own."""

from dataclasses import replace

import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.data.transforms import mirror_positions
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.frontal_shading import MARGIN, FrontalShading
from fer_zoo.faces.renderer import Renderer
from fer_zoo.faces.scenes import plain_scenes
from fer_zoo.geometry.cameras import WeakPerspective

SIZE = 96


def actions_of(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return 0.6 * torch.rand(count, len(ACTIONS), generator=generator) * (torch.arange(len(ACTIONS)) % 5 == 0)


def test_it_is_the_z_of_the_normals_that_the_renderer_draws(model: FaceModel) -> None:
    """Where the renderer shows the face: ears lie before a few of its pixels, and this hair bares some of the scalp."""
    shading = FrontalShading(model, SIZE, SIZE)
    camera = WeakPerspective(torch.full((3,), shading.scale), torch.tensor([shading.middle] * 3))
    scenes = replace(plain_scenes(model, 3, SIZE), actions=actions_of(3), camera=camera)
    drawn = Renderer(model, size=SIZE, supersampling=1)(scenes)
    found = shading(model.vertices(scenes.identity, scenes.actions))[:, 0]
    is_face = (drawn.mask > 0) & (drawn.mask != FACE_PARTS.index("hair"))
    agrees = (found - drawn.normals[:, 2].clamp(0, 1)).abs() < 1e-4
    assert is_face.float().mean() > 0.3
    assert agrees[is_face].float().mean() > 0.99
    assert (agrees | (found == 0))[is_face].float().mean() > 0.9995


def test_light_comes_from_the_viewer(model: FaceModel) -> None:
    """A face that is a flat disc facing the viewer is white; one that leans by an angle has its cosine."""
    flat = model.mean.clone()
    shading = FrontalShading(model, SIZE, SIZE)
    angle = torch.tensor(0.6)
    flat[:, 2] = -torch.tan(angle) * flat[:, 1]  # a plane through the x axis
    found = shading(flat[:, :, None])
    seen = found[found > 0]
    assert len(seen) > 500
    assert seen.median() == pytest.approx(float(angle.cos()), abs=1e-4)


def test_the_mean_face_fills_the_frame_but_for_the_margin(model: FaceModel) -> None:
    for height, width in ((SIZE, SIZE), (120, 80), (64, 140)):
        shown = FrontalShading(model, height, width)(model.mean[:, :, None])[0, 0] > 0
        lines, columns = shown.any(dim=1).nonzero(), shown.any(dim=0).nonzero()
        reach = max(
            int(lines.max() - lines.min() + 1) / height, int(columns.max() - columns.min() + 1) / width
        )  # of the side that is tight
        assert abs(reach - (1 - 2 * MARGIN)) < 2.5 / min(height, width)
        assert abs(float(columns.float().mean()) + 0.5 - width / 2) < 1
        assert abs(float(lines.min() + lines.max() + 1) / 2 - height / 2) < 1.5


def test_a_mirrored_face_is_the_flipped_picture(model: FaceModel) -> None:
    actions = actions_of(2)
    positions = mirror_positions(ACTIONS)
    assert positions is not None
    shading, nobody = FrontalShading(model, SIZE, SIZE), torch.zeros(2, model.num_identity)
    straight = shading(model.vertices(nobody, actions))
    mirrored = shading(model.vertices(nobody, actions[:, list(positions)]))
    different = (straight.flip(3) - mirrored).abs() > 0.02  # at edges, and ict is not quite even
    assert float(different.float().mean()) < 0.02


def test_a_picture_of_one_pixel_is_refused(model: FaceModel) -> None:
    with pytest.raises(UserError, match="shading of 1 pixels"):
        FrontalShading(model, 1, 96)
