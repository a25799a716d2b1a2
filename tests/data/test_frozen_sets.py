"""Frozen sets of drawn faces are what they were: another fingerprint is another data set, with another name."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
import yaml

from fer_zoo.core.errors import UserError
from fer_zoo.core.registry import DATASETS
from fer_zoo.core.settings import build_settings
from fer_zoo.data.open import open_dataset
from fer_zoo.data.synthesis.blocks import face_model_of
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.engine.config_files import configs_folder
from fer_zoo.faces.priors.face_prior import draw_faces

# name -> fingerprints of the first 64 and of all, and a weighed sum of what the first 64 depend on
FROZEN = {
    "synthetic_emotion_v1": ("efc3c9964d34e937", "4788ba6e10908f0e", 24478.9654),
    "synthetic_au_v1": ("cfac17eadd12bda2", "6108d18bfdb28bb4", 24550.6342),
    "synthetic_blendshape_v1": ("d7580da9e8e7bba3", "090f2c42996b736c", 24081.9431),
    "synthetic_expression_v1": ("1cb5ad43142beede", "fa91af65085377bf", 23449.3950),
    "synthetic_pose_light_v1": ("655e5a3561067531", "610cac852e2513d3", 43064.9982),
    "synthetic_intensity_v1": ("8ad3dcec442017c0", "73ed7f46b04b7611", 22456.5603),
    "synthetic_width_v1": ("e3a9140ddc53dbd6", "53b4de682034e528", 27610.2642),
    "synthetic_occluders_v1": ("537467b7e1652b00", "a3e34c98e514d0dc", 23135.7184),
}
# Sets that are trained on; the people of test grids are for testing alone.
LEARNED = ("synthetic_emotion_v1", "synthetic_au_v1", "synthetic_blendshape_v1", "synthetic_expression_v1")
every_set = pytest.mark.parametrize("name", FROZEN)


def settings_of(name: str, number: int, **others: Any) -> SynthesisSettings:
    own = build_settings(DATASETS[name].settings, {"num_samples": number, **others}, where="dataset")
    made: SynthesisSettings = DATASETS.module(name).synthesis(own)
    return made


def numbers_of(part: Any) -> Iterator[np.ndarray]:
    """All numbers of nested dataclasses, in the order of their fields."""
    if is_dataclass(part):
        for field in fields(part):
            yield from numbers_of(getattr(part, field.name))
    elif isinstance(part, dict):
        for name in sorted(part):
            yield from numbers_of(part[name])
    elif part is None:
        return  # what only some sets have
    elif isinstance(part, tuple):
        yield np.array(part, np.uint64) % 1024 / 1024  # seeds
    else:
        yield np.asarray(part, np.float64)


def weighed(name: str, number: int) -> float:
    """A sum over all numbers, each with a weight of its own; unlike a hash it bears other last digits of floats."""
    made = settings_of(name, number)
    model = face_model_of(made.face_model)
    drawn = draw_faces(model, made, seed=made.seed, numbers=np.arange(number), size=made.size)
    whole = np.concatenate([values.ravel() for values in numbers_of(drawn)])
    return float(whole @ np.random.Generator(np.random.Philox(0)).random(len(whole)))


@every_set
def test_first_samples_are_those_they_were(name: str) -> None:
    assert open_dataset(name, num_samples=64).fingerprint() == FROZEN[name][0]
    assert weighed(name, 64) == pytest.approx(FROZEN[name][2], rel=0, abs=5e-3)


@every_set
def test_samples_do_not_depend_on_their_number(name: str) -> None:
    few, more = open_dataset(name, num_samples=20), open_dataset(name, num_samples=64)
    assert few.table.equals(more.table[:20])
    assert settings_of(name, 20).key == settings_of(name, 64).key


@every_set
def test_targets_come_in_the_order_of_the_card(name: str) -> None:
    assert list(open_dataset(name, num_samples=1).spaces) == list(DATASETS[name].targets)


@pytest.mark.parametrize("name", LEARNED)
def test_people_are_a_target_where_that_is_asked_for(name: str) -> None:
    index = open_dataset(name, num_samples=120, identity=True)
    assert {*index.spaces} == {*DATASETS[name].targets, "identity"} and list(index.label_spaces)[-1] == "identity"
    assert index.table["identity"].equals(index.table["subject"]) and len(index.space("identity")) > 1
    assert settings_of(name, 64).key == settings_of(name, 64, identity=True).key


@every_set
@pytest.mark.parametrize("beyond", [0, 1])
def test_there_are_as_many_as_the_card_says(name: str, beyond: int) -> None:
    number = beyond * (DATASETS[name].expected["samples"] + 1)
    with pytest.raises(UserError, match=r"dataset\.num_samples is .*; it must be at"):
        open_dataset(name, num_samples=number)


@every_set
def test_tracks_pin_the_complete_sets(name: str) -> None:
    file = configs_folder() / "track" / f"{name.removesuffix('_v1')}.yaml"
    track = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert track["dataset"] == {"name": name} and track["fingerprint"] == FROZEN[name][1]
    assert track.get("target", "emotion") == next(iter(DATASETS[name].targets))


def test_the_track_of_landmarks_is_of_the_faces_of_a_frozen_set() -> None:
    track = yaml.safe_load((configs_folder() / "track" / "synthetic_landmarks.yaml").read_text(encoding="utf-8"))
    own = {key: value for key, value in track["dataset"].items() if key != "name"}
    assert build_settings(SynthesisSettings, own, where="dataset") == settings_of("synthetic_expression_v1", 4000)
    assert open_dataset(**track["dataset"]).fingerprint() == track["fingerprint"]


@pytest.mark.slow
@every_set
def test_the_whole_is_what_it_was(name: str) -> None:
    index = open_dataset(name)
    assert index.fingerprint() == FROZEN[name][1]
    assert {"samples": len(index), "subjects": index.table["subject"].nunique()} == DATASETS[name].expected
    if name == "synthetic_emotion_v1":  # the page names the rarest
        counts = index.table["emotion"].value_counts()
        assert (counts.sum(), counts.idxmin(), counts.min()) == (4000, "fear", 551)
