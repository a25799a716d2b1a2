"""Stability over the frames of clips: how outputs move from one frame to the next, beside how labels do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import (
    FRAME,
    has_output,
    output_columns,
    outputs_of,
    target_columns,
    values_of,
)
from fer_zoo.evaluation.report_text import ReportTable, with_interval
from fer_zoo.evaluation.scores import rows_with_target, table_sums
from fer_zoo.evaluation.subject_sums import Bootstrap, Estimate

STAYS = "answer_stays"


@dataclass(frozen=True, kw_only=True)
class StepScore:
    """One row: of the model, or of what never moves; number of pairs of frames; metric -> score of the steps."""

    name: str
    pairs: int
    values: Mapping[str, Estimate]


def step_scores(
    table: pd.DataFrame, space: LabelSpace, metrics: Sequence[str], bootstrap: Bootstrap, *, name: str = "model"
) -> list[StepScore]:
    """How steady outputs are; nothing where no clip has two frames with label and output.

    Of classes: the share of pairs with one label that have one answer, `answer_stays`, right or wrong. Of values: the
    metrics of the differences between a frame and the one before, outputs against labels, so that an output that
    trembles or lags has an error though its mean is right. Of points: their error once the step of the label is taken
    off, over the distance of the eyes. Beside values and points stands what never moves.

    Args:
        table: a prediction table with the frames' numbers; frames without label or output part no others, and a clip
            in which two frames have one number is left out.
        space: of the outputs.
        metrics: of values; those of classes do not matter.
        bootstrap: how intervals over people are drawn.
        name: of the model's row.
    """
    if FRAME not in table:
        return []
    former, later = _pairs(table, space)
    if later.empty:
        return []
    if space.kind == "classes":
        (label,) = target_columns(space)
        later[label] = former[space.target].to_numpy()
        found, pairs = _scored(later, space, ["accuracy"], bootstrap)
        return [StepScore(name=name, pairs=pairs, values={STAYS: found["accuracy"]})]
    steps = outputs_of(later, space) - outputs_of(former, space)
    expected = values_of(later, space) - values_of(former, space)
    expected[np.isnan(steps)] = np.nan
    if not np.isfinite(expected).any():
        return []
    scores = []
    for row, own in {name: steps, "never moves": 0 * steps}.items():
        found, pairs = _scored(_moved(later, space, own, expected), space, metrics, bootstrap)
        scores.append(StepScore(name=row, pairs=pairs, values=found))
    return scores


def steps_table(steps: Sequence[StepScore]) -> ReportTable:
    """The rows as a report shows them."""
    header = ["", "pairs", *(name.replace("_", " ") for name in (steps[0].values if steps else ()))]
    rows = [[step.name, f"{step.pairs:,}", *map(with_interval, step.values.values())] for step in steps]
    return ReportTable(title="Steps from frame to frame of a clip", header=header, rows=rows)


def _scored(
    table: pd.DataFrame, space: LabelSpace, metrics: Sequence[str], bootstrap: Bootstrap
) -> tuple[dict[str, Estimate], int]:
    sums = table_sums(table, space)
    draws = sums.draw(bootstrap)
    return {metric: draws.estimate(metric) for metric in metrics}, sums.images


def _pairs(table: pd.DataFrame, space: LabelSpace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of frames and, below, of those that follow them in their clips; of classes where both have one label."""
    known = table[(table["clip"] != "") & has_output(table, space) & rows_with_target(table, space)]
    numbers = known.groupby(["fold", "clip"])[FRAME]
    known = known[numbers.transform("nunique") == numbers.transform("size")]  # else nobody knows what follows what
    known = known.sort_values(["fold", "clip", FRAME])
    same = ["fold", "clip", *(target_columns(space) if space.kind == "classes" else [])]
    follows = (known[same] == known[same].shift()).all(axis=1)
    return known[follows.shift(-1, fill_value=False)], known[follows].copy()


def _moved(
    later: pd.DataFrame, space: LabelSpace, steps: Float[np.ndarray, "n k"], expected: Float[np.ndarray, "n k"]
) -> pd.DataFrame:
    """A prediction table of steps; of points one of places, as errors are measured on the labelled eyes."""
    if space.is_points:
        expected, steps = values_of(later, space), values_of(later, space) + steps - expected
    names = [*target_columns(space), *output_columns(space)]
    numbers = pd.DataFrame(np.hstack([expected, steps]), index=later.index, columns=names)
    return pd.concat([later.drop(columns=names), numbers], axis=1)
