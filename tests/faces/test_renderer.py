"""The renderer: bytes that depend on the scene alone, and pictures that agree with what is said of them."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from fakes.scene_drawing import DrawnParts
from torch import Tensor
from torch.utils.data import DataLoader

from fer_zoo.core.errors import UserError
from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.core.face_parts import MIRROR as PARTS_MIRROR
from fer_zoo.core.landmarks import LANDMARK_GROUPS, NOSE_TIP
from fer_zoo.core.landmarks import MIRROR as POINTS_MIRROR
from fer_zoo.data.transforms import mirror_positions
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.models.procedural import build as procedural
from fer_zoo.faces.renderer import BLOCK, Rendered, Renderer
from fer_zoo.faces.scenes import SMALLEST, Scenes, plain_scenes
from fer_zoo.geometry.cameras import Pinhole
from fer_zoo.geometry.rotations import rotated, rotation
from fer_zoo.geometry.shading import lambert_coefficients

SIZE = 64


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return procedural.build()


def scenes(model: FaceModel, count: int, size: int = SIZE, seed: int = 0, turn: float = 1.0) -> Scenes:
    """Other people with other faces in other poses, styles, colours and light."""
    generator = torch.Generator().manual_seed(seed)
    plain = plain_scenes(model, count, size)
    actions = torch.rand(count, len(ACTIONS), generator=generator)
    actions *= torch.rand(count, len(ACTIONS), generator=generator) < 0.1
    directions = F.normalize(torch.randn(count, 1, 3, generator=generator) + torch.tensor([0.0, 0.3, 1.5]), dim=2)
    light = lambert_coefficients(torch.full((count,), 0.4), directions, torch.full((count, 1), 0.6))
    return replace(
        plain,
        identity=torch.randn(count, model.num_identity, generator=generator).clamp(-2, 2),
        actions=actions,
        styles={
            name: torch.randint(0, len(choices), (count,), generator=generator)
            for name, choices in model.styles.items()
        },
        angles=turn * torch.randn(count, 3, generator=generator) * torch.tensor([0.5, 0.25, 0.2]),
        light=light[:, :, None] * (0.8 + 0.2 * torch.rand(count, 1, 3, generator=generator)),
        shine=0.3 * torch.rand(count, generator=generator),
        materials=plain.materials * (0.5 + 0.5 * torch.rand(count, 1, 3, generator=generator)),
        background=torch.rand(count, 3, 4, 5, generator=generator),
    )


def front(model: FaceModel, size: int = 96, **changes: Tensor) -> Scenes:
    return replace(plain_scenes(model, 1, size), **changes)


def yawed(degrees: float) -> Tensor:
    return torch.tensor([[np.deg2rad(degrees), 0.0, 0.0]], dtype=torch.float32)


def acting(**weights: float) -> Tensor:
    actions = torch.zeros(1, len(ACTIONS))
    for name, weight in weights.items():
        actions[:, ACTIONS.index(name)] = weight
    return actions


def pieces(rendered: Rendered) -> dict[str, Tensor]:
    return {field.name: getattr(rendered, field.name) for field in fields(Rendered)}


def same_bytes(first: Rendered, second: Rendered) -> bool:
    one, other = pieces(first), pieces(second)
    return all(one[name].numpy().tobytes() == other[name].numpy().tobytes() for name in one)


def rows(rendered: Rendered, chosen: Tensor | slice) -> Rendered:
    return Rendered(**{name: value[chosen].contiguous() for name, value in pieces(rendered).items()})


@pytest.mark.parametrize("supersampling", [1, 2])
def test_bytes_depend_on_the_scene_alone(model: FaceModel, supersampling: int) -> None:
    count = 20
    renderer, many = Renderer(model, size=48, supersampling=supersampling), scenes(model, count, 48)
    together = renderer(many)
    assert together.image.shape == (count, 3, 48, 48)
    for order in (torch.arange(count).flip(0), torch.arange(count).roll(7), torch.arange(count)[3:17]):
        assert same_bytes(renderer(many.rows(order)), rows(together, order))
    for face in range(0, count, 3):
        alone = renderer(many.rows(torch.tensor([face])))
        assert same_bytes(alone, rows(together, slice(face, face + 1))), face


def test_two_runs_give_equal_bytes(head: FaceModel) -> None:
    many = scenes(head, 5)
    assert same_bytes(Renderer(head, size=SIZE)(many), Renderer(head, size=SIZE)(many))


def test_bytes_do_not_depend_on_the_number_of_threads(head: FaceModel) -> None:
    many, threads = scenes(head, BLOCK), torch.get_num_threads()
    try:
        results = []
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            results.append(Renderer(head, size=SIZE)(many))
    finally:
        torch.set_num_threads(threads)
    assert same_bytes(results[0], results[1])
    assert same_bytes(results[0], results[2])


def test_two_other_processes_give_the_same_bytes(head: FaceModel) -> None:
    """Workers of a loader, started afresh, each of which draws parts of the scenes in blocks of its own."""
    parts = torch.randperm(20, generator=torch.Generator().manual_seed(2)).split([7, 3, 9, 1])
    drawn = DrawnParts(scenes(head, 20, 48), parts, 48)
    (whole,) = DrawnParts(drawn.scenes, [torch.arange(20)], 48)
    loader = DataLoader(drawn, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    for part, found in zip(parts, loader, strict=True):
        assert found == {name: [rows[face] for face in part] for name, rows in whole.items()}


def test_plain_blocks_of_other_sizes_differ_by_rounding(model: FaceModel) -> None:
    renderer, many = Renderer(model, size=SIZE, supersampling=1), scenes(model, 7)
    blocks, plain = renderer(many), renderer.block(many)
    torch.testing.assert_close(plain.vertices, blocks.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(plain.landmarks, blocks.landmarks, atol=1e-3, rtol=0)
    differs = (plain.image - blocks.image).abs().amax(dim=1) > 1e-3
    assert differs.float().mean() < 1e-3  # where two triangles meet
    assert (plain.mask != blocks.mask).float().mean() < 1e-3


def test_what_is_returned(model: FaceModel) -> None:
    seen = Renderer(model, size=SIZE)(scenes(model, 3))
    assert 0 <= seen.image.min() < seen.image.max() <= 1
    assert all(piece.is_contiguous() for piece in (seen.image, seen.mask, seen.depth))
    drawn = ~seen.depth.isnan()
    lengths = seen.normals.norm(dim=1)
    torch.testing.assert_close(lengths[drawn], torch.ones_like(lengths[drawn]), atol=1e-4, rtol=0)
    assert (lengths[~drawn] == 0).all()
    assert (seen.mask[~drawn] == 0).all()
    assert (seen.normals[:, 2][drawn] > -0.2).float().mean() > 0.99  # towards the viewer
    assert seen.vertices.shape == (3, model.num_vertices, 3)


def test_landmarks_lie_where_the_projection_says(model: FaceModel) -> None:
    many = scenes(model, 4)
    many = replace(many, camera=Pinhole(torch.full((4,), 9.0), many.camera.scale, many.camera.centre))
    seen = Renderer(model, size=SIZE)(many)
    for face in range(4):
        exact = model.to(dtype=torch.float64)
        styles = {name: chosen[face : face + 1] for name, chosen in many.styles.items()}
        points = exact.vertices(many.identity[face : face + 1].double(), many.actions[face : face + 1].double(), styles)
        turn = rotation(many.angles[face : face + 1].double())[0]
        x, y, z = (points[model.landmarks, :, 0] @ turn.T).T
        factor = many.camera.scale[face] * 9.0 / (9.0 - z)
        expected = torch.stack((many.camera.centre[face, 0] + x * factor, many.camera.centre[face, 1] - y * factor), 1)
        torch.testing.assert_close(seen.landmarks[face].double(), expected, atol=1e-3, rtol=0)


def test_depth_at_a_visible_landmark_is_its_own(model: FaceModel) -> None:
    many = scenes(model, 6, size=128)
    seen = Renderer(model, size=128, supersampling=1)(many)
    turned = rotated(model.vertices(many.identity, many.actions, many.styles), rotation(many.angles))
    height = turned[model.landmarks, 2].T
    inside = (seen.landmarks > 1).all(dim=2) & (seen.landmarks < 127).all(dim=2)
    place = seen.landmarks.clamp(0, 127).long()
    found = seen.depth.flatten(1).gather(1, place[:, :, 1] * 128 + place[:, :, 0])
    error = (found - height).abs()[seen.visible & inside]
    error = error[~error.isnan()]
    assert len(error) > 250
    assert error.median() < 0.02
    assert error.quantile(0.8) < 0.08  # others lie on silhouettes


@pytest.mark.parametrize("supersampling", [1, 2])
def test_depth_is_that_of_the_plane_through_the_origin(head: FaceModel, supersampling: int) -> None:
    """A mesh of one large triangle, z = y / 2, seen from near."""
    corners = torch.tensor([[-9.0, -9.0, -4.5], [9.0, -9.0, -4.5], [0.0, 9.0, 4.5]])
    mean = head.mean.clone()
    mean[head.triangles[0]] = corners
    plain = {name: torch.zeros_like(getattr(head, name)) for name in ("identity_basis", "action_basis")}
    flat = replace(head, mean=mean, triangles=head.triangles[:1], parts=head.parts[:1], in_map=head.in_map[:1], **plain)
    scene = front(flat, 32)
    camera = Pinhole(torch.tensor([7.0]), scene.camera.scale, scene.camera.centre)
    seen = Renderer(flat, size=32, supersampling=supersampling)(replace(scene, camera=camera))
    # where the ray through (x, y) of the plane of the origin meets the plane
    y = (camera.centre[0, 1] - (torch.arange(32) + 0.5)) / camera.scale
    expected = (y / 2) / (1 + y / 2 / 7)
    drawn = ~seen.depth[0].isnan()
    assert drawn.sum() > 500
    # four samples in perspective have a mean that is a little off
    exact = 1e-4 if supersampling == 1 else 5e-4
    torch.testing.assert_close(seen.depth[0][drawn], expected[:, None].expand(32, 32)[drawn], atol=exact, rtol=0)


def test_depth_of_four_samples_is_that_of_the_centre(model: FaceModel) -> None:
    many = scenes(model, 4)
    one, four = (Renderer(model, size=SIZE, supersampling=number)(many) for number in (1, 2))
    both = ~one.depth.isnan() & ~four.depth.isnan()
    difference = (four.depth - one.depth)[both]
    assert difference.abs().median() < 2e-3
    assert difference.median().abs() < 5e-4  # no bias towards the viewer
    assert ((four.normals * one.normals).sum(dim=1)[both] > 0.98).float().mean() > 0.85


def test_from_the_front_all_landmarks_are_visible_but_perhaps_ends_of_the_jaw(model: FaceModel) -> None:
    for size in (96, 160):
        visible = Renderer(model, size=size)(front(model, size)).visible[0]
        hidden = set((~visible).nonzero().flatten().tolist())
        assert hidden <= {0, 1, 2, 3, 13, 14, 15, 16}


@pytest.mark.parametrize(("degrees", "near", "far"), [(75, "right", "left"), (-75, "left", "right")])
def test_from_the_side_the_far_eye_is_hidden(model: FaceModel, degrees: float, near: str, far: str) -> None:
    """Positive yaw turns the face to the viewer's right, which leaves the subject's right side to see."""
    seen = Renderer(model, size=128)(front(model, 128, angles=yawed(degrees)))
    outer = {"right": [36, 37, 41], "left": [45, 44, 46]}
    assert seen.visible[0, outer[near]].all()
    assert not seen.visible[0, outer[far]].any()
    assert not seen.visible[0, [0, 1, 2, 3] if far == "right" else [16, 15, 14, 13]].any()
    eyes = [int((seen.mask == FACE_PARTS.index(f"{side}_eye")).sum()) for side in (near, far)]
    assert eyes[0] > 5
    assert eyes[1] <= 2


def test_landmarks_outside_the_image_are_not_visible(head: FaceModel) -> None:
    scene = front(head)
    camera = replace(scene.camera, centre=scene.camera.centre + torch.tensor([48.0, 0.0]))
    seen = Renderer(head, size=96)(replace(scene, camera=camera))
    outside = seen.landmarks[0, :, 0] > 96
    assert 10 < outside.sum() < 60
    assert not seen.visible[0, outside].any()
    assert seen.visible[0, list(LANDMARK_GROUPS["right_eye"])].all()


def test_the_mask_of_an_open_face_holds_all_parts(model: FaceModel) -> None:
    seen = Renderer(model, size=128)(front(model, 128, actions=acting(jawOpen=0.5)))
    areas = torch.bincount(seen.mask.flatten().long(), minlength=len(FACE_PARTS))
    assert len(areas) == len(FACE_PARTS)
    assert dict(zip(FACE_PARTS, (areas > 5).tolist(), strict=True)) == dict.fromkeys(FACE_PARTS, True)
    assert areas[FACE_PARTS.index("face_skin")] == areas[1:].max()


def middle(mask: Tensor, part: str) -> tuple[float, float]:
    rows, columns = (mask == FACE_PARTS.index(part)).nonzero(as_tuple=True)
    return float(columns.float().mean()), float(rows.float().mean())


def test_parts_lie_where_they_belong(model: FaceModel) -> None:
    mask = Renderer(model, size=128)(front(model, 128, actions=acting(jawOpen=0.5))).mask[0]
    for part in ("brow", "eye"):  # the subject's left is on the image's right
        assert middle(mask, f"left_{part}")[0] > 70 > 58 > middle(mask, f"right_{part}")[0]
        assert middle(mask, f"left_{part}")[1] == pytest.approx(middle(mask, f"right_{part}")[1], abs=1.0)
    down = ["left_brow", "left_eye", "nose", "upper_lip", "inner_mouth", "lower_lip"]
    heights = [middle(mask, part)[1] for part in down]
    assert heights == sorted(heights)
    assert middle(mask, "hair")[1] < heights[1]


def test_parts_agree_with_landmarks(model: FaceModel) -> None:
    """The middle of an eye and of a brow by its points lies in that part."""
    many = scenes(model, 8, size=128, turn=0.3)
    many = replace(many, actions=many.actions * 0)
    seen = Renderer(model, size=128)(many)
    for part in ("left_eye", "right_eye"):
        points = seen.landmarks[:, list(LANDMARK_GROUPS[part])].mean(dim=1).long()
        found = seen.mask[torch.arange(8), points[:, 1], points[:, 0]]
        assert (found == FACE_PARTS.index(part)).all()
    tips = seen.landmarks[:, NOSE_TIP].long()
    assert (seen.mask[torch.arange(8), tips[:, 1], tips[:, 0]] == FACE_PARTS.index("nose")).all()


def test_a_mirrored_scene_gives_the_mirrored_picture(model: FaceModel) -> None:
    size = 96
    actions = acting(mouthSmileLeft=0.8, browOuterUpRight=0.7, eyeBlinkLeft=0.5, jawRight=0.4, eyeLookOutLeft=0.6)
    order = mirror_positions(ACTIONS)
    assert order is not None
    angles = torch.tensor([[0.4, 0.2, -0.15]])
    light = lambert_coefficients(torch.tensor([0.4]), torch.tensor([[[0.0, 0.6, 0.8]]]), torch.tensor([[0.6]]))
    one = front(model, size, actions=actions, angles=angles, light=light[:, :, None].repeat(1, 1, 3))
    other = replace(one, actions=actions[:, list(order)], angles=angles * torch.tensor([-1.0, 1.0, -1.0]))
    renderer = Renderer(model, size=size)
    face, mirrored = renderer(one), renderer(other)
    changed = (face.image - mirrored.image.flip(-1)).abs().amax(dim=1)
    assert (face.image - mirrored.image).abs().mean() > 0.02  # the face is not its own mirror image
    assert (changed > 0.06).float().mean() < 0.01
    assert changed.mean() < 0.004
    swapped = torch.tensor(PARTS_MIRROR, dtype=torch.uint8)[mirrored.mask.long()].flip(-1)
    assert (swapped != face.mask).float().mean() < 0.01
    points = mirrored.landmarks[:, list(POINTS_MIRROR)] * torch.tensor([-1.0, 1.0]) + torch.tensor([float(size), 0.0])
    assert (points - face.landmarks).abs().max() < (1e-3 if model.name == "procedural" else 0.5)


def test_light_from_the_right_brightens_the_right(model: FaceModel) -> None:
    light = lambert_coefficients(torch.tensor([0.3]), torch.tensor([[[1.0, 0.0, 0.0]]]), torch.tensor([[0.7]]))
    seen = Renderer(model, size=64)(front(model, 64, light=light[:, :, None].repeat(1, 1, 3)))
    skin = seen.mask[0] == FACE_PARTS.index("face_skin")
    columns = torch.arange(64).expand(64, 64)
    left, right = (seen.image[0].mean(dim=0)[skin & side].mean() for side in (columns < 26, columns > 38))
    assert right > 1.5 * left


def test_a_background_shows_where_no_head_is(head: FaceModel) -> None:
    behind = torch.rand(1, 3, 1, 1, generator=torch.Generator().manual_seed(3))
    seen = Renderer(head, size=64)(front(head, 64, background=behind))
    corner = seen.image[0, :, 0, 0]
    torch.testing.assert_close(corner, behind[0, :, 0, 0])
    assert seen.depth[0, 0, 0].isnan()


def test_a_background_is_stretched_over_the_image(head: FaceModel) -> None:
    behind = torch.rand(1, 3, 7, 4, generator=torch.Generator().manual_seed(3))
    scene = front(head, 64, background=behind)
    elsewhere = replace(scene.camera, centre=scene.camera.centre + 1000)
    for supersampling in (1, 2):
        seen = Renderer(head, size=64, supersampling=supersampling)(replace(scene, camera=elsewhere))
        side = 64 * supersampling
        expected = F.avg_pool2d(F.interpolate(behind, (side, side), mode="bilinear"), supersampling)
        torch.testing.assert_close(seen.image, expected)
        assert not seen.visible.any()


def test_the_tip_of_the_nose_is_nearer_than_the_ears(model: FaceModel) -> None:
    seen = Renderer(model, size=96)(front(model))
    tip = seen.landmarks[0, NOSE_TIP].long()
    row = seen.depth[0, int(seen.landmarks[0, 36, 1])]
    drawn = row[~row.isnan()]
    assert seen.depth[0, tip[1], tip[0]] == pytest.approx(
        float(seen.vertices[0, model.landmarks[NOSE_TIP], 2]), abs=0.05
    )
    assert seen.depth[0, tip[1], tip[0]] > drawn[0] + 1
    assert seen.depth[0, tip[1], tip[0]] > drawn[-1] + 1


def jaw_edge(model: FaceModel, supersampling: int) -> Tensor:
    """How much of the pixels about the jaw a black head on white covers; those that are neither all nor nothing."""
    black = torch.zeros(1, 9, 3)
    scene = front(model, 96, light=black, shine=torch.zeros(1), background=torch.ones(1, 3, 1, 1))
    image = Renderer(model, size=96, supersampling=supersampling)(scene).image[0, 0]
    return image[55:].mul(100).round() / 100


def test_the_edge_of_the_jaw_has_no_stairs(model: FaceModel) -> None:
    hard, soft = jaw_edge(model, 1), jaw_edge(model, 2)
    assert set(hard.unique().tolist()) == {0.0, 1.0}
    assert set(soft.unique().tolist()) == {0.0, 0.25, 0.5, 0.75, 1.0}
    partly = ((soft > 0) & (soft < 1)).sum()
    steps = (hard[:, 1:] != hard[:, :-1]).sum()
    assert partly > 0.5 * steps  # of the crossings of the silhouette, one or two in a row
    assert hard.mean() == pytest.approx(float(soft.mean()), abs=0.01)


def test_an_image_that_is_too_small_is_refused(head: FaceModel) -> None:
    for make in (lambda size: Renderer(head, size=size), lambda size: plain_scenes(head, 1, size)):
        for size in (SMALLEST - 1, 0, -4):
            with pytest.raises(UserError, match=f"{size} pixels is too small to show a face; {SMALLEST}"):
                make(size)
    assert Renderer(head, size=SMALLEST)(plain_scenes(head, 1, SMALLEST)).image.shape == (1, 3, SMALLEST, SMALLEST)


@pytest.mark.parametrize("supersampling", [0, 3, -1])
def test_another_supersampling_is_refused(head: FaceModel, supersampling: int) -> None:
    with pytest.raises(UserError, match=f"supersampling={supersampling} is none of 1 and 2"):
        Renderer(head, size=64, supersampling=supersampling)


def test_a_pose_that_is_no_number_is_refused(head: FaceModel) -> None:
    with pytest.raises(UserError, match=r"angles\[yaw\] of face 0 is nan; it must be a finite number"):
        Renderer(head, size=64)(front(head, 64, angles=torch.tensor([[float("nan"), 0.0, 0.0]])))


def test_ears_and_neck_are_no_skin_of_the_face(model: FaceModel) -> None:
    seen = Renderer(model, size=128)(front(model, 128))
    mask, drawn, points = seen.mask[0], ~seen.depth[0].isnan(), seen.landmarks[0]
    below = mask[int(points[8, 1]) + 4 :]
    assert drawn[int(points[8, 1]) + 4 :].sum() > 200  # the neck is there
    assert (below == 0).all()
    row = slice(int(points[1, 1]) - 4, int(points[1, 1]) + 1)  # of the ears' lower halves
    beside = torch.cat((mask[row, : int(points[1, 0]) - 4], mask[row, int(points[15, 0]) + 5 :]), dim=1)
    shown = torch.cat((drawn[row, : int(points[1, 0]) - 4], drawn[row, int(points[15, 0]) + 5 :]), dim=1)
    assert shown.sum() > 10
    assert (beside[shown] != FACE_PARTS.index("face_skin")).all()
