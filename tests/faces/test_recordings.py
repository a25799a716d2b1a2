"""Recordings: three of a person, one action at a time, expressions from neutral and back, no jumps."""

import numpy as np
import pytest

from fer_zoo.faces.models.procedural import build as procedural
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.expressions import ACTIONS, ActionUnitPrior, EmotionPrior, sides_of
from fer_zoo.faces.priors.face_prior import draw_faces
from fer_zoo.faces.priors.recordings import SINGLE, RecordingPrior
from fer_zoo.faces.priors.settings import FacePrior


def actions_of(prior: RecordingPrior, clip: int) -> np.ndarray:
    frame = np.arange(prior.lengths[clip % 3])
    clips = Draws(5, np.full(len(frame), clip))
    return prior.draw(clips, frame, EmotionPrior(distractors=0, blinks=0.0), ActionUnitPrior())[1]


def test_frames_follow_each_other_by_person_and_recording() -> None:
    prior = RecordingPrior()
    assert prior.lengths == (36, 21, 45)
    person, clip, frame = prior.places(np.arange(2 * 102))
    assert (person == np.repeat([0, 1], 102)).all()
    assert (clip == np.repeat(np.arange(6), prior.lengths * 2)).all()
    assert (frame == np.concatenate([np.arange(n) for n in prior.lengths * 2])).all()


@pytest.mark.parametrize("person", range(3))
def test_one_action_after_the_other_rises_stays_and_falls(person: int) -> None:
    prior = RecordingPrior(rate=20.0, weakest=0.7)
    actions = actions_of(prior, 3 * person).reshape(len(SINGLE), 40, -1)
    for part, names in zip(actions, SINGLE, strict=True):
        own = [ACTIONS.index(side) for name in names for side in sides_of(name)]
        assert not np.delete(part, own, axis=1).any()
        shown = part[:, own[0]]
        top = int(shown.argmax())
        assert 0.7 <= shown[top] <= 1 and shown[0] < 0.1 and shown[-1] < 0.1
        assert (np.diff(shown[: top + 1]) >= 0).all() and (np.diff(shown[top:]) <= 1e-12).all()


def test_expressions_begin_and_end_neutral() -> None:
    actions = actions_of(RecordingPrior(rate=20.0), 1).reshape(7, 40, -1)
    assert not actions[0].any()  # neutral is the first
    assert (actions[1:].max(axis=(1, 2)) > 0.3).all()
    assert (actions[:, [0, -1]] < 0.1).all()


def test_random_clip_does_not_jump() -> None:
    slow, fast = (actions_of(RecordingPrior(rate=rate), 2) for rate in (1.5, 150.0))
    assert np.abs(np.diff(fast, axis=0)).max() < 0.02
    assert np.abs(np.diff(slow, axis=0)).max() > 0.3
    assert ((fast >= 0) & (fast <= 1)).all()
    assert (fast.max(axis=0) > 0.2).sum() > 20


def test_a_recording_has_one_light_and_other_recordings_another() -> None:
    prior, model = FacePrior(expression="recordings"), procedural.build()
    drawn = draw_faces(model, prior, seed=3, numbers=np.arange(30, 60), size=32)
    first, second = drawn.clip == 0, drawn.clip == 1
    lights = drawn.scenes.light.numpy()
    assert (lights[first] == lights[first][0]).all() and (lights[second] == lights[second][0]).all()
    assert not np.allclose(lights[first][0], lights[second][0])
    angles = np.rad2deg(drawn.scenes.angles.numpy())
    assert 0 < angles[second].std(axis=0).max() < 10  # the head drifts
    assert (drawn.scenes.identity == drawn.scenes.identity[0]).all()


def test_a_sample_depends_on_no_other() -> None:
    prior, model = FacePrior(expression="recordings"), procedural.build()
    numbers = np.array([150, 3, 60])
    together = draw_faces(model, prior, seed=3, numbers=numbers, size=32)
    for row, number in enumerate(numbers):
        alone = draw_faces(model, prior, seed=3, numbers=np.array([number]), size=32)
        assert (alone.scenes.actions[0] == together.scenes.actions[row]).all()
        assert (alone.scenes.angles[0] == together.scenes.angles[row]).all()
