"""How the course of training is shown: step values to the trackers, learning curves, a bar on the terminal."""

import time
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl

from fer_zoo.core.errors import UserError
from fer_zoo.core.progress import progress
from fer_zoo.engine.callbacks import EpochTable, KeepBest
from fer_zoo.engine.trackers import Tracker
from fer_zoo.evaluation.learning_curves import learning_curves_figure
from fer_zoo.evaluation.pictures import save_figure


class StepValues(pl.Callback):
    """Sends loss and learning rate to the trackers between epochs, and has a resumed run go on with the same curve."""

    def __init__(self, every: int) -> None:
        self.every, self.last = every, 0

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Tells where the run goes on."""
        self.last = int(checkpoint["global_step"])
        for logger in trainer.loggers:
            if isinstance(logger, Tracker):
                logger.go_on_from(self.last)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Sends, every so many optimiser steps."""
        step = trainer.global_step
        if not trainer.loggers or step == self.last or step % self.every:
            return
        self.last = step
        rates = [float(group["lr"]) for optimizer in trainer.optimizers for group in optimizer.param_groups]
        # Lightning hands out the loss divided by the batches of a step.
        values = {"train/loss_of_step": float(outputs["loss"]) * trainer.accumulate_grad_batches}
        for logger in trainer.loggers:
            logger.log_metrics({**values, "train/learning_rate": max(rates)}, step - 1)  # as Lightning counts


class LearningCurves(pl.Callback):
    """Draws learning_curves.png: at the end, after an interruption, and between where that takes little of the time.

    Args:
        path: of the picture.
        table: the rows; stands before this in the list of callbacks.
        best: knows the epoch that is kept.
        title: a line above the panels.
    """

    share = 0.05  # of the time, at most, spent on drawing
    guess = 0.5  # seconds that the first drawing takes

    def __init__(self, path: Path, table: EpochTable, best: KeepBest, title: str) -> None:
        self.path, self.table, self.best, self.title = path, table, best, title
        self.drawn, self.seconds, self.since = 0, self.guess, time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draws, if the last drawing is long enough ago."""
        if trainer.is_global_zero and self.seconds < self.share * (time.perf_counter() - self.since):
            self._draw()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draws what is not drawn yet."""
        if trainer.is_global_zero:
            self._draw()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """The same after an interruption, which stays the news where the picture cannot be written either."""
        if trainer.is_global_zero:
            with suppress(UserError):
                self._draw()

    def _draw(self) -> None:
        if len(self.table.rows) == self.drawn:
            return
        start = time.perf_counter()
        epoch = self.best.best.get("epoch")
        figure = learning_curves_figure(
            pd.DataFrame(self.table.rows),
            best_epoch=None if epoch is None else int(epoch),
            monitor=self.best.monitor[0],
            title=self.title,
        )
        save_figure(self.path, figure)
        self.drawn, self.since = len(self.table.rows), time.perf_counter()
        self.seconds = self.since - start


class FaceBar(pl.Callback):
    """A bar on the terminal that counts faces: one for each epoch, each validation, and predictions.

    Args:
        monitor: the value of the last epoch that stands beside the bar.
    """

    def __init__(self, monitor: str = "") -> None:
        self.monitor = monitor
        self._sizes: deque[int] = deque()
        self._bar: Generator[int, None, None] | None = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Opens the bar of an epoch."""
        value = trainer.callback_metrics.get(self.monitor)
        told = "" if value is None else f" ({self.monitor.rsplit('/', 1)[-1]} {float(value):.3f})"
        self._open(trainer, f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}{told}", trainer.train_dataloader)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Counts."""
        self._count(trainer, batch)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Opens the bar of a validation."""
        self._open(trainer, "validation", trainer.val_dataloaders)

    def on_validation_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: int) -> None:
        """Counts."""
        self._count(trainer, batch)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes the bar away, before anything is said."""
        self._close()

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Opens the bar of predictions."""
        self._open(trainer, "predicting", trainer.predict_dataloaders)

    def on_predict_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: int) -> None:
        """Counts."""
        self._count(trainer, batch)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Takes the bar away."""
        self._close()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Takes the bar away."""
        self._close()

    def _open(self, trainer: pl.Trainer, what: str, loader: Any) -> None:
        self._close()
        total = len(loader.sampler) * trainer.world_size
        sizes = iter(self._sizes.popleft, None)
        self._bar = progress(sizes, what, total=total, unit="faces", each=int, show=trainer.is_global_zero)
        self._step(0)  # it stands before the first batch is done

    def _count(self, trainer: pl.Trainer, batch: Any) -> None:
        self._step(len(batch["row"]) * trainer.world_size)

    def _step(self, faces: int) -> None:
        if self._bar is not None:
            self._sizes.append(faces)
            next(self._bar)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._sizes.clear()
