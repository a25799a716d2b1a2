"""Faces of several heads: people of each in turn, and nothing of a face depends on the others."""

import numpy as np
import pytest

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.errors import UserError
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.data.open import open_dataset
from fer_zoo.data.synthesis.blocks import photographs_of
from fer_zoo.data.synthesis.labels import drawn_table, spaces_of
from fer_zoo.data.synthesis.settings import SynthesisSettings

SETTINGS = {"num_samples": 40, "samples_per_person": 2, "size": 16, "seed": 4}
ALONE, TWICE = (SynthesisSettings(face_model=name, **SETTINGS) for name in ("procedural", "procedural+procedural"))
NUMBERS = np.array([7, 0, 33, 2, 3, 12])


def test_a_face_is_what_its_head_alone_would_draw() -> None:
    for one, other in zip(photographs_of(ALONE, NUMBERS), photographs_of(TWICE, NUMBERS), strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.mask, other.mask)


def test_labels_are_those_of_its_head_alone_in_the_same_order() -> None:
    one, other = drawn_table("synthetic_faces", ALONE), drawn_table("synthetic_faces", TWICE)
    same = ["subject", "emotion", "source", *BLENDSHAPES_51.entries, *LANDMARK_COLUMNS]
    assert one[same].equals(other[same])
    assert not set(one["id"]) & set(other["id"])


def test_columns_depend_on_no_number_of_samples_and_are_meant_by_all_heads() -> None:
    few, many = (
        drawn_table("synthetic_faces", SynthesisSettings(face_model=TWICE.face_model, **{**SETTINGS, **others}))
        for others in ({"num_samples": 3}, {"num_samples": 700, "samples_per_person": 300})
    )
    assert list(few) == list(many)
    assert "condition_age" in few and "age" not in few and "expression_00" not in few
    assert not many[[name for name in many if name.startswith("condition_")]].isna().any(axis=None)


def test_people_take_turns() -> None:
    (first, at_first), (second, at_second) = SynthesisSettings(
        face_model="procedural+ict", samples_per_person=2
    ).by_head(np.arange(12))
    assert (first.face_model, second.face_model) == ("procedural", "ict")
    assert (at_first.tolist(), at_second.tolist()) == ([0, 1, 4, 5, 8, 9], [2, 3, 6, 7, 10, 11])
    ((only, everywhere),) = SynthesisSettings(face_model="ict").by_head(np.arange(3))
    assert (only.face_model, everywhere.tolist()) == ("ict", [0, 1, 2])


def test_what_heads_mean_differently_is_no_target() -> None:
    assert set(spaces_of(ALONE)) - set(spaces_of(TWICE)) == {"expression", "face_parameters"}
    index = open_dataset("synthetic_faces", face_model="procedural+procedural", **SETTINGS)
    assert index.dense is not None
    assert set(index.dense.label_spaces) == {"mask"}


def test_a_head_that_there_is_not() -> None:
    with pytest.raises(UserError, match="Did you mean 'procedural'"):
        open_dataset("synthetic_faces", face_model="procedural+prozedural", **SETTINGS)
