"""How much people differ, by settings: the same people, nearer to each other or farther apart."""

from dataclasses import replace

import pytest

from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.models.procedural.build import build
from fer_zoo.faces.people import random_face
from fer_zoo.faces.priors.settings import PeoplePrior

SEEDS = range(40)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return build()


def test_spread_scales_every_mode_and_changes_nothing_else(model: FaceModel) -> None:
    for seed in SEEDS:
        usual, half = random_face(model, seed), random_face(model, seed, PeoplePrior(spread=0.4))
        for mode, value in usual.identity.items():
            assert half.identity[mode] == pytest.approx(value if mode == "sex" else value / 2)
        assert (half.skin, half.make_up, half.styles["beard"]) == (usual.skin, usual.make_up, usual.styles["beard"])


def test_skin_and_make_up_lie_between_their_limits_in_the_order_that_they_had(model: FaceModel) -> None:
    prior = PeoplePrior(lightest=0.3, darkest=0.5, make_up=0.2)
    usual = [random_face(model, seed) for seed in SEEDS]
    found = [random_face(model, seed, prior) for seed in SEEDS]
    assert [face.skin for face in found] == pytest.approx([0.3 + 0.2 * face.skin for face in usual])
    assert [face.make_up for face in found] == pytest.approx([face.make_up / 4 for face in usual])
    assert any(face.make_up for face in found)


def test_one_skin_for_all(model: FaceModel) -> None:
    prior = replace(PeoplePrior(), lightest=0.6, darkest=0.6)
    assert {random_face(model, seed, prior).skin for seed in SEEDS} == {0.6}
