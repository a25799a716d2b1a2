"""The linear face model: sums, mirrors, gaze, gradients and what it refuses; with every model that is here."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.data.transforms import mirror_positions
from fer_zoo.faces.face_model import ACTIONS, GAZE, LIDS, FaceModel
from fer_zoo.faces.models.procedural import build as procedural
from fer_zoo.geometry.cameras import Pinhole
from fer_zoo.geometry.rasterizer import rasterize
from fer_zoo.geometry.rotations import rotated, rotation

BENT = tuple(i for i, name in enumerate(ACTIONS) if name.startswith(("eyeLook", "eyeBlink")))  # not linear
LEFT, RIGHT = "Left", "Right"


def faces(model: FaceModel, count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Identities and actions."""
    generator = torch.Generator().manual_seed(seed)
    identity = torch.randn(count, model.num_identity, generator=generator).clamp(-2, 2)
    return identity, torch.rand(count, len(ACTIONS), generator=generator)


def acting(count: int = 1, **weights: float) -> Tensor:
    actions = torch.zeros(count, len(ACTIONS))
    for name, weight in weights.items():
        actions[:, ACTIONS.index(name)] = weight
    return actions


def nobody(model: FaceModel, count: int = 1) -> Tensor:
    return torch.zeros(count, model.num_identity)


def test_no_parameters_give_the_mean(model: FaceModel) -> None:
    vertices = model.vertices(nobody(model, 3), acting(3))
    torch.testing.assert_close(vertices, model.mean[:, :, None].expand(-1, -1, 3), atol=1e-6, rtol=0)


def test_a_parameter_of_one_gives_its_basis_vector(model: FaceModel) -> None:
    identity = model.vertices(torch.eye(model.num_identity), acting(model.num_identity)) - model.mean[:, :, None]
    torch.testing.assert_close(identity, model.identity_basis, atol=2e-6, rtol=0)
    straight = [i for i in range(len(ACTIONS)) if i not in BENT]
    actions = model.vertices(nobody(model, len(straight)), torch.eye(len(ACTIONS))[straight])
    torch.testing.assert_close(actions - model.mean[:, :, None], model.action_basis[:, :, straight], atol=2e-6, rtol=0)


def test_effects_of_identity_and_actions_add_up(model: FaceModel) -> None:
    identity, actions = faces(model, 2)
    actions[:, BENT] = 0
    one, other = ((identity[:1], actions[:1] / 2), (identity[1:], actions[1:] / 2))
    both = model.vertices(one[0] + other[0], one[1] + other[1])
    apart = model.vertices(*one) + model.vertices(*other) - model.mean[:, :, None]
    torch.testing.assert_close(both, apart, atol=1e-5, rtol=0)


def test_half_a_blink_moves_the_lids_half_the_way(model: FaceModel) -> None:
    identity, _ = faces(model, 8)
    opened, half, shut = (model.vertices(identity, acting(8, eyeBlinkLeft=weight)) for weight in (0.0, 0.5, 1.0))
    torch.testing.assert_close((opened + shut) / 2, half, atol=1e-5, rtol=0)


def test_a_blink_moves_vertices_along_its_own_vectors(model: FaceModel) -> None:
    identity, _ = faces(model, 20)
    moved = model.vertices(identity, acting(20, eyeBlinkLeft=1.0)) - model.vertices(identity, acting(20))
    basis = model.action_basis[:, :, ACTIONS.index("eyeBlinkLeft"), None]
    factor = (moved * basis).sum(dim=1) / basis.square().sum(dim=1).clamp(min=1e-12)
    torch.testing.assert_close(moved, basis * factor[:, None], atol=1e-5, rtol=0)
    lids = basis.norm(dim=1)[:, 0] > 0.02
    assert factor[lids].std(dim=1).mean() > 0.02  # other eyes close by another way
    assert (factor[lids] > 0).all()


def test_a_blink_closes_every_eye_and_no_ball_shines_through(model: FaceModel) -> None:
    identity = torch.randn(50, model.num_identity, generator=torch.Generator().manual_seed(1)).clamp(-2, 2)
    opened = model.vertices(identity, acting(50))
    shut = model.vertices(identity, acting(50, eyeBlinkLeft=1.0, eyeBlinkRight=1.0))
    for upper, lower in (pair for pairs in LIDS.values() for pair in pairs):
        gaps = [(mesh[model.landmarks[upper], 1] - mesh[model.landmarks[lower], 1]) for mesh in (shut, opened)]
        assert (gaps[0] / gaps[1]).abs().max() < 0.1
    balls = [seen_of_the_balls(model, mesh) for mesh in (shut, opened)]
    assert (balls[0] / balls[1]).max() < 0.01
    assert balls[1].min() > 200


def seen_of_the_balls(model: FaceModel, mesh: Tensor) -> Tensor:
    """Pixels of the eyeballs of each face from the front."""
    x, y, z = mesh.unbind(dim=1)
    hits = rasterize(torch.stack([x * 100 + 128, 128 - y * 100, -z * 100], dim=1), model.triangles, 256, 256)
    eyes = torch.tensor([FACE_PARTS.index(f"{side}_eye") for side in ("left", "right")])
    ball = torch.isin(model.parts[hits.triangle], eyes)
    return torch.bincount(hits.face[ball], minlength=mesh.shape[2])


def test_faces_of_a_batch_match_a_single_face_in_double_precision(model: FaceModel) -> None:
    identity, actions = faces(model, 16, seed=4)
    together = model.vertices(identity, actions)
    exact = model.to(dtype=torch.float64)
    for face in range(16):
        alone = exact.vertices(identity[face : face + 1].double(), actions[face : face + 1].double())
        torch.testing.assert_close(together[:, :, face].double(), alone[:, :, 0], atol=1e-5, rtol=0)


def test_the_reference_in_plain_loops(model: FaceModel) -> None:
    """Mean plus each basis vector times its parameter, one after the other, and eyes turned by matrices."""
    exact = model.to(dtype=torch.float64)
    identity, actions = (values.double() for values in faces(model, 1, seed=5))
    actions[0, [ACTIONS.index(f"eyeBlink{side}") for side in (LEFT, RIGHT)]] = 0
    expected = exact.mean.clone()
    for value, vector in zip(identity[0], exact.identity_basis.unbind(dim=2), strict=True):
        expected += value * vector
    for value, vector in zip(actions[0], exact.action_basis.unbind(dim=2), strict=True):
        expected += value * vector
    for side, ball in zip((RIGHT, LEFT), exact.eyeballs, strict=True):
        weight = {way: float(actions[0, ACTIONS.index(f"eyeLook{way}{side}")]) for way in GAZE}
        down = GAZE["Down"] * weight["Down"] - GAZE["Up"] * weight["Up"]
        inwards = GAZE["In"] * weight["In"] - GAZE["Out"] * weight["Out"]
        turn = rotation(torch.tensor([[0.0, down, 0.0]], dtype=torch.float64))[0]
        yaw = inwards if side == RIGHT else -inwards
        turn = rotation(torch.tensor([[yaw, 0.0, 0.0]], dtype=torch.float64))[0] @ turn
        centre = expected[ball].mean(dim=0)
        expected[ball] = (expected[ball] - centre) @ turn.T + centre
    torch.testing.assert_close(exact.vertices(identity, actions)[:, :, 0], expected, atol=1e-9, rtol=0)
    single = model.vertices(identity.float(), actions.float())[:, :, 0]
    torch.testing.assert_close(single.double(), expected, atol=1e-5, rtol=0)


def test_mirrored_actions_are_the_mirrored_face(model: FaceModel) -> None:
    _, actions = faces(model, 8)
    order = mirror_positions(ACTIONS)
    assert order is not None
    face = model.vertices(nobody(model, 8), actions)
    other = model.vertices(nobody(model, 8), actions[:, list(order)])
    flipped = other[model.mirror] * torch.tensor([-1.0, 1.0, 1.0])[:, None]
    error = (face - flipped).abs()
    assert (face - other).abs().max() > 0.05
    # the sides of ICT-FaceKit differ by up to 0.04 in an action, a few vertices of it
    assert error.max() < (1e-5 if model.name == "procedural" else 0.06)
    assert error.mean() < (1e-6 if model.name == "procedural" else 5e-4)


@pytest.mark.parametrize("side", [LEFT, RIGHT])
@pytest.mark.parametrize("way", list(GAZE))
def test_gaze_turns_a_ball_as_a_whole(model: FaceModel, way: str, side: str) -> None:
    name = f"eyeLook{way}{side}"
    still, moved = (model.vertices(nobody(model), acting(**{name: weight}))[:, :, 0] for weight in (0.0, 1.0))
    ball, other = model.eyeballs if side == RIGHT else model.eyeballs[::-1]
    before, after = still[ball] - still[ball].mean(dim=0), moved[ball] - moved[ball].mean(dim=0)
    torch.testing.assert_close(after.norm(dim=1), before.norm(dim=1), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        torch.cdist(after[:40], after[:40]), torch.cdist(before[:40], before[:40]), atol=1e-3, rtol=0
    )
    torch.testing.assert_close(moved[ball].mean(dim=0), still[ball].mean(dim=0), atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[other], still[other], atol=1e-6, rtol=0)
    # the pole of the ball, where the pupil is
    pole = before[:, 2].argmax()
    shift = after[pole] - before[pole]
    outwards = 1.0 if side == LEFT else -1.0
    axis, sign = {"Down": (1, -1.0), "Up": (1, 1.0), "In": (0, -outwards), "Out": (0, outwards)}[way]
    assert sign * shift[axis] > 0.05
    assert shift[1 - axis].abs() < 0.02
    angle = torch.linalg.vector_norm(torch.linalg.cross(before[pole], after[pole])) / before[pole].square().sum()
    assert float(angle.asin()) == pytest.approx(GAZE[way], abs=0.02)


def test_turned_eyes_of_any_identity_stay_in_their_place(model: FaceModel) -> None:
    identity, _ = faces(model, 6)
    looking = acting(6, eyeLookDownLeft=1.0, eyeLookInLeft=1.0, eyeLookDownRight=1.0, eyeLookOutRight=1.0)
    still, moved = model.vertices(identity, acting(6)), model.vertices(identity, looking)
    for ball in model.eyeballs:
        torch.testing.assert_close(moved[ball].mean(dim=0), still[ball].mean(dim=0), atol=1e-5, rtol=0)


def test_gradients_with_respect_to_all_parameters(model: FaceModel) -> None:
    exact = model.to(dtype=torch.float64)
    identity, actions = (values.double() for values in faces(model, 1, seed=2))
    actions = actions.mul_(0.8).add_(0.1)  # room for steps
    some = torch.cat((exact.landmarks[::9], exact.eyeballs[0][::150], exact.eyeballs[1][::150]))

    def seen(identity: Tensor, actions: Tensor, angles: Tensor, scale: Tensor) -> Tensor:
        posed = rotated(exact.vertices(identity, actions)[some], rotation(angles))
        return Pinhole(scale.new_tensor([8.0]), scale, scale.new_zeros(1, 2)).project(posed)

    parameters = (identity, actions, torch.tensor([[0.3, -0.2, 0.1]]).double(), torch.tensor([1.5]).double())
    assert torch.autograd.gradcheck(seen, [p.requires_grad_() for p in parameters], fast_mode=True)


def test_styles_add_their_shape_and_the_first_is_the_default(model: FaceModel) -> None:
    for name, choices in model.styles.items():
        numbers = torch.arange(len(choices))
        styled = model.vertices(nobody(model, len(choices)), acting(len(choices)), {name: numbers})
        plain = model.vertices(nobody(model), acting())[:, :, 0]
        for number, style in enumerate(choices):
            expected = plain if style.shape is None else plain + style.shape
            torch.testing.assert_close(styled[:, :, number], expected, atol=1e-5, rtol=0)


def test_whole_numbers_stay_whole_in_another_precision(model: FaceModel) -> None:
    exact = model.to(dtype=torch.float64)
    assert exact.mean.dtype == exact.weights["skin"].dtype == torch.float64
    assert exact.triangles.dtype == model.triangles.dtype
    assert torch.equal(exact.landmarks, model.landmarks)
    shapes = [style.shape for choices in exact.styles.values() for style in choices if style.shape is not None]
    assert all(shape.dtype == torch.float64 for shape in shapes)


@pytest.fixture
def head() -> FaceModel:
    return procedural.build()


def test_a_wrong_number_of_parameters_is_refused(head: FaceModel) -> None:
    count = head.num_identity
    with pytest.raises(UserError, match=f"procedural has {count} identity modes; {count + 1} were given"):
        head.vertices(torch.zeros(1, count + 1), acting())
    with pytest.raises(UserError, match="51 actions; 50 were given"):
        head.vertices(nobody(head), torch.zeros(1, 50))


@pytest.mark.parametrize(
    ("weight", "shown"), [(1.01, "1.01"), (-0.2, "-0.2"), (float("nan"), "nan"), (float("inf"), "inf")]
)
def test_an_action_outside_its_range_is_refused_by_name(head: FaceModel, weight: float, shown: str) -> None:
    actions = acting(3)
    actions[2, ACTIONS.index("jawOpen")] = weight
    with pytest.raises(UserError, match=rf"actions\[jawOpen\] of face 2 is {shown}; it must lie in \[0, 1\]"):
        head.vertices(nobody(head, 3), actions)


def test_an_identity_that_is_no_number_is_refused_by_name(head: FaceModel) -> None:
    identity = nobody(head, 2)
    identity[1, 3] = float("nan")
    with pytest.raises(
        UserError, match=rf"identity\[{head.identity_names[3]}\] of face 1 is nan; it must be a finite number"
    ):
        head.vertices(identity, acting(2))


def test_the_limits_of_an_action_are_allowed(head: FaceModel) -> None:
    assert torch.isfinite(head.vertices(nobody(head, 2), torch.stack((torch.zeros(51), torch.ones(51))))).all()


def test_a_model_of_other_names_shows_them(head: FaceModel) -> None:
    with pytest.raises(UserError, match="other has"):
        replace(head, name="other").vertices(torch.zeros(1, 1), acting())


def test_the_landmarks_alone_are_a_model_of_68_points(model: FaceModel) -> None:
    points = model.of_landmarks()
    identity, actions = faces(model, 4)
    whole, alone = (head.vertices(identity, actions) for head in (model, points))
    torch.testing.assert_close(alone, whole[model.landmarks], atol=1e-5, rtol=0)
    assert points.num_vertices == 68
    assert sorted(points.mirror.tolist()) == list(range(68))


def test_styles_are_one_hot(model: FaceModel) -> None:
    last = {mode: torch.tensor([0, len(choices) - 1]) for mode, choices in model.styles.items()}
    found = model.one_hot(last)
    assert found.shape == (2, sum(map(len, model.styles.values())))
    assert torch.equal(found.sum(dim=1), torch.full((2,), float(len(model.styles))))
    ends = torch.tensor([len(choices) for choices in model.styles.values()]).cumsum(0)
    assert found[1, ends - 1].all()
    assert found[0, 0] == 1
    with pytest.raises(UserError, match="style"):
        model.one_hot({"hat": torch.tensor([0])})
