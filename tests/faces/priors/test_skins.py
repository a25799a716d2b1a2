"""Folds that stay and the shade of eyeballs and teeth: of the person alone, in the picture and not in the labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings
from fer_zoo.faces.face_model import ACTIONS, MATERIALS, FaceModel
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.face_prior import draw_faces
from fer_zoo.faces.priors.settings import FacePrior, SkinPrior
from fer_zoo.faces.priors.skins import draw_creases, in_shade
from fer_zoo.faces.renderer import Renderer
from fer_zoo.faces.scenes import Scenes, plain_scenes

MANY = Draws(3, np.arange(4000))
BRIGHT = [MATERIALS.index(name) for name in ("sclera", "tooth")]
OTHERS = [place for place in range(len(MATERIALS)) if place not in BRIGHT]
SIZE = 48


def faces(model: FaceModel, **skin: float) -> Scenes:
    """Twelve frames: two clips of three frames of each of two people."""
    values = {"samples_per_person": 2, "clips": {"frames": 3}, "skin": skin}
    prior = build_settings(FacePrior, values, where="dataset")
    return draw_faces(model, prior, seed=4, numbers=np.arange(12), size=SIZE).scenes


def test_creases_are_products_of_two_uniform_numbers_alike_on_both_sides() -> None:
    creases = draw_creases(SkinPrior(creases=0.6), MANY).numpy()
    folding = creases.any(axis=0)
    assert creases.min() >= 0 and creases.max() < 0.6
    assert creases[:, folding].mean(axis=0) == pytest.approx(0.6 / 4, abs=0.01)
    assert (creases[:, folding] ** 2).mean(axis=0) == pytest.approx(0.36 / 9, abs=0.005)
    names = [name for name, folds in zip(ACTIONS, folding, strict=True) if folds]
    assert {"noseSneerLeft", "noseSneerRight", "mouthSmileLeft", "browInnerUp"} <= set(names)
    assert not [name for name in names if name.startswith(("jaw", "eyeBlink", "eyeLook", "mouthClose"))]
    for name in (name for name in names if name.endswith("Left")):
        other = name.removesuffix("Left") + "Right"
        assert (creases[:, ACTIONS.index(name)] == creases[:, ACTIONS.index(other)]).all()


def test_some_people_have_many_creases_and_most_have_few() -> None:
    """The first number is the person's: creases of a face go together."""
    creases = draw_creases(SkinPrior(creases=1.0), MANY).numpy()
    one, other = (creases[:, ACTIONS.index(name)] for name in ("noseSneerLeft", "browInnerUp"))
    expected = (1 / 12) * (1 / 4) / (1 / 9 - 1 / 16)  # covariance U V and U W over the variance of U V
    assert np.corrcoef(one, other)[0, 1] == pytest.approx(expected, abs=0.04)


def test_creases_grow_with_the_setting_and_there_may_be_none() -> None:
    whole = draw_creases(SkinPrior(creases=1.0), MANY)
    torch.testing.assert_close(draw_creases(SkinPrior(creases=0.25), MANY), 0.25 * whole)
    assert not draw_creases(SkinPrior(creases=0.0), MANY).any()


def test_eyeballs_and_teeth_alone_get_darker_by_a_share_of_their_colour() -> None:
    materials = torch.rand(4000, len(MATERIALS), 3, generator=torch.Generator().manual_seed(0)) + 0.01
    before = materials.clone()
    shaded = in_shade(materials, SkinPrior(dim=0.4), MANY)
    assert torch.equal(materials, before)
    assert torch.equal(shaded[:, OTHERS], materials[:, OTHERS])
    share = shaded[:, BRIGHT] / materials[:, BRIGHT]
    torch.testing.assert_close(share, share[:, :, :1].expand_as(share))
    assert 0.6 - 1e-6 < share.min() < 0.61 and 0.99 < share.max() <= 1
    assert share.mean(dim=(0, 2)).tolist() == pytest.approx([0.8, 0.8], abs=0.01)
    assert torch.equal(in_shade(materials, SkinPrior(dim=0.0), MANY), materials)


def test_skin_depends_on_the_person_and_on_nobody_beside() -> None:
    materials = torch.full((4000, len(MATERIALS), 3), 0.7)
    creases, shaded = draw_creases(SkinPrior(), MANY), in_shade(materials, SkinPrior(), MANY)
    for rows in ([7], [3999, 0, 12], [5, 5]):
        few = MANY.of(np.array(rows))
        assert torch.equal(draw_creases(SkinPrior(), few), creases[rows])
        assert torch.equal(in_shade(materials[rows], SkinPrior(), few), shaded[rows])
    assert not torch.equal(draw_creases(SkinPrior(), Draws(4, MANY.numbers)), creases)


def test_skin_is_that_of_the_person_in_all_clips_and_no_label_knows_of_it(model: FaceModel) -> None:
    scenes, bare = faces(model), faces(model, creases=0.0, dim=0.0)
    assert scenes.creases is not None and bare.creases is not None
    for values in (scenes.creases, scenes.materials[:, BRIGHT].flatten(1)):
        of_person = values.view(2, 6, -1)
        assert torch.equal(of_person, of_person[:, :1].expand_as(of_person))
        assert not torch.equal(of_person[0], of_person[1])
    assert not bare.creases.any() and (bare.materials >= scenes.materials).all()
    for name in ("identity", "actions", "angles", "light", "background"):
        assert torch.equal(getattr(scenes, name), getattr(bare, name)), name


def test_a_crease_looks_as_the_fold_of_its_action_and_moves_nothing(model: FaceModel) -> None:
    draw, plain = Renderer(model, size=SIZE), plain_scenes(model, 2, SIZE)
    creases = torch.zeros_like(plain.actions)
    smooth = draw(plain)
    assert torch.equal(draw(replace(plain, creases=creases)).image, smooth.image)
    creases[1, [ACTIONS.index(f"noseSneer{side}") for side in ("Left", "Right")]] = 0.8
    folded = draw(replace(plain, creases=creases))
    assert torch.equal(folded.image[0], smooth.image[0])
    assert (folded.image[1] <= smooth.image[1] + 1e-6).all() and (folded.image[1] < smooth.image[1] - 0.02).any()
    for name in ("mask", "landmarks", "vertices"):
        assert torch.equal(getattr(folded, name), getattr(smooth, name)), name
    weights = draw.colours(plain.materials, creases, plain.styles)
    torch.testing.assert_close(weights, draw.colours(plain.materials, plain.actions + creases, plain.styles))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (torch.full((2, 51), torch.nan), r"creases\[eyeBlinkLeft\] of face 0 is nan"),
        (torch.full((2, 51), 1.2), r"creases\[eyeBlinkLeft\] of face 0 is 1\.2; it must lie in \[0, 1\]"),
        (torch.zeros(2, 50), "creases has the shape 2 x 50; it must have faces x 51"),
        (torch.zeros(3, 51), "creases has 3 faces, but identity has 2"),
    ],
)
def test_no_such_creases(model: FaceModel, value: torch.Tensor, sentence: str) -> None:
    scenes = plain_scenes(model, 2, SIZE)
    object.__setattr__(scenes, "creases", value)
    with pytest.raises(UserError, match=sentence):
        Renderer(model, size=SIZE)(scenes)


@pytest.mark.parametrize(
    ("skin", "sentence"),
    [
        ({"creases": 1.1}, r"dataset\.skin\.creases is 1\.1; it must be at most 1"),
        ({"creases": -0.1}, r"dataset\.skin\.creases is -0\.1; it must be at least 0"),
        ({"dim": 1.5}, r"dataset\.skin\.dim is 1\.5; it must be at most 1"),
        ({"dim": float("nan")}, r"dataset\.skin\.dim is nan; it must be a finite number"),
    ],
)
def test_no_such_skin(skin: dict[str, float], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        build_settings(FacePrior, {"skin": skin}, where="dataset")
