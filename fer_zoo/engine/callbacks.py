"""What the zoo adds to Lightning's loop: reseeding, a stop at NaN, the best weights, one line an epoch."""

import csv
import io
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from numpy.random import SeedSequence
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_text
from fer_zoo.tasks.face_task import FaceTask


class SeedEachBatch(pl.Callback):
    """Reseeds dropout and drop-path from (seed, epoch, batch), so that a resumed run equals an unbroken one."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Reseeds; processes differ by their rank."""
        words = (self.seed, trainer.current_epoch, batch_idx, trainer.global_rank)
        torch.manual_seed(int(SeedSequence(words).generate_state(1)[0]))


class StopAtNonFiniteLoss(pl.Callback):
    """Ends training before a loss that is NaN or infinite reaches the weights."""

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        """Checks the loss of the step."""
        if not torch.isfinite(loss):
            raise UserError(
                f"The loss became {float(loss)} in epoch {trainer.current_epoch + 1}, step {trainer.global_step + 1};"
                " training stopped and the best weights so far were kept. Lower method.learning_rate."
            )


class KeepBest(pl.Callback):
    """Saves the weights whenever the validation value is better than all before.

    Stands before weight averaging in the list of callbacks: while validation runs, the averaged weights are in place.

    Args:
        save: called with the task and its validation metrics, in the first process only.
        monitor: name of the value; "" for the task's own.
    """

    def __init__(self, save: Callable[[FaceTask, dict[str, float]], None], monitor: str = "") -> None:
        self.save, self.monitor = save, monitor
        self.best: dict[str, float] = {}

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compares and saves."""
        if trainer.sanity_checking or not isinstance(pl_module, FaceTask):
            return
        scores = pl_module.validation_scores()
        name, higher_is_better = monitor_of(pl_module, self.monitor)
        if name not in scores:
            raise UserError(f"trainer.monitor is {name!r}; this method logs {', '.join(sorted(scores))}.")
        better = scores[name] > self.best.get(name, -math.inf)
        if not higher_is_better:
            better = scores[name] < self.best.get(name, math.inf)
        if better or not self.best:
            self.best = {**scores, "epoch": trainer.current_epoch + 1}
            if trainer.is_global_zero:
                self.save(pl_module, self.best)

    def state_dict(self) -> dict[str, Any]:
        """The best metrics so far, for a resumed run."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what `state_dict` gave."""
        self.best = state_dict["best"]


class EpochTable(pl.Callback):
    """Writes metrics.csv, a row an epoch, and says each epoch in one line."""

    def __init__(self, path: Path, echo: Callable[[str], None]) -> None:
        self.path, self.echo = path, echo
        self.rows: list[dict[str, float]] = []
        self.start, self.faces = 0.0, 0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self.start, self.faces = time.perf_counter(), 0

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Counts faces."""
        self.faces += len(batch["row"])

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock: validation is not training."""
        if self.faces:
            self.faces_per_second = trainer.world_size * self.faces / (time.perf_counter() - self.start)
            self.faces = 0

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes and says the row."""
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        epoch = trainer.current_epoch + 1
        self.rows.append({"epoch": epoch, "step": trainer.global_step, **values})
        if not trainer.is_global_zero:
            return
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.path, text.getvalue())
        told = f"epoch {epoch}/{trainer.max_epochs}  loss {values.get('train/loss', math.nan):.3f}"
        if isinstance(pl_module, FaceTask):
            own = pl_module.objectives[0]
            shown = (n for n in own.metrics if f"val/{own.target}/{n}" in values)
            told += "".join(f"  {name} {values[f'val/{own.target}/{name}']:.3f}" for name in shown)
        self.echo(f"{told}  {getattr(self, 'faces_per_second', 0):.0f} faces/s")

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, for a resumed run."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what `state_dict` gave."""
        self.rows = list(state_dict["rows"])


def monitor_of(task: FaceTask, name: str) -> tuple[str, bool]:
    """The name and the direction of the value that chooses the best epoch; errors are better when low."""
    from fer_zoo.metrics import metric

    if not name or name == task.monitor[0]:
        return task.monitor
    if name == "val/loss":
        return name, False
    higher_is_better = metric(name.split("/")[2] if name.count("/") >= 2 else name).higher_is_better
    if higher_is_better is None:
        raise UserError(f"{name} cannot choose the best epoch: it has no better and worse. Name another metric.")
    return name, higher_is_better
