"""The head `ict` from its real files, where they are at hand."""

import itertools
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.core.landmarks import MIRROR, RIGHT_SIDE
from fer_zoo.core.paths import data_roots
from fer_zoo.faces.face_model import ACTIONS, MATERIALS, FaceModel
from fer_zoo.faces.models.ict import cache
from fer_zoo.faces.models.ict.build import build
from fer_zoo.faces.models.ict.mesh import IctMesh, folder_of, parse
from fer_zoo.geometry.rasterizer import rasterize
from fer_zoo.geometry.rotations import rotated, rotation

ROOT = next((root for root in data_roots("ict_facekit") if root.is_dir()), None)
pytestmark = pytest.mark.skipif(
    ROOT is None, reason="ICT-FaceKit is not here; `fer-zoo download ict_facekit` fetches it into data/ict_facekit"
)
CENTIMETRE = 1 / 6.233  # in units of the head: the mean's distance between the eyeballs' centres
# Boxes of a half face as in `test_procedural.py`, but with what scanned skin does besides: brows crease the forehead, a
# sneer and a squint lift the cheek down to the mouth.
BROWS, EYES, NOSE = (0.0, 1.15, -0.2, 1.4), (0.1, 0.9, -0.4, 0.45), (0.0, 0.75, -1.3, 0.5)
CHEEKS, MOUTH, JAW = (0.1, 1.3, -1.5, 0.5), (0.0, 0.9, -1.85, -0.5), (0.0, 1.0, -2.0, -1.0)
REGIONS = {
    "brow": BROWS, "cheekPuff": MOUTH, "cheekSquint": CHEEKS, "eyeSquint": (0.1, 1.0, -0.75, 0.3), "eye": EYES,
    "jaw": JAW, "mouthSmile": (0.0, 1.1, -1.6, -0.4), "mouth": MOUTH, "noseSneer": NOSE,
}  # fmt: skip
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))


@pytest.fixture(scope="module")
def mesh() -> IctMesh:
    assert ROOT is not None
    return cache.load(ROOT)


@pytest.fixture(scope="module")
def head(mesh: IctMesh) -> FaceModel:
    assert ROOT is not None
    return build(ROOT)


def actions_of(**weights: float) -> Tensor:
    values = torch.zeros(1, len(ACTIONS))
    for name, weight in weights.items():
        values[0, ACTIONS.index(name)] = weight
    return values


def mesh_of(head: FaceModel, identity: Tensor | None = None, **weights: float) -> Tensor:
    identity = torch.zeros(1, head.num_identity) if identity is None else identity
    return head.vertices(identity, actions_of(**weights).expand(len(identity), -1))


def people(head: FaceModel, count: int) -> Tensor:
    return torch.randn(count, head.num_identity, generator=torch.Generator().manual_seed(1)).clamp(-2, 2)


def test_what_is_drawn(mesh: IctMesh, head: FaceModel) -> None:
    assert mesh.of("face").sum() == 18_460
    assert mesh.of("head").sum() == 3_828
    assert mesh.of("right_ball").sum() == mesh.of("left_ball").sum() == 544
    assert mesh.of("mouth").sum() == 4_164
    assert 3_000 < mesh.of("gums", "teeth").sum() < 4_000  # of 14,504; what some view shows
    assert (np.unique(mesh.triangles) == np.arange(head.num_vertices)).all()
    assert head.num_identity == 50


def test_unit_and_origin(head: FaceModel) -> None:
    right, left = (head.mean[ball].mean(dim=0) for ball in head.eyeballs)
    torch.testing.assert_close(left - right, torch.tensor([1.0, 0, 0]), atol=0.03, rtol=0)
    torch.testing.assert_close((left + right) / 2, torch.zeros(3), atol=0.03, rtol=0)


def test_nothing_done_is_the_mean(head: FaceModel) -> None:
    torch.testing.assert_close(mesh_of(head)[:, :, 0], head.mean, atol=1e-6, rtol=0)


def test_triangles_face_outwards(head: FaceModel) -> None:
    corners = head.mean[head.triangles]
    normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    nose = head.parts == FACE_PARTS.index("nose")
    assert float((normal[nose, 2] > 0).float().mean()) > 0.8  # the rest is inside the nostrils and under the tip
    volume = (corners[:, 0] * torch.linalg.cross(corners[:, 1], corners[:, 2])).sum(dim=1)
    for ball in head.eyeballs:
        inside = torch.isin(head.triangles[:, 0], ball)
        centre = head.mean[ball].mean(dim=0)
        assert bool((((corners[inside].mean(dim=1) - centre) * normal[inside]).sum(dim=1) > 0).all())
    assert float(volume.sum()) > 0


def test_mirror(mesh: IctMesh, head: FaceModel) -> None:
    skin = torch.from_numpy(mesh.vertices_of("face", "head", "right_ball", "left_ball"))
    number = torch.arange(head.num_vertices)
    assert torch.equal(head.mirror[head.mirror][skin], number[skin])
    away = (head.mean[head.mirror] * torch.tensor([-1.0, 1, 1]) - head.mean).norm(dim=1) / CENTIMETRE
    assert float(away[skin].max()) < 0.01
    assert float(away.max()) < 0.04
    assert int((head.mirror[head.mirror] != number).sum()) <= 4  # vertices of the gums that lie together
    assert torch.equal(head.mirror[head.landmarks], head.landmarks[list(MIRROR)])


@pytest.mark.parametrize("name", [name for name in ACTIONS if name.endswith("Right")])
def test_a_mirrored_action_is_the_mirrored_face(mesh: IctMesh, head: FaceModel, name: str) -> None:
    skin = torch.from_numpy(mesh.vertices_of("face", "head", "right_ball", "left_ball"))
    right = mesh_of(head, **{name: 1.0})[:, :, 0]
    other = {"jawRight": "jawLeft", "mouthRight": "mouthLeft"}.get(name, name.removesuffix("Right") + "Left")
    left = mesh_of(head, **{other: 1.0})[:, :, 0]
    away = (right[head.mirror] * torch.tensor([-1.0, 1, 1]) - left)[skin].norm(dim=1) / CENTIMETRE
    assert float(away.max()) < 0.15  # centimetres; the files' own difference


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_stays_in_its_region(head: FaceModel, name: str) -> None:
    least_x, most_x, least_y, most_y = next(box for prefix, box in REGIONS.items() if name.startswith(prefix))
    energy = head.action_basis[:, :, ACTIONS.index(name)].square().sum(dim=1)
    far, y = head.mean[:, 0].abs(), head.mean[:, 1]
    inside = (far >= least_x) & (far <= most_x) & (y >= least_y) & (y <= most_y)
    assert energy[inside].sum() >= 0.9 * energy.sum()


def test_landmarks(head: FaceModel) -> None:
    points = head.landmarks_of(mesh_of(head))[0]
    assert {place for place in range(68) if points[place, 0] < -0.01} == set(RIGHT_SIDE)
    assert float(points[30, 2]) == float(points[:, 2].max())
    assert float(points[8, 1]) == float(points[:, 1].min())


@pytest.mark.parametrize("opened", [{"jawOpen": 1.0}, {"jawOpen": 0.3, "mouthUpperUp": 1.0, "mouthSmile": 1.0}])
def test_no_background_shows_in_an_open_mouth(head: FaceModel, opened: dict[str, float]) -> None:
    weights = {side: weight for name, weight in opened.items() for side in ACTIONS if side.startswith(name)}
    poses = torch.tensor(list(itertools.product((-60, -30, 0, 30, 60), (-45, -20, 0, 20, 45), (0,)))).float().deg2rad()
    turned = rotated(mesh_of(head, people(head, len(poses)), **weights), rotation(poses))
    x, y, z = (turned - turned[head.landmarks[48:]].mean(dim=0)).unbind(dim=1)
    hits = rasterize(torch.stack([x * 140 + 64, 64 - y * 140, -z * 140], dim=1), head.triangles, 128, 128)
    background = torch.ones(len(poses) * 128 * 128, dtype=torch.bool)
    background[hits.pixel] = False
    for picture in background.view(-1, 128, 128).numpy():
        places, count = ndimage.label(np.pad(picture, 1, constant_values=True))
        assert count == 1 and places[0, 0] == 1  # what the head does not cover lies around it


def test_an_open_jaw_parts_the_lips(head: FaceModel) -> None:
    for vertices, least, most in ((mesh_of(head), 0.0, 0.05), (mesh_of(head, jawOpen=1.0), 0.4, 0.8)):
        points = head.landmarks_of(vertices)[0]
        assert least <= float(points[62, 1] - points[66, 1]) <= most
    shut = head.landmarks_of(mesh_of(head, jawOpen=1.0, mouthClose=1.0))[0]
    assert abs(float(shut[62, 1] - shut[66, 1])) < 0.1


def test_gaze_turns_the_balls_about_their_centres(head: FaceModel) -> None:
    for name, axis, sign in (
        ("eyeLookUpLeft", 1, 1), ("eyeLookDownLeft", 1, -1), ("eyeLookOutLeft", 0, 1), ("eyeLookInLeft", 0, -1)
    ):  # fmt: skip
        turned = mesh_of(head, **{name: 1.0})[:, :, 0]
        right, left = head.eyeballs
        torch.testing.assert_close(turned[right], head.mean[right])
        pupil = left[head.weights["pupil"][left] > 0.9]
        assert sign * float((turned[pupil] - head.mean[pupil])[:, axis].mean()) > 0.06
        # a ball turns in place: its outline stays
        assert float((turned[left].amax(dim=0) - head.mean[left].amax(dim=0)).abs().max()) < 0.03


def test_rank_of_the_actions(head: FaceModel) -> None:
    assert (
        int(
            torch.linalg.matrix_rank(
                head.action_basis.reshape(-1, len(ACTIONS)).T @ head.action_basis.reshape(-1, len(ACTIONS))
            )
        )
        >= 29
    )
    assert (head.action_basis.abs().amax(dim=(0, 1)) > 0).all()


def test_shares_of_materials_add_up_whatever_the_styles(head: FaceModel) -> None:
    usual = torch.stack([head.weights[name] for name in MATERIALS])
    for choices in itertools.product(*head.styles.values()):
        table = usual.clone()
        for style in choices:
            for row, name in enumerate(MATERIALS):
                table[row] += style.weights.get(name, head.weights[name]) - head.weights[name]
        assert float(table.min()) > -0.02
        torch.testing.assert_close(table.sum(dim=0), torch.ones(head.num_vertices))


def test_the_first_style_is_the_heads_own(head: FaceModel) -> None:
    assert set(head.styles) == {"brows", "hair", "beard"}
    for first, *_ in head.styles.values():
        for name, share in first.weights.items():
            torch.testing.assert_close(share, head.weights[name], atol=1e-6, rtol=0)
        assert first.shape is None or not first.shape.any()


def test_parts_lie_where_they_should(head: FaceModel) -> None:
    centre = head.mean[head.triangles].mean(dim=1)
    place = {name: centre[head.parts == number].mean(dim=0) for number, name in enumerate(FACE_PARTS)}
    for kind in ("brow", "eye"):
        assert place[f"left_{kind}"][0] > 0.3
        assert place[f"right_{kind}"][0] < -0.3
        side = {name: int((head.parts == FACE_PARTS.index(f"{name}_{kind}")).sum()) for name in ("left", "right")}
        assert abs(side["left"] - side["right"]) <= 0.05 * side["left"]
    heights = [float(place[name][1]) for name in ("hair", "left_brow", "left_eye", "nose", "upper_lip", "lower_lip")]
    assert heights == sorted(heights, reverse=True)


def test_position_map(mesh: IctMesh, head: FaceModel) -> None:
    assert float(head.uv.min()) >= 0
    assert float(head.uv.max()) <= 1
    inside = head.in_map.numpy()
    assert 18_000 < inside.sum() < 18_460
    assert not (inside & ~mesh.of("face")).any()
    corners = head.uv[head.triangles[head.in_map]]
    assert float((corners.amax(dim=1) - corners.amin(dim=1)).max()) < 0.1
    points = head.uv[head.landmarks]
    assert points[8, 1] > points[30, 1] > points[27, 1]  # the chin is below


def test_loading_is_quick_and_gives_what_was_parsed(mesh: IctMesh) -> None:
    assert ROOT is not None
    start = time.process_time()
    build(ROOT)
    assert time.process_time() - start < 2  # half a second without the checks of shapes
    stored = cache.load(ROOT)
    for name, value in mesh.arrays().items():
        np.testing.assert_array_equal(value, stored.arrays()[name])


@pytest.mark.slow
def test_parsing_gives_the_same_each_time(mesh: IctMesh) -> None:
    assert ROOT is not None
    for name, value in parse(folder_of(Path(ROOT))).arrays().items():
        np.testing.assert_array_equal(value, mesh.arrays()[name])
