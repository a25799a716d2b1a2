"""One checkpoint on a track: on its own fold, on all people of other data, never on whom it has seen."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from fakes import patterns

from fer_zoo.core.errors import UserError
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.config import compose
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.named_weights import shipped_weights
from fer_zoo.engine.results import PREDICTIONS
from fer_zoo.engine.train import train
from fer_zoo.evaluation.prediction_table import read_predictions

from .conftest import NETWORK, Place

pytestmark = pytest.mark.usefixtures("blank_pictures")


def quiet(line: str) -> None:
    """Hears nothing."""


def score(run: Path, place: Place, track: Path, output: Path) -> dict[str, object]:
    """The track's facts beside the report, and how many images were asked for."""
    root = str(place.folder / "faces")
    words = [("track", str(track)), ("dataset.root", root), ("output", str(output)), ("data.workers", "0")]
    report, folder = evaluate(run, words, echo=quiet)
    facts: dict[str, object] = json.loads((folder / "track.json").read_text())
    return {**facts, "asked": report.scores.coverage.asked}


def test_a_run_of_the_track_is_scored_on_its_fold_under_the_hash_of_the_board(done: Place, tmp_path: Path) -> None:
    plan = done.plan(seeds="2")
    cell = next(cell for cell in plan.cells if cell.entry == NETWORK and cell.run.config.fold == 1)
    found = score(cell.run.folder, done, done.track, tmp_path / "scores")
    assert found["hash"] == plan.grid.track.hash
    assert (found["split"], found["asked"]) == ("fold2", len(cell.run.split.test))


def test_a_run_of_other_data_is_scored_on_all_people(done: Place, tmp_path: Path) -> None:
    others = patterns.write(tmp_path / "others", people=("Ines", "Jan", "Kim", "Lea"), seed=1)
    run = train(compose(patterns.settings(others, tmp_path / "runs"), verb="train"), echo=quiet)
    found = score(run, done, done.track, tmp_path / "scores")
    assert (found["split"], found["asked"]) == ("all", 48)


def test_people_of_the_training_are_refused_on_another_track(done: Place, tmp_path: Path) -> None:
    (cell, *_) = done.plan(seeds="2").cells
    track = yaml.safe_load(done.track.read_text())
    track["protocol"]["folds"] = 4
    (tmp_path / "four.yaml").write_text(yaml.safe_dump(track))
    with pytest.raises(UserError, match="test subjects were in the training of this checkpoint"):
        score(cell.run.folder, done, tmp_path / "four.yaml", tmp_path / "scores")


def test_weights_chosen_by_another_rule_are_refused(done: Place, tmp_path: Path) -> None:
    words = patterns.settings(
        done.folder / "faces", tmp_path / "runs", trainer__selection="test_peek", trainer__follow_test="true"
    )
    run = train(compose(words, verb="train"), echo=quiet)
    with pytest.raises(UserError, match="chosen by 'test_peek', those of the track patterns are by 'val'"):
        score(run, done, done.track, tmp_path / "scores")


def test_what_the_track_decides_is_not_set_beside_it(done: Place) -> None:
    (cell, *_) = done.plan(seeds="2").cells
    with pytest.raises(UserError, match=r"protocol\.folds is decided by the track patterns"):
        evaluate(cell.run.folder, [("track", str(done.track)), ("protocol.folds", "3")], echo=quiet)


def test_data_and_folds_are_those_of_the_track_whatever_the_training_had(tmp_path: Path) -> None:
    """These weights learned from faces of two models, of another seed, on the same data set."""
    track = {
        "dataset": {"name": "synthetic_faces", "num_samples": 16, "size": 24, "samples_per_person": 2},
        "protocol": {"name": "subject_kfold", "folds": 2},
    }
    (tmp_path / "few.yaml").write_text(yaml.safe_dump(track))
    shutil.copytree(shipped_weights()["emotion_small"], tmp_path / "weights")
    card = json.loads((tmp_path / "weights" / "card.json").read_text())
    card["training"] |= {"fold": 4, "protocol": {"name": "subject_kfold", "folds": 5}}
    (tmp_path / "weights" / "card.json").write_text(json.dumps(card))
    words = [("track", str(tmp_path / "few.yaml")), ("output", str(tmp_path / "scores"))]
    report, folder = evaluate(tmp_path / "weights", words, echo=quiet)
    meta = read_predictions(folder / PREDICTIONS)[1]
    index = open_dataset("synthetic_faces", num_samples=16, size=24, samples_per_person=2)
    assert meta.extra["fingerprint"] == index.fingerprint()
    assert (meta.extra["split"], report.scores.coverage.asked) == ("all", 16)
