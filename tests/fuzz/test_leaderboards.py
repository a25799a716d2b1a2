"""Damaged records of a leaderboard and files of tracks: a table, or one sentence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fakes.damage import EXAMPLES, damaged_bytes, damaged_json, examine
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import file_sha256
from fer_zoo.core.label_spaces import label_space
from fer_zoo.engine.track_files import read_track
from fer_zoo.evaluation.prediction_table import prediction_table, write_predictions
from fer_zoo.evaluation.tracks import Track
from fer_zoo.leaderboard.standings import standings_of
from fer_zoo.leaderboard.views import as_csv, as_markdown, as_text

many = pytest.mark.parametrize("examples", EXAMPLES)
SPACE = label_space("emotion/basic6")
TRACK = """
dataset: {name: image_folder}
protocol: {name: subject_kfold, folds: 2}
metrics: [accuracy]
"""


@pytest.fixture
def facts(tmp_path: Path) -> dict[str, object]:
    """Those of the record of a table of eight people."""
    n = 16
    ids = [f"{i:012x}" for i in range(n)]
    asked = pd.DataFrame({"id": ids, "subject": [f"s{i // 2}" for i in range(n)], "clip": "", "source": "a"})
    asked["emotion"] = [("anger", "fear")[i % 2] for i in range(n)]
    outputs = np.random.default_rng(0).dirichlet(np.ones(len(SPACE)), n)
    (tmp_path / "mine" / "a").mkdir(parents=True)
    table = tmp_path / "mine" / "a" / "predictions.parquet"
    scored = prediction_table(asked, SPACE, ids, outputs)
    scored["fold"] = [("fold1", "fold2")[i % 2] for i in range(n)]
    write_predictions(table, scored, SPACE)
    (tmp_path / "mine.yaml").write_text(TRACK)
    track = Track(
        name="mine", fingerprint="0", target="emotion", label_space=SPACE.name, entries=SPACE.entries,
        protocol={"name": "subject_kfold", "folds": 2}, frames="all", metrics=("accuracy",), selection="val",
        missing_outputs="wrong", undetected_faces="missing",
    )  # fmt: skip
    fold = {"on_test": {"gap": 0.1}, "labels": {"counts": {"a": {"anger": 3, "fear": 4}}}}
    return {
        "schema": 1,
        "track": {**track.to_dict(), "hash": track.hash},
        "entry": "timm_classifier",
        "seed": 0,
        "command": "fer-zoo leaderboard run track=mine methods=timm_classifier",
        "predictions_sha256": file_sha256(table),
        "pixels": "JPEG",
        "method": {"name": "timm_classifier"},
        "folds": {"fold1": fold, "fold2": fold},
        "cost": {"parameters": 1, "macs": 2, "faces_per_second": 3.5, "device": "CPU"},
        "commercial_use": "yes",
    }


def test_the_whole_record_is_shown(facts: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "mine" / "a" / "record.json").write_text(json.dumps(facts))
    assert "timm_classifier" in as_text(standings_of(tmp_path, str(tmp_path / "mine.yaml")))


@many
def test_records(facts: dict[str, object], tmp_path: Path, examples: int) -> None:
    def read(content: bytes) -> None:
        (tmp_path / "mine" / "a" / "record.json").write_bytes(content)
        board = standings_of(tmp_path, str(tmp_path / "mine.yaml"))
        for view in (as_text, as_markdown, as_csv):
            assert view(board)

    assert examine(damaged_json(facts), read, examples, "leaderboard records")["sentence"] > examples / 4


@many
def test_tracks(tmp_path: Path, examples: int) -> None:
    cases = damaged_bytes(TRACK.encode()) | st.text(max_size=200).map(str.encode)

    def read(content: bytes) -> None:
        (tmp_path / "mine.yaml").write_bytes(content)
        try:
            read_track(str(tmp_path / "mine.yaml")).words()
        except UserError as error:
            assert "\n" not in str(error)
            raise

    assert examine(cases, read, examples, "tracks")["sentence"] > examples / 4
