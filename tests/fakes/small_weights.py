"""Small networks as `fer-zoo train` leaves them, to be packed into weights that ship."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from fer_zoo.core.files import write_json
from fer_zoo.engine.checkpoint import save_method, subject_hash
from fer_zoo.engine.create import create_method
from fer_zoo.tasks.face_task import FaceTask
from fer_zoo.weights.pack import PackSettings, pack

SMALL = {"backbone": "test_resnet", "image_size": 32}
METHODS = {"emotion": {"name": "timm_classifier"}, "landmarks": {"name": "timm_regressor", "target": "landmarks"}}


def training(**others: Any) -> dict[str, Any]:
    """What a card says of a training on drawn faces, in so far as anybody asks."""
    return {
        "dataset": {"name": "synthetic_faces", "num_samples": 64},
        "fingerprint": "0" * 16,
        "protocol": {"name": "subject_kfold", "folds": 2},
        "fold": 0,
        "seed": 0,
        "samples": 64,
        "subjects": 1,
        "subject_hashes": [subject_hash("a person")],
        "file_hashes": ["0123456789ab"],
        "data": {"detector": "haar", "on_unreadable": "stop"},
        "trainer": {"precision": "32"},
        "licences": {"synthetic_faces": ["Apache-2.0", "yes"]},
        **others,
    }


def network(target: str, *, relative: np.ndarray | None = None, **others: Any) -> FaceTask:
    """Random weights; with `relative` a network that answers these points, -1 to 1, whatever it sees."""
    task = create_method(**{**METHODS[target], **SMALL, **others})  # type: ignore[arg-type]
    if relative is not None:
        head: Any = task.network.head
        with torch.no_grad():
            head.weight.zero_()
            head.bias.copy_(torch.from_numpy(relative.ravel()))
    return task


def run_of(folder: Path, task: FaceTask, **others: Any) -> Path:
    """The checkpoint in a folder like that of a run; others go into what is said of the training."""
    save_method(folder / "model", task, training=training(**others), validation={})
    return folder


def ship(name: str, task: FaceTask, folder: Path, *, default: bool = False) -> Path:
    """Packs a network below `named_weights.FOLDER`, wherever that is now; its folder."""
    settings = PackSettings(name=name, summary=f"random {next(iter(task.spaces))}", default=default)
    return pack(run_of(folder / f"run_of_{name}", task), settings, echo=lambda line: None)


def score(folder: Path, **others: Any) -> dict[str, Any]:
    """A record as `fer_zoo.weights.score` keeps it, written into the folder of some weights."""
    from fer_zoo.engine.checkpoint import read_card

    row = {
        "on": "facial_expressions",
        "dataset": "facial_expressions",
        "photographs": True,
        "images": 100,
        "metrics": {"mean_class_accuracy": {"value": 0.3123, "low": 0.29, "high": 0.334}},
        "command": "python -m fer_zoo.weights.score …",
        **others,
    }
    record = {"weights_sha256": read_card(folder)["weights_sha256"], "scores": [row]}
    write_json(folder / "scores.json", record)
    return record


def foreign(folder: Path) -> None:
    """Other weights under the card of these."""
    save_file({"x": torch.zeros(3)}, folder / "model.safetensors")
