from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.settings import build_settings
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.protocols import PROTOCOLS, Split, check_split, make_splits, subject_labels

NAMES = ("anger", "happiness", "neutral", "fear", None)
KFOLDS = ("subject_kfold", "stratified_subject_kfold")

# (subject, class number); class 4 is no label, class 3 is outside the space
PEOPLE = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 4)), min_size=6, max_size=60)


def make_index(people: list[tuple[int, int]], **columns: object) -> Index:
    emotions = [NAMES[label] for _, label in people]
    subjects = [f"s{subject:02d}" for subject, _ in people]
    images = [f"{i}.jpg" for i in range(len(people))]
    table = index_table("fake", images, subject=subjects, emotion=emotions, **columns)
    return Index("fake", Path(), table, {"emotion": label_space("emotion/facial_expressions6")})


def labelled_subjects(people: list[tuple[int, int]]) -> set[int]:
    return {subject for subject, label in people if label != 4}


@pytest.mark.parametrize("name", [*KFOLDS, "subject_holdout"])
@given(people=PEOPLE, seed=st.integers(0, 5), share=st.sampled_from([0.0, 0.1, 0.3]))
def test_parts_are_disjoint_and_cover_every_label(
    name: str, people: list[tuple[int, int]], seed: int, share: float
) -> None:
    assume(len(labelled_subjects(people)) >= 4)
    index = make_index(people)
    settings = {"seed": seed, "validation_share": share, **({"folds": 3} if name in KFOLDS else {})}
    splits = make_splits(index, name, settings, "emotion")
    labelled = sorted(index.table["id"][index.table["emotion"].notna()])
    subject_of = dict(zip(index.table["id"], index.table["subject"], strict=True))
    for split in splits:
        assert sorted([*split.train, *split.validation, *split.test]) == labelled
        parts = [{subject_of[entry] for entry in part} for part in (split.train, split.validation, split.test)]
        assert len(set.union(*parts)) == sum(map(len, parts))
        assert bool(split.validation) == (share > 0)
        assert split.train and split.test
    if name in KFOLDS:
        assert sorted(entry for split in splits for entry in split.test) == labelled


@pytest.mark.parametrize("name", [*KFOLDS, "subject_holdout"])
@given(people=PEOPLE, seed=st.integers(0, 1000))
def test_order_of_rows_and_unlabelled_people_change_nothing(
    name: str, people: list[tuple[int, int]], seed: int
) -> None:
    assume(len(labelled_subjects(people)) >= 4)
    settings = {"folds": 3} if name in KFOLDS else {}
    index = make_index(people)
    splits = make_splits(index, name, settings, "emotion")
    shuffled = replace(index, table=index.table.sample(frac=1.0, random_state=seed))
    assert make_splits(shuffled, name, settings, "emotion") == splits
    more = make_index([*people, (50, 4), (51, 4)])  # two more people, neither with a label
    assert make_splits(more, name, settings, "emotion") == splits


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
