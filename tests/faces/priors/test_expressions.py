"""Expressions are ones that a face can make, and as frequent as the settings say."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.action_units import GENET_SLIDERS
from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings
from fer_zoo.faces.actions import SLIDER_ACTIONS
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.models.procedural import build as procedural
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.expressions import (
    ACTIONS,
    EXCLUSIVE,
    FOLLOWS,
    GROUPS,
    ActionUnitPrior,
    EmotionPrior,
    SliderPrior,
    sides_of,
)
from fer_zoo.faces.priors.face_prior import draw_faces
from fer_zoo.faces.priors.prototypes import PROTOTYPES, RESTING
from fer_zoo.faces.priors.settings import EXPRESSIONS, FacePrior

MANY = Draws(5, np.arange(3000))
LEFT = [ACTIONS.index(name) for name in ACTIONS if name.endswith("Left") and name not in ("jawLeft", "mouthLeft")]
RIGHT = [ACTIONS.index(ACTIONS[place].removesuffix("Left") + "Right") for place in LEFT]
CLOSE, JAW = ACTIONS.index("mouthClose"), ACTIONS.index("jawOpen")
QUIET = {"blinks": 0.0, "gaze": 0.0}


@pytest.fixture(scope="module")
def points() -> FaceModel:
    return procedural.build().of_landmarks()


def places(group: str) -> list[int]:
    return [ACTIONS.index(side) for action in GROUPS[group] for side in sides_of(action)]


@given(st.sampled_from(EXPRESSIONS), st.integers(0, 2**32), st.integers(0, 2**32), st.sampled_from([1, 7]))
def test_actions_are_possible_at_every_moment(
    points: FaceModel, expression: str, seed: int, first: int, frames: int
) -> None:
    frames = 1 if expression == "recordings" else frames  # which have clips of their own
    values = {"expression": expression, "clips": {"frames": frames}, "action_units": {"lips_closed": 1.0}}
    prior = build_settings(FacePrior, {**values, "emotions": {"distractors": 10, "distraction": 1.0}}, where="")
    actions = draw_faces(points, prior, seed=seed, numbers=np.arange(first, first + 9), size=16).scenes.actions
    assert actions.shape == (9, 51) and bool(((actions >= 0) & (actions <= 1)).all())
    assert bool((actions[:, CLOSE] <= actions[:, JAW]).all())


def test_lips_stay_together_only_where_a_jaw_has_dropped_and_it_is_asked_for(points: FaceModel) -> None:
    def close(share: float) -> tuple[torch.Tensor, torch.Tensor]:
        prior = build_settings(
            FacePrior, {"expression": "action_units", "action_units": {"lips_closed": share}}, where=""
        )
        actions = draw_faces(points, prior, seed=3, numbers=np.arange(400), size=16).scenes.actions
        return actions[:, CLOSE], actions[:, JAW]

    assert not close(0.0)[0].any()
    closed, jaw = close(1.0)
    assert bool((closed > 0)[jaw > 0].all()) and not closed[jaw == 0].any()
    assert 0 < int((closed == jaw)[jaw > 0].sum()) < int((jaw > 0).sum()), "some draws are more than the jaw allows"


def test_a_clip_is_one_person_who_starts_neutral(points: FaceModel) -> None:
    prior = build_settings(FacePrior, {"samples_per_person": 2, "clips": {"frames": 10}}, where="")
    drawn = draw_faces(points, prior, seed=1, numbers=np.arange(40), size=16)
    assert drawn.clip.tolist() == [number // 10 for number in range(40)]
    assert drawn.person.tolist() == [number // 20 for number in range(40)]
    rest = prior.emotions.rest(Draws(1, np.array([0, 0, 1, 1])))
    assert np.allclose(drawn.scenes.actions.reshape(4, 10, 51)[:, 0], rest, atol=1e-6)
    apex = draw_faces(points, FacePrior(samples_per_person=2), seed=1, numbers=np.arange(4), size=16)
    strongest = drawn.strength.reshape(4, 10).max(axis=1)
    assert (strongest <= apex.strength + 1e-9).all() and (strongest > 0.9 * apex.strength).all()


@pytest.mark.parametrize("together", EXCLUSIVE, ids="-".join)
def test_what_muscles_cannot_do_at_once(together: tuple[str, ...]) -> None:
    prior = ActionUnitPrior(groups=[0] * 10 + [1], **QUIET)
    actions = prior.draw(MANY)
    active = np.stack([actions[:, places(group)].max(axis=1) > 0 for group in together])
    assert active.sum(axis=0).max() == 1
    assert active.any(axis=1).all()


def test_groups_are_as_many_as_the_settings_say() -> None:
    actions = ActionUnitPrior(groups=[1.0], **QUIET).draw(MANY)
    assert (actions == 0).all()
    actions = ActionUnitPrior(groups=[0, 1.0], **QUIET).draw(MANY)
    active = np.stack([actions[:, places(group)].max(axis=1) > 0 for group in GROUPS], axis=1)
    assert set(active.sum(axis=1)) == {1, 2}  # one, and what follows it
    for first, (second, share) in FOLLOWS.items():
        names = list(GROUPS)
        chosen = active[:, names.index(first)] & (active.sum(axis=1) <= 2)
        followed = active[chosen, names.index(second)].mean()
        assert abs(followed - share) < 0.2, first


def test_both_sides_do_the_same() -> None:
    actions = ActionUnitPrior(alike=1.0, **QUIET).draw(MANY)
    assert (actions[:, LEFT] == actions[:, RIGHT]).all() and actions.any()
    classes, _, actions = EmotionPrior(asymmetry=0.0, distractors=0).draw(MANY)
    assert (actions[:, LEFT] == actions[:, RIGHT]).all() and set(classes) == set(range(7))
    unequal = ActionUnitPrior(alike=0.85, **QUIET).draw(MANY)
    asymmetric = (unequal[:, LEFT] != unequal[:, RIGHT]).any(axis=1)
    sided = (unequal[:, LEFT] > 0).any(axis=1)
    assert abs(asymmetric[sided].mean() - 0.15) < 0.03


def test_contempt_is_of_one_side_and_of_either_as_often() -> None:
    _, _, actions = EmotionPrior(classes=["contempt"], distractors=0, blinks=0.0).draw(MANY)
    left, right = (actions[:, side].max(axis=1) > 0 for side in (LEFT, RIGHT))
    assert (left != right).all()
    assert abs(left.mean() - 0.5) < 0.03


@pytest.mark.parametrize("emotion", PROTOTYPES)
def test_emotions_stay_within_their_prototypes(emotion: str) -> None:
    prior = EmotionPrior(classes=[emotion], distractors=0, blinks=0.0, asymmetry=0.0, weakest=1.0)
    _, intensity, actions = prior.draw(MANY)
    assert (intensity == 1).all()
    followed = []
    for prototype in PROTOTYPES[emotion]:
        ranges = {side: ends for name, ends in prototype.items() for side in sides_of(name)}
        least, most = np.array([ranges.get(name, (0.0, 0.0)) for name in ACTIONS]).T
        least = np.zeros_like(least) if emotion == "contempt" else least  # on the other side
        followed.append(((least <= actions) & (actions <= most)).all(axis=1))
    assert np.any(followed, axis=0).all()
    assert np.mean(followed, axis=1).min() > 0.9 / len(followed)  # each as often, some faces fit two


def test_emotions_are_equally_frequent_and_as_intense_as_asked() -> None:
    classes, intensity, _ = EmotionPrior(weakest=0.3).draw(MANY)
    assert np.abs(np.bincount(classes) / len(MANY) - 1 / 7).max() < 0.02
    assert 0.3 <= intensity.min() < 0.32 and 0.98 < intensity.max() <= 1


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_active_sliders(share: float) -> None:
    values = SliderPrior(active=share).draw(MANY)
    sides = [GENET_SLIDERS.index(name) for name in ("jaw_left", "jaw_right")]
    others = [place for place in range(len(GENET_SLIDERS)) if place not in sides]
    assert np.abs((values[:, others] > 0).mean(axis=0) - share).max() < 0.03
    assert ((values[:, sides] > 0).sum(axis=1) <= 1).all()
    assert (values >= 0).all() and (values < 1).all()
    if share:
        assert abs(values[:, others][values[:, others] > 0].mean() - 0.5) < 0.02


def test_every_name_is_an_action() -> None:
    named = {
        side
        for prototypes in PROTOTYPES.values()
        for moves in prototypes
        for action in moves
        for side in sides_of(action)
    }
    named |= {side for group in GROUPS.values() for action in group for side in sides_of(action)}
    named |= {action for actions in SLIDER_ACTIONS.values() for action in actions}
    assert named <= set(BLENDSHAPES_51.entries)


def test_an_emotion_that_there_is_not() -> None:
    with pytest.raises(UserError, match=r"There is no emotion 'hapiness'\. Did you mean 'happiness'"):
        EmotionPrior(classes=["hapiness"]).check()
    with pytest.raises(UserError, match="No emotion is named"):
        EmotionPrior(classes=[]).check()


def test_what_faces_seem_to_do_at_rest_is_their_persons(points: FaceModel) -> None:
    rest = EmotionPrior(resting=0.4).rest(MANY)
    moving = [ACTIONS.index(side) for names in RESTING for name in names for side in sides_of(name)]
    assert (rest[:, moving] > 0).any(axis=0).all() and rest.max() <= 0.4
    assert not np.delete(rest, moving, axis=1).any()
    assert np.abs((rest[:, moving] > 0).mean(axis=0) - 0.6).max() < 0.03
    assert (rest[:, ACTIONS.index("mouthUpperUpLeft")] == rest[:, ACTIONS.index("mouthLowerDownRight")]).all()
    drawn = draw_faces(points, FacePrior(samples_per_person=3), seed=1, numbers=np.arange(30), size=32)
    least = drawn.scenes.actions.view(10, 3, -1).amin(dim=1).numpy()
    assert (least >= EmotionPrior().rest(Draws(1, np.arange(10))).astype(np.float32) - 1e-6).all()
    assert not EmotionPrior(resting=0.0).rest(MANY).any()
