"""Crossvalidation: every fold once, every test id once, nothing twice."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import clips

import fer_zoo.engine.train as train_module
from fer_zoo.core.errors import UserError
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.crossvalidate import crossvalidate, describe_folds, folds
from fer_zoo.engine.train import train
from fer_zoo.evaluation.prediction_table import read_predictions

pytestmark = pytest.mark.usefixtures("blank_pictures")
Configure = Callable[..., RunConfig]


def quiet(line: str) -> None:
    """Hears nothing."""


def test_all_folds_are_pooled(configuration: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configuration(verb="crossvalidate", trainer__max_epochs=1)
    train(configuration(trainer__max_epochs=1, fold=1), echo=quiet)  # the second fold is done already
    lines: list[str] = []
    report, folder = crossvalidate(config, echo=lines.append)
    runs = folds(config, echo=quiet)
    assert sum("done already" in line for line in lines) == 1
    table = read_predictions(folder / "predictions.parquet")[0]
    assert sorted(table["id"]) == sorted(runs[0].index.ids)
    for run in runs:
        own = table[table["fold"] == run.split.name]
        assert sorted(own["id"]) == sorted(run.split.test)
    assert [row["state"] for row in describe_folds(runs)] == ["done", "done"]
    assert len(json.loads((folder / "result.json").read_text())["runs"]) == 2

    monkeypatch.setattr(train_module, "fit_trainer", None)  # would fail if anything were trained again
    again, same = crossvalidate(config, echo=quiet)
    assert same == folder
    assert again.to_dict() == report.to_dict()


def test_dry_run_makes_nothing(configuration: Configure, tmp_path: Path) -> None:
    rows = describe_folds(folds(configuration(verb="crossvalidate"), echo=quiet))
    assert [row["state"] for row in rows] == ["new", "new"]
    assert [row["train"] + row["validation"] + row["test"] for row in rows] == [48, 48]
    assert len({row["folder"] for row in rows}) == 2
    assert not (tmp_path / "runs").exists()


def test_folds_tell_what_their_parts_hold(tmp_path: Path) -> None:
    sheet = clips.write(tmp_path / "faces")
    words = clips.settings(sheet, tmp_path / "runs", protocol="leave_one_subject_out")
    runs = folds(compose(words, verb="crossvalidate"), echo=quiet)
    rows = describe_folds(runs)
    assert [row["fold"] for row in rows] == ["fold1", "fold2", "fold3", "fold4"]
    for row, run in zip(rows, runs, strict=True):
        assert (row["train"], row["train_subjects"], row["train_clips"]) == (36, 2, 12)
        assert (row["test"], row["test_subjects"], row["test_clips"]) == (18, 1, 6)
        assert row["ids"]["validation"] == list(run.split.validation)
        subjects = run.index.table.set_index("id")["subject"]
        assert row["subjects"]["test"] == sorted(set(subjects.loc[list(run.split.test)]))
        assert row["hash"] == run.split.hash and row["identical"] == []
    assert len({row["hash"] for row in rows}) == 4
    json.dumps(rows)


def test_copies_in_different_parts_are_named(configuration: Configure, faces: Path, tmp_path: Path) -> None:
    root = shutil.copytree(faces, tmp_path / "copied")
    runs = folds(configuration(root=root, verb="crossvalidate"), echo=quiet)
    images = dict(zip(runs[0].index.table["id"], runs[0].index.table["image"], strict=True))
    first, second = runs[0].split.test[0], runs[0].split.train[0]
    shutil.copy(root / images[first], root / images[second])
    assert [row["identical"] for row in describe_folds(runs)] == [[sorted([first, second])]] * 2


def test_several_processes_train_each_fold_apart(configuration: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fold is one command, which starts its processes and ends with them; a failure is told."""
    commands: list[list[str]] = []

    def run(command: list[str], *, check: bool) -> "subprocess.CompletedProcess[str]":
        commands.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr("subprocess.run", run)
    config = configuration(verb="crossvalidate", trainer__devices=2)
    with pytest.raises(UserError, match="ended with code 3"):
        crossvalidate(config, echo=quiet)
    folder = folds(config, echo=quiet)[0].folder
    assert commands == [[sys.executable, "-m", "fer_zoo", "train", f"resume={folder}"]]


def test_launchers_are_refused(configuration: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UserError, match=r"torchrun.*fold=K"):
        crossvalidate(configuration(verb="crossvalidate", trainer__devices=2), echo=quiet)
