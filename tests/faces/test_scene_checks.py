"""Scenes of which no picture can be drawn are refused in one sentence, and the others are not."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.models.procedural.build import build
from fer_zoo.faces.renderer import Renderer
from fer_zoo.faces.scene_checks import check_scenes
from fer_zoo.faces.scenes import Scenes, plain_scenes
from fer_zoo.geometry.cameras import Pinhole
from fer_zoo.geometry.shading import EdgeShadow

COUNT, SIZE = 3, 16
FIELDS = ("identity", "actions", "angles", "light", "shine", "materials", "background")
CAMERA = ("scale", "centre", "distance")


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return build()


def scenes_of(model: FaceModel) -> Scenes:
    """Three faces before a camera nearby."""
    plain = plain_scenes(model, COUNT, SIZE)
    return replace(plain, camera=Pinhole(torch.full((COUNT,), 9.0), plain.camera.scale, plain.camera.centre))


def changed(scenes: Scenes, field: str, value: object) -> Scenes:
    """With another field, also of a shape that the checks of annotations would not let pass; "camera.scale" as well."""
    scenes = copy.copy(scenes)
    owner: Any = scenes
    if field.startswith("camera."):
        owner = copy.copy(scenes.camera)
        object.__setattr__(scenes, "camera", owner)
    object.__setattr__(owner, field.removeprefix("camera."), value)
    return scenes


def values_of(scenes: Scenes, field: str) -> Tensor:
    owner: Any = scenes.camera if field.startswith("camera.") else scenes
    values: Tensor = getattr(owner, field.removeprefix("camera."))
    return values


def complaint(model: FaceModel, scenes: Scenes) -> str:
    with pytest.raises(UserError) as caught:
        Renderer(model, size=SIZE)(scenes)
    return str(caught.value)


ALL = (*FIELDS, *(f"camera.{name}" for name in CAMERA))


@given(data=st.data(), field=st.sampled_from(ALL), value=st.sampled_from([float("nan"), float("inf"), -float("inf")]))
def test_any_entry_that_is_no_number_is_refused_by_field_and_face(
    data: st.DataObject, field: str, value: float
) -> None:
    model = build()
    scenes = scenes_of(model)
    values = values_of(scenes, field).clone()
    place = tuple(data.draw(st.integers(0, length - 1)) for length in values.shape)
    values[place] = value
    with pytest.raises(UserError) as caught:
        check_scenes(model, changed(scenes, field, values))
    assert str(caught.value).startswith(field)
    assert f" of face {place[0]} is {value:g}; it must " in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("normal", torch.full((COUNT, 3), torch.nan), "shadow.normal[x] of face 0 is nan; it must be a finite number."),
        ("offset", torch.zeros(2), "shadow.offset has 2 faces, but identity has 3; every field needs one row a face."),
        ("softness", torch.tensor([1.0, 0.0, 1.0]), "shadow.softness of face 1 is 0; it must be above 0."),
        (
            "light",
            torch.full((COUNT, 9, 3), torch.inf),
            "shadow.light[0, 0] of face 0 is inf; it must be a finite number.",
        ),
    ],
)
def test_a_shadow_that_cannot_be_is_refused(model: FaceModel, field: str, value: Tensor, sentence: str) -> None:
    scenes = scenes_of(model)
    towards, ones = torch.tensor([[1.0, 0.0, 0.0]] * COUNT), torch.ones(COUNT)
    shadow = EdgeShadow(normal=towards, offset=ones, softness=ones, light=scenes.light)
    object.__setattr__(shadow, field, value)
    assert complaint(model, replace(scenes, shadow=shadow)) == sentence


def test_what_can_be_drawn_is_let_through(model: FaceModel) -> None:
    scenes = scenes_of(model)
    extremes = torch.tensor([0.0, 1.0, 0.5])[:, None, None]
    check_scenes(model, replace(scenes, materials=extremes.expand_as(scenes.materials), identity=scenes.identity + 9))
    last = {mode: torch.full((COUNT,), len(choices) - 1) for mode, choices in model.styles.items()}
    check_scenes(model, replace(scenes, styles=last))
    check_scenes(model, replace(scenes, styles={}))


@pytest.mark.parametrize("field", ALL)
def test_another_number_of_faces_or_dimensions_is_refused(model: FaceModel, field: str) -> None:
    scenes = scenes_of(model)
    values = values_of(scenes, field)
    if field != "identity":
        assert complaint(model, changed(scenes, field, values[:2])) == (
            f"{field} has 2 faces, but identity has 3; every field needs one row a face."
        )
    assert complaint(model, changed(scenes, field, values[..., None])).startswith(f"{field} has the shape 3")
    assert f"{field} has" in complaint(model, changed(scenes, field, values[:, None].repeat(1, 7, *[1] * values.ndim)))


def test_a_background_without_points_is_refused(model: FaceModel) -> None:
    sentence = complaint(model, changed(scenes_of(model), "background", torch.zeros(COUNT, 3, 0, 4)))
    assert sentence == "background has the shape 3 x 3 x 0 x 4; it must have faces x 3 x any x any."


@pytest.mark.parametrize(
    ("field", "place", "value", "sentence"),
    [
        ("actions", (1, 24), 1.5, "actions[mouthUpperUpLeft] of face 1 is 1.5; it must lie in [0, 1]."),
        ("angles", (2, 1), torch.inf, "angles[pitch] of face 2 is inf; it must be a finite number."),
        ("materials", (0, 1, 2), 1.01, "materials[lip, 2] of face 0 is 1.01; it must lie in [0, 1]."),
        ("materials", (2, 0, 0), -0.5, "materials[skin, 0] of face 2 is -0.5; it must lie in [0, 1]."),
        ("background", (1, 2, 0, 0), 255.0, "background[2, 0, 0] of face 1 is 255; it must lie in [0, 1]."),
        ("light", (1, 8, 2), torch.nan, "light[8, 2] of face 1 is nan; it must be a finite number."),
        ("shine", (2,), torch.nan, "shine of face 2 is nan; it must be a finite number."),
        ("camera.centre", (2, 1), torch.nan, "camera.centre[y] of face 2 is nan; it must be a finite number."),
        ("camera.scale", (1,), 0.0, "camera.scale of face 1 is 0; it must be above 0."),
        ("camera.scale", (1,), -4.0, "camera.scale of face 1 is -4; it must be above 0."),
        ("camera.distance", (0,), -9.0, "camera.distance of face 0 is -9; it must be above 0."),
    ],
)
def test_an_entry_out_of_its_range_is_refused(
    model: FaceModel, field: str, place: tuple[int, ...], value: float, sentence: str
) -> None:
    scenes = scenes_of(model)
    values = values_of(scenes, field).clone()
    values[place] = value
    assert complaint(model, changed(scenes, field, values)).startswith(sentence)


@pytest.mark.parametrize("face", [2, 18])
def test_a_camera_within_a_face_is_refused_by_its_distance(model: FaceModel, face: int) -> None:
    """Also in the second block of scenes, whose faces have other numbers."""
    plain = plain_scenes(model, 20, SIZE)
    distance = torch.full((20,), 9.0)
    distance[face] = 0.5
    sentence = complaint(model, replace(plain, camera=Pinhole(distance, plain.camera.scale, plain.camera.centre)))
    assert sentence.startswith("A face reaches to z = 0.8")
    assert sentence.endswith(
        "its camera is at the distance 0.5; camera.distance must be larger than the z of every vertex."
    )


@pytest.mark.parametrize(
    ("styles", "sentence"),
    [
        (
            {"hiar": torch.zeros(COUNT, dtype=torch.long)},
            "No style of procedural is named 'hiar'. Did you mean 'hair'?",
        ),
        ({"hair": torch.tensor([0, 1, 7])}, "styles[hair] of face 2 is 7; it has 7 choices, 0 to 6."),
        ({"beard": torch.tensor([0, -1, 0])}, "styles[beard] of face 1 is -1; it has 5 choices, 0 to 4."),
        ({"hair": torch.zeros(2, dtype=torch.long)}, "styles[hair] has 2 faces, but identity has 3;"),
        ({"hair": torch.zeros(COUNT, 1, dtype=torch.long)}, "styles[hair] has the shape 3 x 1; it must have faces."),
        ({"hair": torch.zeros(COUNT)}, "styles[hair] holds decimal numbers; choices are whole ones, 0 to 6."),
    ],
)
def test_a_style_that_there_is_not_is_refused(model: FaceModel, styles: dict[str, Tensor], sentence: str) -> None:
    assert complaint(model, changed(scenes_of(model), "styles", styles)).startswith(sentence)
    parameters = torch.zeros(COUNT, model.num_identity), torch.zeros(COUNT, 51)
    with pytest.raises(UserError) as caught:
        model.check(*parameters, styles)
    assert str(caught.value).startswith(sentence)


def test_vertices_are_checked_the_same_way(model: FaceModel) -> None:
    identity, actions = torch.zeros(COUNT, model.num_identity), torch.zeros(COUNT, 51)
    with pytest.raises(UserError, match="No style of procedural is named 'hats'"):
        model.vertices(identity, actions, {"hats": torch.zeros(COUNT, dtype=torch.long)})
    for wrong in (actions[0], actions[:, None]):
        with pytest.raises(UserError, match=r"actions has the shape .* it must have faces x 51\."):
            model.check(identity, wrong, {})
    with pytest.raises(UserError, match="actions has 2 faces, but identity has 3"):
        model.check(identity, actions[:2], {})
    with pytest.raises(UserError, match="identity has the shape"):
        model.check(torch.tensor(0.0), actions, {})


def test_gradients_pass_the_checks_and_come_with_no_warning(model: FaceModel) -> None:
    scenes = scenes_of(model)
    angles = torch.zeros(COUNT, 3, requires_grad=True)
    distance = torch.full((COUNT,), 9.0, requires_grad=True)
    camera = Pinhole(distance, scenes.camera.scale, scenes.camera.centre)
    Renderer(model, size=SIZE)(replace(scenes, angles=angles, camera=camera)).landmarks.sum().backward()
    assert angles.grad is not None and distance.grad is not None
    with pytest.raises(UserError, match="yaw"):
        check_scenes(model, replace(scenes, angles=angles * torch.nan))
