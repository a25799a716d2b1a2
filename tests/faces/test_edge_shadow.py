"""The shadow of a straight edge: lit on one side of a plane, on the other the picture of the dim light."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.renderer import Rendered, Renderer
from fer_zoo.faces.scenes import Scenes, plain_scenes
from fer_zoo.geometry.cameras import WeakPerspective
from fer_zoo.geometry.shading import EdgeShadow, shaded_share

SIZE, SOFT = 64, 0.05


def shadowed(model: FaceModel, count: int) -> Scenes:
    """Heads turned to all sides, with planes of all directions."""
    generator = torch.Generator().manual_seed(3)
    plain = plain_scenes(model, count, SIZE)
    shadow = EdgeShadow(
        normal=F.normalize(torch.randn(count, 3, generator=generator), dim=1),
        offset=0.4 * torch.randn(count, generator=generator),
        softness=torch.full((count,), SOFT),
        light=plain.light * torch.tensor([0.3, 0.2, 0.1]),
    )
    return replace(plain, angles=0.4 * torch.randn(count, 3, generator=generator), shadow=shadow)


def places(rendered: Rendered, camera: WeakPerspective) -> Tensor:
    """Camera space of the surface that each pixel shows, "b h w 3"; NaN beside the head."""
    y, x = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    scale = camera.scale[:, None, None]
    across = (x - camera.centre[:, 0, None, None]) / scale
    up = (camera.centre[:, 1, None, None] - y) / scale
    return torch.stack((across, up, rendered.depth), dim=3)


def test_each_side_of_the_plane_is_the_picture_of_its_light(model: FaceModel) -> None:
    """A pixel is four samples, and the mesh between vertices is flat: near the plane neither picture is asked for."""
    scenes, draw = shadowed(model, 6), Renderer(model, size=SIZE)
    shadow, camera = scenes.shadow, scenes.camera
    assert shadow is not None and isinstance(camera, WeakPerspective)
    seen, lit = draw(scenes), draw(replace(scenes, shadow=None))
    dim = draw(replace(scenes, shadow=None, light=shadow.light, shine=torch.zeros(6)))
    along = (places(seen, camera) * shadow.normal[:, None, None]).sum(dim=3) - shadow.offset[:, None, None]
    inside = F.avg_pool2d((seen.depth.isnan())[:, None].float(), 3, 1, 1)[:, 0] == 0  # no border of the head
    near = 1.5 * SOFT + 4.0 / float(camera.scale[0])
    for side, picture in ((along < -near, lit), (along > near, dim)):
        chosen = (side & inside)[:, None].expand(-1, 3, -1, -1)
        assert chosen.flatten(1).any(dim=1).sum() >= 4
        far = (seen.image - picture.image).abs()[chosen] > 1e-5
        assert float(far.float().mean()) < 2e-3  # a pixel where one part is before another shows both
    between = (along.abs() < 0.25 * SOFT) & inside
    assert (dim.image.mean(dim=1)[between] < lit.image.mean(dim=1)[between]).all()
    assert torch.equal(seen.landmarks, lit.landmarks) and torch.equal(seen.mask, lit.mask)


def test_bytes_depend_on_the_scene_alone(model: FaceModel) -> None:
    scenes, draw = shadowed(model, 20), Renderer(model, size=48)
    together = draw(scenes).image
    for chosen in (torch.arange(20).flip(0), torch.tensor([5]), torch.arange(3, 17)):
        assert torch.equal(draw(scenes.rows(chosen)).image, together[chosen])


def test_a_shadow_with_the_light_of_the_scene_changes_nothing_but_the_highlight(model: FaceModel) -> None:
    scenes, draw = replace(shadowed(model, 3), shine=torch.zeros(3)), Renderer(model, size=SIZE)
    assert scenes.shadow is not None
    same = replace(scenes, shadow=replace(scenes.shadow, light=scenes.light))
    torch.testing.assert_close(draw(same).image, draw(replace(scenes, shadow=None)).image, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("depth", "share"), [(-2.0, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.25, 27 / 32), (0.5, 1.0), (9.0, 1.0)]
)
def test_light_goes_over_into_shadow_without_a_kink(depth: float, share: float) -> None:
    assert shaded_share(torch.tensor([depth])).item() == pytest.approx(share)


def test_depth_is_the_distance_from_the_plane() -> None:
    normal = F.normalize(torch.tensor([[1.0, 2.0, -2.0]]), dim=1)
    shadow = EdgeShadow(
        normal=normal, offset=torch.tensor([0.5]), softness=torch.tensor([0.1]), light=torch.zeros(1, 9, 3)
    )
    on_the_plane = 0.5 * normal[0] + torch.tensor([2.0, -1.0, 0.0])
    vertices = torch.stack((on_the_plane, on_the_plane + 0.3 * normal[0]))[:, :, None]
    torch.testing.assert_close(shadow.depth(vertices)[:, 0, 0], torch.tensor([0.0, 3.0]), atol=1e-5, rtol=0)
