"""A checkpoint on a test grid: scores at each condition, and their curve."""

import json
from pathlib import Path

import pytest
import yaml

from fer_zoo.core.errors import UserError
from fer_zoo.engine.config_files import configs_folder
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.track_files import read_track
from fer_zoo.evaluation.prediction_table import read_predictions

pytestmark = pytest.mark.usefixtures("blank_pictures")
GRIDS = ("pose_light", "intensity", "width", "occluders")


def quiet(line: str) -> None:
    """Hears nothing."""


def small_track(folder: Path, name: str, num_samples: int) -> Path:
    """The track of a grid, cut to its first samples."""
    track = yaml.safe_load((configs_folder() / "track" / f"synthetic_{name}.yaml").read_text(encoding="utf-8"))
    track["dataset"]["num_samples"] = num_samples
    del track["fingerprint"]
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(track), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "cells", "conditions"),
    [("intensity", 5, 5), ("width", 6, 6), ("occluders", 5, 5), ("pose_light", 20, 4 + 5 + 20)],
)
def test_a_checkpoint_is_scored_in_every_cell(
    trained: Path, tmp_path: Path, name: str, cells: int, conditions: int
) -> None:
    track, output = small_track(tmp_path, name, 7 * cells), tmp_path / "scores"
    words = [("track", str(track)), ("output", str(output)), ("data.workers", "0"), ("trainer", "cpu")]
    report, folder = evaluate(trained, words, echo=quiet)
    assert len(report.conditions) == conditions
    assert {score.people for score in report.conditions} == {1}
    crossed = [score for score in report.conditions if len(score.at) == (2 if name == "pose_light" else 1)]
    assert len(crossed) == cells
    assert sum(score.images for score in crossed) == report.scores.coverage.scored == 6 * cells  # all but one class
    stored = json.loads((folder / "report.json").read_text())
    assert len(stored["per_condition"]) == conditions
    assert (folder / "conditions.png").is_file() == (name != "occluders") and (folder / "track.json").is_file()
    table, meta = read_predictions(folder / "predictions.parquet")
    assert len(table) == 7 * cells
    assert {column for column in table if column.startswith("condition_")} <= set(meta.columns)


@pytest.mark.parametrize("name", GRIDS)
def test_tracks_of_grids_are_for_testing_alone(name: str) -> None:
    file = read_track(f"synthetic_{name}")
    assert not file.trains and file.settings.fingerprint


def test_an_unknown_grid_is_one_sentence(trained: Path) -> None:
    with pytest.raises(UserError, match=r"'synthetic_pose_lights'\. Did you mean 'synthetic_pose_light'"):
        evaluate(trained, [("track", "synthetic_pose_lights")], echo=quiet)
