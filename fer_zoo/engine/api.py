"""The Python side of the command line: `import fer_zoo`, then these names."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import compose
from fer_zoo.engine.create import create_method
from fer_zoo.engine.data_pictures import draw_pictures as draw_planned_pictures
from fer_zoo.engine.data_pictures import plan_pictures
from fer_zoo.engine.evaluate import evaluate as evaluate_checkpoint
from fer_zoo.engine.photographs import expand_files
from fer_zoo.engine.picture_streams import Photograph
from fer_zoo.engine.predict_settings import PredictSettings, open_predictor
from fer_zoo.engine.run import Echo
from fer_zoo.engine.setting_texts import as_texts
from fer_zoo.engine.train import train as train_configuration
from fer_zoo.evaluation.report import EvaluationReport
from fer_zoo.tasks.face_task import FaceTask

__all__ = [
    "create_method",
    "draw_pictures",
    "evaluate",
    "list_datasets",
    "list_methods",
    "load_method",
    "open_dataset",
    "predict",
    "train",
]


def list_methods(pattern: str = "*", *, target: str | None = None) -> list[str]:
    """Names of the registered methods that match a shell pattern and know a target."""
    return METHODS.names(pattern, target=target)


def list_datasets(pattern: str = "*", *, target: str | None = None) -> list[str]:
    """Names of the registered data sets that match a shell pattern and have labels of a target."""
    return DATASETS.names(pattern, target=target)


def draw_pictures(index: Index, settings: Mapping[str, Any] | None = None, *, echo: Echo | None = None) -> list[Path]:
    """Draw what `fer-zoo check-data --pictures` draws: an overview, then a sheet for each class; their paths.

    Args:
        index: an opened data set.
        settings: as typed there: {"samples": 4, "method.image_size": 64, "data.augmentation": "strong"}.
        echo: told each line for the user, e.g. `print`.

    Raises:
        UserError: for a wrong setting, or a data set without any label.
    """
    plan = plan_pictures(index, as_texts(settings or {}))
    return draw_planned_pictures(index, plan, echo=echo or _say_nothing).paths


def train(settings: Mapping[str, Any], *, echo: Echo | None = None) -> Path:
    """Train as `fer-zoo train` does, carry on where it stopped, or find it done; the run folder.

    Args:
        settings: as typed behind `fer-zoo train`: {"method": "timm_classifier", "dataset": "facial_expressions",
            "trainer.max_epochs": 3}.
        echo: told each line for the user, e.g. `print`.

    Raises:
        UserError: for settings that are unknown or do not fit together, or a loss that became NaN.
    """
    return train_configuration(compose(as_texts(settings), verb="train"), echo=echo or _say_nothing)


def evaluate(
    checkpoint: str | Path, settings: Mapping[str, Any] | None = None, *, echo: Echo | None = None
) -> tuple[EvaluationReport, Path]:
    """Score as `fer-zoo evaluate` does: the report, and the folder in which it lies with predictions and pictures.

    Args:
        checkpoint: a run folder or a checkpoint folder.
        settings: what differs from how it was trained: {"dataset": "image_folder", "dataset.root": "photos"}.
        echo: told each line for the user, e.g. `print`.

    Raises:
        UserError: if the checkpoint is none, or people or files of the test part were in its training.
    """
    return evaluate_checkpoint(checkpoint, as_texts(settings or {}), echo=echo or _say_nothing)


def _say_nothing(line: str) -> None:
    """Where nobody wants to be told."""


def predict(
    photographs: Photograph | Iterable[Photograph],
    method: FaceTask | str | Path = "",
    *,
    detector: str = "haar",
    boxes: str | Path | None = None,
    landmarks: str | Path | None = None,
    every: int = 1,
    track: bool = False,
) -> pd.DataFrame:
    """A table with a row for each face, and one for each photograph or frame in which none was found.

    Args:
        photographs: paths of photographs, videos and folders of them, or RGB arrays "h w 3" of uint8; one or many.
        method: a loaded method, the path of a checkpoint, a name of `fer-zoo list weights`, or that of a method, whose
            shipped weights are taken; by default those for emotions.
        detector: what finds the faces; "none" where every image is a face crop.
        boxes: a table of boxes or landmarks in place of a detector, see `FaceTable`.
        landmarks: weights that predict landmarks, a path or a name, for a method whose faces are aligned.
        every: of a video, look at each frame whose number this divides.
        track: number the faces of a video by their tracks, too, which is no promise of identity.

    Raises:
        UserError: for a checkpoint that is none, an unknown detector, a table that does not fit, or a folder without
            photographs.
    """
    many: Any = [photographs] if isinstance(photographs, str | Path | np.ndarray) else photographs
    said = PredictSettings(
        checkpoint="" if isinstance(method, FaceTask) else str(method),
        detector=detector,
        boxes="" if boxes is None else str(boxes),
        landmarks="" if landmarks is None else str(landmarks),
        every=every,
        track=track,
    )
    predictor = open_predictor(said, method if isinstance(method, FaceTask) else None)
    return predictor.table(file for one in many for file in _files(one))


def _files(given: Photograph) -> Sequence[Photograph]:
    """What a folder holds, else what is given."""
    is_folder = isinstance(given, str | Path) and Path(given).expanduser().is_dir()
    return expand_files([str(given)]) if is_folder else [given]
