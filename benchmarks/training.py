"""Seconds a training step takes through the task, Lightning and all callbacks, over those of a bare PyTorch loop.

python benchmarks/training.py [steps]

ResNet-18, 96 px, grey, batches of 64 that are in memory already, AdamW with its schedule and clipped gradients in both.
One training goes on in which a step of the zoo and one of the bare loop, on a network of its own, take turns. A step of
the zoo is all that happens between two of the others: fetching, callbacks, logging.
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from fer_zoo.engine.create import create_method
from fer_zoo.engine.trainer import fit_trainer
from fer_zoo.engine.trainer_settings import TrainerSettings
from fer_zoo.tasks.face_task import FaceTask
from fer_zoo.tasks.optimizers import build_optimizers

BATCH, SIDE, WARM = 64, 96, 3

Batch = dict[str, Tensor]


def batches(number: int, batch: int = BATCH, side: int = SIDE) -> DataLoader[Batch]:
    """Random images and classes; ten batches again and again, the same each time."""
    generator = torch.Generator().manual_seed(0)
    made = [
        {
            "image": torch.randn(batch, 1, side, side, generator=generator),
            "row": torch.arange(batch),
            "emotion": torch.randint(0, 7, (batch,), generator=generator),
        }
        for _ in range(10)
    ]
    again: Any = [made[i % len(made)] for i in range(number)]
    return DataLoader(again, batch_size=None)


class InMemory(pl.LightningDataModule):
    """Stands for the data module of a run."""

    def __init__(self, number: int, batch: int = BATCH, side: int = SIDE) -> None:
        super().__init__()
        self.number, self.batch, self.side = number, batch, side

    def train_dataloader(self) -> DataLoader[Batch]:
        """The batches."""
        return batches(self.number, self.batch, self.side)

    def class_counts(self, target: str) -> Tensor:
        """For the loss, which is unweighted here."""
        return torch.ones(7)


class BareLoop:
    """The shortest loop that does the same to the weights, a step at a time."""

    def __init__(self, number: int) -> None:
        task = new_task().train()
        self.network, self.batches = task.network.to(memory_format=torch.channels_last), iter(batches(number))
        built = build_optimizers(self.network, task.settings, steps=number, monitor=("", True))
        self.optimizer, self.schedule = built["optimizer"], built["lr_scheduler"]["scheduler"]

    def step(self) -> None:
        """One step."""
        batch = next(self.batches)
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.network(batch["image"])["emotion"], batch["emotion"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()


class Turns(pl.Callback):
    """Lets the bare loop take a step before each of the zoo's, and notes what both take.

    Attributes:
        of_zoo, of_loop: (seconds, seconds of the processor) of each step.
    """

    def __init__(self, loop: BareLoop) -> None:
        self.loop, self.ended = loop, now()
        self.of_zoo: list[np.ndarray] = []
        self.of_loop: list[np.ndarray] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """A step of the loop."""
        start = now()
        self.loop.step()
        if batch_idx > WARM:
            self.of_zoo.append(start - self.ended)
            self.of_loop.append(now() - start)
        self.ended = now()


def now() -> np.ndarray:
    """Two clocks; the second stands still while other programs have the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def new_task() -> FaceTask:
    """The same weights each time."""
    return create_method("timm_classifier", backbone="resnet18", image_size=SIDE)


def main() -> None:
    """Prints both medians and their ratio."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    task, turns = new_task(), Turns(BareLoop(number))
    with tempfile.TemporaryDirectory() as folder:
        trainer = fit_trainer(
            TrainerSettings(accelerator="cpu", precision="32", max_epochs=1),
            [],
            folder=Path(folder),
            title="benchmark",
            task=task,
            seed=0,
            writes_table=True,
            save=lambda task, scores: None,
            echo=lambda line: None,
        )
        trainer.callbacks.insert(0, turns)  # type: ignore[attr-defined]  # a list
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that there is no validation here
            trainer.fit(task, datamodule=InMemory(number))
    print(f"ResNet-18, {SIDE} px, grey, batches of {BATCH}, {torch.get_num_threads()} threads, {number} steps of each")
    zoo, loop = np.median(turns.of_zoo, axis=0), np.median(turns.of_loop, axis=0)
    for clock, name in enumerate(("seconds", "seconds of the processor")):
        print(
            f"{name}: {zoo[clock]:.4f} a step of the zoo, {loop[clock]:.4f} bare; ratio {zoo[clock] / loop[clock]:.3f}"
        )
    neighbours = np.median(np.divide(turns.of_zoo, turns.of_loop), axis=0)
    print(f"ratio of neighbouring steps: {neighbours[0]:.3f}; by the processor's time {neighbours[1]:.3f}")


if __name__ == "__main__":
    main()
