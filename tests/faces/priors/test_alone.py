"""One part of what varies alone: its draws are those of the samples, and nothing else changes."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.priors.alone import draw_alone
from fer_zoo.faces.priors.face_prior import DrawnFaces, draw_faces
from fer_zoo.faces.priors.settings import PARTS, FacePrior, OccluderPrior, PosePrior, SkinPrior

NUMBERS, SIZE, SEED = np.array([3, 0, 7, 11]), 32, 5
PRIOR = FacePrior(samples_per_person=1, occluders=OccluderPrior(probability=1.0))
# What each part decides, among the numbers of `of`.
DECIDES = {
    "people": {"identity", "styles", "materials"},
    "skin": {"creases", "materials"},
    "pose": {"angles"},
    "camera": {"camera"},
    "light": {"light", "shine"},
    "background": {"background"},
    "occluders": {"occluders"},
    "capture": {"captures"},
}


def of(drawn: DrawnFaces) -> dict[str, list[torch.Tensor]]:
    """The tensors of all that a picture depends on, by its part."""
    found = {field.name: _tensors(getattr(drawn.scenes, field.name)) for field in fields(drawn.scenes)}
    return {**found, "occluders": _tensors(drawn.occluders), "captures": _tensors(drawn.captures)}


def _tensors(value: Any) -> list[torch.Tensor]:
    if value is None:
        return []
    if isinstance(value, torch.Tensor):
        return [value]
    if is_dataclass(value):
        return [one for field in fields(value) for one in _tensors(getattr(value, field.name))]
    return [one for entry in value.values() for one in _tensors(entry)] if isinstance(value, dict) else []


def alone(model: FaceModel, part: str, prior: FacePrior = PRIOR) -> DrawnFaces:
    return draw_alone(model, prior, part, seed=SEED, numbers=NUMBERS, size=SIZE)


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_drawn_as_in_the_samples_and_all_else_is_still(model: FaceModel, part: str) -> None:
    prior = replace(PRIOR, skin=SkinPrior(dim=0.0)) if part == "people" else PRIOR
    found = of(alone(model, part, prior))
    sampled = of(draw_faces(model, prior, seed=SEED, numbers=NUMBERS, size=SIZE))
    for name in DECIDES[part] - ({"materials"} if part == "skin" else set()):
        assert found[name] and same(found[name], sampled[name]), name
    for name, values in found.items():
        varies = [bool((value != value[:1]).any()) for value in values]
        assert any(varies) == (name in DECIDES[part]), name


def test_what_is_still_is_the_same_on_every_sheet(model: FaceModel) -> None:
    sheets = {part: of(alone(model, part)) for part in PARTS}
    for name in sheets["pose"]:
        plain = [sheets[part][name] for part in PARTS if name not in DECIDES[part]]
        assert all(same(plain[0], other) for other in plain), name


def test_eyes_and_teeth_are_darker_than_those_of_the_same_face(model: FaceModel) -> None:
    still, skin = (alone(model, part).scenes.materials for part in ("pose", "skin"))
    share = (skin / still).amin(dim=2)
    assert (share <= 1).all() and ((share < 1).sum(dim=1) == 2).all()
    assert share.min() >= 1 - PRIOR.skin.dim


def test_the_settings_of_the_part_count(model: FaceModel) -> None:
    wide, narrow = (alone(model, "pose", replace(PRIOR, pose=PosePrior(yaw=yaw))).scenes.angles for yaw in (30, 10))
    torch.testing.assert_close(wide[:, 0], 3 * narrow[:, 0])
    assert torch.equal(wide[:, 1:], narrow[:, 1:])
