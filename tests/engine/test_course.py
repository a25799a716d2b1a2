"""How training is shown, each callback alone: what reaches trackers, when curves are drawn, what a bar counts."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import pytorch_lightning as pl
import torch
from PIL import Image
from rich.console import Console
from torch.utils.data import DataLoader

from fer_zoo.core.errors import UserError
from fer_zoo.engine import course
from fer_zoo.engine.callbacks import EpochTable, KeepBest
from fer_zoo.engine.course import FaceBar, LearningCurves, StepValues
from fer_zoo.engine.trackers import Tracker

MODULE = Mock(spec=pl.LightningModule)


def pretend(**attributes: Any) -> pl.Trainer:
    """A trainer that has these attributes and does nothing."""
    return Mock(spec=pl.Trainer, **{"is_global_zero": True, "world_size": 1, "max_epochs": 9, **attributes})


def test_step_values_come_every_so_many_steps_with_the_loss_of_the_whole_step() -> None:
    """Two batches make a step; what Lightning hands out is divided by two."""
    tracker = Mock(spec=Tracker)
    optimizer = Mock(param_groups=[{"lr": 0.1}, {"lr": 0.3}])
    callback = StepValues(every=2)
    for batch in range(8):
        trainer = pretend(
            loggers=[tracker], global_step=(batch + 1) // 2, optimizers=[optimizer], accumulate_grad_batches=2
        )
        callback.on_train_batch_end(trainer, MODULE, {"loss": torch.tensor(float(batch))}, None, batch)
    sent = [(call.args[1], call.args[0]["train/loss_of_step"]) for call in tracker.log_metrics.call_args_list]
    assert sent == [(1, 6.0), (3, 14.0)]
    assert tracker.log_metrics.call_args.args[0]["train/learning_rate"] == 0.3


def test_a_resumed_run_tells_its_trackers_where() -> None:
    tracker, other = Mock(spec=Tracker), Mock(spec=pl.loggers.Logger)
    callback = StepValues(every=1)
    callback.on_load_checkpoint(pretend(loggers=[tracker, other]), MODULE, {"global_step": 12})
    tracker.go_on_from.assert_called_once_with(12)


def curves_of(folder: Path, *, rows: int) -> LearningCurves:
    table, best = EpochTable(None, print), KeepBest(lambda task, scores: None, ("val/emotion/accuracy", True))
    table.rows = [{"epoch": n + 1, "step": n, "val/emotion/accuracy": 0.1 * n} for n in range(rows)]
    best.best = {"val/emotion/accuracy": 0.1, "epoch": 2}
    return LearningCurves(folder / "learning_curves.png", table, best, "a run")


def test_curves_are_drawn_between_only_where_that_takes_little_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that a drawing moves by one second, and an epoch by five: every fifth epoch has time for one.

    Before it is known what a drawing takes, it is thought to be half a second: three epochs.
    """
    now, drawn = [0.0], []

    def save(path: Path, figure: Any) -> None:
        now[0] += 1.0
        drawn.append(len(curves.table.rows))

    monkeypatch.setattr(course.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(course, "save_figure", save)
    curves = curves_of(tmp_path, rows=0)
    for epoch in range(1, 13):
        now[0] += 5.0
        curves.table.rows.append({"epoch": epoch, "val/loss": 1.0})
        curves.on_train_epoch_end(pretend(), MODULE)
    assert drawn == [3, 8]
    curves.on_train_end(pretend(), MODULE)
    curves.on_exception(pretend(), MODULE, KeyboardInterrupt())  # nothing is new
    assert drawn == [3, 8, 12]


def test_curves_are_drawn_after_an_interruption_which_stays_the_news(tmp_path: Path) -> None:
    curves_of(tmp_path, rows=3).on_exception(pretend(), MODULE, KeyboardInterrupt())
    with Image.open(tmp_path / "learning_curves.png") as picture:
        assert picture.width > 300
    (tmp_path / "file").touch()
    unable = curves_of(tmp_path / "file", rows=3)
    unable.on_exception(pretend(), MODULE, KeyboardInterrupt())
    with pytest.raises(UserError, match="Cannot write"):
        unable.on_train_end(pretend(), MODULE)


def test_other_processes_draw_nothing(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, rows=3)
    curves.on_train_end(pretend(is_global_zero=False), MODULE)
    assert not list(tmp_path.iterdir())


def go_through(bar: FaceBar, loader: Any, **attributes: Any) -> None:
    """An epoch of training and its validation."""
    values = {"val/emotion/accuracy": torch.tensor(0.25)}
    trainer = pretend(
        callback_metrics=values, current_epoch=2, train_dataloader=loader, val_dataloaders=loader, **attributes
    )
    bar.on_train_epoch_start(trainer, MODULE)
    for number in range(3):
        bar.on_train_batch_end(trainer, MODULE, None, {"row": range(4)}, number)
    bar.on_validation_start(trainer, MODULE)
    bar.on_validation_batch_end(trainer, MODULE, None, {"row": range(4)}, 0)
    bar.on_validation_end(trainer, MODULE)


def test_a_bar_counts_faces_and_shows_the_monitored_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loader: Any = DataLoader(range(12), batch_size=4)  # type: ignore[arg-type]  # a range is a data set, too
    monkeypatch.setattr(Console, "is_terminal", True)
    monkeypatch.setenv("COLUMNS", "120")
    go_through(FaceBar("val/emotion/accuracy"), loader, world_size=2)
    told = capsys.readouterr()
    assert told.out == ""
    for words in ("epoch 3/9 (accuracy 0.250)", "/24", "faces/s", "validation"):
        assert words in told.err, words
    go_through(FaceBar(), loader, is_global_zero=False)
    assert capsys.readouterr().err == ""


def test_no_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    loader: Any = DataLoader(range(12), batch_size=4)  # type: ignore[arg-type]  # a range is a data set, too
    go_through(FaceBar("val/emotion/accuracy"), loader)
    assert capsys.readouterr() == ("", "")


def test_a_bar_goes_away_with_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The cursor is back, and the next line stands where the bar was."""
    monkeypatch.setattr(Console, "is_terminal", True)
    bar, loader = FaceBar(), DataLoader(range(12), batch_size=4)  # type: ignore[arg-type, var-annotated]  # see above
    bar.on_predict_start(pretend(predict_dataloaders=loader), MODULE)
    bar.on_predict_batch_end(pretend(), MODULE, None, {"row": range(4)}, 0)
    assert "\x1b[?25h" not in capsys.readouterr().err
    bar.on_exception(pretend(), MODULE, KeyboardInterrupt())
    assert "\x1b[?25h" in capsys.readouterr().err
