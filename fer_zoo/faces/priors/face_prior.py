"""Faces drawn at random: from (seed, number of the sample) alone to everything a picture depends on."""

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

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
from fer_zoo.faces.priors.skins import draw_creases, in_shade
from fer_zoo.faces.priors.tensors import float_tensor
from fer_zoo.faces.priors.under_conditions import dimmed, hidden, landmarks_of, lit, made_small, seen_in, turned
from fer_zoo.faces.priors.views import draw_angles, draw_backgrounds, draw_cameras, draw_light
from fer_zoo.faces.scenes import Scenes

_Part = TypeVar("_Part", Occluders, Captures)


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

    def to(self, device: torch.device | str) -> "DrawnFaces":
        """The same with what is drawn on a device."""
        if torch.device(device).type == "cpu":
            return self
        return replace(
            self,
            scenes=self.scenes.to(device),
            occluders=_on(self.occluders, device),
            captures=_on(self.captures, device),
        )


def draw_faces(
    model: FaceModel, prior: FacePrior, *, seed: int, numbers: Int[np.ndarray, " b"], size: int
) -> DrawnFaces:
    """The samples of some numbers.

    Args:
        model: whose faces they are.
        prior: what varies.
        seed: of the data set.
        numbers: of the samples; frames of a clip follow each other, and so do clips of a person. Of a test grid the
            samples of a face do, whose numbers are those of an ordinary sample.
        size: sides of the pictures, pixels.

    Raises:
        UserError: for a wrong setting.
    """
    prior.check()
    person, clip, frame = prior.places(numbers)
    people, clips, samples = (Draws(seed, of) for of in (person, clip, numbers))
    levels = prior.grid.levels(numbers)
    emotion, strength, actions = _expressions(prior, people, clips, frame, levels.get("intensity"))
    seeds = people.seeds("person")
    known = {of: random_face(model, of, prior.people) for of in set(seeds)}
    faces = [known[of] for of in seeds]
    light, shine = draw_light(prior.light, clips)
    plain = scenes_of(model, faces, size)
    scenes = replace(
        plain,
        creases=draw_creases(prior.skin, people),
        materials=in_shade(plain.materials, prior.skin, people),
        actions=float_tensor(closed_jaws(actions.clip(0, 1))),
        angles=float_tensor(draw_angles(prior.pose, clips) + _turns(prior, clips, frame)),
        camera=draw_cameras(prior.camera, clips, size),
        light=light,
        shine=shine,
        background=draw_backgrounds(prior.background, clips),
    )
    drawn = DrawnFaces(
        scenes=scenes,
        occluders=draw_occluders(prior.occluders, clips, size),
        captures=draw_captures(prior.capture, clips, samples, size),
        person=person,
        clip=clip,
        frame=frame,
        emotion=emotion,
        strength=strength,
        skin=np.array([face.skin for face in faces]),
    )
    return _under(drawn, levels, clips, model, size)


def _under(drawn: DrawnFaces, levels: dict[str, np.ndarray], faces: Draws, model: FaceModel, size: int) -> DrawnFaces:
    """The faces under the conditions that a test grid sets; intensity is in their actions already."""
    scenes, things, captures = drawn.scenes, drawn.occluders, drawn.captures
    if "yaw" in levels:
        scenes = turned(scenes, levels["yaw"], faces)
    if "light" in levels:
        scenes, captures = lit(scenes, levels["light"], faces), seen_in(captures, levels["light"])
    if "occluder" in levels:
        things = hidden(things, levels["occluder"], scenes, landmarks_of(model, scenes), faces)
    if "light" in levels:
        things = dimmed(things, levels["light"])
    if "face_width" in levels:
        captures = made_small(captures, levels["face_width"], landmarks_of(model, scenes), size)
    return replace(drawn, scenes=scenes, occluders=things, captures=captures)


def _expressions(
    prior: FacePrior,
    people: Draws,
    clips: Draws,
    frame: Int[np.ndarray, " b"],
    fixed: Float[np.ndarray, " b"] | None,
) -> tuple[Int[np.ndarray, " b"], Float[np.ndarray, " b"], Float[np.ndarray, "b 51"]]:
    """Emotion (or -1), intensity and actions of each frame.

    In a test grid a person shows one emotion after the other, and their intensities may be fixed.
    """
    nothing = np.full(len(clips), -1)
    if prior.expression == "recordings":
        return nothing, *prior.recordings.draw(clips, frame, prior.emotions, prior.action_units)
    rise = prior.clips.strength(clips, frame)
    if prior.expression == "emotions":
        in_turn = clips.numbers % len(prior.emotions.classes) if prior.grid.shape else None
        emotion, intensity, actions = prior.emotions.draw(clips, in_turn, fixed)
        actions = np.maximum(actions, looking(clips, prior.action_units.gaze))
        actions = np.maximum(actions * rise[:, None], prior.emotions.rest(people))
        return emotion, intensity * rise, actions
    if prior.expression == "sliders":
        actions = slider_actions(torch.from_numpy(prior.sliders.draw(clips))).numpy()
    else:
        actions = prior.action_units.draw(clips)
    return nothing, rise, actions * rise[:, None]


def _turns(prior: FacePrior, clips: Draws, frame: Int[np.ndarray, " b"]) -> Float[np.ndarray, "b 3"]:
    """What the head turns during a clip, radians."""
    if prior.expression == "recordings":
        return prior.clips.drifted(clips, prior.recordings.share(clips.numbers, frame))
    return prior.clips.turn(clips, frame)


def _on(part: _Part, device: torch.device | str) -> _Part:
    """With all tensors on a device."""
    values: dict[str, Any] = {field.name: getattr(part, field.name) for field in fields(part)}
    moved: dict[str, Any] = {name: v.to(device) for name, v in values.items() if isinstance(v, torch.Tensor)}
    return replace(part, **moved)
