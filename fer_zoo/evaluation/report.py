"""The report of an evaluation: scores with intervals, reference rows beside them, as values, text and markdown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from fer_zoo.core.label_spaces import LabelSpace, listed
from fer_zoo.evaluation.bootstrap import FEW_PEOPLE, error_method
from fer_zoo.evaluation.clip_answers import clip_table
from fer_zoo.evaluation.conditions import ConditionScore, condition_scores, plain_condition
from fer_zoo.evaluation.frame_steps import StepScore, step_scores, steps_table
from fer_zoo.evaluation.predicted_classes import label_counts, predicted_counts, warning_of
from fer_zoo.evaluation.reference_rows import ReferenceRow, Training, reference_rows
from fer_zoo.evaluation.report_text import ReportTable, as_markdown, as_text, short, with_interval
from fer_zoo.evaluation.scores import (
    ClassScore,
    Scores,
    ValueScore,
    checked_metrics,
    score_table,
)
from fer_zoo.evaluation.subject_sums import Bootstrap, Estimate
from fer_zoo.evaluation.temperature import calibration_at, calibration_error
from fer_zoo.metrics import METRICS

REPORT_SCHEMA = 1
_CLIPS = "clips by the mean of their frames"
_FEW_IMAGES = 20  # one image more or less moves the class by .05


@dataclass(frozen=True, kw_only=True)
class EvaluationReport:
    """Everything that is said about a prediction table.

    Attributes:
        name: of the model, as its row is called.
        scores: of the table.
        references: the rows beside it; none without training labels.
        bootstrap: how the intervals were drawn.
        conditions: the scores at each level of each condition; none where the table has no conditions.
        clips: number of clips and scores of their answers, which are means over their frames; None where there are no
            clips of several frames.
        steps: how outputs move from frame to frame of a clip; none where there are no such clips.
        warnings: sentences, such as that nearly all answers are one class.
        temperature: at which the probabilities are; None where they are as the network gives them.
        calibration_before: as `scores.calibration`, at temperature 1; None where that is the same.
    """

    name: str
    scores: Scores
    references: Sequence[ReferenceRow]
    bootstrap: Bootstrap
    conditions: Sequence[ConditionScore] = ()
    clips: tuple[int, Mapping[str, Estimate]] | None = None
    steps: Sequence[StepScore] = ()
    warnings: Sequence[str] = ()
    temperature: float | None = None
    calibration_before: Float[np.ndarray, "bins 3"] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that does not exist is None."""
        scores = self.scores
        rows = [{"name": self.name, "images": scores.coverage.scored, "note": "", "values": _plain(scores.values)}]
        if scores.missing_is_wrong:
            note = "images without an output counted as wrong"
            values = _plain(scores.missing_is_wrong)
            rows.append({"name": self.name, "images": scores.coverage.with_target, "note": note, "values": values})
        if self.clips is not None:
            count, of_clips = self.clips
            rows.append({"name": self.name, "images": count, "note": _CLIPS, "values": _plain(of_clips)})
        for row in self.references:
            rows.append({"name": row.name, "images": row.images, "note": row.note, "values": _plain(row.values)})
        return {
            "schema": REPORT_SCHEMA,
            "label_space": scores.space.name,
            "entries": list(scores.space.entries),
            "metrics": {name: METRICS[name].summary for name in scores.values},
            "coverage": vars(scores.coverage).copy(),
            "bootstrap": {
                **vars(self.bootstrap),
                "unit": "subject",
                "error": error_method(scores.coverage.subjects),
            },
            "rows": rows,
            "per_entry": [_plain_entry(entry) for entry in scores.entries],
            "per_source": [
                {"name": s.name, "images": s.images, "classes": s.classes, "values": _plain(s.values)}
                for s in scores.sources
            ],
            "per_condition": [plain_condition(score) for score in self.conditions],
            "from_frame_to_frame": [
                {"name": step.name, "pairs": step.pairs, "values": _plain(step.values)} for step in self.steps
            ],
            "points": None if scores.points is None else vars(scores.points).copy(),
            "apart": [{"target": a.target, "images": a.images, "predicted": dict(a.predicted)} for a in scores.apart],
            "confusion_matrix": None if scores.confusion is None else scores.confusion.tolist(),
            "calibration": None if scores.calibration is None else scores.calibration.tolist(),
            "temperature": self.temperature,
            "calibration_before": None if self.calibration_before is None else self.calibration_before.tolist(),
            "warnings": list(self.warnings),
        }

    def to_text(self, width: int = 120) -> str:
        """The report for a terminal that is `width` characters wide; tables that need more are wider."""
        return as_text(self._tables(), self._sentences(), width)

    def to_markdown(self) -> str:
        """The report as it goes into a paper or a web page: values to 3 decimals, intervals to 2."""
        return as_markdown(self._tables(), self._sentences())

    def _sentences(self) -> list[str]:
        """Coverage, how to read the intervals, what the rows mean, and the warnings."""
        covered, bootstrap = self.scores.coverage, self.bootstrap
        coverage = f"Scored {covered.scored:,} of {covered.asked:,} images, of {covered.subjects:,} people"
        left_out = {
            "without an output": covered.asked - covered.with_output,
            "without a label": covered.asked - covered.with_target - covered.apart,
            f"with a label outside {self.scores.space.name}": covered.apart,
        }
        told = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count)
        intervals = _how_intervals_are_made(bootstrap, covered.subjects)
        notes = [f"{row.name}: {row.note}." for row in self.references]
        if not self.references:
            notes.append("No rows of guesses stand beside the score, because the labels of the training are not known.")
        if (points := self.scores.points) is not None:
            total = points.scored + points.skipped
            why = ", the others lack a label, an output or labelled eye corners" if points.skipped else ""
            notes.insert(0, f"Points: {points.scored:,} of {total:,} scored{why}.")
        empty = [entry for entry in self.scores.entries if isinstance(entry, ValueScore) and not entry.support]
        if empty:
            notes.append(f"{len(empty)} of {len(self.scores.entries)} names have no labelled image and are not listed.")
        warnings = [f"Warning: {sentence}" for sentence in self.warnings]
        return [f"{coverage}{f' ({told})' if told else ''}. {intervals}", *self._calibrated(), *notes, *warnings]

    def _calibrated(self) -> list[str]:
        """What became of the probabilities."""
        if self.temperature is None or self.calibration_before is None or self.scores.calibration is None:
            return []
        before, after = map(calibration_error, (self.calibration_before, self.scores.calibration))
        return [
            f"Calibrated: probabilities at temperature {self.temperature:.3f}, fitted on the validation part of the"
            f" training; calibration error {short(before, 3)} before, {short(after, 3)} after. No answer changes."
        ]

    def _tables(self) -> list[ReportTable]:
        tables = [
            self._main_table(),
            steps_table(self.steps),
            _entries_table(self.scores),
            _sources_table(self.scores),
            *self._condition_tables(),
        ]
        return [table for table in (*tables, _apart_table(self.scores)) if table.rows]

    def _condition_tables(self) -> list[ReportTable]:
        """One of single conditions, one of each two that are crossed."""
        counted = self.scores.space.kind == "classes"
        header = ["condition", "images", "people", *(["classes"] if counted else []), *_titles(self.scores.values)]
        rows: dict[str, list[list[str]]] = {}
        for score in self.conditions:
            is_cell = len(score.at) > 1
            title = f"In each cell of {score.condition}" if is_cell else "At each level of each condition"
            name = score.label if is_cell else f"{score.condition} {score.label}"
            numbers = [f"{score.images:,}", f"{score.people:,}", *([str(score.classes)] if counted else [])]
            rows.setdefault(title, []).append([name, *numbers, *_cells(score.values)])
        return [ReportTable(title=title, header=header, rows=own) for title, own in rows.items()]

    def _main_table(self) -> ReportTable:
        scores = self.scores
        rows = [[self.name, f"{scores.coverage.scored:,}", *_cells(scores.values)]]
        if scores.missing_is_wrong:
            name = f"{self.name}, no output is wrong"
            rows.append([name, f"{scores.coverage.with_target:,}", *_cells(scores.missing_is_wrong)])
        if self.clips is not None:
            rows.append([f"{self.name}, {_CLIPS}", f"{self.clips[0]:,}", *_cells(self.clips[1])])
        rows += [[row.name, f"{row.images:,}", *_cells(row.values)] for row in self.references]
        return ReportTable(title="", header=["", "images", *_titles(scores.values)], rows=rows)


def evaluate_table(
    table: pd.DataFrame,
    space: LabelSpace,
    *,
    training: Training | None = None,
    metrics: Sequence[str] | None = None,
    bootstrap: Bootstrap | None = None,
    name: str = "model",
    temperature: float | None = None,
) -> EvaluationReport:
    """The report of a prediction table.

    Args:
        table: as `prediction_table` or `read_predictions` gives it; folds are pooled.
        space: label space of the outputs.
        training: labels of the training part (or of each fold's), for the reference rows; None: no such rows.
        metrics: names; by default all that fit the space.
        bootstrap: by default 10,000 resamples of people, seed 0, 95 %.
        name: of the model's row.
        temperature: at which the probabilities of the table are; None: as the network gives them.

    Raises:
        UserError: if columns are missing, nothing can be scored, or a metric does not fit.
    """
    bootstrap = bootstrap or Bootstrap()
    names = checked_metrics(space, metrics)
    scores = score_table(table, space, names, bootstrap)
    references = () if training is None else reference_rows(training, table, space, names, bootstrap)
    return EvaluationReport(
        name=name,
        scores=scores,
        references=references,
        bootstrap=bootstrap,
        conditions=condition_scores(table, space, names, bootstrap),
        clips=_clip_scores(table, space, names, bootstrap),
        steps=step_scores(table, space, names, bootstrap, name=name),
        warnings=_warnings(table, space, scores),
        temperature=temperature,
        calibration_before=None if temperature is None else calibration_at(table, space, 1 / temperature),
    )


def _clip_scores(
    table: pd.DataFrame, space: LabelSpace, names: Sequence[str], bootstrap: Bootstrap
) -> tuple[int, Mapping[str, Estimate]] | None:
    clips = clip_table(table, space) if space.kind == "classes" else None
    if clips is None:
        return None
    scores = score_table(clips, space, names, bootstrap)
    return scores.coverage.scored, scores.values


def _how_intervals_are_made(bootstrap: Bootstrap, people: int) -> str:
    if not bootstrap.resamples:
        return "No intervals were asked for."
    told = f"In brackets: {bootstrap.level:.0%} intervals, value ± Student's t × its standard error over people"
    if error_method(people) == "jackknife":
        return f"{told}, from leaving out each person once."
    few = f"leaving out each person once where fewer than {FEW_PEOPLE} have images"
    return f"{told}, from {bootstrap.resamples:,} bootstrap resamples of people ({few})."


def _warnings(table: pd.DataFrame, space: LabelSpace, scores: Scores) -> list[str]:
    sentences = []
    if space.kind == "classes":
        predicted = predicted_counts(table, space)
        collapsed = warning_of(predicted, label_counts(table, space))
        if not any(predicted.values()):
            collapsed = f"no image has an output: all {len(table)} are missing."
        sentences += [collapsed] if collapsed else []
    if scores.coverage.subjects < 2:
        sentences.append("there are no intervals, because they need at least two people.")
    values = [entry for entry in scores.entries if isinstance(entry, ValueScore) and entry.support]
    if still := [entry.name for entry in values if entry.prediction_constant]:
        sentences.append(f"outputs that never change: {listed(still)}.")
    if still := [entry.name for entry in values if entry.label_constant]:
        sentences.append(f"labels that never change, so that their correlations say nothing: {listed(still)}.")
    few = [f"{e.name} {e.support}" for e in scores.entries if isinstance(e, ClassScore) and e.support < _FEW_IMAGES]
    if few:
        sentences.append(f"few scored images per class ({listed(few)}), and the mean class accuracy hangs on them.")
    return sentences


def _entries_table(scores: Scores) -> ReportTable:
    if scores.space.kind == "classes":
        header, rows = ["class", "images", "recall", "precision", "predicted"], []
        for entry in scores.entries:
            if isinstance(entry, ClassScore):
                shares = [with_interval(entry.recall), with_interval(Estimate(entry.precision))]
                rows.append([entry.name, f"{entry.support:,}", *shares, f"{entry.predicted:,}"])
        return ReportTable(title="Per class", header=header, rows=rows)
    rows = [
        [entry.name, f"{entry.support:,}", *_cells(entry.values)]
        for entry in scores.entries
        if isinstance(entry, ValueScore) and entry.support
    ]
    return ReportTable(title="Per name", header=["name", "images", *_titles(scores.values)], rows=rows)


def _sources_table(scores: Scores) -> ReportTable:
    counted = scores.space.kind == "classes"
    header = ["source", "images", *(["classes"] if counted else []), *_titles(scores.values)]
    rows = [
        [part.name, f"{part.images:,}", *([str(part.classes)] if counted else []), *_cells(part.values)]
        for part in scores.sources
    ]
    return ReportTable(title="Within each source", header=header, rows=rows)


def _apart_table(scores: Scores) -> ReportTable:
    rows = []
    for row in scores.apart:
        taken = ", ".join(f"{name or 'no output'} {count:,}" for name, count in row.predicted.items())
        rows.append([row.target, f"{row.images:,}", taken])
    title = f"Not scored: labels outside {scores.space.name}"
    return ReportTable(title=title, header=["label", "images", "predicted as"], rows=rows)


def _titles(values: Mapping[str, Estimate]) -> list[str]:
    return [name.replace("_", " ") for name in values]


def _cells(values: Mapping[str, Estimate]) -> list[str]:
    return [with_interval(estimate) for estimate in values.values()]


def _plain(values: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: _plain_estimate(estimate) for name, estimate in values.items()}


def _plain_estimate(estimate: Estimate) -> dict[str, float | None]:
    low, high = estimate.interval.low, estimate.interval.high
    return {"value": _number(estimate.value), "low": _number(low), "high": _number(high)}


def _plain_entry(entry: ClassScore | ValueScore) -> dict[str, Any]:
    if isinstance(entry, ValueScore):
        return {**vars(entry), "values": _plain(entry.values)}
    return {**vars(entry), "recall": _plain_estimate(entry.recall), "precision": _number(entry.precision)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
