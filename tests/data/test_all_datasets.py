"""Every data set of the registry, on a miniature copy laid out as distributed, whose truth is known."""

import importlib
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes.fake import Fake, blank

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.registry import DATASETS
from fer_zoo.core.sample import sample_id
from fer_zoo.core.settings import build_settings, describe_settings
from fer_zoo.data.checks import check_dataset
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import PROTOCOLS, make_splits
from fer_zoo.data.video_frames import file_of
from fer_zoo.engine.config_files import protocol_file

FEW_FOLDS: dict[str, dict[str, Any]] = {
    "official_split": {},
    "subject_kfold": {"folds": 3, "validation_share": 0.25},
    "stratified_subject_kfold": {"folds": 3, "validation_share": 0.25},
    "subject_holdout": {"test_share": 0.4, "validation_share": 0.25},
    "leave_one_subject_out": {"validation_share": 0.25},
    "leave_one_clip_out": {"validation_share": 0.25},
    "identity_holdout": {},
    "test_only": {},
}


def few_folds(protocol: str, index: Index, target: str) -> dict[str, Any]:
    """Settings for a dozen samples; two lists of the data's own people."""
    if protocol != "subject_lists":
        return FEW_FOLDS[protocol]
    codes = sorted(index.table["subject"][index.is_labelled(target)].unique())
    return {"lists": [codes[0], " ".join(codes[1:3])]}


def another_label(index: Index, target: str) -> tuple[str, object]:
    """A column and what it does not hold for the first sample."""
    space = index.space(target)
    if space.kind == "values":
        return space.entries[0], 0.321
    return target, next(entry for entry in space.entries if entry != index.table[target][0])


def refusal(protocol: str, index: Index, target: str) -> str:
    """Why data cannot be divided so, "" where they can."""
    if protocol == "official_split" and "split" not in index.table:
        return "has no official split; use one of the protocols subject_kfold"
    if protocol == "leave_one_clip_out" and not index.table["clip"].any():
        return "names no clip of any labelled image"
    if protocol == "identity_holdout" and target != "identity":
        return f"it is for target 'identity' only, and this is '{target}'"
    return ""


def write(name: str, folder: Path) -> Fake:
    made: Fake = importlib.import_module(f"fakes.{name}").write(folder)  # a data set without a fake fails here
    return made


@pytest.fixture(scope="module", params=DATASETS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def fake(name: str, tmp_path_factory: pytest.TempPathFactory) -> Fake:
    """Of all tests that leave its files as they are."""
    return write(name, tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def index(name: str, fake: Fake) -> Index:
    return open_dataset(name, fake.root, **fake.settings)


@pytest.fixture
def own_fake(name: str, tmp_path: Path) -> Fake:
    """Of a test that damages it."""
    return write(name, tmp_path)


def by_path(index: Index, column: str) -> dict[str, object]:
    return dict(zip(index.table["image"], index.table[column], strict=True))


def test_reads_exactly_the_samples_with_their_labels(fake: Fake, index: Index) -> None:
    assert fake.target in index.label_spaces
    assert (by_path(index, "emotion") if "emotion" in index.table else {}) == dict(fake.labels)
    assert by_path(index, "id") == {path: sample_id(index.dataset, path) for path in fake.people}
    for entry, truth in fake.values.items():
        found = by_path(index, entry)
        for path, value in truth.items():
            assert found[path] == value or (math.isnan(value) and math.isnan(found[path]))


def test_tells_people_apart_and_hides_their_names(fake: Fake, index: Index) -> None:
    codes = by_path(index, "subject")
    assert Counter(codes.values()).total() == len(fake.people)
    pairs = {(codes[path], person) for path, person in fake.people.items()}
    assert len(pairs) == len(set(fake.people.values())) == len(set(codes.values()))
    shown = index.table.drop(columns="image").to_csv() + " ".join(note.sentence for note in index.notes)
    assert not [word for word in fake.hidden if word.lower() in shown.lower()]


def test_reads_the_official_split_and_notes_what_it_found(fake: Fake, index: Index, name: str) -> None:
    if fake.parts:
        assert by_path(index, "split") == dict(fake.parts)
        assert DATASETS[name].official_split
    assert {note.kind: len(note.ids) for note in index.notes if note.kind in fake.notes} == dict(fake.notes)


def test_opens_no_image(own_fake: Fake, fake: Fake, index: Index, name: str) -> None:
    for path in own_fake.people:
        blank(own_fake.root / index.root.relative_to(fake.root) / file_of(path))
    assert open_dataset(name, own_fake.root, **own_fake.settings).fingerprint() == index.fingerprint()


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_every_protocol_parts_its_units(fake: Fake, index: Index, protocol: str) -> None:
    if reason := refusal(protocol, index, fake.target):
        with pytest.raises(UserError, match=reason):
            make_splits(index, protocol, {}, fake.target)
        return
    splits = make_splits(index, protocol, few_folds(protocol, index, fake.target), fake.target)
    unit = {"clip": "clip", "file": "id"}.get(PROTOCOLS[protocol].unit, "subject")
    units = index.table[unit].where(index.table[unit] != "", index.table["id"])
    unit_of = dict(zip(index.table["id"], units, strict=True))
    labelled = set(index.table["id"][index.is_labelled(fake.target)])
    for split in splits:
        parts = [{unit_of[entry] for entry in part} for part in (split.train, split.validation, split.test)]
        assert all(parts if PROTOCOLS[protocol].trains else parts[2:])
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert sorted([*split.train, *split.validation, *split.test]) == sorted(labelled)
    if "kfold" in protocol or "leave_one" in protocol:
        assert sorted(entry for split in splits for entry in split.test) == sorted(labelled)


def test_fingerprint_knows_labels_and_not_the_order_of_rows(fake: Fake, index: Index) -> None:
    shuffled = replace(index, table=index.table.sample(frac=1.0, random_state=3))
    assert shuffled.fingerprint() == index.fingerprint()
    assert make_splits(shuffled, "subject_kfold", {"folds": 2}, fake.target) == make_splits(
        index, "subject_kfold", {"folds": 2}, fake.target
    )
    for column, other in (another_label(index, fake.target), ("subject", "s0"), ("clip", "c0")):
        table = index.table.copy()
        table.loc[0, column] = other
        assert replace(index, table=table).fingerprint() != index.fingerprint()


def test_label_outside_the_space_is_one_sentence(own_fake: Fake, name: str) -> None:
    label = own_fake.spoil_label()
    with pytest.raises(UserError, match=repr(label)) as caught:
        open_dataset(name, own_fake.root, **own_fake.settings)
    assert_is_one_sentence(str(caught.value), own_fake.hidden)


def test_empty_folder_and_missing_root_are_one_sentence(fake: Fake, name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for root in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(UserError) as caught:
            open_dataset(name, root, **fake.settings)
        assert root.name in str(caught.value)
        assert_is_one_sentence(str(caught.value), fake.hidden)


def test_unknown_setting_names_the_nearest(fake: Fake, name: str) -> None:
    first = describe_settings(DATASETS[name].settings)[0][0]
    with pytest.raises(UserError, match=f"Did you mean '{first}'"):
        open_dataset(name, fake.root, **{f"{first}x": "1"})


def test_check_is_clean_and_finds_planted_damage(own_fake: Fake, name: str) -> None:
    fake, index = own_fake, open_dataset(name, own_fake.root, **own_fake.settings)
    space = index.label_spaces[fake.target]
    entry = "happiness" if fake.target == "emotion" else space.entries[0]
    card = replace(DATASETS[name], expected={"samples": len(fake.people), f"{fake.target}={entry}": 1_000})
    report = check_dataset(index, card)
    labels = fake.labels or fake.people  # who is shown is the label of identity
    happy = sum(label == entry for label in labels.values())
    assert report.differences == {
        f"{fake.target}={entry}": (1_000, happy if space.kind == "classes" else len(fake.people))
    }
    assert not report.missing and not report.unreadable and not report.duplicates
    of_label = report.classes[fake.target].values()
    assert (sum(of_label) if space.kind == "classes" else max(of_label)) == report.samples == len(fake.people)
    files = pd.Series(index.ids, [file_of(image) for image in index.table["image"]])
    names = list(dict.fromkeys(files.index))[:4]
    first, second, third, fourth = (index.root / name for name in names)
    in_first, in_second, in_third, in_fourth = (tuple(files[[name]]) for name in names)  # one; of a video its frames
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) // 2])
    second.unlink()
    third.write_bytes(fourth.read_bytes())
    damaged = check_dataset(index, card)
    assert damaged.unreadable and set(damaged.unreadable) <= set(in_first)
    assert damaged.missing == in_second
    assert damaged.duplicates == tuple(zip(in_third, in_fourth, strict=True))
    assert not damaged.is_clean
    assert not [word for word in fake.hidden if word in damaged.to_text() + str(damaged.to_dict())]


def test_card_is_complete(name: str) -> None:
    card = DATASETS[name]
    build_settings(card.settings, {}, where="dataset")
    assert card.name == name and card.summary and card.ask and card.traps and card.terms.licence
    assert protocol_file(card.protocol)["name"] in PROTOCOLS
    assert card.own_data or card.drawn or card.expected  # of one's own files, or as many as one asks for
    for target, space in card.targets.items():
        assert label_space(space).target == target
    assert all(doc for *_, doc in describe_settings(card.settings))


def test_target_array_maps_by_name(fake: Fake, index: Index) -> None:
    if index.label_spaces[fake.target].kind == "values":
        narrow = index.label_spaces[fake.target].only(index.label_spaces[fake.target].entries[1:3])
        found = index.table[list(narrow.entries)].to_numpy(dtype=np.float32)
        assert np.array_equal(index.target_array(fake.target, narrow), found)
        return
    own, target = index.label_spaces[fake.target], fake.target
    other = label_space("emotion/raf") if target == "emotion" else own.only(own.entries[1:3])
    names = [None if i < 0 else other.entries[i] for i in index.target_array(target, other)]
    assert names == [label if label in other.entries else None for label in index.table[target]]
    assert set(index.target_array(target)) <= {-1, *range(len(own))}
    assert np.array_equal(index.target_array(target) >= 0, index.table[target].isin(own.entries))


def assert_is_one_sentence(text: str, hidden: tuple[str, ...]) -> None:
    assert "\n" not in text and text.endswith((".", "?"))
    assert not [word for word in hidden if word in text]
