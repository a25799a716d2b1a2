"""Who takes part: samples left out are counted under the reason that keeps them out."""

from pathlib import Path

import numpy as np
import pytest
from fakes.pictures import EMOTIONS, picture_index
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.data.image_sources import NO_FACE, NOT_FOUND
from fer_zoo.data.index import Index
from fer_zoo.data.parts import balancing_weights, choose_part, classes_of, require_every_class

SIX = label_space("emotion/facial_expressions6")


def test_each_sample_is_left_out_for_one_reason_or_used(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 7)
    table = index.table.assign(emotion=["anger", "fear", None, "sadness", "neutral", None, "anger"])
    index = Index("fake", tmp_path, table, index.label_spaces, is_cropped=True)
    part = choose_part(index, index.ids[::-1], {4: NOT_FOUND, 5: NOT_FOUND, 6: NO_FACE}, {"emotion": SIX})
    ids = index.ids
    assert part.usable == [ids[3], ids[0]]
    assert part.unlabelled == {
        ids[1]: "emotion outside the label space", ids[2]: "no emotion label", ids[5]: "no emotion label",
    }  # fmt: skip
    assert part.lacking == {ids[4]: NOT_FOUND, ids[6]: NO_FACE}
    assert part.unreadable == {ids[4]: NOT_FOUND}
    assert sum(part.reasons().values()) + len(part.usable) == 7
    assert part.reasons()["no emotion label"] == 2


def test_without_targets_all_that_have_an_image_stay(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 4)
    table = index.table.assign(emotion=[None, "fear", "anger", None])
    index = Index("fake", tmp_path, table, index.label_spaces, is_cropped=True)
    assert choose_part(index, index.ids, {0: NOT_FOUND}).usable == index.ids[1:]


def test_an_empty_part_asks_for_no_target(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 2)
    unlabelled = Index("fake", tmp_path, index.table.drop(columns="emotion"), {}, is_cropped=True)
    assert choose_part(unlabelled, (), {}, {"emotion": SIX}).usable == []
    with pytest.raises(UserError, match="no target 'emotion'"):
        choose_part(unlabelled, unlabelled.ids, {}, {"emotion": SIX})


def test_one_known_target_of_several_is_enough(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 3)
    au = label_space("au/disfa12")
    values = {entry: [np.nan, np.nan, np.nan] for entry in au.entries}
    values[au.entries[0]] = [1.0, np.nan, np.nan]
    table = index.table.assign(emotion=[None, "anger", None], **values)
    index = Index("fake", tmp_path, table, {"emotion": SIX, "au": au}, is_cropped=True)
    part = choose_part(index, index.ids, {}, {"emotion": SIX, "au": au})
    assert part.usable == index.ids[:2]
    assert part.unlabelled == {index.ids[2]: "no emotion or au label"}


def test_classes_go_by_name(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 6)
    space = LabelSpace(name="emotion/two", target="emotion", entries=(EMOTIONS[4], EMOTIONS[0]))
    assert classes_of(index, index.ids, space).tolist() == [1, -1, -1, -1, 0, -1]


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=80))
def test_balancing_weights_give_every_class_the_same_chance(classes: list[int]) -> None:
    weights = balancing_weights(np.array(classes))
    assert (weights > 0).all()
    known = [k for k in set(classes) if k >= 0]
    np.testing.assert_allclose([weights[np.array(classes) == k].sum() for k in known], 1.0)


def test_classes_without_training_samples_are_named_with_the_counts() -> None:
    require_every_class([1, 2, 3, 4, 5, 6], SIX, where="Here")
    with pytest.raises(UserError, match=r"^Here has no training sample of disgust, surprise \(anger 3, disgust 0, "):
        require_every_class([3, 0, 1, 1, 1, 0], SIX, where="Here")
    with pytest.raises(UserError, match=r"surprise 0; 36 left out: no face found\)"):
        require_every_class([3, 0, 1, 1, 1, 0], SIX, where="Here", left_out={NO_FACE: 36})
    with pytest.raises(UserError, match="Here has the one class anger"):
        require_every_class([3], SIX.only(["anger"]), where="Here")
