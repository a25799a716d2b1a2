"""Tracks: what their hash knows, and what their rules do to a table."""

from dataclasses import fields, replace

import pandas as pd
import pytest

from fer_zoo.evaluation.tracks import Track, differences, left_out

TRACK = Track(
    name="faces",
    fingerprint="0123456789abcdef",
    target="emotion",
    label_space="emotion/basic6",
    entries=("anger", "fear"),
    protocol={"name": "subject_kfold", "folds": 3},
    frames="all",
    metrics=("accuracy", "macro_f1"),
    selection="val",
    missing_outputs="wrong",
    undetected_faces="missing",
)
OTHER = {
    "fingerprint": "fedcba9876543210",
    "target": "au",
    "label_space": "emotion/raf",
    "entries": ("fear", "anger"),
    "protocol": {"name": "subject_kfold", "folds": 10},
    "frames": "last_3",
    "metrics": ("macro_f1", "accuracy"),
    "selection": "test_peek",
    "missing_outputs": "left_out",
    "undetected_faces": "left_out",
}


def test_every_field_but_the_name_is_hashed() -> None:
    assert set(OTHER) == {entry.name for entry in fields(Track)} - {"name"}
    assert replace(TRACK, name="another").hash == TRACK.hash
    hashes = {replace(TRACK, **{key: value}).hash for key, value in OTHER.items()}
    assert len(hashes | {TRACK.hash}) == len(OTHER) + 1


def test_order_of_protocol_settings_does_not_matter() -> None:
    assert replace(TRACK, protocol={"folds": 3, "name": "subject_kfold"}).hash == TRACK.hash


@pytest.mark.parametrize("key", sorted(OTHER))
def test_a_difference_is_named_by_field(key: str) -> None:
    found = differences(TRACK, replace(TRACK, **{key: OTHER[key]}))
    assert list(found) == ["protocol.folds" if key == "protocol" else key]


def test_stored_track_is_the_same() -> None:
    assert Track.from_dict(TRACK.to_dict()) == TRACK
    assert differences(TRACK, Track.from_dict(TRACK.to_dict())) == {}


def test_rule_on_undetected_faces() -> None:
    table = pd.DataFrame({"id": ["a", "b", "c"], "reason": ["", "no face found", "cannot be decoded"]})
    other = table.assign(reason=["no face found", "", ""])
    rule = replace(TRACK, undetected_faces="left_out")
    assert left_out([table, other], TRACK) == set()
    assert left_out([table], rule) == {"b"}
    assert left_out([table, other], rule) == {"a", "b"}
    assert left_out([table.drop(columns="reason")], rule) == set()
