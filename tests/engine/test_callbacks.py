"""The zoo's callbacks, each alone."""

import math
import signal
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import pytorch_lightning as pl
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.engine.callbacks import (
    KeepBest,
    SeedEachBatch,
    StopAtInterrupt,
    StopAtNonFiniteLoss,
    TellFewSteps,
    monitor_of,
)
from fer_zoo.engine.create import create_method
from fer_zoo.tasks.face_task import FaceTask


@pytest.fixture(scope="module")
def task() -> FaceTask:
    return create_method("timm_classifier", backbone="resnet10t", image_size=32)


def pretend(**attributes: Any) -> pl.Trainer:
    """A trainer that has these attributes and does nothing."""
    return Mock(spec=pl.Trainer, **attributes)


MODULE = Mock(spec=pl.LightningModule)


def epochs(task: FaceTask, values: list[float], *, higher: bool) -> list[int]:
    """The epochs, from 1 on, that are kept when the monitored value runs so."""
    kept: list[int] = []
    name = "val/emotion/accuracy"
    callback = KeepBest(lambda best, scores: kept.append(int(scores["epoch"])), (name, higher))
    for epoch, value in enumerate(values):
        task.validation_scores = lambda value=value: {name: value}  # type: ignore[method-assign, misc]
        trainer = pretend(sanity_checking=False, current_epoch=epoch, is_global_zero=True, callback_metrics={})
        callback.on_validation_epoch_end(trainer, task)
    return kept


@pytest.mark.parametrize(
    ("values", "higher", "kept"),
    [
        ([0.1, 0.3, 0.2, 0.3, 0.4], True, [1, 2, 5]),
        ([0.4, 0.3, 0.5, 0.1], False, [1, 2, 4]),
        ([0.0, 0.0], True, [1]),
    ],
)
def test_best_is_kept(task: FaceTask, values: list[float], higher: bool, kept: list[int]) -> None:
    assert epochs(task, values, higher=higher) == kept


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["val/loss", "val/emotion/accuracy"])
def test_value_that_is_not_finite_stops_and_is_not_kept(task: FaceTask, value: float, where: str) -> None:
    kept: list[float] = []
    callback = KeepBest(lambda best, scores: kept.append(1), ("val/emotion/accuracy", True))
    values = {"val/loss": 0.7, "val/emotion/accuracy": 0.5, where: value}
    task.validation_scores = lambda: {"val/emotion/accuracy": values["val/emotion/accuracy"]}  # type: ignore[method-assign]
    trainer = pretend(sanity_checking=False, current_epoch=2, is_global_zero=True, callback_metrics=values)
    with pytest.raises(UserError, match=rf"{where} is {value} after epoch 3; training stopped"):
        callback.on_validation_epoch_end(trainer, task)
    assert not kept and not callback.best


@pytest.mark.parametrize("kind", ["parameters", "buffers"])
def test_weights_that_are_not_finite_are_never_kept(kind: str) -> None:
    task, kept = create_method("timm_classifier", backbone="resnet10t", image_size=32), list[float]()
    callback = KeepBest(lambda best, scores: kept.append(1), ("val/emotion/accuracy", True))
    task.validation_scores = lambda: {"val/emotion/accuracy": 0.5}  # type: ignore[method-assign]
    trainer = pretend(sanity_checking=False, current_epoch=0, is_global_zero=True, callback_metrics={})
    with torch.no_grad():
        next(t for t in getattr(task.network, kind)() if t.is_floating_point()).view(-1)[0] = math.nan
    with pytest.raises(UserError, match=r"weights \S+ hold nan"):
        callback.on_validation_epoch_end(trainer, task)
    assert not kept and not callback.best


def test_best_survives_a_stop() -> None:
    first, second = (KeepBest(lambda best, scores: None, ("x", True)) for _ in range(2))
    first.best = {"x": 0.5, "epoch": 3}
    second.load_state_dict(first.state_dict())
    assert second.best == first.best


def test_monitor_by_name(task: FaceTask) -> None:
    assert monitor_of(task, "") == ("val/emotion/mean_class_accuracy", True)
    assert monitor_of(task, "val/loss") == ("val/loss", False)
    assert monitor_of(task, "val/emotion/macro_f1") == ("val/emotion/macro_f1", True)
    with pytest.raises(UserError, match=r"val/emotion/macro_f2.*val/emotion/macro_f1"):
        monitor_of(task, "val/emotion/macro_f2")
    regressor = create_method("timm_regressor", backbone="resnet10t", image_size=32)
    assert monitor_of(regressor, "val/au/mae/AU12") == ("val/au/mae/AU12", False)
    assert monitor_of(regressor, "val/au/icc31") == ("val/au/icc31", True)


def test_seed_depends_on_epoch_batch_and_process() -> None:
    def drawn(seed: int, epoch: int, batch: int, rank: int) -> float:
        trainer = pretend(current_epoch=epoch, global_rank=rank)
        SeedEachBatch(seed).on_train_batch_start(trainer, None, None, batch)
        return float(torch.rand(()))

    places = [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    with torch.random.fork_rng(devices=[]):
        first = [drawn(*place) for place in places]
        assert first == [drawn(*place) for place in places]
    assert len(set(first)) == len(first)


@pytest.mark.parametrize(
    ("value", "others", "stops"),
    [(1.0, True, False), (math.nan, True, True), (math.inf, True, True), (1.0, False, True)],
)
def test_loss_that_is_not_finite_stops_all_processes(value: float, others: bool, stops: bool) -> None:
    strategy = SimpleNamespace(reduce_boolean_decision=lambda finite, all: finite and others)
    trainer = pretend(strategy=strategy, current_epoch=2, global_step=7)
    loss = torch.tensor(value, requires_grad=True)
    if not stops:
        StopAtNonFiniteLoss().on_before_backward(trainer, MODULE, loss)
        return
    with pytest.raises(UserError, match="epoch 3, step 8"):
        StopAtNonFiniteLoss().on_before_backward(trainer, MODULE, loss)


def test_swallowed_interrupt_stops_before_the_next_batch() -> None:
    callback, before = StopAtInterrupt(), signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        callback.setup(pretend(), MODULE, "fit")
        callback.on_train_batch_start(pretend(), MODULE, None, 0)
        with pytest.raises(KeyboardInterrupt):  # a library that catches it …
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):  # … does not keep it
            callback.on_train_batch_start(pretend(), MODULE, None, 1)
    finally:
        signal.signal(signal.SIGINT, before)


def test_interrupts_that_are_ignored_stay_so() -> None:
    """`nohup` and shells in the background ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        StopAtInterrupt().setup(pretend(), MODULE, "fit")
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("steps", "limit", "is_told"), [(10, -1, True), (99, -1, True), (100, -1, False), (5, 5, False)]
)
def test_few_steps_are_told_unless_they_were_asked_for(steps: int, limit: int, is_told: bool) -> None:
    lines: list[str] = []
    trainer = pretend(estimated_stepping_batches=steps, max_steps=limit, max_epochs=10, is_global_zero=True)
    TellFewSteps(lines.append).on_train_start(trainer, MODULE)
    assert [line.startswith(f"note: 10 epochs are {steps} steps in all") for line in lines] == [True] * is_told
