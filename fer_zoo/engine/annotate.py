"""Landmarks of photographs and of whole data sets, from a network, as tables that other verbs read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.files import write_atomically
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.core.registry import DATASETS
from fer_zoo.core.settings import setting
from fer_zoo.data.datamodule import DataSettings, FaceDataModule
from fer_zoo.data.detection import DETECTORS
from fer_zoo.data.face_tables import BOXES
from fer_zoo.data.image_sources import BOX_COLUMNS, FaceImages
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import WHOLE, Split
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.landmark_source import require_landmarks
from fer_zoo.engine.named_weights import about_default
from fer_zoo.engine.photograph_points import in_photograph
from fer_zoo.engine.predict_files import predict_files
from fer_zoo.engine.predict_settings import PredictSettings, with_default
from fer_zoo.engine.row_writer import check_output
from fer_zoo.engine.run import Echo
from fer_zoo.engine.setting_texts import settings_from_texts
from fer_zoo.engine.trainer import describe_device, predict_trainer
from fer_zoo.engine.trainer_settings import TrainerSettings
from fer_zoo.tasks.face_task import FaceTask

SUFFIXES = (".csv", ".parquet")  # of tables that other verbs read
_OF_FILES = ("boxes", "every")


@dataclass(frozen=True, kw_only=True)
class AnnotateSettings:
    """What annotate does with its files, or with a data set."""

    target: str = setting("landmarks", "what is written", choices=("landmarks",))
    checkpoint: str = setting(
        "", "weights that predict landmarks: a path, or a name of `fer-zoo list weights`; empty: those that ship"
    )
    output: str = setting("", "the table: .csv or .parquet")
    detector: str = setting("haar", "what finds the faces; none: every image is a face", choices=("none", *DETECTORS))
    boxes: str = setting("", "of files: your own boxes in place of a detector, a .csv or .parquet table")
    every: int = setting(1, "of a video, look at each frame whose number this divides", at_least=1)
    device: str = setting("auto", "where the network runs: auto, cpu, cuda or, of files, cuda:N")


def annotate_files(
    files: Sequence[Path], settings: AnnotateSettings, *, pictures: bool, left_out: int, echo: Echo
) -> None:
    """Write the landmarks of every face of photographs and videos, as `predict` writes them.

    Args:
        files: photographs and videos.
        settings: with an output.
        pictures: also draw the points into a copy of each file.
        left_out: how many other files the folders hold, to be told.
        echo: told each line for the user.

    Raises:
        UserError: for a checkpoint without landmarks, an output that is taken, or what `predict_files` raises.
    """
    checkpoint = _checkpoint(settings, echo)
    require_landmarks(load_method(checkpoint), checkpoint)
    said = PredictSettings(
        checkpoint=checkpoint,
        output=settings.output,
        detector=settings.detector,
        boxes=settings.boxes,
        every=settings.every,
        device=settings.device,
    )
    predict_files(files, said, pictures=pictures, left_out=left_out, echo=echo)
    echo(f"use: fer-zoo predict FILES checkpoint=PATH boxes={settings.output}")


def annotate_dataset(words: Sequence[tuple[str, str]], settings: AnnotateSettings, *, echo: Echo) -> pd.DataFrame:
    """Write the landmarks of each image of a data set, known by its id; of several faces the largest.

    A row an image: `id`, `face_found`, the box where a detector ran, 68 points in pixels of the photograph, `problem`.
    Where there is no face values are missing.

    Args:
        words: `dataset` and its settings, as typed.
        settings: with an output.
        echo: told each line for the user.

    Raises:
        UserError: for an unknown data set or setting, a checkpoint without landmarks, or an output that is taken or
            cannot be written.
    """
    checkpoint = _checkpoint(settings, echo)
    for key in _OF_FILES:
        if getattr(settings, key) != getattr(AnnotateSettings(), key):
            raise UserError(f"{key} is about files; leave it out with dataset=NAME.")
    index = _index(words)
    task = load_method(checkpoint)
    require_landmarks(task, checkpoint)
    if task.input_spec.alignment != "none":
        raise UserError(f"{checkpoint} aligns faces by points itself, so it cannot be where they are from.")
    trainer = TrainerSettings(accelerator=_accelerator(settings.device), precision="32")  # halves are tenths of pixels
    echo(describe_device(trainer))
    table = _annotated(index, task, settings.detector, trainer, echo)
    output = Path(settings.output)
    with write_atomically(output) as temporary:
        table.to_csv(temporary, index=False) if output.suffix == ".csv" else table.to_parquet(temporary, index=False)
    echo(f"faces: {int(table['face_found'].sum()):,} of {len(table):,} images")
    echo(f"written: {output}")
    echo(f"use: fer-zoo train dataset={index.dataset} method.alignment=five_points data.landmarks={output} …")
    return table


def _checkpoint(settings: AnnotateSettings, echo: Echo) -> str:
    """The checkpoint that is meant, once the output may be written."""
    if not settings.output:
        raise UserError("Say where the landmarks go: output=TABLE, a .csv or .parquet file.")
    if Path(settings.output).suffix not in SUFFIXES:
        raise UserError(f"output={settings.output} must end in {' or '.join(SUFFIXES)}, which other verbs read.")
    check_output(Path(settings.output))
    if settings.checkpoint:
        return settings.checkpoint
    name = with_default(PredictSettings(), "landmarks").checkpoint
    echo(about_default(name))
    return name


def _index(words: Sequence[tuple[str, str]]) -> Index:
    said = dict(words)
    card = DATASETS[said.pop("dataset")]
    given = {key.removeprefix("dataset."): text for key, text in said.items() if key.startswith("dataset.")}
    for key in said:
        if not key.startswith("dataset."):
            own = {"root", *(field.name for field in fields(card.settings))}
            hint = f" Did you mean 'dataset.{key}'?" if key.partition(".")[0] in own else nearest(key, _known())
            raise UserError(f"`fer-zoo annotate` has no setting {key}.{hint}")
    root = given.pop("root", None)
    return open_dataset(card.name, root, **settings_from_texts(card.settings, list(given.items()), where="dataset"))


def _known() -> tuple[str, ...]:
    return ("dataset", *AnnotateSettings.__dataclass_fields__)


def _accelerator(device: str) -> str:
    found = {"auto": "auto", "cpu": "cpu", "cuda": "gpu", "gpu": "gpu"}.get(device)
    if found is None:
        raise UserError(f"device is {device!r}; for a data set it is auto, cpu or cuda.")
    return found


def _annotated(index: Index, task: FaceTask, detector: str, trainer: TrainerSettings, echo: Echo) -> pd.DataFrame:
    """The table, whose rows are those of the index."""
    split = Split(WHOLE, (), (), tuple(index.ids))
    loading = DataSettings(workers=0, cache=False, on_unreadable="skip", detector=detector)
    data = FaceDataModule(index, split, task.input_spec, {}, loading, tell=echo)
    batches: Any = predict_trainer(trainer).predict(task, datamodule=data) or []
    points, boxes = (np.full((len(index), width), np.nan) for width in (len(LANDMARK_COLUMNS), len(BOXES)))
    if batches:
        rows = torch.cat([batch["row"] for batch in batches]).numpy()
        predicted = {"landmarks": torch.cat([batch["landmarks"] for batch in batches]).float()}
        matrices = FaceImages(data.index, task.input_spec).matrices(rows)
        points[rows] = in_photograph(predicted, task.spaces, matrices)["landmarks"].numpy()
        if set(BOX_COLUMNS) <= set(data.index.table):
            boxes[rows] = data.index.table[list(BOX_COLUMNS)].to_numpy(np.float64)[rows]
    return _table(index, points, boxes, data.skipped)


def _table(index: Index, points: np.ndarray, boxes: np.ndarray, reasons: Mapping[str, str]) -> pd.DataFrame:
    is_found = np.isfinite(points).all(axis=1)
    points = np.where(is_found[:, None], points, np.nan)
    problems = [
        "" if found else reasons.get(name, "outputs are not finite")
        for name, found in zip(index.ids, is_found, strict=True)
    ]
    columns = {"id": index.ids, "face_found": is_found}
    columns |= dict(zip(BOXES, boxes.T.round(2), strict=True))
    columns |= dict(zip(LANDMARK_COLUMNS, points.T.round(6), strict=True))
    return pd.DataFrame({**columns, "problem": problems})
