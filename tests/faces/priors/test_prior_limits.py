"""Whatever may be set can be drawn, and what would draw something else than it says is refused."""

from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import numpy as np
import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.models.procedural.build import build
from fer_zoo.faces.photographs import photographed
from fer_zoo.faces.priors.clips import ClipPrior
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.expressions import ActionUnitPrior, EmotionPrior
from fer_zoo.faces.priors.face_prior import draw_faces
from fer_zoo.faces.priors.settings import FacePrior
from fer_zoo.faces.renderer import Renderer
from fer_zoo.faces.scene_checks import check_scenes

SIZE = 16
FROM_TO = (
    ("people.lightest", "people.darkest"),
    ("camera.nearest", "camera.farthest"),
    ("light.ambient_least", "light.ambient_most"),
    ("light.strength_least", "light.strength_most"),
    ("occluders.least", "occluders.most"),
)
DRAWN = ("emotions", "sliders", "action_units")
UNBOUNDED = {  # far more than anyone would set, where there is no limit
    "samples_per_person": 10**6,
    "ambient_least": 10.0, "ambient_most": 10.0, "strength_least": 10.0, "strength_most": 10.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return build()


@pytest.fixture(scope="module")
def renderer(model: FaceModel) -> Renderer:
    return Renderer(model, size=SIZE)


def extremes(cls: type[Any]) -> list[tuple[str, Any]]:
    """(name of a setting, its value at a limit) of all that are numbers, groups with a dot."""
    found: list[tuple[str, Any]] = []
    for entry in fields(cls):
        default = entry.default if entry.default_factory is MISSING else entry.default_factory()
        if is_dataclass(default):
            if entry.name != "recordings":  # which needs files
                found += [(f"{entry.name}.{name}", value) for name, value in extremes(type(default))]
        elif isinstance(default, int | float):
            least, most = entry.metadata["at_least"], entry.metadata["at_most"]
            ends = (least, UNBOUNDED.get(entry.name) if most is None else most)
            found += [(entry.name, type(default)(end)) for end in ends if end is not None]
    return found


def prior_of(values: dict[str, Any]) -> FacePrior:
    nested: dict[str, Any] = {}
    for name, value in values.items():
        group, _, last = name.rpartition(".")
        (nested.setdefault(group, {}) if group else nested)[last] = value
    return build_settings(FacePrior, nested, where="dataset")


def assert_drawn(renderer: Renderer, prior: FacePrior) -> None:
    drawn = draw_faces(renderer.model, prior, seed=0, numbers=np.arange(6), size=SIZE)
    check_scenes(renderer.model, drawn.scenes)
    with torch.no_grad():
        image = photographed(renderer, drawn).image
    assert image.isfinite().all() and image.min() >= 0 and image.max() <= 1


@pytest.mark.parametrize(("name", "value"), extremes(FacePrior))
def test_each_setting_can_be_drawn_at_its_limits(renderer: Renderer, name: str, value: Any) -> None:
    group = name.split(".")[0]
    frames = {"clips.frames": 3} if group == "clips" else {}
    expression = group if group in DRAWN else "emotions"
    other = {one: value for pair in FROM_TO if name in pair for one in pair}  # nothing goes from more to less
    assert_drawn(renderer, prior_of({"expression": expression, **frames, **other, name: value}))


@pytest.mark.parametrize(("least", "most"), FROM_TO)
def test_what_would_be_drawn_from_more_to_less_is_refused(least: str, most: str) -> None:
    usual = dict(extremes(FacePrior))[least]
    prior_of({least: usual, most: usual}).check()
    with pytest.raises(UserError) as caught:
        prior_of({least: usual, most: 0.9 * usual}).check()
    assert str(caught.value).startswith(f"{least} is {usual:g} and {most} is {0.9 * usual:g}; what is drawn goes from")


def test_recordings_have_clips_of_their_own() -> None:
    prior_of({"expression": "recordings"}).check()
    with pytest.raises(UserError, match=r"as long as recordings\.\* says: leave clips\.frames out"):
        prior_of({"expression": "recordings", "clips.frames": 2}).check()


def test_no_picture_is_better_than_the_worst_may_be(model: FaceModel) -> None:
    prior = prior_of({"capture.worst": 95, "capture.jpeg": 1.0})
    quality = draw_faces(model, prior, seed=0, numbers=np.arange(40), size=SIZE).captures.quality
    assert quality.tolist() == [95] * 40


@pytest.mark.parametrize("expression", DRAWN)
@pytest.mark.parametrize("is_most", [False, True])
def test_all_settings_at_their_limits_can_be_drawn(renderer: Renderer, is_most: bool, expression: str) -> None:
    ends = extremes(FacePrior)
    chosen = dict(ends if is_most else reversed(ends))
    assert_drawn(renderer, prior_of({**chosen, "expression": expression, "clips.frames": 3}))


def test_an_emotion_named_twice_would_be_drawn_twice_as_often() -> None:
    with pytest.raises(UserError, match="anger twice"):
        EmotionPrior(classes=["anger", "fear", "anger"]).check()


@pytest.mark.parametrize("groups", [[0.0, 0.0], []])
def test_probabilities_of_nothing_would_draw_everything(model: FaceModel, groups: list[float]) -> None:
    prior = prior_of({"expression": "action_units", "action_units.groups": groups})
    with pytest.raises(UserError, match=r"action_units\.groups"):
        draw_faces(model, prior, seed=0, numbers=np.arange(2), size=SIZE)


def test_lids_are_down_no_farther_than_shut() -> None:
    assert ActionUnitPrior(blinks=0.5).draw(Draws(0, np.arange(500))).max() <= 1


def test_a_share_of_clips_is_no_more_than_all() -> None:
    with pytest.raises(UserError, match=r"clips\.falls is 2"):
        prior_of({"clips.falls": 2.0})


@pytest.mark.parametrize("frames", [2, 3, 5])
def test_short_clips_that_fall_back_show_their_expression(frames: int) -> None:
    numbers, frame = np.repeat(np.arange(60), frames), np.tile(np.arange(frames), 60)
    found = ClipPrior(frames=frames, falls=1.0).strength(Draws(0, numbers), frame).reshape(60, frames)
    assert not found[:, 0].any() and found.max(axis=1).min() > 0.1
