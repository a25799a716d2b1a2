"""One part of what varies at a time: the same face, resting, from the front, in plain light, but for that part."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.face_words import Face, scenes_of
from fer_zoo.faces.people import random_face
from fer_zoo.faces.priors.captures import draw_captures, draw_occluders
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.face_prior import DrawnFaces
from fer_zoo.faces.priors.settings import CameraPrior, CapturePrior, FacePrior, OccluderPrior
from fer_zoo.faces.priors.skins import draw_creases, in_shade
from fer_zoo.faces.priors.tensors import float_tensor
from fer_zoo.faces.priors.views import draw_angles, draw_backgrounds, draw_cameras, draw_light
from fer_zoo.faces.scenes import Scenes

_NOTHING = OccluderPrior(probability=0.0)
_AS_IT_IS = CapturePrior(
    exposure=0.0, contrast=0.0, brightness=0.0, patches=0.0, blur=0.0, noise=0.0, jpeg=0.0, grey=0.0
)


def draw_alone(
    model: FaceModel, prior: FacePrior, part: str, *, seed: int, numbers: Int[np.ndarray, " b"], size: int
) -> DrawnFaces:
    """The first person of a seed under the draws of one part, which are those of samples that are no clips.

    Args:
        model: whose faces they are.
        prior: what varies; all of it but the group of the part is left aside.
        part: one of `PARTS`. Of people and of their skin each number has its own.
        seed: of the data set.
        numbers: of the samples.
        size: sides of the pictures, pixels.
    """
    draws, count = Draws(seed, numbers), len(numbers)
    first = draws.of(np.zeros_like(numbers))
    still = DrawnFaces(
        scenes=replace(
            scenes_of(model, _faces(model, prior, first), size), camera=draw_cameras(_middle(prior.camera), first, size)
        ),
        occluders=draw_occluders(_NOTHING, first, size),
        captures=draw_captures(_AS_IT_IS, first, first, size),
        person=numbers if part in ("people", "skin") else np.zeros_like(numbers),
        clip=numbers,
        frame=np.zeros_like(numbers),
        emotion=np.full(count, -1),
        strength=np.zeros(count),
        skin=np.full(count, np.nan),
    )
    if part == "occluders":
        return replace(still, occluders=draw_occluders(prior.occluders, draws, size))
    if part == "capture":
        return replace(still, captures=draw_captures(prior.capture, draws, draws, size))
    return replace(still, scenes=_OF_SCENES[part](model, prior, still.scenes, draws, size))


def _faces(model: FaceModel, prior: FacePrior, people: Draws) -> list[Face]:
    return [random_face(model, seed, prior.people) for seed in people.seeds("person")]


def _middle(prior: CameraPrior) -> CameraPrior:
    """Without what varies, from half-way, as distances are drawn."""
    distance = math.sqrt(prior.nearest * prior.farthest)
    return replace(prior, nearest=distance, farthest=distance, zoom=0.0, shift=0.0)


def _people(model: FaceModel, prior: FacePrior, still: Scenes, draws: Draws, size: int) -> Scenes:
    return replace(scenes_of(model, _faces(model, prior, draws), size), camera=still.camera)


def _skin(model: FaceModel, prior: FacePrior, still: Scenes, draws: Draws, size: int) -> Scenes:
    return replace(
        still, creases=draw_creases(prior.skin, draws), materials=in_shade(still.materials, prior.skin, draws)
    )


def _pose(model: FaceModel, prior: FacePrior, still: Scenes, draws: Draws, size: int) -> Scenes:
    return replace(still, angles=float_tensor(draw_angles(prior.pose, draws)))


def _camera(model: FaceModel, prior: FacePrior, still: Scenes, draws: Draws, size: int) -> Scenes:
    return replace(still, camera=draw_cameras(prior.camera, draws, size))


def _light(model: FaceModel, prior: FacePrior, still: Scenes, draws: Draws, size: int) -> Scenes:
    light, shine = draw_light(prior.light, draws)
    return replace(still, light=light, shine=shine)


def _background(model: FaceModel, prior: FacePrior, still: Scenes, draws: Draws, size: int) -> Scenes:
    return replace(still, background=draw_backgrounds(prior.background, draws))


_OF_SCENES: Mapping[str, Callable[[FaceModel, FacePrior, Scenes, Draws, int], Scenes]] = {
    "people": _people,
    "skin": _skin,
    "pose": _pose,
    "camera": _camera,
    "light": _light,
    "background": _background,
}
