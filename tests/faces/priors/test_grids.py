"""Test grids: the same people with the same expressions in all cells, and each cell is what it says."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

from fer_zoo.core.conditions import CONDITIONS, LIGHTS, OCCLUDERS
from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings
from fer_zoo.faces.effects import occluded
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.photographs import photographed
from fer_zoo.faces.priors.face_prior import DrawnFaces, draw_faces
from fer_zoo.faces.priors.settings import FacePrior
from fer_zoo.faces.priors.under_conditions import landmarks_of
from fer_zoo.faces.renderer import Renderer
from fer_zoo.faces.scenes import Scenes

SIZE, SEED = 64, 5
CALM: dict[str, Any] = {
    "emotions": {"distractors": 0, "blinks": 0.0},
    "action_units": {"gaze": 0.0},
    "occluders": {"probability": 0.0},
    "pose": {"yaw": 4.0, "pitch": 3.0, "roll": 3.0},
}
ALL = {
    "light": list(LIGHTS),
    "occluder": ["none", "eye"],
    "yaw": [0.0, 30.0],
    "intensity": [0.3, 0.9],
    "face_width": [16, 40],
}


def prior(**grid: Any) -> FacePrior:
    return build_settings(FacePrior, {**CALM, "samples_per_person": 7, "grid": grid}, where="dataset")


def draw(model: FaceModel, number: int | np.ndarray, **grid: Any) -> DrawnFaces:
    numbers = np.arange(number) if isinstance(number, int) else number
    return draw_faces(model, prior(**grid), seed=SEED, numbers=numbers, size=SIZE)


def test_cells_of_a_face_follow_each_other_and_the_last_condition_changes_first() -> None:
    grid = prior(light=["side", "dark"], yaw=[0.0, 20.0, 40.0]).grid
    assert (grid.shape, grid.cells) == ((2, 3), 6)
    levels = grid.levels(np.arange(12))
    assert levels["light"].tolist() == (["side"] * 3 + ["dark"] * 3) * 2
    assert levels["yaw"].tolist() == [0, 20, 40] * 4
    assert grid.faces(np.arange(12)).tolist() == [0] * 6 + [1] * 6
    nothing = prior().grid
    assert (nothing.shape, nothing.cells, nothing.levels(np.arange(3))) == ((), 1, {})
    assert nothing.faces(np.arange(3)).tolist() == [0, 1, 2]


def test_the_same_people_with_the_same_faces_stand_in_all_cells(model: FaceModel) -> None:
    grid = {key: levels for key, levels in ALL.items() if key != "intensity"}
    cells = prior(**grid).grid.cells
    drawn = draw(model, 8 * cells, **grid)
    assert drawn.person.tolist() == [0] * 7 * cells + [1] * cells
    assert drawn.emotion.tolist() == [face % 7 for face in range(8) for _ in range(cells)]
    scenes = drawn.scenes
    kept = [scenes.identity, scenes.actions, scenes.materials, scenes.angles[:, 1:], scenes.camera.scale]
    for values in (*kept, drawn.captures.blur, drawn.captures.quality):
        by_face = values.view(8, cells, -1)
        assert torch.equal(by_face, by_face[:, :1].expand_as(by_face))
    assert len(set(drawn.captures.seeds)) == 8 * cells  # noise is each picture's own


def test_two_grids_of_a_seed_show_the_same_people(model: FaceModel) -> None:
    first, second = draw(model, 14, yaw=[0.0, 30.0]), draw(model, 21, occluder=["none", "eye", "mouth"])
    assert torch.equal(first.scenes.identity[::2], second.scenes.identity[::3])
    assert torch.equal(first.scenes.actions[::2], second.scenes.actions[::3])


def test_heads_are_turned_as_far_as_said_to_either_side(model: FaceModel) -> None:
    yaw = draw(model, 300, yaw=[0.0, 15.0, 60.0]).scenes.angles[:, 0].rad2deg().view(100, 3)
    assert torch.allclose(yaw.abs(), torch.tensor([0.0, 15.0, 60.0]).expand(100, 3), atol=1e-4)
    to_left = (yaw[:, 2] > 0).float().mean()
    assert 0.3 < to_left < 0.7
    assert torch.equal(yaw[:, 1] > 0, yaw[:, 2] > 0)


def test_actions_are_proportional_to_the_intensity(model: FaceModel) -> None:
    drawn = draw(model, 70, intensity=[0.0, 0.1, 0.5, 0.9, 1.0])
    actions = drawn.scenes.actions.view(14, 5, -1)
    levels = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0])[:, None]
    at_rest = actions[:, :1]
    rising = actions[:, 4:] > at_rest  # an action that rest hides at full intensity says nothing of the others
    expected = torch.where(rising, torch.maximum(actions[:, 4:] * levels, at_rest), at_rest)
    torch.testing.assert_close(actions, expected, atol=1e-6, rtol=0)
    assert rising.any(dim=2).float().mean() > 0.8
    assert drawn.strength.tolist() == [0.0, 0.1, 0.5, 0.9, 1.0] * 14
    assert (actions[drawn.emotion.reshape(14, 5)[:, 0] != 4, 4].amax(dim=1) > 0.4).all()  # all but neutral


def test_faces_are_as_wide_as_said(model: FaceModel) -> None:
    """In the picture that is averaged down, to half of one of its pixels."""
    widths = [8, 16, 24, 32]
    drawn = draw(model, 56, face_width=widths)
    points = landmarks_of(model, drawn.scenes)
    whole = (points[:, 16] - points[:, 0]).norm(dim=1)
    assert (whole > 32).all()
    sides = drawn.captures.sides
    assert sides is not None
    found = whole * sides / SIZE
    assert ((found - torch.tensor(widths * 14)).abs() <= 0.5 * whole / SIZE + 1e-6).all()


def test_things_hide_what_they_are_named_after(model: FaceModel) -> None:
    drawn = draw(model, 7 * len(OCCLUDERS), occluder=list(OCCLUDERS))
    rendered = Renderer(model, size=SIZE)(drawn.scenes)
    gone = (rendered.visible & ~occluded(rendered, drawn.occluders).visible).view(7, len(OCCLUDERS), 68)
    kind = {name: gone[:, place] for place, name in enumerate(OCCLUDERS)}
    right, left, mouth = slice(36, 42), slice(42, 48), slice(48, 68)
    assert not kind["none"].any()
    for face in range(7):
        one, other = kind["eye"][face, right].all(), kind["eye"][face, left].all()
        assert bool(one) != bool(other)
        assert not kind["eye"][face, mouth].any()
        eyes = torch.cat((kind["hair"][face, right], kind["hair"][face, left]))
        assert eyes.any() and not eyes.all()
    outside = ~rendered.visible.view(7, len(OCCLUDERS), 68)[:, OCCLUDERS.index("mouth"), mouth]
    assert (kind["mouth"][:, mouth] | outside).all() and not kind["mouth"][:, 36:48].any()
    assert kind["sunglasses"][:, 36:48].all() and not kind["sunglasses"][:, mouth].any()


def test_lights_are_what_they_are_called(model: FaceModel) -> None:
    drawn = draw(model, 14 * len(LIGHTS), light=list(LIGHTS))
    scenes = drawn.scenes
    assert scenes.shadow is not None
    bright = scenes.light[:, 0, 0].view(14, -1)
    name = {light: place for place, light in enumerate(LIGHTS)}
    assert (bright[:, name["dark"]] < 0.3 * bright[:, name["frontal"]]).all()
    across = scenes.light[:, 3, 0].view(14, -1) / bright  # towards x
    assert (across[:, name["frontal"]].abs() < 1e-6).all()
    assert (across[:, name["side"]].abs() > 1.0).all()
    assert across[:, name["side"]].min() < 0 < across[:, name["side"]].max()
    same = (scenes.shadow.light == scenes.light).flatten(1).all(dim=1).view(14, -1)
    assert same.all(dim=0).tolist() == [light != "cast_shadow" for light in LIGHTS]
    assert (drawn.captures.exposure.view(14, -1)[:, name["dark"]] == 0).all()


def test_in_the_dark_something_is_left_of_every_face(model: FaceModel) -> None:
    drawn = draw(model, 56, light=["frontal", "dark"], occluder=["none", "mouth"])
    renderer = Renderer(model, size=SIZE)
    rendered = renderer(drawn.scenes)
    brightness = [
        (image.mean(dim=1) * (rendered.mask > 0)).sum(dim=(1, 2)) / (rendered.mask > 0).sum(dim=(1, 2))
        for image in (rendered.image, photographed(renderer, drawn).image)
    ]
    frontal, dark = brightness[0].view(14, 2, 2).unbind(dim=1)
    torch.testing.assert_close(dark, 0.25 * frontal, rtol=0.01, atol=0)
    frontal, dark = brightness[1].view(14, 2, 2).unbind(dim=1)  # where frontal light is brought to the middle grey
    assert (dark < 0.35 * frontal).all() and dark.min() > 0.05
    of_thing = drawn.occluders.colour.view(14, 2, 2, 3)[:, :, 1]
    torch.testing.assert_close(of_thing[:, 1], 0.25 * of_thing[:, 0])


def test_every_cast_shadow_lies_on_a_part_of_the_face(model: FaceModel) -> None:
    scenes = draw(model, 40, light=["cast_shadow"]).scenes
    assert scenes.shadow is not None
    towards = scenes.light[:, [3, 1, 2], 0]  # the lamp's direction, in the first band
    assert (scenes.shadow.normal * towards).sum(dim=1).abs().max() < 1e-5  # the edge runs along its rays
    vertices = torch.as_tensor(landmarks_in_space(model, scenes))
    share = (scenes.shadow.depth(vertices)[:, 0] > 0).float().mean(dim=0)
    assert ((share > 0.02) & (share < 0.98)).float().mean() > 0.95
    assert 0.3 < share.mean() < 0.7


def landmarks_in_space(model: FaceModel, scenes: Scenes) -> torch.Tensor:
    """Of the turned heads, "68 3 b"."""
    return Renderer(model, size=16)(scenes).vertices[:, model.landmarks].permute(1, 2, 0)


def test_bytes_of_a_cell_depend_on_its_number_alone(model: FaceModel) -> None:
    renderer = Renderer(model, size=SIZE)
    numbers = np.arange(60, 80)
    whole = photographed(renderer, draw(model, numbers, **ALL)).image
    chosen = np.array([17, 2, 9])
    assert torch.equal(photographed(renderer, draw(model, numbers[chosen], **ALL)).image, whole[chosen])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"grid": {"intensity": [0.2, 1.2]}}, r"dataset\.grid\.intensity is 1\.2; it must be at most 1"),
        ({"grid": {"intensity": [-0.1]}}, r"dataset\.grid\.intensity is -0\.1; it must be at least 0"),
        ({"grid": {"yaw": [float("nan")]}}, r"dataset\.grid\.yaw is nan; it must be a finite number"),
        ({"grid": {"light": ["darc"]}}, r"dataset\.grid\.light is 'darc'\. Did you mean 'dark'\?"),
        ({"grid": {"lights": ["dark"]}}, r"no setting dataset\.grid\.lights\. Did you mean 'light'\?"),
        ({"grid": {"yaw": [15.0, 0.0, 15.0]}}, r"grid\.yaw names 15\.0 twice; name each level once"),
        ({"grid": {"yaw": [15.0]}, "expression": "sliders"}, r"A test grid \(grid\.yaw\) shows emotions in single pic"),
        ({"grid": {"yaw": [15.0]}, "clips": {"frames": 4}}, r"A test grid \(grid\.yaw\) shows emotions in single pic"),
    ],
)
def test_no_such_grid(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        build_settings(FacePrior, given, where="dataset").check()


def test_conditions_are_known_words() -> None:
    assert {field.name for field in fields(prior().grid)} <= set(CONDITIONS)


def test_light_that_casts_no_shadow_is_as_if_there_were_none(model: FaceModel) -> None:
    drawn = draw(model, 8, light=list(LIGHTS))
    with_it, without = (Renderer(model, size=SIZE)(s).image for s in (drawn.scenes, replace(drawn.scenes, shadow=None)))
    is_cast = torch.tensor([light == "cast_shadow" for light in LIGHTS] * 2)
    torch.testing.assert_close(with_it[~is_cast], without[~is_cast], atol=1e-5, rtol=0)
    assert (with_it[is_cast] - without[is_cast]).abs().amax(dim=(1, 2, 3)).min() > 0.05


def test_a_face_wider_than_the_picture_is_refused(model: FaceModel) -> None:
    with pytest.raises(UserError, match=r"grid\.face_width is 65, but pictures are 64 pixels wide"):
        draw(model, 4, face_width=[16, 65])
