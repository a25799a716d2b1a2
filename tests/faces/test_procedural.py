"""The head made by code: symmetry, eyes that close, lips that part, actions that stay in their places."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from fer_zoo.core.landmarks import MIRROR, RIGHT_SIDE
from fer_zoo.faces.face_model import ACTIONS, MATERIALS, FaceModel
from fer_zoo.faces.models.procedural.build import build
from fer_zoo.faces.scenes import FACE_CENTRE, FACE_HEIGHT
from fer_zoo.geometry.rasterizer import rasterize
from fer_zoo.geometry.rotations import rotated, rotation

SIDES = {"Left": "Right", "Right": "Left"}
LID_PAIRS = ((37, 41), (38, 40), (43, 47), (44, 46))
FLIP = torch.tensor([-1.0, 1.0, 1.0])[:, None]
# Boxes of a half face, (|x| from, to, y from, to), in inter-ocular distances.
BROWS, EYES, NOSE = (0.0, 1.1, 0.0, 1.1), (0.1, 0.9, -0.4, 0.45), (0.0, 0.5, -0.95, 0.5)
CHEEKS, MOUTH, JAW = (0.2, 1.2, -1.5, 0.15), (0.0, 0.9, -1.7, -0.6), (0.0, 1.2, -2.3, -0.7)
REGIONS = {
    "browDown": [BROWS], "browInnerUp": [BROWS], "browOuterUp": [BROWS],
    "cheekPuff": [CHEEKS, MOUTH], "cheekSquint": [CHEEKS, EYES],
    "eye": [EYES], "jaw": [JAW], "mouthSmile": [MOUTH, CHEEKS], "mouth": [MOUTH], "noseSneer": [NOSE],
}  # fmt: skip


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return build()


@pytest.fixture(scope="module")
def people(head: FaceModel) -> Tensor:
    """50 identities, each mode at plus or minus two standard deviations."""
    generator = torch.Generator().manual_seed(7)
    return 4.0 * torch.randint(0, 2, (50, head.num_identity), generator=generator) - 2.0


def acted(head: FaceModel, identity: Tensor, **actions: float) -> Tensor:
    weights = torch.zeros(len(identity), len(ACTIONS))
    for name, weight in actions.items():
        weights[:, ACTIONS.index(name)] = weight
    return head.vertices(identity, weights)


def normals(head: FaceModel, points: Tensor) -> Tensor:
    a, b, c = points[head.triangles].unbind(dim=1)
    return torch.linalg.cross(b - a, c - a)


def other_side(name: str) -> str:
    return next((name.removesuffix(side) + other for side, other in SIDES.items() if name.endswith(side)), name)


def test_it_has_the_size_that_was_asked_for(head: FaceModel) -> None:
    assert 3000 <= head.num_vertices <= 8000
    assert len(head.triangles) <= 10_500
    assert head.num_identity >= 40
    assert len(set(head.identity_names)) == head.num_identity
    assert torch.equal(head.triangles.unique(), torch.arange(head.num_vertices))
    assert all(torch.isfinite(part).all() for part in (head.mean, head.identity_basis, head.action_basis))


def test_it_is_built_once(head: FaceModel) -> None:
    assert build() is head


def test_no_parameters_give_the_mean(head: FaceModel) -> None:
    assert torch.allclose(acted(head, torch.zeros(2, head.num_identity)), head.mean[..., None], atol=1e-6)


def test_the_eyeballs_are_one_unit_apart(head: FaceModel) -> None:
    right, left = (head.mean[ball].mean(dim=0) for ball in head.eyeballs)
    assert torch.allclose(right, torch.tensor([-0.5, 0.0, 0.0]), atol=1e-5)
    assert torch.allclose(left, torch.tensor([0.5, 0.0, 0.0]), atol=1e-5)


def test_the_mean_is_its_own_mirror_image(head: FaceModel) -> None:
    assert torch.equal(head.mirror[head.mirror], torch.arange(head.num_vertices))
    assert torch.allclose(head.mean[head.mirror] * FLIP[:, 0], head.mean, atol=1e-6)
    assert torch.allclose(head.shade[head.mirror], head.shade, atol=1e-6)
    assert set(map(int, head.mirror[head.eyeballs[0]])) == set(map(int, head.eyeballs[1]))


def test_mirrored_triangles_are_triangles(head: FaceModel) -> None:
    there = {tuple(sorted(corners)) for corners in head.triangles.tolist()}
    assert {tuple(sorted(corners)) for corners in head.mirror[head.triangles].tolist()} == there


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_the_mirror_image_of_that_of_the_other_side(head: FaceModel, name: str) -> None:
    this, other = ACTIONS.index(name), ACTIONS.index(other_side(name))
    mirrored = head.action_basis[head.mirror][:, :, other] * FLIP[:, 0]
    assert torch.allclose(mirrored, head.action_basis[:, :, this], atol=1e-6)
    assert torch.allclose(head.wrinkles[head.mirror][:, other], head.wrinkles[:, this], atol=1e-6)


def test_a_mode_of_identity_is_symmetric_or_the_contrary(head: FaceModel) -> None:
    for name, mode in zip(head.identity_names, head.identity_basis.unbind(dim=2), strict=True):
        sign = -1.0 if name.endswith(("asymmetry", "bend")) else 1.0
        assert torch.allclose(sign * mode[head.mirror] * FLIP[:, 0], mode, atol=1e-6), name


def test_an_open_jaw_parts_the_lips_and_mouth_close_brings_them_together(head: FaceModel) -> None:
    nobody = torch.zeros(1, head.num_identity)

    def gap(**actions: float) -> float:
        points = head.landmarks_of(acted(head, nobody, **actions))[0]
        return float(points[62, 1] - points[66, 1])

    assert gap() == pytest.approx(0.0, abs=0.02)
    assert gap(jawOpen=1.0) > 0.3
    assert gap(jawOpen=1.0, mouthClose=1.0) == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("name", ACTIONS)
def test_no_action_turns_a_visible_triangle_inside_out(head: FaceModel, name: str) -> None:
    before = normals(head, head.mean)
    after = normals(head, acted(head, torch.zeros(1, head.num_identity), **{name: 1.0})[..., 0])
    visible = head.in_map & (before[:, 2] > 0)
    assert (before * after).sum(dim=1)[visible].min() > 0


@pytest.mark.parametrize("pose", [(0, 0), (-30, 0), (30, 0), (0, -30), (0, 30)], ids=str)
def test_nobody_shows_the_back_of_a_triangle_whatever_they_do(head: FaceModel, pose: tuple[int, int]) -> None:
    """Backs are not drawn: where one is the nearest, the face has turned inside out or has a hole."""
    actions = torch.eye(len(ACTIONS)).repeat(2, 1)
    people = torch.randn(len(actions), head.num_identity, generator=torch.Generator().manual_seed(5)).clamp(-2, 2)
    turn = torch.tensor([[*pose, 0]]).float().deg2rad().expand(len(actions), -1)
    x, y, z = rotated(head.vertices(people, actions), rotation(turn)).unbind(dim=1)
    screen = torch.stack([x * 60 + 64, 64 - (y + 0.6) * 60, -z * 60], dim=1)
    hits = rasterize(screen, torch.cat([head.triangles, head.triangles.flip(1)]), 128, 128)
    backs = torch.bincount(hits.face[hits.triangle >= len(head.triangles)], minlength=len(actions))
    shown = {ACTIONS[face % len(ACTIONS)]: int(count) for face, count in enumerate(backs) if count > 1}
    assert shown == {}  # but for a pixel in the fold of a lid


def test_the_cut_end_of_the_neck_lies_out_of_the_picture_in_every_pose(head: FaceModel) -> None:
    poses = torch.tensor(list(itertools.product((-60, 0, 60), (-45, -30, 30, 45), (-45, 0, 45)))).float().deg2rad()
    rim = head.mean[head.mean[:, 1] < head.mean[:, 1].min() + 0.1]
    x, y, z = rotated(rim[:, :, None].expand(-1, -1, len(poses)), rotation(poses)).unbind(dim=1)
    near = z > z.mean(dim=0)  # the far half hides behind the neck
    half = FACE_HEIGHT / 2
    assert not (near & (x.abs() < half) & ((y - FACE_CENTRE).abs() < half)).any()


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_stays_in_its_region(head: FaceModel, name: str) -> None:
    boxes = next(boxes for prefix, boxes in REGIONS.items() if name.startswith(prefix))
    energy = head.action_basis[:, :, ACTIONS.index(name)].square().sum(dim=1)
    far, y = head.mean[:, 0].abs(), head.mean[:, 1]
    inside = torch.stack([(far >= a) & (far <= b) & (y >= c) & (y <= d) for a, b, c, d in boxes]).any(dim=0)
    assert energy[inside].sum() >= 0.9 * energy.sum()


def test_a_one_sided_action_stays_on_its_side(head: FaceModel) -> None:
    for name in ACTIONS:
        if name.endswith(("Left", "Right")) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            on_left = head.mean[:, 0] > 0
            energy = head.action_basis[:, :, ACTIONS.index(name)].square().sum(dim=1)
            assert energy[on_left == name.endswith("Left")].sum() > 0.95 * energy.sum()


def test_actions_and_modes_are_independent(head: FaceModel) -> None:
    for basis, least in ((head.action_basis, 29), (head.identity_basis, head.num_identity)):
        columns = basis.double().flatten(0, 1)
        assert int(torch.linalg.matrix_rank(columns / columns.norm(dim=0), atol=1e-3)) >= least


def test_materials_add_up_to_one(head: FaceModel) -> None:
    assert set(head.weights) == set(MATERIALS)
    stacked = torch.stack(list(head.weights.values()))
    assert torch.allclose(stacked.sum(dim=0), torch.ones(head.num_vertices), atol=1e-5)
    assert stacked.min() > -1e-6


def test_materials_of_each_style_add_up_to_one(head: FaceModel) -> None:
    assert {mode: len(choices) for mode, choices in head.styles.items()} == {"brows": 5, "hair": 7, "beard": 5}
    for choices in head.styles.values():
        for style in choices:
            stacked = torch.stack(list({**head.weights, **style.weights}.values()))
            assert torch.allclose(stacked.sum(dim=0), torch.ones(head.num_vertices), atol=1e-5)
            assert stacked.min() > -1e-6


def test_styles_of_all_modes_at_once_leave_no_negative_skin(head: FaceModel) -> None:
    """Choices of several modes are put together by adding up what each of them takes from the skin."""
    taken = [
        torch.stack([style.weights["skin"] - head.weights["skin"] for style in choices]).min(dim=0).values
        for choices in head.styles.values()
    ]
    assert (head.weights["skin"] + sum(taken)).min() > -1e-5


def test_the_first_style_is_the_model_itself(head: FaceModel) -> None:
    for choices in head.styles.values():
        for name, weights in choices[0].weights.items():
            assert torch.allclose(weights, head.weights[name], atol=1e-6)
        assert choices[0].shape is None or choices[0].shape.abs().max() < 1e-6


def test_hair_grows_alike_on_both_sides(head: FaceModel) -> None:
    for style in head.styles["hair"]:
        assert style.shape is not None
        assert torch.allclose(style.shape[head.mirror] * FLIP[:, 0], style.shape, atol=1e-6)
        assert torch.allclose(style.weights["hair"][head.mirror], style.weights["hair"], atol=1e-6)


def test_landmarks_stand_in_their_order(head: FaceModel) -> None:
    points = head.mean[head.landmarks]
    assert (points[sorted(RIGHT_SIDE), 0] < 0).all()
    assert torch.equal(head.mirror[head.landmarks], head.landmarks[list(MIRROR)])
    assert len(set(head.landmarks.tolist())) == 68
    assert (points[0:9, 1].diff() < 0).all()  # down the jaw
    assert (points[0:17, 0].diff() > 0).all()
    assert points[8, 1] < points[57, 1] < points[66, 1] <= points[62, 1] < points[51, 1] < points[33, 1] < points[30, 1]
    assert points[30, 2] == points[:, 2].max()  # the tip of the nose
    assert (points[37, 1] > points[36, 1]) and (points[19, 1] > points[37, 1])


def test_the_parts_are_where_they_belong(head: FaceModel) -> None:
    centres = head.mean[head.triangles].mean(dim=1)
    present = set(head.parts.tolist())
    assert present == set(range(11))
    assert (centres[head.parts == 2][:, 0] > 0).all() and (centres[head.parts == 3][:, 0] < 0).all()
    assert (centres[head.parts == 4][:, 0] > 0).all() and (centres[head.parts == 5][:, 0] < 0).all()
    assert centres[head.parts == 7][:, 1].mean() > centres[head.parts == 9][:, 1].mean()
    assert torch.equal(
        head.parts[torch.isin(head.triangles, head.eyeballs[1]).all(dim=1)].unique(), torch.tensor([4]).byte()
    )


def test_the_map_is_the_front_of_the_skin_and_folds_nowhere(head: FaceModel) -> None:
    inside = head.uv[head.triangles[head.in_map]]
    assert inside[..., 0].min() == 0 and inside[..., 0].max() == 1
    assert head.uv.min() >= 0 and head.uv.max() <= 1
    a, b, c = head.uv[head.triangles[head.in_map]].unbind(dim=1)
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert area.max() < 0  # counter-clockwise outside, v runs down
    assert torch.isin(head.landmarks, head.triangles[head.in_map]).all()


def test_lids_cover_the_balls_of_the_mean_face(head: FaceModel) -> None:
    """With shut eyes each vertex on a ball's front lies behind the lid at its place."""
    shut = acted(head, torch.zeros(1, head.num_identity), eyeBlinkLeft=1.0, eyeBlinkRight=1.0)[..., 0].double().numpy()
    corners = shut[head.triangles[head.in_map].numpy()]
    for ball in head.eyeballs:
        for x, y, z in shut[ball.numpy()]:
            if z > 0.05:
                assert front_depth(corners, x, y) > z


def front_depth(corners: np.ndarray, x: float, y: float) -> float:
    """z of the foremost triangle at a place, seen from the front."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        second = ((x - a[:, 0]) * (c - a)[:, 1] - (y - a[:, 1]) * (c - a)[:, 0]) / area
        third = ((b - a)[:, 0] * (y - a[:, 1]) - (b - a)[:, 1] * (x - a[:, 0])) / area
        inside = (second >= -1e-9) & (third >= -1e-9) & (second + third <= 1 + 1e-9)
    depth = a[:, 2] + second * (b - a)[:, 2] + third * (c - a)[:, 2]
    return float(depth[inside].max(initial=-np.inf))
