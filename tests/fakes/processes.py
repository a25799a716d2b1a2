"""Trainings in processes such as torchrun starts them, made from this one where a fork will do."""

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
import torch.multiprocessing
from fakes import patterns
from PIL import Image

from fer_zoo.core.label_spaces import label_space
from fer_zoo.engine.config import compose
from fer_zoo.engine.train import train
from fer_zoo.tasks.face_task import FaceTask

PEOPLE = 12
TAKES = 4
AUS = ("AU04", "AU12")

Words = Mapping[str, str]


def write(root: Path) -> Path:
    """A table of 260 pictures with a class and two action units, of which cells are empty and files cut short.

    Classes are not equally frequent, and what is missing falls unevenly on any two halves of a batch.
    """
    root.mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for number, emotion in enumerate(label_space(patterns.SPACE).entries):
        for person in range(PEOPLE):
            for take in range(TAKES - (number < 2) - (number == 2 and person % 3 == 0)):
                name = f"{emotion}_{person}_{take}.png"
                seed = 1000 * number + 10 * person + take
                Image.fromarray(patterns.stripes(number, seed=seed)).save(root / name)
                if generator.random() < 0.15:
                    os.truncate(root / name, 100)
                values = [number * 0.8, 4 - number * 0.8]
                cells = ["" if generator.random() < 0.4 else f"{value:.1f}" for value in values]
                rows.append([name, emotion, f"person {person}", *cells])
    pd.DataFrame(rows, columns=["path", "mood", "person", *AUS]).to_csv(root / "labels.csv", index=False)
    return root


def settings(root: Path) -> dict[str, str]:
    """What all trainings have in common: three epochs of two steps with 64 samples, a network without batch norms."""
    return {
        "method.backbone": "test_vit",
        "method.image_size": "32",
        "method.dropout": "0",
        "method.optimizer": "sgd",
        "method.schedule": "constant",
        "method.learning_rate": "0.05",
        "dataset": "table",
        "dataset.root": str(root),
        "dataset.file": "labels.csv",
        "dataset.subject_column": "person",
        "dataset.cropped": "true",
        "protocol": "subject_holdout",
        "protocol.test_share": "0.17",
        "protocol.validation_share": "0.3",
        "data.cache": "false",
        "data.on_unreadable": "skip",
        "data.workers": "0",
        "data.progress": "false",
        "trainer.precision": "32",
        "trainer.max_epochs": "3",
        "trainer.monitor": "val/loss",
    }


def train_all(
    runs: Sequence[Words], *, number: int, kind: str = "cpu", patched: Mapping[str, object] | None = None
) -> None:
    """Train each configuration in so many processes, each on a device of a kind.

    Args:
        runs: settings, with an `output` of their own.
        number: processes.
        kind: "cpu" or "gpu", whose processes are no forks: a fork of one that has looked at a GPU cannot use it.
        patched: names of `FaceTask` that are something else in these processes.
    """
    ports = [_free_port() for _ in runs]
    method = "fork" if kind == "cpu" else "spawn"
    torch.multiprocessing.start_processes(
        _train_all,
        (number, kind, ports, [dict(run) for run in runs], dict(patched or {})),
        nprocs=number,
        start_method=method,
    )


def _train_all(
    rank: int, number: int, kind: str, ports: list[int], runs: list[dict[str, str]], patched: dict[str, object]
) -> None:
    with ExitStack() as stack:
        for name, instead in patched.items():
            stack.enter_context(patch.object(FaceTask, name, instead))
        torch.backends.cudnn.allow_tf32 = False  # a GPU would round to 10 bits
        for port, run in zip(ports, runs, strict=True):
            if number > 1:
                os.environ.update(_torchrun(rank, number, port))
            words = [*run.items(), ("trainer", kind), ("trainer.devices", str(number))]
            train(compose(words, verb="train"), echo=lambda line: None)


def _torchrun(rank: int, number: int, port: int) -> dict[str, str]:
    """What torchrun tells a process."""
    count, own = str(number), str(rank)
    return {
        "TORCHELASTIC_RUN_ID": "tests",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": count,
        "LOCAL_WORLD_SIZE": count,
        "RANK": own,
        "LOCAL_RANK": own,
        "GROUP_RANK": "0",
    }


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
