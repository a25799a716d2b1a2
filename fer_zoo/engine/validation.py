"""After training: the kept weights on the validation part, their predictions, temperature and pictures."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from fer_zoo.core.files import read_json, write_json
from fer_zoo.core.label_spaces import MISSING_CLASS, LabelSpace
from fer_zoo.data.protocols import Split
from fer_zoo.engine.checkpoint import CARD, load_method
from fer_zoo.engine.results import PREDICTIONS, predicted_part, write_pictures
from fer_zoo.engine.run import Echo, Run
from fer_zoo.evaluation.predicted_classes import label_counts, predicted_counts, warning_of
from fer_zoo.evaluation.prediction_table import MOST_CLASSES, classes_of, is_tabulated, outputs_of, write_predictions
from fer_zoo.evaluation.scores import score_table
from fer_zoo.evaluation.temperature import (
    Temperature,
    calibration_at,
    calibration_error,
    fit_temperature,
    log_probabilities_of,
)

FOLDER = "validation"
SOURCE = "Guo et al., On Calibration of Modern Neural Networks, 2017, section 4.2"


def validate_run(run: Run, folder: Path, *, echo: Echo) -> None:
    """Predict the validation part with the weights in `folder`/model and write what follows from it.

    Leaves predictions.parquet and, for classes, pictures in `folder`/validation, and the temperature in the card of
    the checkpoint; of very many classes nothing, which it says. Done twice, it leaves the same. For one process only.

    Args:
        run: whose training ended.
        folder: of the run.
        echo: told the temperature, and a warning when one class takes nearly all predictions.
    """
    task = load_method(folder / "model")
    space = task.spaces[run.target]
    if not is_tabulated(space):
        echo(
            f"{len(space):,} classes are more than {MOST_CLASSES}, so no table of predictions, temperature and pictures"
            f" are made; the scores of the validation part stand in {folder / 'model' / CARD}"
        )
        return
    table = predicted_part(task, run, _validation_as_test(run, space), echo=lambda line: echo(f"validation: {line}"))
    origin = {"label": run.label, "fingerprint": run.index.fingerprint(), "split": run.split.name, "part": FOLDER}
    write_predictions(folder / FOLDER / PREDICTIONS, table, space, origin)
    if space.kind != "classes":
        return
    fitted = fit_temperature(log_probabilities_of(outputs_of(table, space)), classes_of(table, space))
    _store(folder / "model" / CARD, run.target, fitted)
    scores = score_table(table, space)
    panels = {"as trained": np.asarray(scores.calibration)}
    if fitted.value is not None:
        panels[f"at temperature {fitted.value:.2f}"] = calibration_at(table, space, fitted.value)
    write_pictures(folder / FOLDER, scores, panels, table, run, task.input_spec, part=FOLDER)
    for line in _lines(fitted, [calibration_error(bins) for bins in panels.values()], table, space):
        echo(line)


def _validation_as_test(run: Run, space: LabelSpace) -> Split:
    """A split whose test part are the images that validation scored: those with a label in the space."""
    labels = run.index.target_array(run.target, space)[run.index.rows_of(run.split.validation)]
    known = labels != MISSING_CLASS if space.kind == "classes" else np.isfinite(labels).any(axis=1)
    ids = np.array(run.split.validation)[np.flatnonzero(known)].tolist()
    return replace(run.split, train=(), validation=(), test=tuple(ids))


def _store(path: Path, target: str, fitted: Temperature) -> None:
    """Put a temperature into a card, or take an older one out of it where none was fitted."""
    card = read_json(path)
    how = {**asdict(fitted), "part": FOLDER, "source": SOURCE}
    values = {key: value for key, value in card.get("temperature", {}).items() if key != target}
    if fitted.value is not None:
        values[target] = fitted.value
    fits = {**card.get("temperature_fit", {}), target: how}
    write_json(path, {**card, "temperature": values, "temperature_fit": fits})


def _lines(fitted: Temperature, errors: Sequence[float], table: pd.DataFrame, space: LabelSpace) -> list[str]:
    if fitted.value is None:
        lines = [f"no temperature: {fitted.reason}; calibration error of the validation part {errors[0]:.3f}"]
    else:
        lines = [
            f"temperature {fitted.value:.3f}, fitted on {fitted.samples:,} validation images: calibration error"
            f" {errors[0]:.3f} becomes {errors[1]:.3f}; used where calibrated=true"
        ]
    warning = warning_of(predicted_counts(table, space), label_counts(table, space))
    return [*lines, f"warning: {warning} (validation part)"] if warning else lines
