"""What a score is worth without looking at a face: rows from the training labels, from the source, from a person.

`majority` and `label_by_source` answer with the class frequencies of the training part (of the image's source), so the
answer is their commonest class and the confidence its frequency. `prior_random` draws the answer from the training
frequencies p; its numbers are expectations, nothing is drawn: the confusion matrix of a class c with n_c test images is
n_c · p, hence accuracy Σ_c (n_c / n) p_c and mean class accuracy Σ_c p_c / k over the k classes of the test part, which
is 1 / k when the training part has no others. Macro-F1 is that of the expected matrix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import (
    SECOND_LABEL,
    class_numbers,
    classes_of,
    outputs_of,
    values_of,
)
from fer_zoo.evaluation.scores import checked_metrics, rows_with_target
from fer_zoo.evaluation.subject_sums import (
    NO_INTERVALS,
    Bootstrap,
    Estimate,
    SubjectSums,
    class_sums,
    drawn_class_sums,
    value_sums,
)

# One training part for all folds of a table, or one for each.
Training = pd.DataFrame | Mapping[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class ReferenceRow:
    """One line beside a model's score.

    Attributes:
        name: majority, prior_random, label_by_source, second_annotator, model_on_these, train_mean or all_zero.
        images: how many it is scored on.
        values: metric -> score; NaN where a metric has no meaning for the row.
        note: what one needs to know to read it.
    """

    name: str
    images: int
    values: Mapping[str, Estimate]
    note: str


def reference_rows(
    training: Training,
    table: pd.DataFrame,
    space: LabelSpace,
    metrics: Sequence[str] | None = None,
    bootstrap: Bootstrap = NO_INTERVALS,
) -> tuple[ReferenceRow, ...]:
    """The rows beside a score, on the images of the prediction table that have a target, with or without an output.

    Args:
        training: labels of the training part, as an index has them: `source` and the columns of the target; or one
            such table for each fold.
        table: the prediction table that was scored.
        space: its label space.
        metrics: names; by default all that fit.
        bootstrap: how intervals are drawn, the same people as for the model's score.

    Raises:
        UserError: if a fold has no training part, or a training part no label in the space.
    """
    names = checked_metrics(space, metrics)
    table = table[rows_with_target(table, space)].reset_index(drop=True)
    rows = _class_rows(training, table, space) if space.kind == "classes" else _value_rows(training, table, space)
    return tuple(_scored(name, sums, note, names, bootstrap) for name, (sums, note) in rows.items())


def class_frequencies(training: pd.DataFrame, space: LabelSpace) -> Float[np.ndarray, "k"]:
    """Share of each class among the labels of the space.

    Raises:
        UserError: if there is no such label.
    """
    numbers = class_numbers(_column(training, space.target, space), space)
    counts = np.bincount(numbers[numbers >= 0], minlength=len(space)).astype(np.float64)
    if counts.sum() == 0:
        raise UserError(f"None of the {len(training)} training images has a label in {space.name}.")
    return counts / counts.sum()


def frequencies_by_source(training: pd.DataFrame, table: pd.DataFrame, space: LabelSpace) -> Float[np.ndarray, "n k"]:
    """For each row the class frequencies of its source in the training part; of all sources where it has none."""
    overall = class_frequencies(training, space)
    labelled = training[class_numbers(_column(training, space.target, space), space) >= 0]
    known = {
        source: class_frequencies(part, space)
        for source, part in labelled.groupby(_column(labelled, "source", space).fillna("").astype(str))
    }
    sources = table["source"].fillna("").astype(str)
    return np.array([known.get(source, overall) for source in sources]).reshape(len(table), len(space))


def _scored(name: str, sums: SubjectSums, note: str, metrics: Sequence[str], bootstrap: Bootstrap) -> ReferenceRow:
    """A second annotator's label outside the space is an answer, and wrong; of the other rows all have an answer."""
    draws = sums.draw(bootstrap)
    wrong = name == "second_annotator"
    values = {metric: draws.estimate(metric, missing_is_wrong=wrong) for metric in metrics}
    return ReferenceRow(name=name, images=sums.images, values=values, note=note)


def _class_rows(training: Training, table: pd.DataFrame, space: LabelSpace) -> dict[str, tuple[SubjectSums, str]]:
    people, truth = table["subject"].astype(str).to_list(), classes_of(table, space)
    overall, by_source = np.empty((len(table), len(space))), np.empty((len(table), len(space)))
    for rows, part in _training_by_row(training, table):
        overall[rows] = class_frequencies(part, space)
        by_source[rows] = frequencies_by_source(part, table[rows], space)
    commonest = sorted({space.entries[i] for i in overall.argmax(axis=1)})
    sources = table["source"].fillna("").nunique()
    references = {
        "majority": (
            class_sums(people, overall, truth, space),
            f"always {' or '.join(commonest)}, the commonest training class",
        ),
        "prior_random": (
            drawn_class_sums(people, overall, truth, space),
            "drawn from the training frequencies; expected values",
        ),
        "label_by_source": (
            class_sums(people, by_source, truth, space),
            f"commonest training class of the image's source; {sources} source{'s' if sources > 1 else ''}",
        ),
    }
    return references | _second_annotator(table, space)


def _second_annotator(table: pd.DataFrame, space: LabelSpace) -> dict[str, tuple[SubjectSums, str]]:
    """The agreement of a second person with the labels, and the model on the same images; nothing without any."""
    if SECOND_LABEL not in table or table[SECOND_LABEL].isna().all():
        return {}
    part = table[table[SECOND_LABEL].notna()].reset_index(drop=True)
    people, truth = part["subject"].astype(str).to_list(), classes_of(part, space)
    second = class_numbers(part[SECOND_LABEL], space)
    answers = np.where(second[:, None] >= 0, np.eye(len(space))[second], np.nan)
    outside = int((second < 0).sum())
    note = f"another person's labels; {outside} outside the label space count as disagreement"
    model = class_sums(people, outputs_of(part, space), truth, space)
    agreement = class_sums(people, answers, truth, space, calibrated=False)
    return {
        "second_annotator": (replace(agreement, images=len(part)), note),
        "model_on_these": (model, "the model on the second annotator's images"),
    }


def _value_rows(training: Training, table: pd.DataFrame, space: LabelSpace) -> dict[str, tuple[SubjectSums, str]]:
    people, truth = table["subject"].astype(str).to_list(), values_of(table, space)
    means = np.empty_like(truth)
    for rows, part in _training_by_row(training, table):
        means[rows] = value_means(part, space)
    references = {"train_mean": (value_sums(people, means, truth, space), "always the mean of the training labels")}
    if not space.is_points:  # a face in one corner is nobody's guess
        references["all_zero"] = (value_sums(people, np.zeros_like(truth), truth, space), "always 0")
    return references


def value_means(training: pd.DataFrame, space: LabelSpace) -> Float[np.ndarray, "k"]:
    """Mean of each entry over its training labels; NaN for an entry without any.

    Raises:
        UserError: if no entry has one.
    """
    labels = pd.concat([_column(training, entry, space) for entry in space.entries], axis=1)
    means = labels.astype(np.float64).mean(axis=0).to_numpy(dtype=np.float64)
    if np.isnan(means).all():
        raise UserError(f"None of the {len(training)} training images has a label in {space.name}.")
    return means


def _training_by_row(training: Training, table: pd.DataFrame) -> list[tuple[np.ndarray, pd.DataFrame]]:
    """Masks of rows with the training part that belongs to them."""
    if isinstance(training, pd.DataFrame):
        return [(np.ones(len(table), dtype=bool), training)]
    folds = table["fold"].astype(str)
    lacking = sorted(set(folds) - set(training))
    if lacking:
        raise UserError(f"Fold {lacking[0]!r} has no training labels; there are those of {', '.join(training)}.")
    return [((folds == fold).to_numpy(), training[fold]) for fold in sorted(set(folds))]


def _column(training: pd.DataFrame, name: str, space: LabelSpace) -> pd.Series:
    if name not in training:
        have = ", ".join(map(str, training.columns[:12]))
        raise UserError(f"The training labels lack the column {name!r}, which {space.name} needs; they have {have}.")
    return training[name]
