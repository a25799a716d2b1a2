"""Tracks: what makes two scores comparable, hashed; and the rules by which a table is scored on one."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

import pandas as pd

from fer_zoo.core.files import plain
from fer_zoo.data.image_sources import WITHOUT_FACE
from fer_zoo.evaluation.prediction_table import REASON

SELECTIONS = ("val", "last", "test_peek")
MISSING_OUTPUTS = ("wrong", "left_out")
UNDETECTED_FACES = ("missing", "left_out")


@dataclass(frozen=True, kw_only=True)
class Track:
    """Data, target, protocol, metrics and rules. Everything but the name is hashed.

    Attributes:
        name: as users write it.
        fingerprint: of the index: ids, labels, subjects, clips.
        target: what is predicted.
        label_space: its name.
        entries: of the label space, in order.
        protocol: its name and settings.
        frames: which frames of a clip are used.
        metrics: what is shown; the first one ranks.
        selection: whose weights are kept, one of SELECTIONS.
        missing_outputs: whether an image without an output counts as wrong in the ranking, or is left out.
        undetected_faces: whether an image in which no face was found is one without an output, or no part of the track.
    """

    name: str
    fingerprint: str
    target: str
    label_space: str
    entries: tuple[str, ...]
    protocol: Mapping[str, Any]
    frames: str
    metrics: tuple[str, ...]
    selection: str
    missing_outputs: str
    undetected_faces: str

    @property
    def hash(self) -> str:
        """12 hex digits; scores of different ones are never ranked together."""
        text = json.dumps({key: value for key, value in self.to_dict().items() if key != "name"}, sort_keys=True)
        return sha256(text.encode()).hexdigest()[:12]

    @property
    def rank_metric(self) -> str:
        """The metric that ranks."""
        return self.metrics[0]

    @property
    def missing_is_wrong(self) -> bool:
        """Whether the ranking counts images without an output as wrong."""
        return self.missing_outputs == "wrong"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for hashing and for records."""
        values: dict[str, Any] = plain({entry.name: getattr(self, entry.name) for entry in fields(self)})
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Track":
        """The track that `to_dict` gave."""
        lists = {key: tuple(values[key]) for key in ("entries", "metrics")}
        return cls(**{**values, **lists})


def differences(first: Track, second: Track) -> dict[str, tuple[Any, Any]]:
    """Field -> (value in the first, value in the second), of the hashed fields that differ; protocols by setting.

    Example:
        >>> track = Track(name="a", fingerprint="0", target="emotion", label_space="emotion/raf", entries=("fear",),
        ...     protocol={"name": "subject_kfold", "folds": 3}, frames="all", metrics=("accuracy",), selection="val",
        ...     missing_outputs="wrong", undetected_faces="missing")
        >>> from dataclasses import replace
        >>> differences(track, replace(track, protocol={"name": "subject_kfold", "folds": 10}))
        {'protocol.folds': (3, 10)}
    """
    one, two = _flat(first.to_dict()), _flat(second.to_dict())
    keys = [key for key in dict.fromkeys([*one, *two]) if key != "name"]
    return {key: (one.get(key), two.get(key)) for key in keys if one.get(key) != two.get(key)}


def left_out(tables: Iterable[pd.DataFrame], track: Track) -> set[str]:
    """The ids of images that the track does not score: by its rule, those without a face in any of the tables."""
    if track.undetected_faces == "missing":
        return set()
    return {name for table in tables if REASON in table for name in table["id"][table[REASON].isin(WITHOUT_FACE)]}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in values.items() if key != "protocol"}
    return {**flat, **{f"protocol.{key}": value for key, value in values["protocol"].items()}}
