"""Lightning's Trainer from settings: device, precision, callbacks; and one line that says what is really used."""

import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging, ModelCheckpoint
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.strategies import SingleDeviceStrategy

from fer_zoo.core.errors import UserError
from fer_zoo.engine.callbacks import (
    EpochTable,
    EqualBuffers,
    KeepBest,
    SeedEachBatch,
    StopAtInterrupt,
    StopAtNonFiniteLoss,
    StopWithoutProgress,
    TellFewSteps,
    monitor_of,
)
from fer_zoo.engine.checkpoint import AtomicCheckpointIO
from fer_zoo.engine.course import FaceBar, LearningCurves, StepValues
from fer_zoo.engine.follow_test import FollowTest, peeked_name
from fer_zoo.engine.jobs import RESUME
from fer_zoo.engine.launch import devices_and_nodes, launch
from fer_zoo.engine.trainer_settings import TrainerSettings
from fer_zoo.tasks.face_task import FaceTask


def device_kind(settings: TrainerSettings) -> str:
    """ "gpu" or "cpu".

    Raises:
        UserError: if a GPU is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if settings.accelerator == "gpu" and not has_gpu:
        raise UserError("trainer.accelerator is gpu, but PyTorch finds no GPU here; use trainer=auto or trainer=cpu.")
    return "gpu" if has_gpu and settings.accelerator != "cpu" else "cpu"


def precision(settings: TrainerSettings) -> str:
    """Lightning's name of the precision; "auto" is bf16-mixed where the device has it, else 16-mixed on a GPU."""
    if settings.precision != "auto":
        return {"32": "32-true"}.get(settings.precision, settings.precision)
    if device_kind(settings) == "gpu":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    able = torch.cpu.get_capabilities()
    return "bf16-mixed" if able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16") else "32-true"


def describe_device(settings: TrainerSettings) -> str:
    """One line: which device, how many and which precision are used."""
    kind = device_kind(settings)
    name = torch.cuda.get_device_name(0) if kind == "gpu" else f"CPU, {torch.get_num_threads()} threads"
    number = "" if settings.devices == "1" else f", devices {settings.devices}"
    number += f" on each of {settings.num_nodes} machines" if settings.num_nodes > 1 else ""
    return f"device: {name}{number}; precision: {precision(settings)}"


def fit_trainer(
    settings: TrainerSettings,
    loggers: Sequence[Logger],
    *,
    folder: Path,
    title: str,
    task: FaceTask,
    seed: int,
    writes_table: bool,
    save: Callable[[FaceTask, dict[str, float]], None],
    echo: Callable[[str], None],
) -> pl.Trainer:
    """The trainer of one run.

    Args:
        settings: of the trainer.
        loggers: see `trackers.open_trackers`.
        folder: of the run.
        title: of the run, above its learning curves.
        task: what is trained.
        seed: of the run.
        writes_table: whether metrics.csv is written.
        save: gets the task whenever its weights are the ones to keep so far.
        echo: told a line an epoch.
    """
    _quiet()
    monitor = monitor_of(task, settings.monitor)
    callbacks: list[pl.Callback] = [StopAtInterrupt(), SeedEachBatch(seed), StopAtNonFiniteLoss(), TellFewSteps(echo)]
    followed = FollowTest() if settings.follow_test or settings.selection == "test_peek" else None
    if settings.selection == "test_peek":
        peeked_name(monitor[0])  # a mistake is told before any work
    if followed is not None:
        callbacks.append(followed)
    best = KeepBest(save, monitor, settings.selection, followed)
    callbacks.append(best)  # before the averaging, which takes its weights out again after it
    if settings.ema_decay > 0:
        callbacks.append(EMAWeightAveraging(decay=settings.ema_decay))
    table = EpochTable(folder / "metrics.csv" if writes_table else None, echo)
    curves = LearningCurves(folder / "learning_curves.png", table, best, title)
    callbacks += [EqualBuffers(), FaceBar(monitor[0]), table, curves, StepValues(settings.log_every_n_steps)]
    if settings.early_stopping_patience > 0:
        (name, higher), patience = monitor, settings.early_stopping_patience
        callbacks.append(StopWithoutProgress(name, mode="max" if higher else "min", patience=patience))
    resume = RESUME.removesuffix(".ckpt")
    callbacks.append(ModelCheckpoint(folder, resume, save_on_train_epoch_end=True, enable_version_counter=False))
    return pl.Trainer(
        **_device(settings),
        max_epochs=settings.max_epochs,
        max_steps=settings.max_steps,
        gradient_clip_val=settings.gradient_clip or None,
        accumulate_grad_batches=settings.accumulate,
        log_every_n_steps=settings.log_every_n_steps,
        callbacks=callbacks,
        logger=list(loggers) or False,
        plugins=[AtomicCheckpointIO()],
        enable_progress_bar=False,  # Lightning's own goes to stdout, which may be a file
        enable_model_summary=False,
        use_distributed_sampler=False,  # the data module shards by itself, unpadded for evaluation
        num_sanity_val_steps=0,
    )


def predict_trainer(settings: TrainerSettings, *callbacks: pl.Callback) -> pl.Trainer:
    """A trainer on one device that keeps no books; callbacks see what is predicted."""
    _quiet()
    device = torch.device("cuda:0" if device_kind(settings) == "gpu" else "cpu")
    return pl.Trainer(
        strategy=SingleDeviceStrategy(device),
        accelerator=device_kind(settings),
        devices=1,
        precision=precision(settings),  # type: ignore[arg-type]  # Lightning lists the names as literals
        callbacks=[FaceBar(), *callbacks],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        use_distributed_sampler=False,
    )


def is_alone(settings: TrainerSettings) -> bool:
    """Whether one process on one device does it all."""
    if (started := launch()) and started.number > 1:
        return False
    if settings.num_nodes > 1 or settings.devices not in ("1", "auto"):
        return False
    return settings.devices == "1" or device_kind(settings) == "cpu" or torch.cuda.device_count() == 1


def num_processes(settings: TrainerSettings) -> int:
    """How many processes learn together, a device each."""
    devices, nodes = devices_and_nodes(settings)
    if devices == "auto":
        devices = 1 if device_kind(settings) == "cpu" else torch.cuda.device_count()
    return int(devices) * nodes


def _device(settings: TrainerSettings) -> dict[str, Any]:
    kind = device_kind(settings)
    devices, nodes = devices_and_nodes(settings)
    if devices == "auto" and kind == "cpu":
        devices = 1
    strategy = settings.strategy if settings.strategy != "auto" or is_alone(settings) else "ddp"
    return {
        "accelerator": kind,
        "devices": devices,
        "num_nodes": nodes,
        "strategy": strategy,
        "precision": precision(settings),
    }


def _quiet() -> None:
    """Lightning's hints are for its own users; ours hear what was chosen from `describe_device`."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    for message in (
        ".*isinstance\\(treespec, LeafSpec\\).*",
        ".*does not have many workers.*",
        ".*It is recommended to use `self.log.*sync_dist=True.*",  # metrics are the same in all processes already
        ".*in eval mode at the start of training.*",  # those that the method freezes
        ".*Checkpoint directory .* exists and is not empty.*",
        ".*The dirpath has changed from.*",  # of a run folder that was moved: Lightning's file serves only to resume
        ".*The number of training batches .* is smaller than the logging interval.*",
    ):
        warnings.filterwarnings("ignore", message=message)
