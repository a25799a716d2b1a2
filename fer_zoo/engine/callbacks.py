"""What the zoo adds to Lightning's loop: reseeding, a stop at NaN, the best weights, one line an epoch."""

import csv
import io
import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch
from numpy.random import SeedSequence
from pytorch_lightning.callbacks import EarlyStopping
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.files import write_text
from fer_zoo.engine.follow_test import FollowTest, peeked_name
from fer_zoo.metrics import metric
from fer_zoo.tasks.face_task import FaceTask

LOSS = "val/loss"


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
        """Checks the loss of the step; all processes stop together, or the others would wait for one that is gone."""
        finite = bool(torch.isfinite(loss.detach()))
        if not trainer.strategy.reduce_boolean_decision(finite, all=True):
            value = "nan or infinite in another process" if finite else str(float(loss.detach()))
            raise UserError(
                f"The loss became {value} in epoch {trainer.current_epoch + 1}, step {trainer.global_step + 1};"
                " training stopped. Lower method.learning_rate."
            )


class StopAtInterrupt(pl.Callback):
    """Ctrl-C ends training before the next batch, also where a library swallowed the exception it raised."""

    def __init__(self) -> None:
        self.is_asked = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Listens to the signal, unless somebody else does; who calls `fit` puts the handler back."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Checks."""
        if self.is_asked:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True
        raise KeyboardInterrupt


class StopWithoutProgress(EarlyStopping):
    """Early stopping that also holds for a run which is resumed after it had stopped: no epoch is added."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ends training before its first epoch where the patience is used up."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


class EqualBuffers(pl.Callback):
    """Gives all processes the buffers of the first before validation: batch norms drift apart during training.

    PyTorch would send them with every batch, for which a process that has a batch less than the others does not wait.
    Stands after weight averaging, so that what is scored and saved is one and the same network.
    """

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Sends them once."""
        if trainer.world_size > 1:
            for buffer in pl_module.buffers():
                torch.distributed.broadcast(buffer, src=0)
            self._send_with_batches(trainer, False)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Back to how it was."""
        self._send_with_batches(trainer, True)

    def _send_with_batches(self, trainer: pl.Trainer, send: bool) -> None:
        if isinstance(trainer.strategy.model, DistributedDataParallel):
            trainer.strategy.model.require_forward_param_sync = send


class KeepBest(pl.Callback):
    """Saves the weights of the epoch that the selection rule chooses, as soon as it is known to be the one so far.

    Stands before weight averaging in the list of callbacks: while validation runs, the averaged weights are in place.
    Weights or values that are not finite end the training in all processes, which see the same ones.

    Args:
        save: called with the task and its validation metrics, in the first process only.
        monitor: name of the value and whether higher is better.
        selection: "val", the best value of the validation part; "last", the last epoch; "test_peek", the best value of
            the test part.
        followed: knows the values of the test part; stands before this in the list of callbacks.
    """

    def __init__(
        self,
        save: Callable[[FaceTask, dict[str, float]], None],
        monitor: tuple[str, bool],
        selection: str = "val",
        followed: FollowTest | None = None,
    ) -> None:
        self.save, self.monitor, self.selection, self.followed = save, monitor, selection, followed
        self.best: dict[str, float] = {}

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compares and saves."""
        if trainer.sanity_checking or not isinstance(pl_module, FaceTask):
            return
        name, higher_is_better = self.monitor
        scores = pl_module.validation_scores()
        if LOSS in trainer.callback_metrics:
            loss = float(trainer.callback_metrics[LOSS])
            _require_finite(LOSS, loss, trainer.current_epoch, "Lower method.learning_rate.")
            if name == LOSS:
                scores[LOSS] = loss
        if self.selection == "test_peek" and self.followed is not None:
            name = peeked_name(name)
            scores[name] = self.followed.rows[-1][name]
        _require_finite(name, scores[name], trainer.current_epoch, "Choose another trainer.monitor.")
        best, value = self.best.get(name, math.nan), scores[name]
        is_better = math.isnan(best) or (value > best if higher_is_better else value < best)
        if is_better or self.selection == "last":
            _require_finite_weights(pl_module, trainer.current_epoch)
            self.best = {**scores, "epoch": trainer.current_epoch + 1}
            if trainer.is_global_zero:
                self.save(pl_module, self.best)

    def state_dict(self) -> dict[str, Any]:
        """The best metrics so far, for a resumed run."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what `state_dict` gave."""
        self.best = state_dict["best"]


class TellFewSteps(pl.Callback):
    """Says before training that so few images make so few steps that little can be learned."""

    few = 100

    def __init__(self, echo: Callable[[str], None]) -> None:
        self.echo = echo

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Counts the optimiser's steps of the whole training."""
        steps = trainer.estimated_stepping_batches
        if trainer.is_global_zero and trainer.max_steps < 0 and steps < self.few:
            self.echo(
                f"note: {trainer.max_epochs} epochs are {steps:.0f} steps in all, which is few; a smaller"
                " data.batch_size or more trainer.max_epochs make more."
            )


class EpochTable(pl.Callback):
    """Writes metrics.csv, a row an epoch, and says each epoch in one line; without a path it only speaks."""

    def __init__(self, path: Path | None, echo: Callable[[str], None]) -> None:
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
        if self.path is not None:
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


def _require_finite(name: str, value: float, epoch: int, advice: str) -> None:
    if not math.isfinite(value):
        raise UserError(f"The validation value {name} is {value} after epoch {epoch + 1}; training stopped. {advice}")


def _require_finite_weights(task: FaceTask, epoch: int) -> None:
    for name, tensor in task.network.state_dict().items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise UserError(
                f"The weights {name} hold nan or infinite numbers after epoch {epoch + 1}; training stopped."
                " Lower method.learning_rate."
            )


def monitor_of(task: FaceTask, name: str) -> tuple[str, bool]:
    """The validation value that chooses the best epoch, and whether higher is better; "" is the task's own.

    Raises:
        UserError: for a name that the task does not log, with near misses.
    """
    if not name:
        return task.monitor
    directions = {LOSS: False}
    for objective in task.objectives:
        for own in map(metric, objective.metrics):
            if own.higher_is_better is None:  # a table
                continue
            logged = f"val/{objective.target}/{own.name}"
            entries = objective.space.entries if own.per_name else ()
            directions.update(dict.fromkeys([logged, *(f"{logged}/{e}" for e in entries)], own.higher_is_better))
    if name not in directions:
        raise unknown_name("validation value for trainer.monitor", name, directions)
    return name, directions[name]
