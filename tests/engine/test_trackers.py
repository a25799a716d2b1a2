"""Trackers: one run that was interrupted, went on and was evaluated, read back from what each tracker wrote of it."""

import errno
import json
import os
import shlex
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest
import wandb
from fakes import patterns, wandb_records
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fer_zoo.core.errors import UserError
from fer_zoo.engine import wandb_tracker
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.trackers import open_trackers, send_evaluation, send_result, shown_configuration
from fer_zoo.engine.train import train
from fer_zoo.engine.trainer_settings import LoggerSettings

PICTURES = {"confusion_matrix", "confident_errors", "reliability"}
SCORES = {"accuracy", "mean_class_accuracy", "macro_f1", "expected_calibration_error"}
HOST = "planted-host"


class Tracked:
    """The folder of the run, what was said, and whether the curves stood right after the interruption."""

    def __init__(self, folder: Path, lines: list[str], drawn: bool) -> None:
        self.folder, self.lines, self.drawn = folder, lines, drawn

    @property
    def scores(self) -> dict[str, float]:
        """What the report of the evaluation says."""
        first = json.loads((self.folder / "test/report.json").read_text())["rows"][0]
        return {name: first["values"][name]["value"] for name in SCORES}

    @property
    def tensorboard(self) -> EventAccumulator:
        """All event files of the run together, as TensorBoard shows them."""
        found = EventAccumulator(str(self.folder / "tensorboard"), size_guidance={"scalars": 0, "images": 0})
        return found.Reload()

    @property
    def wandb(self) -> list[Path]:
        """The parts of the wandb run, in the order of their start."""
        return sorted(self.folder.glob("wandb/offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def tracked(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracked]:
    """Three epochs with both trackers; Ctrl-C came in the third, when its validation values had been sent already."""
    output, lines = tmp_path_factory.mktemp("tracked"), list[str]()
    words = {"logger": "wandb", "logger.tensorboard": "true", "trainer.max_epochs": 3, "trainer.log_every_n_steps": 1}

    def interrupt(line: str) -> None:
        lines.append(line)
        if line.startswith("epoch 3/"):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "gethostname", lambda: HOST)
        _no_key(patch, output)
        config = compose(patterns.settings(faces, output, **words), verb="train")
        with pytest.raises(KeyboardInterrupt):
            train(config, echo=interrupt)
        drawn = list(output.glob("*/*/learning_curves.png")) != []
        folder = train(config, echo=lines.append)
        evaluate(folder, echo=lines.append)
        yield Tracked(folder, lines, drawn)
        wandb.teardown()


def _no_key(patch: pytest.MonkeyPatch, place: Path) -> None:
    """A machine on which nobody ever told wandb anything."""
    wandb.teardown()
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_IDENTITY_TOKEN_FILE"):
        patch.delenv(name, raising=False)
    patch.setenv("NETRC", str(place / "netrc"))
    for name in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        patch.setenv(name, str(place / "wandb-of-the-user"))


def test_csv_alone_writes_a_table_and_nothing_else(trained: Path) -> None:
    table = pd.read_csv(trained / "metrics.csv")
    assert list(table["epoch"]) == [1, 2]
    assert {"train/loss", "val/loss", "val/emotion/accuracy"} <= set(table.columns)
    assert not (trained / "tensorboard").exists() and not (trained / "wandb").exists()
    assert {path.stem for path in (trained / "validation").glob("*.png")} >= PICTURES


@pytest.mark.parametrize(
    ("words", "csv", "tensorboard", "wandb_too"),
    [
        ({}, True, False, False),
        ({"logger": "csv"}, True, False, False),
        ({"logger": "tensorboard"}, True, True, False),
        ({"logger": "wandb", "logger.project": "faces", "logger.entity": "lab"}, True, False, True),
        ({"logger.tensorboard": "true", "logger.wandb": "true", "logger.csv": "false"}, False, True, True),
    ],
)
def test_one_setting_chooses(
    configuration: Callable[..., RunConfig], words: dict[str, str], csv: bool, tensorboard: bool, wandb_too: bool
) -> None:
    chosen = configuration(**words).logger
    assert (chosen.csv, chosen.tensorboard, chosen.wandb) == (csv, tensorboard, wandb_too)
    assert (chosen.project, chosen.entity) == (words.get("logger.project", "fer_zoo"), words.get("logger.entity", ""))


def test_tensorboard_has_one_point_an_epoch_though_one_was_trained_twice(tracked: Tracked) -> None:
    found, table = tracked.tensorboard, pd.read_csv(tracked.folder / "metrics.csv")
    for name in ("train/loss", "val/loss", "val/emotion/accuracy"):
        points = found.Scalars(name)
        assert [point.value for point in points] == pytest.approx(table[name].tolist(), rel=1e-5)
        assert [point.step for point in points] == [step - 1 for step in table["step"]]
    steps = [point.step for point in found.Scalars("train/loss_of_step")]
    assert steps == list(range(int(table["step"].iloc[-1])))
    assert {point.value for point in found.Scalars("epoch")} == {1, 2, 3}


def test_tensorboard_has_scores_pictures_and_configuration(tracked: Tracked) -> None:
    found = tracked.tensorboard
    names = set(found.Tags()["images"])
    assert names >= {"learning_curves", *(f"{part}/{name}" for part in ("validation", "test") for name in PICTURES)}
    assert found.Images("test/confusion_matrix")[0].encoded_image_string.startswith(b"\x89PNG")
    assert {name: found.Scalars(f"test/{name}")[0].value for name in SCORES} == pytest.approx(tracked.scores)
    card = json.loads((tracked.folder / "model/card.json").read_text())
    kept = found.Scalars("validation/emotion/accuracy")[0].value
    assert kept == pytest.approx(card["validation"]["val/emotion/accuracy"])
    text = found.Tensors("configuration/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "backbone: test_resnet" in text and "validation_share: 0.25" in text


def test_wandb_has_one_run_whose_parts_follow_each_other(tracked: Tracked) -> None:
    table, parts = pd.read_csv(tracked.folder / "metrics.csv"), [wandb_records.history(file) for file in tracked.wandb]
    assert [file.name for file in tracked.wandb] == [f"run-{tracked.folder.name}.wandb"] * 3
    curve: dict[int, dict[str, Any]] = {}
    for row in (row for part in parts for row in part):
        before = curve.setdefault(row["trainer/global_step"], {})
        repeated = {name for name in {*before, *row} if name[0] != "_" and "curves" not in name}
        assert all(before[name] == pytest.approx(row[name]) for name in repeated if name in before and name in row)
        before.update(row)
    losses = {step: row["train/loss"] for step, row in curve.items() if "train/loss" in row}
    assert losses == pytest.approx(dict(zip(table["step"] - 1, table["train/loss"], strict=True)))
    gone_on = [row for part in parts[1:] for row in part]
    assert [row["_step"] for row in gone_on] == sorted(row["trainer/global_step"] for row in gone_on)


def test_wandb_has_scores_pictures_and_configuration(tracked: Tracked) -> None:
    last = [wandb_records.history(file)[-1] for file in tracked.wandb[1:]]
    for part, row in zip(("validation", "test"), last, strict=True):
        for name in PICTURES:
            folder = tracked.wandb[1 + (part == "test")].parent / "files"
            assert (folder / row[f"{part}/{name}/path"]).read_bytes() == (
                tracked.folder / part / f"{name}.png"
            ).read_bytes()
    assert "learning_curves/path" in last[0]
    assert {name: last[1][f"test/{name}"] for name in SCORES} == pytest.approx(tracked.scores)
    told = wandb_records.configuration(tracked.wandb[0])
    assert told["method"]["backbone"] == "test_resnet"
    assert told["trainer"]["max_epochs"] == 3


def test_nothing_tells_the_machine_its_folders_or_the_people(tracked: Tracked) -> None:
    files = [*tracked.wandb, *tracked.folder.glob("tensorboard/*"), *tracked.folder.glob("wandb/*/files/**/*.*")]
    names = [HOST, str(tracked.folder.parents[1]), str(Path.home()), *patterns.PEOPLE]
    assert len(files) > 10
    for file in files:
        content = file.read_bytes()
        assert not [name for name in names if name.encode() in content], file.name
    assert not list(tracked.folder.glob("wandb/*/files/*.*"))  # no metadata, no list of packages, no console
    assert not Path("wandb").exists()


def test_offline_is_said_with_the_command_that_sends_it(tracked: Tracked) -> None:
    told = [line for line in tracked.lines if line.startswith("wandb: ")]
    assert len(told) == 3  # begun, gone on, evaluated
    before, command = told[0].split("wandb sync ")
    assert before == "wandb: offline, because no key is set; to send the run: "
    assert set(Path("/").glob(shlex.split(command)[0].removeprefix("/"))) == {file.parent for file in tracked.wandb}
    assert not [line for line in tracked.lines if "warning" in line and "wandb" in line]


def test_learning_curves_stand_after_an_interruption(tracked: Tracked) -> None:
    assert tracked.drawn
    assert (tracked.folder / "learning_curves.png").is_file()


def open_alone(folder: Path, lines: list[str], **settings: Any) -> Any:
    return open_trackers(
        LoggerSettings(**settings), folder, name="a run", run_id="0123", configuration={"a": 1}, echo=lines.append
    )


def test_a_tracker_that_fails_is_told_once_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    (tmp_path / "tensorboard").write_text("a file where the folder should be")
    with open_alone(tmp_path, lines, tensorboard=True) as trackers:
        for step in range(3):
            trackers[0].log_metrics({"loss": 1.0}, step)
    assert len(lines) == 1 and lines[0].startswith("warning: tensorboard failed and gets nothing more of this run")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with open_alone(tmp_path / "other", lines, tensorboard=True) as trackers:
        trackers[0].log_metrics({"loss": 1.0}, 0)
        monkeypatch.setattr(trackers[0]._writer, "add_scalar", full)
        trackers[0].log_metrics({"loss": 1.0}, 1)
        send_result(trackers, values={"test/accuracy": 1.0}, pictures={}, step=2)
    assert len(lines) == 2 and "No space left on device" in lines[1]


def test_a_wandb_service_that_does_not_start_or_ends_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise ConnectionResetError("Connection lost")

    lines: list[str] = []
    with open_alone(tmp_path, lines, wandb=True) as trackers, pytest.MonkeyPatch.context() as patch:
        patch.setattr(trackers[0]._run, "log", lost)
        trackers[0].log_metrics({"loss": 1.0}, 1)
        trackers[0].log_metrics({"loss": 1.0}, 2)
        trackers[0]._run.finish()
    assert [line.split(" (")[0] for line in lines[1:]] == [
        "warning: wandb failed and gets nothing more of this run, which goes on"
    ]

    def unable(**_: Any) -> None:
        raise wandb.errors.WandbCoreNotAvailableError("no such program\nand more")

    monkeypatch.setattr(wandb, "init", unable)
    with open_alone(tmp_path, lines, wandb=True) as trackers:
        trackers[0].log_metrics({"loss": 1.0}, 1)
    assert lines[2:] == ["warning: wandb failed and gets nothing more of this run, which goes on (no such program)"]


def test_a_bug_in_a_tracker_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_alone(tmp_path, [], tensorboard=True) as trackers:
        monkeypatch.setattr(trackers[0]._writer, "add_scalar", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            trackers[0].log_metrics({"loss": 1.0}, 0)


def test_missing_wandb_is_one_sentence(
    configuration: Callable[..., RunConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb_tracker, "find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"^logger=wandb needs the package wandb, which is not installed: pip install wandb$"
    ):
        train(configuration(logger="wandb"), echo=lambda line: None)


class Modes:
    """Stands in for `wandb.init` and notes with which mode it was called; online fails where told."""

    def __init__(self, patch: pytest.MonkeyPatch, *, reachable: bool) -> None:
        self.calls: list[str] = []
        self.reachable = reachable
        patch.setattr(wandb, "init", self)

    def __call__(self, *, mode: str, **_: Any) -> Any:
        self.calls.append(mode)
        if mode == "online" and not self.reachable:
            raise wandb.errors.CommError("no answer\nin time")
        return Mock(url="https://there")


@pytest.mark.parametrize(
    ("environment", "netrc", "reachable", "calls", "said"),
    [
        ({}, "", True, ["offline"], "no key is set"),
        ({"WANDB_MODE": "online"}, "", True, ["offline"], "no key is set"),
        ({"WANDB_API_KEY": "k" * 40}, "", True, ["online"], "wandb: https://there"),
        ({}, "machine api.wandb.ai login user password " + "k" * 40, True, ["online"], "wandb: https://there"),
        ({"WANDB_API_KEY": "k" * 40}, "", False, ["online", "offline"], "because no answer; to send"),
        ({"WANDB_API_KEY": "k" * 40, "WANDB_MODE": "offline"}, "", True, ["offline"], "its mode is set so"),
        ({"WANDB_API_KEY": "k" * 40, "WANDB_MODE": "disabled"}, "", True, ["disabled"], "wandb: disabled"),
    ],
)
def test_online_only_with_a_key_and_an_answer(
    environment: dict[str, str],
    netrc: str,
    reachable: bool,
    calls: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _no_key(monkeypatch, tmp_path)
    (tmp_path / "netrc").write_text(netrc)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    modes, lines = Modes(monkeypatch, reachable=reachable), list[str]()
    settings = wandb.Settings()
    settings.update_from_env_vars(os.environ)
    monkeypatch.setattr(wandb, "setup", lambda: Mock(settings=settings))
    with open_alone(tmp_path / "run", lines, wandb=True):
        pass
    assert modes.calls == calls
    assert len(lines) == 1 and said in lines[0]


def test_a_wrong_setting_of_wandb_is_told_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _no_key(monkeypatch, tmp_path)
    monkeypatch.setenv("WANDB_MODE", "junk")
    lines: list[str] = []
    with open_alone(tmp_path / "run", lines, wandb=True) as trackers:
        trackers[0].log_metrics({"loss": 1.0}, 1)
    wandb.teardown()
    (line,) = lines
    assert line.startswith("warning: wandb failed and gets nothing more of this run, which goes on (a setting of its")
    assert "mode: Input should be 'online', 'offline'" in line


def test_other_processes_have_no_trackers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    with open_alone(tmp_path, [], tensorboard=True, wandb=True) as trackers:
        assert trackers == []
    assert not list(tmp_path.iterdir())


def test_configuration_is_shown_without_places(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    told = {
        "output": "runs",
        "dataset": {"root": str(tmp_path), "file": str(tmp_path / "labels.csv"), "subject_pattern": r"/(\w+)_"},
        "seed": 3,
    }
    assert shown_configuration(told) == {"dataset": {"file": "labels.csv", "subject_pattern": r"/(\w+)_"}, "seed": 3}


def test_an_evaluation_finds_no_run_or_none_that_is_done(
    configuration: Callable[..., RunConfig], tmp_path: Path
) -> None:
    from fer_zoo.engine.config import write_config

    lines: list[str] = []
    send_evaluation(tmp_path, "test", values={}, pictures={}, echo=lines.append)
    assert not lines
    write_config(tmp_path, configuration(logger="tensorboard"))
    send_evaluation(tmp_path, "test", values={"accuracy": 1.0}, pictures={}, echo=lines.append)
    assert len(lines) == 1 and lines[0].startswith("warning: this evaluation was not sent to the trackers of its run")
    assert not (tmp_path / "tensorboard").exists()
