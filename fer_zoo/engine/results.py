"""What a scored part of a split leaves behind: its prediction table, the report and the pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from jaxtyping import Float

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_json, write_text
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.boxes import index_with_boxes, needs_boxes
from fer_zoo.data.datamodule import FaceDataModule
from fer_zoo.data.image_sources import FaceImages, UnreadableImage, image_source
from fer_zoo.data.protocols import Split
from fer_zoo.engine.photograph_points import in_photograph, needs_photograph
from fer_zoo.engine.run import Echo, Run
from fer_zoo.engine.trainer import predict_trainer
from fer_zoo.evaluation.best_and_worst import best_and_worst, best_and_worst_figure
from fer_zoo.evaluation.condition_curves import curves_figure
from fer_zoo.evaluation.conditions import ConditionScore, curves_of
from fer_zoo.evaluation.curves import reliability_figure
from fer_zoo.evaluation.pictures import confusion_figure, errors_figure, most_confident_errors, save_figure
from fer_zoo.evaluation.predicted_classes import label_counts, predicted_classes_figure, predicted_counts
from fer_zoo.evaluation.prediction_table import prediction_table, read_predictions
from fer_zoo.evaluation.report import EvaluationReport
from fer_zoo.evaluation.scores import Scores
from fer_zoo.tasks.face_task import FaceTask

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREDICTIONS = "predictions.parquet"
_SHOWN = 192  # pixels of a face on a sheet
_MOST_CLASSES = 40  # of which a matrix and bars can be read


def predicted_part(
    task: FaceTask, run: Run, split: Split, *, echo: Echo, watched_by: Sequence[pl.Callback] = ()
) -> pd.DataFrame:
    """The prediction table of a split's test part; images without an output keep their row.

    Args:
        task: with trained weights.
        run: data set and how they are loaded.
        split: of which the test part is predicted.
        echo: told how many images have no output, and why.
        watched_by: see each batch that is predicted.

    Raises:
        UserError: if not one image can be used.
    """
    space = task.spaces[run.target]
    data = FaceDataModule(run.index, split, task.input_spec, task.spaces, run.config.data, seed=run.config.seed)
    data.setup("predict")
    if not len(data.predict_dataloader().dataset):  # type: ignore[arg-type]  # a FaceDataset has a length
        raise UserError(
            f"Not one of the {len(split.test)} test images of {run.index.dataset} can be used"
            f" ({', '.join(sorted(set(data.skipped.values())))}), so there is nothing to score."
        )
    batches: Any = predict_trainer(run.config.trainer, *watched_by).predict(task, datamodule=data)
    rows = torch.cat([batch["row"] for batch in batches]).numpy()
    predicted = {space.target: torch.cat([batch[space.target] for batch in batches]).float()}
    if needs_photograph(space):
        matrices = FaceImages(data.index, task.input_spec).matrices(rows)
        predicted = in_photograph(predicted, task.spaces, matrices)
    outputs = predicted[space.target].numpy().astype(np.float64)
    ids = run.index.table["id"].to_numpy()[rows].tolist()
    asked = run.index.table.iloc[run.index.rows_of(split.test)]
    tested = set(split.test)
    reasons = {name: reason for name, reason in data.skipped.items() if name in tested}
    for reason, count in Counter(reasons.values()).items():
        echo(f"without an output: {count} ({reason})")
    return prediction_table(asked, space, ids, outputs, fold=split.name, reasons=reasons)


def write_report(folder: Path, report: EvaluationReport, table: pd.DataFrame, run: Run, spec: InputSpec) -> None:
    """Write the report as .json, .md and .txt, curves over conditions, and pictures: of values the best and worst."""
    write_json(folder / "report.json", report.to_dict())
    write_text(folder / "report.txt", report.to_text() + "\n")
    write_text(folder / "report.md", report.to_markdown())
    if curves := curves_of(report.conditions):
        save_figure(folder / "conditions.png", _curves(curves, report.scores))
    now, before, space = report.scores.calibration, report.calibration_before, report.scores.space
    if space.kind == "values" and not space.is_points and all(found := best_and_worst(table, space)):
        images = faces_of(run, spec, [face.id for faces in found for face in faces])
        save_figure(folder / "best_and_worst.png", best_and_worst_figure(found, images, space))
    if now is None:
        return
    panels = {"": now} if before is None else {"as trained": before, f"at temperature {report.temperature:.2f}": now}
    write_pictures(folder, report.scores, panels, table, run, spec)


def write_pictures(
    folder: Path,
    scores: Scores,
    reliability: Mapping[str, Float[np.ndarray, "bins 3"]],
    table: pd.DataFrame,
    run: Run,
    spec: InputSpec,
    *,
    part: str = "",
) -> None:
    """Write the pictures of classes: most confident errors, reliability; of few classes confusion matrix and bars, too.

    Args:
        folder: made if missing.
        scores: of the table; of values there are no pictures.
        reliability: the diagrams and what stands above each.
        table: the predictions.
        run: where the faces of the errors are.
        spec: how they are cut out.
        part: stands in the titles.
    """
    if scores.confusion is None:
        return
    space, names = scores.space, scores.space.entries
    errors = most_confident_errors(table, space)
    if len(errors):
        title = f"{part}: the {len(errors)} most confident errors" if part else ""
        sheet = errors_figure(errors, faces_of(run, spec, errors["id"].tolist()), title=title)
        save_figure(folder / "confident_errors.png", sheet)
    save_figure(folder / "reliability.png", reliability_figure(reliability, title=part))
    if len(names) > _MOST_CLASSES:
        return
    apart = {row.target: [row.predicted.get(name, 0) for name in names] for row in scores.apart}
    matrix = np.asarray(scores.confusion).round().astype(np.int64)
    save_figure(folder / "confusion_matrix.png", confusion_figure(matrix, names, apart, title=part))
    title = f"{part}: how often each class is predicted" if part else ""
    bars = predicted_classes_figure(predicted_counts(table, space), label_counts(table, space), title=title)
    save_figure(folder / "predicted_classes.png", bars)


def _curves(curves: Mapping[str, Mapping[str, Sequence[ConditionScore]]], scores: Scores) -> "Figure":
    """Of accuracy, beside that of guessing evenly; of values of the first metric."""
    if scores.space.kind == "classes" and "accuracy" in scores.values:
        return curves_figure(curves, "accuracy", chance=1 / len(scores.space))
    return curves_figure(curves, next(iter(scores.values)))


def read_table(folder: Path) -> pd.DataFrame:
    """The prediction table of an evaluation."""
    return read_predictions(folder / PREDICTIONS)[0]


def faces_of(run: Run, spec: InputSpec, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """The faces as the network is given them, but in colour and of a size for people; cropped sets have them whole."""
    index, images = run.index, dict[str, np.ndarray]()
    if needs_boxes(index, spec, run.config.data.detector):
        index, _ = index_with_boxes(index, run.config.data.detector, progress=False)  # known since they were predicted
    scale = _SHOWN / max(spec.height, spec.width)
    shown = InputSpec(
        height=round(scale * spec.height),
        width=round(scale * spec.width),
        crop_scale=spec.crop_scale,
        alignment=spec.alignment,
    )
    is_whole = index.is_cropped and spec.alignment == "none"
    source = image_source(index) if is_whole else FaceImages(index, shown)
    for name, row in zip(ids, index.rows_of(ids).tolist(), strict=True):
        try:
            images[name] = source.read(row)
        except UnreadableImage:  # its place on the sheet stays empty
            continue
    return images
