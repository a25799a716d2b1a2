"""Images a second that training takes in float32 and bfloat16, with and without torch.compile, on the device there is.

python benchmarks/precision.py [backbone] [image_size] [batch] [steps]      (resnet18 96 64 100)

The batches are in memory already; a step is all that happens between two of them: forward, backward, clipped gradients,
optimiser, callbacks. Each of the four is trained for itself, one after the other, the whole several times.
"""

import sys
import tempfile
import time
import warnings
from itertools import pairwise, product
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl
import torch
from training import InMemory

from fer_zoo.engine.create import create_method
from fer_zoo.engine.trainer import describe_device, fit_trainer
from fer_zoo.engine.trainer_settings import TrainerSettings

WARM, REPEATS = 10, 3


class Clock(pl.Callback):
    """Notes when each step starts, after the device has finished the one before."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """A time."""
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())


def images_per_second(backbone: str, side: int, batch: int, steps: int, precision: str, compiles: bool) -> float:
    """Of the median step."""
    task, clock = create_method("timm_classifier", backbone=backbone, image_size=side), Clock()
    if compiles:
        task.network.compile()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there is no validation here
        trainer = fit_trainer(
            TrainerSettings(precision=precision, max_epochs=1),
            [],
            folder=Path(folder),
            title="benchmark",
            task=task,
            seed=0,
            writes_table=False,
            save=lambda task, scores: None,
            echo=lambda line: None,
        )
        trainer.callbacks.append(clock)  # type: ignore[attr-defined]  # a list
        trainer.fit(task, datamodule=InMemory(steps + WARM, batch=batch, side=side))
    return batch / median(end - start for start, end in pairwise(clock.times[WARM:]))


def main() -> None:
    """Prints the median of each, and its ratio to float32 as it is."""
    backbone = sys.argv[1] if len(sys.argv) > 1 else "resnet18"
    side, batch, steps = (
        int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((2, 96), (3, 64), (4, 100))
    )
    print(describe_device(TrainerSettings()).split(";")[0])
    print(f"{backbone}, {side} px, grey, batches of {batch}, median step of {steps}, median of {REPEATS} runs")
    kinds = list(product(("32", "bf16-mixed"), (False, True)))
    runs = [[images_per_second(backbone, side, batch, steps, *kind) for kind in kinds] for _ in range(REPEATS)]
    for column, (precision, compiles) in zip(zip(*runs, strict=True), kinds, strict=True):
        ratio = median(own / run[0] for own, run in zip(column, runs, strict=True))
        name = f"{precision}{', compiled' if compiles else ''}"
        print(f"{name:<21} {median(column):8.0f} images a second; ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
