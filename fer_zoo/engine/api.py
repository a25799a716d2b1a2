"""The Python side of the command line: `import fer_zoo`, then these names."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.create import create_method
from fer_zoo.engine.predict import Photograph, Predictor
from fer_zoo.tasks.face_task import FaceTask

__all__ = ["create_method", "list_datasets", "list_methods", "load_method", "open_dataset", "predict"]


def list_methods(pattern: str = "*", *, target: str | None = None) -> list[str]:
    """Names of the registered methods that match a shell pattern and know a target."""
    return METHODS.names(pattern, target=target)


def list_datasets(pattern: str = "*", *, target: str | None = None) -> list[str]:
    """Names of the registered data sets that match a shell pattern and have labels of a target."""
    return DATASETS.names(pattern, target=target)


def predict(
    photographs: Photograph | Iterable[Photograph], method: FaceTask | str | Path, *, detector: str = "haar"
) -> pd.DataFrame:
    """A table with a row for each face, and one for each photograph in which none was found.

    Args:
        photographs: paths, or RGB arrays "h w 3" of uint8; one or many.
        method: a loaded method, or the path of a checkpoint.
        detector: what finds the faces; "none" where every image is a face crop.

    Raises:
        UserError: for a checkpoint that is none, or an unknown detector.
    """
    task = method if isinstance(method, FaceTask) else load_method(method)
    many: Any = [photographs] if isinstance(photographs, str | Path | np.ndarray) else photographs
    return Predictor(task, detector_name=detector).table(many)
