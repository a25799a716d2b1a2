"""Drawn people told apart: a training, its scores, and the backbone handed on to emotions."""

from pathlib import Path

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.finetune import start_training
from fer_zoo.engine.run import open_run
from fer_zoo.engine.train import train
from fer_zoo.evaluation.prediction_table import read_predictions

pytestmark = pytest.mark.usefixtures("blank_pictures")
PEOPLE = 3
NETWORK = {"method": "timm_classifier", "method.backbone": "resnet10t", "method.image_size": "32"}
HERE = {"trainer": "cpu", "data.workers": "0"}
TOLD_APART = {"method.target": "identity", "dataset.identity": "true", "protocol": "identity_holdout"}


def quiet(line: str) -> None:
    """Hears nothing."""


def configuration(folder: Path, *some: dict[str, str]) -> RunConfig:
    words = {**HERE, "output": str(folder), "dataset": "synthetic_faces", "dataset.size": "32"}
    words["dataset.num_samples"] = str(8 * PEOPLE)
    for given in some:
        words |= given
    return compose(list(words.items()), verb="train")


def test_people_are_learned_and_scored_and_the_backbone_is_handed_on(tmp_path: Path) -> None:
    run = train(configuration(tmp_path, NETWORK, TOLD_APART, {"trainer.max_epochs": "2"}), echo=quiet)
    task = load_method(run)
    report, folder = evaluate(run, list(HERE.items()), echo=quiet)
    table, _ = read_predictions(folder / "predictions.parquet")
    people = set(table["subject"])
    assert len(people) == PEOPLE and set(task.spaces["identity"].entries) == people
    assert task.monitor[0] == "val/identity/mean_class_accuracy"
    assert {f"prob_{code}" for code in people} <= set(table)
    assert report.scores.coverage.scored == len(table) == 2 * PEOPLE

    start = {"checkpoint": str(run), "method.target": "emotion", "protocol.folds": "3"}
    of_emotions = configuration(tmp_path, start)
    lines: list[str] = []
    fresh = open_run(of_emotions, echo=quiet)
    start_training(fresh, fresh.new_task(), tmp_path / "start", echo=lines.append)
    assert f"head of identity ({PEOPLE} entries) left behind: it is not trained here" in lines


def test_who_has_no_people_to_tell_apart_hears_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="learns 'identity', but synthetic_faces has labels of"):
        open_run(configuration(tmp_path, NETWORK, TOLD_APART, {"dataset.identity": "false"}), echo=quiet)
