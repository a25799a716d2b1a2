"""All folds of an experiment: train and evaluate each, then score all test predictions together."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_json
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.identical_files import Groups, across, identical_files
from fer_zoo.data.index import SPLIT_PARTS
from fer_zoo.engine.checkpoint import read_card
from fer_zoo.engine.config import RunConfig, write_config
from fer_zoo.engine.evaluate import evaluation_job, training_labels
from fer_zoo.engine.jobs import job_id, run_job, status
from fer_zoo.engine.overlap import refuse_start
from fer_zoo.engine.results import PREDICTIONS, read_table, write_report
from fer_zoo.engine.run import Echo, Run, describe_data, open_run
from fer_zoo.engine.train import train_run
from fer_zoo.engine.trainer import is_alone
from fer_zoo.evaluation.prediction_table import require_tabulated, write_predictions
from fer_zoo.evaluation.report import EvaluationReport, evaluate_table
from fer_zoo.evaluation.scores import score_table


def folds(config: RunConfig, *, echo: Echo) -> list[Run]:
    """One run a fold of the protocol; nothing is trained.

    Raises:
        UserError: for a configuration that cannot run, or a checkpoint to start from that has seen test people.
    """
    first = open_run(_with_fold(config, 0), echo=echo)
    runs = [
        Run(_with_fold(first.config, fold), first.index, first.target, first.splits)
        for fold in range(len(first.splits))
    ]
    for path in config.starts.values():
        refuse_start(read_card(path), runs, echo=echo)
    return runs


def describe_folds(runs: list[Run], *, show: bool = True) -> list[dict[str, Any]]:
    """A row a fold: name, hash of its ids, what its parts hold, identical files across them, state and folder.

    Args:
        runs: of the folds.
        show: draw a bar on a terminal while files are compared.

    Returns:
        Rows with `fold`, `hash`, `state`, `folder`; for each part samples (`train` …), `train_subjects` and, where the
        data have any, `train_clips`; `identical`, groups of ids with the same content in different parts; `ids` and
        `subjects`, by part.
    """
    index = runs[0].index
    used = {name for run in runs for part in SPLIT_PARTS for name in getattr(run.split, part)}
    groups = identical_files(index, used, show=show)
    return [_row(run, groups) for run in runs]


def _row(run: Run, groups: Groups) -> dict[str, Any]:
    row: dict[str, Any] = {"fold": run.split.name, "hash": run.split.hash}
    ids: dict[str, list[str]] = {}
    subjects: dict[str, list[str]] = {}
    has_clips = run.index.table["clip"].ne("").any()
    for part in SPLIT_PARTS:
        ids[part] = list(getattr(run.split, part))
        rows = run.index.table.iloc[run.index.rows_of(ids[part])]
        subjects[part] = sorted(rows["subject"].unique())
        row |= {part: len(rows), f"{part}_subjects": len(subjects[part])}
        if has_clips:
            row[f"{part}_clips"] = rows.loc[rows["clip"] != "", "clip"].nunique()
    identical = [list(group) for group in across(groups, run.split)]
    return {
        **row,
        "identical": identical,
        "state": status(run.folder),
        "folder": str(run.folder),
        "ids": ids,
        "subjects": subjects,
    }


def crossvalidate(config: RunConfig, *, echo: Echo) -> tuple[EvaluationReport, Path]:
    """The report over the test parts of all folds, and where it was written; finished folds are not repeated.

    Raises:
        UserError: for a configuration that cannot run; what is done stays.
    """
    runs = folds(config, echo=echo)
    require_tabulated(runs[0].index.space(runs[0].target))
    for number, run in enumerate(runs):
        echo(f"fold {number + 1} of {len(runs)}: {describe_data(run)}")
        train_fold(run, echo=echo)
        run_job(evaluation_job(run, echo=echo), echo=echo)
    return pool(runs, echo=echo)


def pool(runs: list[Run], *, echo: Echo) -> tuple[EvaluationReport, Path]:
    """Score the test predictions of several folds as one table, with each fold's own score beside."""
    first = runs[0]
    folder = pooled_folder(runs)
    table = pd.concat([read_table(run.folder / "test") for run in runs], ignore_index=True)
    task = first.new_task()
    space = task.spaces[first.target]
    training = {run.split.name: training_labels(run, run.split) for run in runs}
    report = evaluate_table(table, space, training=training, name=first.config.method["name"])
    write_predictions(folder / PREDICTIONS, table, space, {"runs": [run.id for run in runs]})
    write_report(folder, report, table, first, task.input_spec)
    each = {str(name): _values(part, space) for name, part in table.groupby("fold")}
    result = {"kind": "crossvalidation", "runs": [run.folder.name for run in runs], "folds": each}
    write_json(folder / "result.json", result)
    for name, values in each.items():
        echo(f"{name}: " + "  ".join(f"{metric} {value:.3f}" for metric, value in values.items()))
    return report, folder


def pooled_folder(runs: Sequence[Run]) -> Path:
    """Where the score of several folds as one table lies."""
    return runs[0].experiment_folder / f"crossvalidation-{job_id({'runs': [run.id for run in runs]})}"


def train_fold(run: Run, *, echo: Echo) -> None:
    """Train a fold; on several devices in processes of its own, which end with it."""
    if is_alone(run.config.trainer):
        train_run(run, echo=echo)
        return
    if {"RANK", "SLURM_PROCID"} & set(os.environ):
        raise UserError(
            "crossvalidate and recipes start the processes of each training themselves, so run them without torchrun"
            " and SLURM; there, train folds by one `fer-zoo train … fold=K` a job, then score them by crossvalidate."
        )
    if status(run.folder) != "done":
        write_config(run.folder, run.config)
        command = [sys.executable, "-m", "fer_zoo", "train", f"resume={run.folder}"]
        code = subprocess.run(command, check=False).returncode
        if code:
            raise UserError(
                f"Training of {run.label} ended with code {code}; its own lines say why. What is done stays."
            )


def _values(table: pd.DataFrame, space: LabelSpace) -> dict[str, float]:
    return {name: estimate.value for name, estimate in score_table(table.reset_index(drop=True), space).values.items()}


def _with_fold(config: RunConfig, fold: int) -> RunConfig:
    return RunConfig.from_dict({**config.to_dict(), "fold": fold})
