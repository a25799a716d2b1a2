from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space, own_space
from fer_zoo.data.index import Index, Note, clip_code, index_table, space_for

EMOTIONS = ["happiness", "fear", None, "neutral"]


def make_index(**columns: object) -> Index:
    given_columns = {"emotion": EMOTIONS, "subject": ["sa", "sb", None, ""], **columns}
    table = index_table("fake", [f"{i}.jpg" for i in range(4)], **given_columns)
    return Index("fake", Path(), table, {"emotion": label_space("emotion/facial_expressions6")})


def test_fills_what_is_not_given() -> None:
    index = make_index()
    assert list(index.table["subject"]) == ["sa", "sb", *index.ids[2:]]
    assert list(index.table["frame"]) == [0, 0, 0, 0]
    assert index.table["frame"].dtype == np.int64
    assert list(index.table["clip"]) == list(index.table["source"]) == ["", "", "", ""]
    assert list(index.table["emotion"]) == EMOTIONS
    assert len(index) == len(set(index.ids)) == 4


def test_nan_labels_become_none() -> None:
    assert list(make_index(emotion=["fear", float("nan"), pd.NA, None]).table["emotion"]) == ["fear", None, None, None]


def test_classes_outside_the_space_are_labelled_and_not_targets() -> None:
    index = make_index()
    assert index.is_labelled("emotion").tolist() == [True, True, False, True]
    own = label_space("emotion/facial_expressions6")
    expected = [own.index("happiness"), -1, -1, own.index("neutral")]
    assert index.target_array("emotion").tolist() == expected
    assert index.target_array("emotion").dtype == np.int64
    raf = label_space("emotion/raf")
    assert index.target_array("emotion", raf).tolist() == [raf.index("happiness"), raf.index("fear"), -1, 6]


def test_values_are_mapped_by_name_and_missing_ones_are_nan() -> None:
    space = label_space("au/fera2015")
    values = {entry: [i, i + 0.5, np.nan, 5] for i, entry in enumerate(space.entries)}
    table = index_table("fake", [f"{i}.jpg" for i in range(4)], **values)
    index = Index("fake", Path(), table, {"au": space})
    np.testing.assert_array_equal(index.target_array("au"), np.array(list(values.values()), dtype=np.float32).T)
    other = label_space("au/disfa12")
    mapped = index.target_array("au", other)
    assert mapped.dtype == np.float32
    for k, entry in enumerate(other.entries):
        column = np.asarray(values.get(entry, [np.nan] * 4), dtype=np.float32)
        np.testing.assert_array_equal(mapped[:, k], column)
    assert index.is_labelled("au").tolist() == [True, True, False, True]
    with pytest.raises(UserError, match="au/genet23 shares no entry with au/fera2015"):
        index.target_array("au", label_space("au/genet23"))


def test_lacking_target_names_those_it_has() -> None:
    with pytest.raises(UserError, match=r"no target 'emotions'\. Did you mean 'emotion'\? It has: emotion\."):
        make_index().target_array("emotions")
    with pytest.raises(UserError, match="does not fit into au/disfa12"):
        make_index().target_array("emotion", label_space("au/disfa12"))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8, unique=True))
def test_rows_follow_the_ids(rows: list[int]) -> None:
    index = make_index()
    ids = [index.ids[row] for row in rows]
    assert index.rows_of(ids).tolist() == rows


def test_unknown_ids_are_refused() -> None:
    with pytest.raises(UserError, match=r"1 of 2 ids are not in data set fake, e\.g\. 0123456789ab"):
        make_index().rows_of([make_index().ids[0], "0123456789ab"])
    assert make_index().rows_of([]).tolist() == []


def test_fingerprint_covers_values_and_split_but_not_pixels_or_second_labels() -> None:
    index = make_index(split=["train", "train", "test", ""])
    assert len(index.fingerprint()) == 16
    assert int(index.fingerprint(), 16) >= 0
    moved = replace(index, table=index.table.assign(split=["train", "test", "test", ""]))
    assert moved.fingerprint() != index.fingerprint()
    assert replace(index, table=index.table.assign(box_left=3.0)).fingerprint() == index.fingerprint()
    assert replace(index, is_cropped=True, root=Path("elsewhere")).fingerprint() == index.fingerprint()
    space = label_space("au/fera2015")
    tables = [index.table.assign(**dict.fromkeys(space.entries, value)) for value in (1.0, 2.0)]
    prints = {replace(index, table=table, label_spaces={"au": space}).fingerprint() for table in tables}
    assert len(prints) == 2


def test_identities_are_labels_and_part_of_the_fingerprint() -> None:
    plain = make_index()
    index = make_index(identity=["p1", None, float("nan"), "p2"])
    assert list(index.table["identity"]) == ["p1", None, None, "p2"]
    assert index.fingerprint() not in {plain.fingerprint(), make_index(identity=["p1", None, None, "p1"]).fingerprint()}
    named = replace(index, label_spaces={"identity": own_space("identity", ["p1", "p2"], where="")})
    assert named.target_array("identity").tolist() == [0, -1, -1, 1]
    assert make_index(peak=[0, 1, 0, None]).fingerprint() == plain.fingerprint()


def test_clips_are_shown_by_a_code() -> None:
    assert clip_code("fake", "Anna/smile") == clip_code("fake", "Anna/smile") != clip_code("fake", "Anna/frown")
    assert clip_code("fake", "Anna/smile") != clip_code("other", "Anna/smile")
    code = clip_code("fake", "Anna/smile")
    assert clip_code("fake", code) == code and len(code) == 9


def test_notes_of_a_kind() -> None:
    index = replace(make_index(), notes=(Note("contradictory", "…", ("a",)), Note("merged", "…", ("b", "c"))))
    assert index.contradictory == ("a",)
    assert index.noted("merged") == ("b", "c")


def test_bad_tables_are_refused() -> None:
    index = make_index()
    with pytest.raises(UserError, match="holds no samples"):
        replace(index, table=index.table.iloc[:0])
    with pytest.raises(UserError, match=f"lists 1 samples twice, e.g. {index.ids[0]}"):
        replace(index, table=pd.concat([index.table, index.table.iloc[:1]]))
    with pytest.raises(UserError, match="lacks the columns clip, emotion"):
        replace(index, table=index.table.drop(columns=["clip", "emotion"]))
    with pytest.raises(UserError, match="without a subject"):
        replace(index, table=index.table.assign(subject=""))
    with pytest.raises(UserError, match="split 'dev'"):
        replace(index, table=index.table.assign(split="dev"))
    with pytest.raises(UserError, match="gives emotion/raf for 'au'"):
        replace(index, label_spaces={"au": label_space("emotion/raf")})


def test_space_of_another_target_is_refused() -> None:
    assert space_for("emotion", "emotion/raf", where="dataset.label_space").name == "emotion/raf"
    with pytest.raises(UserError, match=r"dataset\.label_space=au/disfa12 describes 'au'"):
        space_for("emotion", "au/disfa12", where="dataset.label_space")


def test_printed_it_is_one_line_without_paths() -> None:
    index = make_index()
    assert (
        repr(index) == str(index) == f"<Index of {index.dataset}: 4 samples, 4 subjects, emotion/facial_expressions6>"
    )
