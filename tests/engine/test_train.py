"""Training: what a run leaves behind, how it goes on, and what stops it."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from fakes import patterns
from PIL import Image
from safetensors.torch import load_file

import fer_zoo.engine.train as train_module
from fer_zoo.core.errors import UserError
from fer_zoo.engine.callbacks import EpochTable, KeepBest
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import RunConfig
from fer_zoo.engine.jobs import status
from fer_zoo.engine.train import resume, train

pytestmark = pytest.mark.usefixtures("blank_pictures")
Configure = Callable[..., RunConfig]
MODEL = "model/model.safetensors"


class StopsAfter:
    """An echo that raises once an epoch has been told."""

    def __init__(self, epoch: int, error: type[BaseException]) -> None:
        self.words, self.error = f"epoch {epoch}/", error

    def __call__(self, line: str) -> None:
        if line.startswith(self.words):
            raise self.error("stopped by the test")


def quiet(line: str) -> None:
    """Hears nothing."""


def folder_of(configuration: RunConfig) -> Path:
    return train_module.open_run(configuration, echo=quiet).folder


def equal_weights(first: Path, second: Path) -> bool:
    one, two = load_file(first), load_file(second)
    return list(one) == list(two) and all(torch.equal(one[name], two[name]) for name in one)


def last_weights(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, torch.Tensor]]:
    """Fills with the weights at the end of each training, whichever were the best."""
    kept: list[dict[str, torch.Tensor]] = []
    original = train_module.fit_trainer

    def fit_trainer(*args: Any, **kwargs: Any) -> Any:
        trainer, task = original(*args, **kwargs), kwargs["task"]
        fit = trainer.fit

        def fit_and_keep(*a: Any, **k: Any) -> None:
            fit(*a, **k)
            kept.append({name: tensor.clone() for name, tensor in task.network.state_dict().items()})

        trainer.fit = fit_and_keep
        return trainer

    monkeypatch.setattr(train_module, "fit_trainer", fit_trainer)
    return kept


def test_run_folder_holds_what_is_promised(trained: Path) -> None:
    files = {path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()}
    expected = {"config.yaml", MODEL, "model/card.json", "metrics.csv", "learning_curves.png", "result.json"}
    assert files - {".lock", "test"} >= expected
    assert not {file for file in files if file.endswith(".ckpt") or "failure" in file}
    assert status(trained) == "done"
    with Image.open(trained / "learning_curves.png") as picture:
        assert min(picture.size) > 200
    rows = pd.read_csv(trained / "metrics.csv")
    assert rows["epoch"].tolist() == [1, 2]
    assert rows["train/loss"].notna().all()
    result = json.loads((trained / "result.json").read_text())
    best = rows.loc[rows["val/emotion/mean_class_accuracy"].idxmax()]
    assert result["validation"]["epoch"] == best["epoch"]
    assert result["validation"]["val/emotion/accuracy"] == pytest.approx(best["val/emotion/accuracy"])


def test_no_names_of_people_and_no_places_in_the_checkpoint(trained: Path, faces: Path) -> None:
    card = (trained / "model" / "card.json").read_text()
    assert str(faces) not in card
    assert not any(person in card for person in patterns.PEOPLE)


def test_second_call_reads_the_result(configuration: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    first = train(configuration(trainer__max_epochs=1), echo=quiet)
    monkeypatch.setattr(train_module, "fit_trainer", None)  # would fail if it trained again
    assert train(configuration(trainer__max_epochs=1), echo=lines.append) == first
    assert any("done already" in line for line in lines)


def test_a_run_is_resumed_where_it_lies_by_now(configuration: Configure, tmp_path: Path) -> None:
    config = configuration(trainer__max_epochs=3)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        train(config, echo=StopsAfter(2, RuntimeError))
    broken = folder_of(config)
    moved = (tmp_path / "elsewhere" / broken.parent.name).resolve()
    moved.parent.mkdir()
    broken.parent.rename(moved)
    lines: list[str] = []
    assert resume(moved / broken.name, echo=lines.append) == moved / broken.name
    assert status(moved / broken.name) == "done" and not broken.exists()
    assert not any(line.startswith("epoch 1/") for line in lines)
    again: list[str] = []
    assert resume(moved / broken.name, echo=again.append) == moved / broken.name
    assert again == [f"done already, in {moved / broken.name}"]


def test_a_run_of_other_data_is_not_resumed_as_another_one(configuration: Configure, tmp_path: Path) -> None:
    faces = patterns.write(tmp_path / "faces")
    config = configuration(root=faces)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        train(config, echo=StopsAfter(1, RuntimeError))
    (folder,) = (tmp_path / "runs" / "timm_classifier_image_folder").iterdir()
    next(faces.glob("*/Alba_0.png")).unlink()
    with pytest.raises(UserError, match="cannot be resumed: its configuration with the data as they are now"):
        resume(folder, echo=quiet)
    assert list(folder.parent.iterdir()) == [folder]


def test_place_and_workers_do_not_change_the_id(configuration: Configure, tmp_path: Path) -> None:
    patterns.write(tmp_path / "elsewhere")
    first = folder_of(configuration())
    assert folder_of(configuration(root=tmp_path / "elsewhere", data__workers=3, data__cache="false")) == first
    assert folder_of(configuration(seed=1)) != first
    assert folder_of(configuration(fold=1)) != first
    assert folder_of(configuration(method__dropout=0.3)) != first


@pytest.mark.parametrize("workers", [0, 2])
def test_continued_run_equals_an_unbroken_one(
    configuration: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Bit for bit, with augmentation, dropout, drawn samples, a falling rate and momentum."""
    kept = last_weights(monkeypatch)
    words = {
        "trainer__max_epochs": 3,
        "data__workers": workers,
        "data__augmentation": "strong",
        "data__sampling": "class_balanced",
        "data__batch_size": 6,
        "method__dropout": 0.3,
    }
    unbroken = train(configuration(output=tmp_path / "unbroken", **words), echo=quiet)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        train(configuration(output=tmp_path / "broken", **words), echo=StopsAfter(2, RuntimeError))
    broken = tmp_path / "broken" / unbroken.relative_to(tmp_path / "unbroken")
    assert status(broken) == "resumable"
    lines: list[str] = []
    assert train(configuration(output=tmp_path / "broken", **words), echo=lines.append) == broken
    assert any("carries on" in line for line in lines)
    assert not any(line.startswith("epoch 1/") for line in lines)
    first, second = kept
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert equal_weights(unbroken / MODEL, broken / MODEL)
    assert (unbroken / "metrics.csv").read_text() == (broken / "metrics.csv").read_text()
    assert not (broken / "resume.ckpt").exists()


def test_continued_run_with_averaged_weights_equals_an_unbroken_one(
    configuration: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = last_weights(monkeypatch)
    words = {"trainer__max_epochs": 3, "trainer__ema_decay": 0.8, "data__batch_size": 6}
    unbroken = train(configuration(output=tmp_path / "unbroken", **words), echo=quiet)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        train(configuration(output=tmp_path / "broken", **words), echo=StopsAfter(3, RuntimeError))
    broken = train(configuration(output=tmp_path / "broken", **words), echo=quiet)
    first, second = kept
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert equal_weights(unbroken / MODEL, broken / MODEL)


def test_interrupted_run_is_told_in_one_sentence_and_goes_on(configuration: Configure, tmp_path: Path) -> None:
    """Ctrl-C: exit code 130, no traceback, the best weights and the resume file stand."""
    config = configuration(trainer__max_epochs=200)
    run = _command(config)
    with run:
        _read_until(run, "epoch 2/")
        run.send_signal(signal.SIGINT)
        out, told = run.communicate()
    assert run.returncode == 130, (out[-300:], told)
    assert told.strip().splitlines()[-1].startswith("fer-zoo: interrupted")
    assert "Traceback" not in told
    folder = folder_of(config)
    assert status(folder) == "resumable"
    assert load_method(folder).card["validation"]["epoch"] >= 1
    assert torch.load(folder / "resume.ckpt", weights_only=True)["epoch"] >= 0
    assert not (folder / "failure.json").exists()


def test_interrupt_leaves_the_handler_as_it_was(configuration: Configure) -> None:
    """In a notebook the second Ctrl-C must work as the first."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(configuration(), echo=StopsAfter(1, KeyboardInterrupt))
    assert signal.getsignal(signal.SIGINT) is before


def test_loss_that_is_not_finite_stops_the_run_and_keeps_the_best(configuration: Configure) -> None:
    config = configuration(
        trainer__max_epochs=6, method__learning_rate=1e30, method__warmup_share=0, trainer__gradient_clip=0
    )
    with pytest.raises(UserError, match=r"val/loss is nan .*learning_rate"):
        train(config, echo=quiet)
    folder = folder_of(config)
    assert status(folder) == "failed"
    assert "val/loss is nan" in json.loads((folder / "failure.json").read_text())["reason"]


def test_weights_from_before_a_bad_loss_are_kept(configuration: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch of the second epoch is poisoned; the weights of the first are loaded afterwards."""

    def poison(self: EpochTable, trainer: Any, pl_module: Any) -> None:
        if trainer.current_epoch == 1:
            pl_module.network.head.bias.data.fill_(float("nan"))

    monkeypatch.setattr(EpochTable, "on_train_epoch_start", poison)
    config = configuration(trainer__max_epochs=3)
    with pytest.raises(UserError, match=r"loss became nan in epoch 2.* best weights so far stand in .*model"):
        train(config, echo=quiet)
    task = load_method(folder_of(config))
    assert task.card["validation"]["epoch"] == 1
    assert all(parameter.isfinite().all() for parameter in task.network.parameters())


def test_bad_loss_without_weights_promises_none(configuration: Configure) -> None:
    config = configuration(
        trainer__max_epochs=1, method__learning_rate=1e30, method__warmup_share=0, trainer__gradient_clip=0,
        data__batch_size=6,
    )  # fmt: skip
    with pytest.raises(UserError) as error:
        train(config, echo=quiet)
    assert "kept" not in str(error.value)
    assert "stand in" not in str(error.value)


def test_output_that_is_a_file_is_told(configuration: Configure, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match=r"taken.* cannot be written.*output=FOLDER"):
        train(configuration(output=tmp_path / "taken"), echo=quiet)


def test_full_disk_is_told_and_what_stood_stays(configuration: Configure) -> None:
    """A file may not grow over one megabyte: the first weights do not fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        config = configuration(data__cache="false")
        with pytest.raises(UserError, match=r"Cannot write .*model: File too large"):
            train(config, echo=quiet)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert not list(folder_of(config).glob("**/*model.safetensors"))


def test_averaged_weights_are_kept_and_scored(configuration: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best weights are the average by its formula, and their card says what they score."""
    decay, own, average, saved = 0.8, [], {}, []

    def note(self: EpochTable, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        own.append(pl_module.network.head.weight.detach().clone())

    def keep(self: KeepBest, trainer: Any, pl_module: Any) -> None:
        saved.append(pl_module.network.head.weight.detach().clone())

    monkeypatch.setattr(EpochTable, "on_train_batch_end", note)
    original = KeepBest.on_validation_epoch_end
    monkeypatch.setattr(KeepBest, "on_validation_epoch_end", lambda *args: (keep(*args), original(*args))[1])
    words = {"trainer__max_epochs": 2, "data__batch_size": 6, "trainer__ema_decay": decay}
    folder = train(configuration(**words), echo=quiet)
    average = own[0]  # torch's AveragedModel begins with a copy after the first step
    for weight in own[1 : len(own) // 2]:
        average = decay * average + (1 - decay) * weight
    torch.testing.assert_close(saved[0], average)
    assert not torch.equal(saved[0], own[len(own) // 2 - 1])
    epoch = load_method(folder).card["validation"]["epoch"]
    assert torch.equal(load_file(folder / MODEL)["head.weight"], saved[epoch - 1])


def test_early_stopping(configuration: Configure) -> None:
    """A rate of zero changes nothing, so the value never improves."""
    words = {"trainer__max_epochs": 9, "method__learning_rate": 0.0, "trainer__early_stopping_patience": 2}
    folder = train(configuration(**words, trainer__monitor="val/emotion/accuracy"), echo=quiet)
    assert len(pd.read_csv(folder / "metrics.csv")) <= 4


@pytest.mark.parametrize("monitor", ["val/loss", "val/emotion/expected_calibration_error", "val/emotion/macro_f1"])
def test_other_monitors_choose_the_best_epoch(configuration: Configure, monitor: str) -> None:
    lines: list[str] = []
    folder = train(configuration(trainer__max_epochs=3, trainer__monitor=monitor), echo=lines.append)
    rows = pd.read_csv(folder / "metrics.csv")
    best = rows[monitor].idxmax() if monitor.endswith("f1") else rows[monitor].idxmin()
    assert json.loads((folder / "result.json").read_text())["validation"]["epoch"] == best + 1
    [told] = [line for line in lines if line.startswith("kept: ")]
    name, value = monitor.rsplit("/", 1)[-1], rows[monitor][best]
    assert told.startswith(f"kept: the weights of epoch {best + 1} of 3, with the best {name} ({value:.3f}) on ")


@pytest.mark.parametrize("monitor", ["val/emotion/acuracy", "acuracy", "val/au/mae"])
def test_unknown_monitor_is_told_before_anything_is_trained(configuration: Configure, monitor: str) -> None:
    lines: list[str] = []
    with pytest.raises(UserError, match=r"acuracy|val/au/mae"):
        train(configuration(trainer__monitor=monitor), echo=lines.append)
    assert not any(line.startswith("epoch") for line in lines)


def test_accumulation_and_clipping(configuration: Configure) -> None:
    """Steps of two batches of six; a limit of nearly nothing leaves the weights nearly where they were."""
    folder = train(configuration(data__batch_size=6, trainer__accumulate=2, trainer__max_epochs=2), echo=quiet)
    plain = train(configuration(data__batch_size=6, trainer__max_epochs=2), echo=quiet)
    steps = [int(pd.read_csv(f / "metrics.csv")["step"].iloc[-1]) for f in (folder, plain)]
    assert steps == [4, 6]
    sgd = {"method__optimizer": "sgd", "method__weight_decay": 0, "trainer__max_epochs": 1, "method__warmup_share": 0}
    limited = train(configuration(trainer__gradient_clip=1e-9, **sgd), echo=quiet)
    start = train_module.open_run(configuration(**sgd), echo=quiet).new_task().network.state_dict()
    moved = load_file(limited / MODEL)
    torch.testing.assert_close(moved["head.weight"], start["head.weight"], rtol=0, atol=1e-10)
    free = train(configuration(trainer__gradient_clip=0, **sgd), echo=quiet)
    assert (load_file(free / MODEL)["head.weight"] - start["head.weight"]).abs().max() > 1e-6


def test_logs_are_written_where_asked(configuration: Configure) -> None:
    folder = train(configuration(trainer__max_epochs=1, logger="tensorboard"), echo=quiet)
    assert list(folder.glob("tensorboard/**/events.out.tfevents*"))
    assert (folder / "metrics.csv").is_file()


def test_class_without_training_samples_is_told(configuration: Configure) -> None:
    with pytest.raises(UserError, match="no training sample of neutral"):
        train(configuration(dataset__label_space="emotion/basic7", dataset__classes="anger,neutral"), echo=quiet)


def test_empty_validation_part_is_told_before_anything_is_trained(configuration: Configure) -> None:
    lines: list[str] = []
    with pytest.raises(UserError, match="validation"):
        train(configuration(protocol__validation_share=0), echo=lines.append)
    assert not any(line.startswith("epoch") for line in lines)


def _command(config: RunConfig) -> "subprocess.Popen[str]":
    """The command line of a configuration that `patterns.settings` made, started in a process of its own."""
    words = patterns.settings(
        Path(config.dataset["root"]), Path(config.output), trainer__max_epochs=config.trainer.max_epochs
    )
    command = [sys.executable, "-m", "fer_zoo", "train", *(f"{key}={value}" for key, value in words)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=_hear_interrupts,
    )


def _hear_interrupts() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and with it the tests and what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read_until(run: "subprocess.Popen[str]", start: str) -> None:
    for line in run.stdout or ():
        if line.startswith(start):
            return
    raise AssertionError(f"{start!r} was never said: {run.stderr.read() if run.stderr else ''}")


def test_images_too_small_for_the_network_are_told_before_anything_is_trained(configuration: Configure) -> None:
    config = configuration(method__backbone="inception_v3", method__image_size=32)
    with pytest.raises(UserError, match=r"timm_classifier cannot take images of 32 x 32 pixels.*method\.image_size"):
        train(config, echo=quiet)
