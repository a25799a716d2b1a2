"""Scoring a checkpoint on people it has never seen: predictions, report, pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_json, write_text
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.datamodule import FaceDataModule
from fer_zoo.data.image_sources import UnreadableImage, image_source
from fer_zoo.data.index import Index
from fer_zoo.data.protocols import Split
from fer_zoo.engine.checkpoint import checkpoint_folder, load_method
from fer_zoo.engine.config import CONFIG, RunConfig, compose, read_config
from fer_zoo.engine.jobs import Job
from fer_zoo.engine.overlap import refuse_training_data
from fer_zoo.engine.run import Echo, Run, open_run
from fer_zoo.engine.trainer import predict_trainer
from fer_zoo.evaluation.curves import reliability_figure
from fer_zoo.evaluation.pictures import confusion_figure, errors_figure, most_confident_errors, save_figure
from fer_zoo.evaluation.prediction_table import prediction_table, read_predictions, write_predictions
from fer_zoo.evaluation.report import EvaluationReport, evaluate_table
from fer_zoo.evaluation.training_labels import expanded
from fer_zoo.tasks.face_task import FaceTask

PREDICTIONS = "predictions.parquet"


def evaluate(
    checkpoint: str | Path, settings: Sequence[tuple[str, str]] = (), *, echo: Echo
) -> tuple[EvaluationReport, Path]:
    """The report of a checkpoint on the test part of its own split, or on other data, and where it was written.

    Args:
        checkpoint: a run folder or a checkpoint folder.
        settings: what differs from how it was trained, e.g. ("dataset", "image_folder"), ("dataset.root", "photos").
            Another data set without a named protocol is scored whole.
        echo: told each line for the user.

    Raises:
        UserError: if the checkpoint is none, or people or files of the test part were in its training.
    """
    if any(key.startswith("method") for key, _ in settings):
        raise UserError("A checkpoint brings its method with it; evaluate takes no method settings.")
    folder = checkpoint_folder(checkpoint)
    task = load_method(folder)
    keys = {key for key, _ in settings}
    is_split = bool(keys & {"protocol", "protocol.name"})
    config = _configuration(folder, task.card, settings)
    run = open_run(config, echo=echo, whole_unless="" if is_split else task.card["training"]["fingerprint"])
    output = run.config.output if "output" in keys else folder.parent / "test"
    refuse_training_data(task.card, run, echo=echo)
    report = evaluate_run(task, run, Path(output), echo=echo)
    return report, Path(output)


def evaluation_job(run: Run, *, echo: Echo) -> Job:
    """The evaluation of a trained run on its test part."""

    def work(folder: Path) -> dict[str, Any]:
        evaluate_run(load_method(run.folder), run, folder, echo=echo)
        return {"kind": "evaluation", "label": run.label, "split": run.split.name}

    return Job(folder=run.folder / "test", label=f"evaluation of {run.label}", work=work)


def evaluate_run(task: FaceTask, run: Run, folder: Path, *, echo: Echo) -> EvaluationReport:
    """Predict the test part of a run's split, score it, and write table, report and pictures into a folder."""
    data = FaceDataModule(run.index, run.split, task.input_spec, task.spaces, run.config.data, seed=run.config.seed)
    space = task.spaces[run.target]
    table = test_predictions(task, data, run, space)
    asked = set(run.split.test)
    reasons = [reason for name, reason in data.skipped.items() if name in asked]
    for reason, count in Counter(reasons).items():
        echo(f"without an output: {count} ({reason})")
    origin = {"label": run.label, "fingerprint": run.index.fingerprint(), "split": run.split.name}
    write_predictions(folder / PREDICTIONS, table, space, origin)
    training = _labels_learned(task, run, space)
    report = evaluate_table(table, space, training=training, name=run.config.method["name"])
    write_report(folder, report, table, run.index)
    return report


def test_predictions(task: FaceTask, data: FaceDataModule, run: Run, space: LabelSpace) -> pd.DataFrame:
    """The prediction table of the split's test part; images without an output keep their row."""
    data.setup("predict")
    if not len(data.predict_dataloader().dataset):  # type: ignore[arg-type]  # a FaceDataset has a length
        raise UserError(
            f"Not one of the {len(run.split.test)} test images of {run.index.dataset} can be used"
            f" ({', '.join(sorted(set(data.skipped.values())))}), so there is nothing to score."
        )
    batches: Any = predict_trainer(run.config.trainer).predict(task, datamodule=data)
    outputs = torch.cat([batch[space.target] for batch in batches]).float().numpy()
    rows = torch.cat([batch["row"] for batch in batches]).numpy()
    ids = run.index.table["id"].to_numpy()[rows].tolist()
    asked = run.index.table.iloc[run.index.rows_of(run.split.test)]
    return prediction_table(asked, space, ids, outputs.astype(np.float64), fold=run.split.name)


def training_labels(run: Run, split: Split) -> pd.DataFrame:
    """The rows that a model of this split has learned from, for the rows of guesses beside its score."""
    return run.index.table.iloc[run.index.rows_of(split.train)]


def _labels_learned(task: FaceTask, run: Run, space: LabelSpace) -> pd.DataFrame | None:
    """The labels that the weights have learned from: the split's own, or on other data what the checkpoint says."""
    training = task.card["training"]
    if run.split.train and run.index.fingerprint() == training["fingerprint"]:
        return training_labels(run, run.split)
    summary = training.get("labels", {}).get(space.target)
    return None if summary is None else expanded(summary, space)


def write_report(folder: Path, report: EvaluationReport, table: pd.DataFrame, index: Index) -> None:
    """Write the report as .json, .md and .txt and, for classes, the pictures."""
    write_json(folder / "report.json", report.to_dict())
    write_text(folder / "report.txt", report.to_text() + "\n")
    write_text(folder / "report.md", report.to_markdown())
    scores = report.scores
    if scores.confusion is None:
        return
    names = scores.space.entries
    apart = {row.target: [row.predicted.get(name, 0) for name in names] for row in scores.apart}
    matrix = np.asarray(scores.confusion).round().astype(np.int64)
    save_figure(folder / "confusion_matrix.png", confusion_figure(matrix, names, apart))
    errors = most_confident_errors(table, scores.space)
    if len(errors):
        save_figure(folder / "confident_errors.png", errors_figure(errors, _images(index, errors["id"].tolist())))
    if scores.calibration is not None:
        save_figure(folder / "reliability.png", reliability_figure(np.asarray(scores.calibration)))


def read_table(folder: Path) -> pd.DataFrame:
    """The prediction table of an evaluation."""
    return read_predictions(folder / PREDICTIONS)[0]


def _configuration(folder: Path, card: Mapping[str, Any], settings: Sequence[tuple[str, str]]) -> RunConfig:
    """How the checkpoint was trained, with what the user says otherwise."""
    training, keys = card["training"], {key for key, _ in settings}
    if not keys & {"dataset", "dataset.name"}:
        settings = [("dataset", training["dataset"]["name"]), *settings]
    # Where faces were looked for in training, and what became of unreadable images, holds in evaluation.
    kept = [(f"data.{key}", str(training["data"][key])) for key in ("detector", "on_unreadable")]
    config = compose(
        [("method", card["method"]), *(pair for pair in kept if pair[0] not in keys), *settings], verb="evaluate"
    )
    config.method = {"name": card["method"], **card["settings"]}
    if config.dataset["name"] != training["dataset"]["name"]:
        return config
    for group in ("dataset", "protocol"):
        current = getattr(config, group)
        if keys & {group, f"{group}.name"} and current["name"] != training[group]["name"]:
            continue
        said = {key.removeprefix(f"{group}.") for key in keys if key.startswith(f"{group}.")}
        setattr(config, group, {**current, **training[group], **{key: current[key] for key in said}})
    if "dataset.root" not in keys:
        config.dataset["root"] = _root_of_training(folder) or config.dataset["root"]
    if "fold" not in keys:
        config.fold = training["fold"]
    return config


def _root_of_training(folder: Path) -> str | None:
    """Where the data of a checkpoint's run were, if it lies in its run and they still are there."""
    if folder.name != "model" or not (folder.parent / CONFIG).is_file():
        return None
    root = read_config(folder.parent).dataset["root"]
    return root if root is not None and Path(root).expanduser().exists() else None


def _images(index: Index, ids: Sequence[str]) -> dict[str, np.ndarray]:
    source, images = image_source(index), {}
    for name, row in zip(ids, index.rows_of(ids).tolist(), strict=True):
        try:
            images[name] = source.read(row)
        except UnreadableImage:  # its place on the sheet stays empty
            continue
    return images
