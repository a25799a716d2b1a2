"""What each protocol does with people whom one can count: rules of the literature, lists, clips, identities."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space, own_space
from fer_zoo.core.sample import subject_code
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.protocols import PROTOCOLS, Split, kept_settings, make_splits
from fer_zoo.data.protocols.labelled import MOST_FOLDS

CK_PLUS = (
    *(5, 10, 11, 14, 22, 26, 28, 29, 32, 34, 35, 37, 42, *range(44, 47), *range(50, 103), *range(105, 118), 119, 122),
    *(*range(124, 140), *range(147, 150), 151, *range(154, 159), 160, *range(501, 507), 895, 999),
)  # the people with a label in the published list of ten folds


def make_index(subjects: Sequence[str], emotions: Sequence[str | None] | None = None, **columns: Any) -> Index:
    emotions = emotions or ["fear"] * len(subjects)
    table = index_table(
        "fake", [f"{i}.jpg" for i in range(len(subjects))], subject=subjects, emotion=emotions, **columns
    )
    spaces = {"emotion": label_space("emotion/basic7")}
    if "identity" in columns:
        spaces["identity"] = own_space("identity", filter(None, columns["identity"]), where="")
    return Index("fake", Path(), table, spaces)


def held_out(index: Index, splits: Sequence[Split], column: str = "subject") -> list[list[str]]:
    return [sorted(index.table[column].iloc[index.rows_of(split.test)].unique()) for split in splits]


def test_ten_folds_are_those_of_the_literature_on_ck_plus() -> None:
    """Sorted ids of the labelled people, fold k = ids[k::10]; the five without a label move nobody."""
    ids = [f"S{number:03d}" for number in CK_PLUS]
    assert len(ids) == 118
    unlabelled = ["S001", "S052x", "S103", "S118", "S900"]
    people = [*ids, *ids, *unlabelled]
    index = make_index(people, [*["fear", "anger"] * 118, *[None] * 5])
    splits = make_splits(index, "subject_kfold", {}, "emotion")
    assert held_out(index, splits) == [ids[k::10] for k in range(10)]
    assert [len(fold) for fold in held_out(index, splits)] == [12] * 8 + [11] * 2


def test_folds_follow_the_order_of_the_owners_where_there_is_one() -> None:
    names = [f"S{number:03d}" for number in CK_PLUS]
    codes = {subject_code("fake", name): name for name in names}
    assert list(codes) != sorted(codes)
    index = make_index([*codes][::-1], subject_order=CK_PLUS[::-1])
    folds = held_out(index, make_splits(index, "subject_kfold", {}, "emotion"))
    assert [sorted(codes[code] for code in fold) for fold in folds] == [names[k::10] for k in range(10)]
    some = make_index(["d", "c", "b", "a", "e"], subject_order=[1, 2, np.nan, np.nan, 0])
    splits = make_splits(some, "subject_kfold", {"folds": 5, "validation_share": 0}, "emotion")
    assert held_out(some, splits) == [["e"], ["d"], ["c"], ["a"], ["b"]]
    assert [next(iter(split.test)) for split in splits] == [some.ids[row] for row in (4, 0, 1, 3, 2)]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_people_that_cannot_be_told_apart_are_not_kept_apart(name: str) -> None:
    index = replace(make_index(["a", "b", "c"], clip=["x", "y", "z"]), no_subjects="nobody wrote down who they are")
    if PROTOCOLS[name].unit == "subject" and PROTOCOLS[name].trains:
        with pytest.raises(UserError, match=f"^{name} keeps people apart, and nobody wrote down who they are\\.$"):
            make_splits(index, name, {}, "emotion")
    elif name != "identity_holdout":
        assert make_splits(index, name, {}, "emotion")


def test_one_subject_a_fold() -> None:
    index = make_index(["c", "a", "b", "b", "d"], ["fear", "fear", "fear", "anger", None])
    splits = make_splits(index, "leave_one_subject_out", {"validation_share": 0}, "emotion")
    assert [split.name for split in splits] == ["fold1", "fold2", "fold3"]
    assert held_out(index, splits) == [["a"], ["b"], ["c"]]
    with pytest.raises(UserError, match="needs at least 2 subjects, and fake has 1"):
        make_splits(make_index(["a", "a"]), "leave_one_subject_out", {}, "emotion")


def test_leaving_one_of_very_many_out_is_refused() -> None:
    names = [f"p{i}" for i in range(MOST_FOLDS + 1)]
    with pytest.raises(UserError, match=r"fold of each subject, and fake has 1,001, of which at most 1,000"):
        make_splits(make_index(names), "leave_one_subject_out", {}, "emotion")
    with pytest.raises(UserError, match=r"fold of each clip, and fake has 1,001"):
        make_splits(make_index(names, clip=names), "leave_one_clip_out", {}, "emotion")


def test_one_clip_a_fold_with_people_on_both_sides() -> None:
    index = make_index(["a", "a", "a", "b", "b"], clip=["a/2", "a/1", "a/2", "b/1", ""])
    splits = make_splits(index, "leave_one_clip_out", {"validation_share": 0.3}, "emotion")
    photograph = index.ids[4]
    order = sorted(["a/1", "a/2", "b/1", photograph])
    assert held_out(index, splits, "clip") == [["" if clip == photograph else clip] for clip in order]
    assert [len(split.test) for split in splits] == [2 if clip == "a/2" else 1 for clip in order]
    two = splits[order.index("a/1")]
    assert {"a"} & set(index.table["subject"].iloc[index.rows_of(two.train + two.validation)])


def test_clips_that_are_not_there() -> None:
    with pytest.raises(UserError, match=r"fake names no clip of any labelled image.*use leave_one_subject_out"):
        make_splits(make_index(["a", "b"], ["fear", None], clip=["", "b/1"]), "leave_one_clip_out", {}, "emotion")
    with pytest.raises(UserError, match="needs at least 2 clips, and fake has 1"):
        make_splits(make_index(["a", "a"], clip=["a/1", "a/1"]), "leave_one_clip_out", {}, "emotion")
    with pytest.raises(UserError, match=r"A share of 0\.5 of 1 clips leaves nobody to train on; use more clips"):
        make_splits(make_index(["a", "a"], clip=["x", "y"]), "leave_one_clip_out", {"validation_share": 0.5}, "emotion")


def test_named_people_are_tested_a_list_a_fold() -> None:
    codes = {name: subject_code("fake", name) for name in ("Anna", "Boris", "Cleo", "Dora", "Emil")}
    index = make_index([*codes.values(), *codes.values()])
    lists = [f"Anna  {codes['Boris']}", "Dora"]
    splits = make_splits(index, "subject_lists", {"lists": lists, "validation_share": 0}, "emotion")
    assert held_out(index, splits) == [sorted([codes["Anna"], codes["Boris"]]), [codes["Dora"]]]
    assert len(splits[0].train) == 6
    kept = kept_settings(index, "subject_lists", {"name": "subject_lists", "lists": lists, "seed": 3})
    assert kept == {
        "name": "subject_lists",
        "lists": [" ".join(sorted([codes["Anna"], codes["Boris"]])), codes["Dora"]],
        "seed": 3,
    }
    again = {key: value for key, value in kept.items() if key != "name"}
    assert kept_settings(index, "subject_lists", again) == again
    assert make_splits(index, "subject_lists", {**again, "validation_share": 0}, "emotion") == splits
    assert kept_settings(index, "subject_kfold", {"folds": 3}) == {"folds": 3}


@pytest.mark.parametrize(
    ("lists", "sentence"),
    [
        ([], "protocol.lists names nobody; subject_lists needs the people"),
        (["s1", " "], "protocol.lists has an empty list"),
        (["s1 Nobody"], "word 2 of list 1 is neither the code nor the name of anybody in fake"),
        (["s1", "s2", "s0123abcd"], r"word 1 of list 3 \(s0123abcd\) is neither"),
        (["s1 s2", "s3 s1"], "names s1 in list 1 and in list 2: a person is tested in one fold only"),
        (["s1 Anna", "ANNA"], "names s[0-9a-f]{8} in list 1 and in list 2"),
        (["s1 s2 s3 Anna"], "List 1 of protocol.lists names everybody with a label"),
        (["s1", "s4"], "Nobody in list 2 of protocol.lists has a label of 'emotion'"),
        (["s1 s2 s3"], "leaves nobody to train on"),
    ],
)
def test_lists_that_make_no_folds(lists: list[str], sentence: str) -> None:
    anna = subject_code("fake", "Anna")
    index = make_index(["s1", "s2", "s3", "s4", anna], ["fear", "fear", "fear", None, "fear"])
    if "ANNA" in lists:
        lists = [lists[0], anna]
    with pytest.raises(UserError, match=sentence) as caught:
        make_splits(index, "subject_lists", {"lists": lists}, "emotion")
    assert "Anna" not in str(caught.value) and "Nobody " not in str(caught.value).replace("Nobody in list", "")


def identities(seed: int = 0, clips: bool = False, counts: Sequence[int] = (10, 5, 3, 2, 1)) -> Index:
    names = [f"p{who}" for who, count in enumerate(counts) for _ in range(count) for _ in range(2 if clips else 1)]
    groups = [f"p{who}/{take}" for who, count in enumerate(counts) for take in range(count) for _ in range(2)]
    return make_index(names, identity=names, clip=groups if clips else [""] * len(names))


@pytest.mark.parametrize("clips", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_of_each_identity_a_share_is_tested_and_one_stays_in_training(clips: bool, seed: int) -> None:
    index = identities(clips=clips)
    settings = {"test_share": 0.3, "validation_share": 0.2, "seed": seed}
    (split,) = make_splits(index, "identity_holdout", settings, "identity")
    times = 2 if clips else 1
    for part, counts in (("test", [3, 2, 1, 1, 0]), ("validation", [1, 1, 1, 0, 0]), ("train", [6, 2, 1, 1, 1])):
        found = index.table["identity"].iloc[index.rows_of(getattr(split, part))].value_counts()
        assert [found.get(f"p{who}", 0) for who in range(5)] == [times * count for count in counts]
    if clips:
        part_of = {name: part for part in ("train", "validation", "test") for name in getattr(split, part)}
        parts = index.table["id"].map(part_of).groupby(index.table["clip"]).nunique()
        assert (parts == 1).all()


def test_seeds_hold_out_other_files_of_each_identity() -> None:
    index = identities()
    tests = {make_splits(index, "identity_holdout", {"seed": seed}, "identity")[0].test for seed in range(5)}
    assert len(tests) > 1


def test_identity_holdout_is_for_identities_with_enough_files() -> None:
    with pytest.raises(
        UserError, match="so it is for target 'identity' only, and this is 'emotion'; use subject_kfold"
    ):
        make_splits(identities(), "identity_holdout", {}, "emotion")
    with pytest.raises(UserError, match="an identity with at least 2 clips or files, and fake has none"):
        make_splits(identities(counts=(1, 1, 1)), "identity_holdout", {"validation_share": 0}, "identity")
    with pytest.raises(UserError, match=r"at least 3 clips or files.*or protocol\.validation_share=0"):
        make_splits(identities(counts=(2, 2)), "identity_holdout", {}, "identity")
    assert make_splits(identities(counts=(2, 2)), "identity_holdout", {"validation_share": 0}, "identity")


def test_a_cut_of_values_is_drawn_from_all() -> None:
    space = label_space("au/fera2015")
    table = index_table("fake", [f"{i}.jpg" for i in range(50)], subject=[f"s{i % 10}" for i in range(50)],
                        **{entry: np.linspace(0, 5, 50) for entry in space.entries})  # fmt: skip
    index = Index("fake", Path(), table, {"au": space})
    (split, *_) = make_splits(index, "subject_kfold", {"folds": 5, "train_samples": 7}, "au")
    assert len(split.train) == 7


def test_many_folds_of_many_frames() -> None:
    """327 clips of 30 frames, as CK+."""
    clips = [f"c{i // 30:03d}" for i in range(327 * 30)]
    index = make_index([f"s{i // 90:03d}" for i in range(len(clips))], clip=clips)
    splits = make_splits(index, "leave_one_clip_out", {}, "emotion")
    assert len(splits) == 327 and sum(len(split.test) for split in splits) == len(clips)
