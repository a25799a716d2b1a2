from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space, own_space
from fer_zoo.core.settings import build_settings
from fer_zoo.data.index import Index, clip_code, index_table
from fer_zoo.data.protocols import PROTOCOLS, Split, Unit, check_split, make_splits, subject_labels

NAMES = ("anger", "happiness", "neutral", "fear", None)
KFOLDS = ("subject_kfold", "stratified_subject_kfold")
EVERY_ONCE = (*KFOLDS, "leave_one_subject_out", "leave_one_clip_out")  # each sample is tested in one fold

# (subject, class number); class 4 is no label, class 3 is outside the space
PEOPLE = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 4)), min_size=6, max_size=60)
FIRST = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (2, 1), (3, 2)]
ENOUGH = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 4)), max_size=50).map(lambda people: FIRST + people)
few = settings(max_examples=20)


def make_index(people: list[tuple[int, int]], **columns: object) -> Index:
    """Two of three rows are frames of a clip of their person; who has no label has no identity."""
    emotions = [NAMES[label] for _, label in people]
    subjects = [f"s{subject:02d}" for subject, _ in people]
    columns.setdefault("clip", [f"{name}/clip{i % 4}" if i % 3 else "" for i, name in enumerate(subjects)])
    columns["identity"] = [None if label is None else name for name, label in zip(subjects, emotions, strict=True)]
    images = [f"{i}.jpg" for i in range(len(people))]
    table = index_table("fake", images, subject=subjects, emotion=emotions, **columns)
    spaces = {
        "emotion": label_space("emotion/facial_expressions6"),
        "identity": own_space("identity", subjects, where=""),
    }
    return Index("fake", Path(), table, spaces)


def labelled_subjects(people: list[tuple[int, int]]) -> set[int]:
    return {subject for subject, label in people if label != 4}


def target_of(name: str) -> str:
    return "identity" if name == "identity_holdout" else "emotion"


def prepared(name: str, people: list[tuple[int, int]], share: float = 0.1) -> tuple[Index, dict[str, Any]]:
    """An index and settings with which a protocol makes splits."""
    subjects = sorted(labelled_subjects(people))
    chosen: dict[str, Any] = {"validation_share": share}
    columns: dict[str, Any] = {}
    if name in KFOLDS:
        chosen["folds"] = 3
    elif name == "subject_lists":
        chosen["lists"] = [f"s{subjects[0]:02d}", f"s{subjects[2]:02d} s{subjects[1]:02d}"]
    elif name == "official_split":
        columns["split"] = ["test" if subject in subjects[:2] else "train" for subject, _ in people]
    return make_index(people, **columns), chosen


def units_of(index: Index, name: str) -> dict[str, str]:
    """What an id must not share with another part, found row by row."""
    unit = PROTOCOLS[name].unit
    rows = index.table.to_dict("records")
    return {
        row["id"]: {"subject": row["subject"], "clip": row["clip"] or row["id"], "file": row["id"]}[unit]
        for row in rows
    }


@pytest.mark.parametrize("name", PROTOCOLS)
@few
@given(people=ENOUGH, seed=st.integers(0, 5), share=st.sampled_from([0.0, 0.1, 0.3]))
def test_parts_are_disjoint_and_cover_every_label(
    name: str, people: list[tuple[int, int]], seed: int, share: float
) -> None:
    index, chosen = prepared(name, people, share)
    splits = make_splits(index, name, {**chosen, "seed": seed}, target_of(name))
    labelled = sorted(index.table["id"][index.table["emotion"].notna()])
    unit_of = units_of(index, name)
    for split in splits:
        assert sorted([*split.train, *split.validation, *split.test]) == labelled
        parts = [{unit_of[entry] for entry in part} for part in (split.train, split.validation, split.test)]
        assert len(set.union(*parts)) == sum(map(len, parts))
        assert bool(split.validation) == (share > 0 and PROTOCOLS[name].trains)
        assert bool(split.train) == PROTOCOLS[name].trains and split.test
    if name in EVERY_ONCE:
        assert sorted(entry for split in splits for entry in split.test) == labelled


@pytest.mark.parametrize("name", PROTOCOLS)
@few
@given(people=ENOUGH, seed=st.integers(0, 1000), most=st.sampled_from([0, 3]))
def test_order_of_rows_and_unlabelled_people_change_nothing(
    name: str, people: list[tuple[int, int]], seed: int, most: int
) -> None:
    index, chosen = prepared(name, people)
    chosen["train_samples"] = most
    splits = make_splits(index, name, chosen, target_of(name))
    shuffled = replace(index, table=index.table.sample(frac=1.0, random_state=seed))
    assert make_splits(shuffled, name, chosen, target_of(name)) == splits
    assert [split.hash for split in splits] == [s.hash for s in make_splits(shuffled, name, chosen, target_of(name))]
    columns = {"split": [*index.table["split"], "train", "test"]} if "split" in index.table else {}
    more = make_index([*people, (50, 4), (51, 4)], **columns)  # two more people, neither with a label
    assert make_splits(more, name, chosen, target_of(name)) == splits


@pytest.mark.parametrize("name", PROTOCOLS)
@few
@given(people=ENOUGH, seed=st.integers(0, 5), most=st.integers(1, 20))
def test_a_cut_takes_from_training_alone(name: str, people: list[tuple[int, int]], seed: int, most: int) -> None:
    index, chosen = prepared(name, people)
    chosen["seed"] = seed
    whole = make_splits(index, name, chosen, target_of(name))
    cut = make_splits(index, name, {**chosen, "train_samples": most}, target_of(name))
    again = make_splits(index, name, {**chosen, "train_samples": most}, target_of(name))
    larger = make_splits(index, name, {**chosen, "train_samples": most + 1}, target_of(name))
    assert cut == again
    for before, after, one_more in zip(whole, cut, larger, strict=True):
        assert (after.validation, after.test) == (before.validation, before.test)
        assert len(after.train) == min(most, len(before.train))
        assert set(after.train) <= set(one_more.train) <= set(before.train)


def test_a_cut_keeps_the_shares_of_classes() -> None:
    people = [(i % 40, 0 if i % 10 < 6 else 1 if i % 10 < 9 else 2) for i in range(1000)]
    index = make_index(people)
    drawn = set()
    for seed in (0, 1):
        chosen = {"folds": 2, "validation_share": 0, "train_samples": 100, "seed": seed}
        (split, _) = make_splits(index, "subject_kfold", chosen, "emotion")
        whole = make_splits(index, "subject_kfold", {**chosen, "train_samples": 0}, "emotion")[0]
        wished = index.table["emotion"].iloc[index.rows_of(whole.train)].value_counts(normalize=True) * 100
        found = index.table["emotion"].iloc[index.rows_of(split.train)].value_counts()
        assert ((found - wished).abs() <= 1).all() and len(found) == 3
        drawn.add(split.train)
    assert len(drawn) == 2


@given(people=PEOPLE, folds=st.integers(2, 5))
def test_sorted_folds_are_every_nth_subject(people: list[tuple[int, int]], folds: int) -> None:
    subjects = sorted(labelled_subjects(people))
    assume(len(subjects) >= folds)
    index = make_index(people)
    splits = make_splits(index, "subject_kfold", {"folds": folds, "validation_share": 0}, "emotion")
    for k, split in enumerate(splits):
        assert split.name == f"fold{k + 1}"
        wanted = {f"s{subject:02d}" for subject in subjects[k::folds]}
        assert set(index.table["subject"].iloc[index.rows_of(split.test)]) == wanted


def test_classes_are_even_over_stratified_folds_and_their_validation() -> None:
    people = [(subject, subject % 3) for subject in range(99)]
    index = make_index(people)
    for split in make_splits(index, "stratified_subject_kfold", {"folds": 3, "validation_share": 0.5}, "emotion"):
        for part in (split.train, split.validation, split.test):
            counts = index.table["emotion"].iloc[index.rows_of(part)].value_counts()
            assert counts.min() >= counts.max() - 1 and len(counts) == 3


def test_seed_draws_other_people() -> None:
    index = make_index([(subject, subject % 4) for subject in range(60)])
    for name in ("subject_holdout", "subject_kfold", "stratified_subject_kfold"):
        first, again, other = (make_splits(index, name, {"seed": seed}, "emotion") for seed in (0, 0, 1))
        assert first == again != other
    tests = [{*make_splits(index, "subject_holdout", {"test_share": 0.25}, "emotion")[0].test}]
    assert len(tests[0]) == 15


def test_values_count_a_sample_where_it_is_active() -> None:
    space = label_space("au/fera2015")
    values = {entry: [0.0, 2.0, np.nan, np.nan] for entry in space.entries}
    table = index_table("fake", list("abcd"), subject=["s2", "s1", "s1", "s3"], **values)
    index = Index("fake", Path(), table, {"au": space})
    subjects, counts = subject_labels(index, "au")
    assert subjects == ["s1", "s2"]
    assert counts.tolist() == [[1.0] * 5 + [1.0], [0.0] * 5 + [1.0]]
    split = make_splits(index, "stratified_subject_kfold", {"folds": 2, "validation_share": 0}, "au")[0]
    assert len(split.train) == len(split.test) == 1


def official(parts: list[str], subjects: list[int]) -> Index:
    return make_index([(subject, i % 3) for i, subject in enumerate(subjects)], split=parts)


def test_official_parts_are_kept_and_validation_comes_from_training() -> None:
    index = official(["train"] * 6 + ["test"] * 2 + [""], [0, 0, 1, 2, 3, 4, 5, 6, 7])
    (split,) = make_splits(index, "official_split", {"validation_share": 0.4}, "emotion")
    assert set(split.test) == set(index.ids[6:8])
    assert set(split.train) | set(split.validation) == set(index.ids[:6])
    assert len(set(index.table["subject"].iloc[index.rows_of(split.validation)])) == 2
    index = official(["train", "train", "validation", "test"], [0, 1, 2, 3])
    (split,) = make_splits(index, "official_split", {}, "emotion")
    assert (set(split.train), split.validation, split.test) == (set(index.ids[:2]), (index.ids[2],), (index.ids[3],))
    (split,) = make_splits(index, "official_split", {"test_part": "validation"}, "emotion")
    assert split.test == (index.ids[2],)
    assert {*split.train, *split.validation} == set(index.ids[:2])


def test_official_split_with_a_person_on_both_sides_is_refused_with_the_code() -> None:
    for shares in ({}, {"validation_share": 0.4}):
        with pytest.raises(UserError, match=r"1 subjects both in train and in test: s01; "):
            make_splits(
                official(["train", "train", "test", "train"], [0, 1, 1, 2]), "official_split", shares, "emotion"
            )


def test_official_split_that_is_not_there() -> None:
    with pytest.raises(UserError, match="no official split; use one of the protocols subject_kfold, stratified"):
        make_splits(make_index([(0, 0), (1, 1)]), "official_split", {}, "emotion")
    with pytest.raises(UserError, match="holds only train 2, validation 1: it needs train and test"):
        make_splits(official(["train", "train", "validation"], [0, 1, 2]), "official_split", {}, "emotion")


def test_check_names_at_most_five_codes() -> None:
    index = make_index([(subject, 0) for subject in range(8) for _ in range(2)])
    split = Split("planted", tuple(index.ids[::2]), (), tuple(index.ids[1::2]))
    with pytest.raises(UserError, match="8 subjects both in train and in test: s00, s01, s02, s03, s04 and 3 more"):
        check_split(index, split)
    with pytest.raises(UserError, match="empty test part"):
        check_split(index, Split("planted", tuple(index.ids), (), ()))
    with pytest.raises(UserError, match="empty train part"):
        check_split(index, Split("planted", (), (), tuple(index.ids)))


@pytest.mark.parametrize("parts", [(0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize(
    ("unit", "shared"), [("subject", "s00"), ("clip", "cabcdef01"), ("clip", None), ("file", None)]
)
def test_a_planted_unit_on_both_sides_is_refused_with_its_code(
    parts: tuple[int, int], unit: Unit, shared: str | None
) -> None:
    """The clip of no code is a path; what is shown of it is a hash. An image of no clip is shown by its id."""
    clips = [shared if unit == "clip" and shared else "Anna Muster/1"] * 2
    index = make_index([(0, 0), (0 if unit == "subject" else 1, 1), *((i, 0) for i in range(2, 8))],
                       clip=[*clips, "", "", "x", "y", "z", "w"])  # fmt: skip
    first, second, *others = index.ids
    ids = [others[:2], others[2:4], others[4:]]
    ids[parts[0]].append(first)
    ids[parts[1]].append(first if unit == "file" else second)
    code = {"subject": "s00", "clip": shared or clip_code("fake", "Anna Muster/1"), "file": first}[unit]
    names = [("train", "validation", "test")[part] for part in parts]
    with pytest.raises(UserError, match=f"1 {unit}s both in {names[0]} and in {names[1]}: {code};") as caught:
        check_split(index, Split("planted", *map(tuple, ids)), unit)
    assert "Anna" not in str(caught.value)
    ids[parts[1]].pop()
    check_split(index, Split("planted", *map(tuple, ids)), unit)


def test_an_image_of_no_clip_is_a_clip_of_its_own() -> None:
    index = make_index([(0, 0), (0, 1), (0, 2), (1, 0)], clip=["", "", "a", "b"])
    check_split(index, Split("planted", tuple(index.ids[:1]), tuple(index.ids[2:3]), tuple(index.ids[1:2])), "clip")
    with pytest.raises(UserError, match=f"1 clips both in train and in test: {index.ids[0]};"):
        check_split(index, Split("planted", tuple(index.ids[:1]), (), tuple(index.ids[:1])), "clip")


def test_too_few_people_and_wrong_words() -> None:
    index = make_index([(0, 0), (1, 1), (2, 4)])
    for name in KFOLDS:
        with pytest.raises(UserError, match=r"protocol\.folds needs at least 3 subjects, and fake has 2"):
            make_splits(index, name, {"folds": 3}, "emotion")
    with pytest.raises(UserError, match="leaves nobody to train on"):
        make_splits(index, "subject_kfold", {"folds": 2}, "emotion")
    with pytest.raises(UserError, match="leaves nobody to train on"):
        make_splits(index, "stratified_subject_kfold", {"folds": 2}, "emotion")
    with pytest.raises(UserError, match="Did you mean 'subject_kfold'"):
        make_splits(index, "subject_kfolds", {}, "emotion")
    with pytest.raises(UserError, match="Did you mean 'folds'"):
        make_splits(index, "subject_kfold", {"fold": 2}, "emotion")
    with pytest.raises(UserError, match="has no target 'au'"):
        make_splits(index, "subject_kfold", {}, "au")
    with pytest.raises(UserError, match="No sample of fake has a label of 'emotion'"):
        make_splits(make_index([(0, 4), (1, 4)]), "subject_kfold", {}, "emotion")


def test_every_protocol_has_a_config_of_its_name() -> None:
    folder = Path(__file__).parents[2] / "configs" / "protocol"
    assert {path.stem for path in folder.glob("*.yaml")} >= set(PROTOCOLS)
    for path in folder.glob("*.yaml"):
        values = yaml.safe_load(path.read_text())
        build_settings(PROTOCOLS[values.pop("name")].settings, values, where="protocol")
