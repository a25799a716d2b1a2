"""Faces drawn at random: from (seed, number of the sample) alone to everything a picture depends on."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from fer_zoo.faces.actions import slider_actions
from fer_zoo.faces.effects import Occluders
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.face_words import scenes_of
from fer_zoo.faces.people import random_face
from fer_zoo.faces.priors.captures import Captures, draw_captures, draw_occluders
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.expressions import closed_jaws, looking
from fer_zoo.faces.priors.settings import FacePrior
from fer_zoo.faces.priors.views import draw_angles, draw_backgrounds, draw_cameras, draw_light
from fer_zoo.faces.scenes import Scenes


@dataclass(frozen=True, kw_only=True)
class DrawnFaces:
    """Samples before they are drawn as pictures.

    Attributes:
        scenes: of the renderer.
        occluders, captures: what happens to the pictures.
        person, clip, frame: numbers of each sample.
        emotion: position among the prior's classes; -1 where expressions are no emotions.
        strength: of the expression in its clip, times an emotion's intensity.
        skin: 0 for the lightest, 1 for the darkest.
    """

    scenes: Scenes
    occluders: Occluders
    captures: Captures
    person: Int[np.ndarray, " b"]
    clip: Int[np.ndarray, " b"]
    frame: Int[np.ndarray, " b"]
    emotion: Int[np.ndarray, " b"]
    strength: Float[np.ndarray, " b"]
    skin: Float[np.ndarray, " b"]


def draw_faces(
    model: FaceModel, prior: FacePrior, *, seed: int, numbers: Int[np.ndarray, " b"], size: int
) -> DrawnFaces:
    """The samples of some numbers.

    Args:
        model: whose faces they are.
        prior: what varies.
        seed: of the data set.
        numbers: of the samples; frames of a clip follow each other, and so do clips of a person.
        size: sides of the pictures, pixels.

    Raises:
        UserError: for a wrong setting.
    """
    prior.emotions.check()
    clip = numbers // prior.clips.frames
    frame, person = numbers % prior.clips.frames, clip // prior.samples_per_person
    people, clips, samples = (Draws(seed, of) for of in (person, clip, numbers))
    emotion, strength, actions = _expressions(prior, clips)
    rise = prior.clips.strength(clips, frame)
    actions = closed_jaws((actions * rise[:, None]).clip(0, 1))
    known = {of: random_face(model, of) for of in set(people.seeds("person"))}
    faces = [known[of] for of in people.seeds("person")]
    light, shine = draw_light(prior.light, clips)
    scenes = replace(
        scenes_of(model, faces, size),
        actions=_float(actions),
        angles=_float(draw_angles(prior.pose, clips) + prior.clips.turn(clips, frame)),
        camera=draw_cameras(prior.camera, clips, size),
        light=light,
        shine=shine,
        background=draw_backgrounds(prior.background, clips),
    )
    return DrawnFaces(
        scenes=scenes,
        occluders=draw_occluders(prior.occluders, clips, size),
        captures=draw_captures(prior.capture, clips, samples, size),
        person=person,
        clip=clip,
        frame=frame,
        emotion=emotion,
        strength=strength * rise,
        skin=np.array([face.skin for face in faces]),
    )


def _expressions(
    prior: FacePrior, clips: Draws
) -> tuple[Int[np.ndarray, " b"], Float[np.ndarray, " b"], Float[np.ndarray, "b 51"]]:
    """Emotion (or -1), intensity and actions at the apex."""
    nothing, full = np.full(len(clips), -1), np.ones(len(clips))
    if prior.expression == "emotions":
        classes, intensity, actions = prior.emotions.draw(clips)
        return classes, intensity, np.maximum(actions, looking(clips, prior.action_units.gaze))
    if prior.expression == "sliders":
        sliders = torch.from_numpy(prior.sliders.draw(clips))
        return nothing, full, slider_actions(sliders).numpy()
    return nothing, full, prior.action_units.draw(clips)


def _float(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
