"""Scores of a prediction table, from the table alone: values, coverage, classes or names, sources, rows apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import (
    best_entries,
    check_table,
    classes_of,
    has_output,
    outputs_of,
    target_columns,
    values_of,
)
from fer_zoo.evaluation.subject_sums import (
    NO_INTERVALS,
    Bootstrap,
    Draws,
    Estimate,
    SubjectSums,
    class_sums,
    value_sums,
)
from fer_zoo.evaluation.sum_values import answered, precision
from fer_zoo.metrics import family_for, label_constant, metric_names, prediction_constant


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Numbers of images: asked for, with an output, with a target in the space, apart from it, scored; of people."""

    asked: int
    with_output: int
    with_target: int
    apart: int
    scored: int
    subjects: int


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """One class: recall and precision of the scored images, how many have it as label and how many as answer."""

    name: str
    recall: Estimate
    precision: float
    support: int
    predicted: int


@dataclass(frozen=True, kw_only=True)
class ValueScore:
    """One entry of a space of values: its metrics, its images, and whether labels or outputs never change."""

    name: str
    values: Mapping[str, Estimate]
    support: int
    label_constant: bool
    prediction_constant: bool


@dataclass(frozen=True, kw_only=True)
class SourceScore:
    """The scores within one source."""

    name: str
    images: int
    classes: int
    values: Mapping[str, Estimate]


@dataclass(frozen=True, kw_only=True)
class ApartRow:
    """Images whose label is outside the space: how many, and what they were taken for ("" without an output)."""

    target: str
    images: int
    predicted: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class PointCounts:
    """Points of images with a target: scored; skipped for want of a label, of an output, or of labelled eye corners."""

    scored: int
    skipped: int


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a prediction table is worth.

    Attributes:
        space: label space of the outputs.
        coverage: how many images stand behind the scores.
        values: metric -> score over the images with target and output.
        missing_is_wrong: metric -> score over the images with a target, those without an output counted as wrong
            (values: as the end of the range farther from the label, points: as an error of 1); empty when every image
            has an output.
        entries: per class, or per name of a value; none of points.
        sources: within each source; empty when there is but one.
        apart: labels outside the space.
        points: scored and skipped ones; None but for points.
        confusion: counts, rows label and columns answer; None for values.
        calibration: per bin of confidence images, sum of confidences, right answers; None for values.
    """

    space: LabelSpace
    coverage: Coverage
    values: Mapping[str, Estimate]
    missing_is_wrong: Mapping[str, Estimate]
    entries: Sequence[ClassScore] | Sequence[ValueScore]
    sources: Sequence[SourceScore] = ()
    apart: Sequence[ApartRow] = ()
    points: PointCounts | None = None
    confusion: Int[np.ndarray, "k k"] | None = None
    calibration: Float[np.ndarray, "bins 3"] | None = None


def score_table(
    table: pd.DataFrame,
    space: LabelSpace,
    metrics: Sequence[str] | None = None,
    bootstrap: Bootstrap = NO_INTERVALS,
) -> Scores:
    """The scores of a prediction table; the order of its rows does not matter.

    Args:
        table: as `prediction_table` makes it; folds are pooled.
        space: label space of the outputs.
        metrics: names; by default all that fit the space.
        bootstrap: how intervals are drawn; by default none are.

    Raises:
        UserError: if columns are missing, no image has a target in the space, or a metric does not fit.
    """
    names = checked_metrics(space, metrics)
    check_table(table, space)
    table = table.reset_index(drop=True)
    rows = rows_with_target(table, space)
    if not rows.any():
        found = ", ".join(_labels_apart(table, space).unique()[:8]) or "no label at all"
        raise UserError(f"None of the {len(table)} images has a target in {space.name}; found {found}.")
    sums = table_sums(table, space)
    draws = sums.draw(bootstrap)
    covered = _coverage(table, space, rows)
    lacking = covered.scored < covered.with_target or _has_gaps(table, space)
    of_classes = space.kind == "classes"
    return Scores(
        space=space,
        coverage=covered,
        values={name: draws.estimate(name) for name in names},
        missing_is_wrong={name: draws.estimate(name, missing_is_wrong=True) for name in names if lacking},
        entries=_class_scores(sums, draws) if of_classes else _value_scores(sums, names, draws),
        sources=_source_scores(table[rows], space, names, bootstrap),
        apart=_rows_apart(table, space),
        points=_point_counts(sums),
        confusion=answered(sums.total("answers")).round().long().numpy() if of_classes else None,
        calibration=sums.total("calibration").numpy() if of_classes else None,
    )


def checked_metrics(space: LabelSpace, metrics: Sequence[str] | None) -> tuple[str, ...]:
    """The metrics to show, without the confusion matrix, which always is.

    Raises:
        UserError: for an unknown metric, or one that does not fit the space.
    """
    if metrics is None:
        return metric_names(space)
    for name in metrics:
        family_for(space, name)
    return tuple(name for name in dict.fromkeys(metrics) if name != "confusion_matrix")


def table_sums(table: pd.DataFrame, space: LabelSpace) -> SubjectSums:
    """The sums per person of a table; the order of its rows does not matter.

    Raises:
        UserError: if columns are missing.
    """
    people = table["subject"].astype(str).to_list()
    if space.kind == "classes":
        target = classes_of(table, space)
        sums = class_sums(people, outputs_of(table, space), target, space)
        labelled = target >= 0
    else:
        values = values_of(table, space)
        sums = value_sums(people, outputs_of(table, space), values, space)
        labelled = np.isfinite(values).any(axis=1)
    return replace(sums, fingerprint=_fingerprint(table.loc[labelled, "id"]))


def _fingerprint(ids: "pd.Series[str]") -> str:
    """One word for a set of images: the sum of the hashes of their ids, so that their order does not matter."""
    hashes = pd.util.hash_array(ids.astype(str).to_numpy(dtype=object), categorize=False)
    return f"{len(ids)}-{int(hashes.sum(dtype=np.uint64)):016x}"


def rows_with_target(table: pd.DataFrame, space: LabelSpace) -> Bool[np.ndarray, "n"]:
    """Which rows have a label in the space (of values: at least one)."""
    if space.kind == "classes":
        return classes_of(table, space) >= 0
    return np.isfinite(values_of(table, space)).any(axis=1)


def _coverage(table: pd.DataFrame, space: LabelSpace, rows: Bool[np.ndarray, "n"]) -> Coverage:
    output = has_output(table, space)
    return Coverage(
        asked=len(table),
        with_output=int(output.sum()),
        with_target=int(rows.sum()),
        apart=len(_labels_apart(table, space)),
        scored=int((rows & output).sum()),
        subjects=int(table.loc[rows & output, "subject"].nunique()),
    )


def _has_gaps(table: pd.DataFrame, space: LabelSpace) -> bool:
    """Whether a labelled value lacks its output in a row that has others."""
    if space.kind == "classes":
        return False
    return bool((np.isfinite(values_of(table, space)) & np.isnan(outputs_of(table, space))).any())


def _class_scores(sums: SubjectSums, draws: Draws) -> list[ClassScore]:
    confusion = answered(sums.total("answers"))
    columns = zip(
        sums.space.entries,
        draws.recalls(),
        precision(confusion).tolist(),
        confusion.sum(dim=1).tolist(),
        confusion.sum(dim=0).tolist(),
        strict=True,
    )
    return [
        ClassScore(name=name, recall=share, precision=right, support=round(support), predicted=round(predicted))
        for name, share, right, support, predicted in columns
    ]


def _value_scores(sums: SubjectSums, metrics: Sequence[str], draws: Draws) -> list[ValueScore]:
    if sums.space.is_points:
        return []
    moments = sums.total("moments")
    by_metric = {name: draws.estimates_by_name(name) for name in metrics}
    flat_labels, flat_outputs = label_constant(moments).tolist(), prediction_constant(moments).tolist()
    return [
        ValueScore(
            name=entry,
            values={name: estimates[i] for name, estimates in by_metric.items()},
            support=round(float(moments[0, i])),
            label_constant=flat_labels[i],
            prediction_constant=flat_outputs[i],
        )
        for i, entry in enumerate(sums.space.entries)
    ]


def _point_counts(sums: SubjectSums) -> PointCounts | None:
    if not sums.space.is_points:
        return None
    _, _, scored, skipped, _ = sums.total("distances").tolist()
    return PointCounts(scored=round(scored), skipped=round(skipped))


def _source_scores(
    table: pd.DataFrame, space: LabelSpace, metrics: Sequence[str], bootstrap: Bootstrap
) -> list[SourceScore]:
    names = table["source"].fillna("").astype(str)
    if names.nunique() < 2:
        return []
    scores = []
    for name in sorted(names.unique()):
        part = table[names == name]
        sums = table_sums(part, space)
        draws = sums.draw(bootstrap)
        scores.append(
            SourceScore(
                name=name or "unknown",
                images=sums.images,
                classes=part[target_columns(space)[0]].nunique() if space.kind == "classes" else 0,
                values={metric: draws.estimate(metric) for metric in metrics},
            )
        )
    return scores


def _labels_apart(table: pd.DataFrame, space: LabelSpace) -> "pd.Series[str]":
    if space.kind == "values":
        return pd.Series([], dtype=str)
    labels = table[target_columns(space)[0]]
    return labels[labels.notna() & (classes_of(table, space) < 0)].astype(str)


def _rows_apart(table: pd.DataFrame, space: LabelSpace) -> list[ApartRow]:
    labels = _labels_apart(table, space)
    answers = pd.Series(best_entries(outputs_of(table, space), space), index=table.index, dtype=object)
    rows = []
    for label in sorted(labels.unique()):
        given = answers[labels[labels == label].index].fillna("")
        counts = given.value_counts()
        predicted = {str(name): int(counts[name]) for name in (*space.entries, "") if name in counts}
        rows.append(ApartRow(target=label, images=len(given), predicted=predicted))
    return rows
