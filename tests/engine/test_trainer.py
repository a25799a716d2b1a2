"""Device and precision as resolved on a machine, and training in two processes."""

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from fakes import patterns

from fer_zoo.core.errors import UserError
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import compose
from fer_zoo.engine.run import open_run
from fer_zoo.engine.trainer import describe_device, device_kind, is_alone, precision
from fer_zoo.engine.trainer_settings import TrainerSettings


def machine(
    patch: pytest.MonkeyPatch, *, gpus: int = 0, gpu_bf16: bool = False, cpu: dict[str, Any] | None = None
) -> None:
    """Pretends to be another machine."""
    patch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    patch.setattr(torch.cuda, "device_count", lambda: gpus)
    patch.setattr(torch.cuda, "get_device_name", lambda number: "A Card")
    patch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: gpu_bf16 or including_emulation)
    patch.setattr(torch.cpu, "get_capabilities", lambda: cpu or {})


@pytest.mark.parametrize(
    ("asked", "here", "expected"),
    [
        ({}, {}, "32-true"),
        ({}, {"cpu": {"avx512_bf16": True}}, "bf16-mixed"),
        ({}, {"cpu": {"avx512_bf16": False, "avx2": True}}, "32-true"),
        ({}, {"gpus": 1, "gpu_bf16": True}, "bf16-mixed"),
        ({}, {"gpus": 1}, "16-mixed"),
        ({"accelerator": "cpu"}, {"gpus": 1, "gpu_bf16": True}, "32-true"),
        ({"precision": "32"}, {"gpus": 1, "gpu_bf16": True}, "32-true"),
        ({"precision": "16-mixed"}, {"gpus": 1, "gpu_bf16": True}, "16-mixed"),
        ({"precision": "bf16-mixed"}, {}, "bf16-mixed"),
    ],
)
def test_precision_by_machine(
    asked: dict[str, Any], here: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, **here)
    settings = TrainerSettings(**asked)
    assert precision(settings) == expected
    assert expected in describe_device(settings)


def test_missing_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch)
    assert device_kind(TrainerSettings()) == "cpu"
    with pytest.raises(UserError, match=r"no GPU here; use trainer=auto or trainer=cpu"):
        device_kind(TrainerSettings(accelerator="gpu"))


@pytest.mark.parametrize(
    ("asked", "gpus", "alone"),
    [
        ({}, 0, True),
        ({"devices": "auto"}, 0, True),
        ({"devices": "auto"}, 1, True),
        ({"devices": "auto"}, 4, False),
        ({"devices": "auto", "accelerator": "cpu"}, 4, True),
        ({"devices": "2"}, 0, False),
        ({"num_nodes": 2}, 0, False),
    ],
)
def test_number_of_devices(asked: dict[str, Any], gpus: int, alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=gpus)
    assert is_alone(TrainerSettings(**asked)) == alone


def test_first_line_tells_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=2, gpu_bf16=True)
    told = describe_device(TrainerSettings(devices="auto"))
    assert told == "device: A Card, devices auto; precision: bf16-mixed"


def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """One run folder, lines and metrics once; the score is that of the saved weights on every sample once.

    The validation part is uneven for two processes, whose batch norms drift apart in training.
    """
    people = ("Ida", "Jan", "Kim", "Lea", "Max", "Nia", "Oto")
    root = patterns.write(tmp_path / "faces", people=people)
    for number, person in enumerate(people):  # each loses another picture
        next(islice(sorted(root.rglob(f"{person}_*")), number % 6, None)).unlink()
    words = patterns.settings(
        root,
        tmp_path / "runs",
        trainer="ddp_cpu",
        trainer__max_epochs=2,
        data__batch_size=7,
        data__augmentation="none",
        protocol="subject_holdout",
        protocol__test_share=0.15,
        protocol__validation_share=0.5,
    )
    words = [(key, value) for key, value in words if key != "protocol.folds"]
    command = [sys.executable, "-m", "fer_zoo", "train", *(f"{key}={value}" for key, value in words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("epoch")] == ["1/2", "2/2"]
    assert sum(line.startswith("device:") for line in lines) == 1
    run = open_run(compose(words, verb="train"), echo=lambda line: None)
    assert sorted(path.parent.name for path in (tmp_path / "runs").rglob("result.json")) == [run.folder.name]
    assert len(pd.read_csv(run.folder / "metrics.csv")) == 2
    assert not (run.folder / "resume.ckpt").exists()
    assert len(pd.read_parquet(run.folder / "validation" / "predictions.parquet")) == len(run.split.validation)

    task = load_method(run.folder)
    data = run.data_module(task)
    data.setup("fit")
    assert len(run.split.validation) % 2 == 1
    with torch.no_grad():
        for batch in data.val_dataloader():
            task.scores["emotion"].update(task.predict_step(batch, 0)["emotion"], batch["emotion"])
    result = json.loads((run.folder / "result.json").read_text())["validation"]
    for name, value in task.validation_scores().items():
        assert result[name] == pytest.approx(value, rel=1e-5), name
