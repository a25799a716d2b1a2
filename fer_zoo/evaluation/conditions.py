"""Scores at each level of each condition of a prediction table, and in each cell of conditions that are crossed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from fer_zoo.core.conditions import CONDITIONS, PREFIX, condition_columns, level_order
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import target_columns
from fer_zoo.evaluation.scores import rows_with_target, table_sums
from fer_zoo.evaluation.subject_sums import Bootstrap, Estimate

FIFTHS = 5
MOST_LEVELS = 12  # of numbers; where there are more they are cut at their fifths
Place = str | float


@dataclass(frozen=True, kw_only=True)
class ConditionScore:
    """The scores of the images at a level, or in a cell of two conditions.

    Attributes:
        at: condition -> its level; of numbers that were cut into fifths the mean of the fifth.
        label: the levels in words.
        images, people: with target and output; with a target.
        classes: how many occur; 0 for values.
        values: metric -> score.
    """

    at: Mapping[str, Place]
    label: str
    images: int
    people: int
    classes: int
    values: Mapping[str, Estimate]

    @property
    def condition(self) -> str:
        """The names of the conditions."""
        return " × ".join(self.at)


def condition_scores(
    table: pd.DataFrame, space: LabelSpace, metrics: Sequence[str], bootstrap: Bootstrap
) -> list[ConditionScore]:
    """The scores at each level, condition by condition, then in each cell of two that say how faces are shown.

    A condition that is nowhere known, or everywhere the same, is left out; so are two that do not meet in every cell.

    Args:
        table: as `prediction_table` makes it.
        space: label space of the outputs.
        metrics: names.
        bootstrap: how intervals are drawn.
    """
    rows = table[rows_with_target(table, space)].reset_index(drop=True)
    parts = {column.removeprefix(PREFIX): _levels(rows[column], column) for column in condition_columns(rows)}
    parts = {name: levels for name, levels in parts.items() if len(levels) > 1}
    scores = [
        _score(rows[chosen], {name: place}, label, space, metrics, bootstrap)
        for name, levels in parts.items()
        for place, label, chosen in levels
    ]
    shown = [name for name in parts if not (name in CONDITIONS and CONDITIONS[name].of_person)]
    for first, second in combinations(shown, 2):
        cells = list(_cells(first, parts[first], second, parts[second]))
        if all(chosen.any() for _, _, chosen in cells) and _is_crossed(rows, first, second):
            scores += [_score(rows[chosen], at, label, space, metrics, bootstrap) for at, label, chosen in cells]
    return scores


def _is_crossed(rows: pd.DataFrame, first: str, second: str) -> bool:
    """Whether both were set, and not drawn: no more levels than are told apart."""
    return all(rows[f"{PREFIX}{name}"].nunique() <= MOST_LEVELS for name in (first, second))


Level = tuple[Place, str, np.ndarray]  # where, in words, which rows


def _levels(values: "pd.Series[float]", column: str) -> list[Level]:
    """The levels of a condition, in their order."""
    if not pd.api.types.is_numeric_dtype(values):
        texts = values.fillna("").astype(str).to_numpy()
        named = level_order(column.removeprefix(PREFIX), set(texts.tolist()) - {""})
        return [(level, level, texts == level) for level in named]
    numbers = values.to_numpy(np.float64)
    known = np.unique(numbers[np.isfinite(numbers)])
    if len(known) <= MOST_LEVELS:
        return [(float(level), f"{level:g}", numbers == level) for level in known]
    bounds = np.quantile(numbers[np.isfinite(numbers)], np.linspace(0, 1, FIFTHS + 1))
    place = np.where(np.isfinite(numbers), np.searchsorted(bounds[1:-1], numbers, side="right"), -1)
    found: list[Level] = []
    for fifth in (fifth for fifth in range(FIFTHS) if (place == fifth).any()):
        own = numbers[place == fifth]
        found.append((float(own.mean()), f"{own.min():.2f} to {own.max():.2f}", place == fifth))
    return found


def _cells(
    first: str, levels: Sequence[Level], second: str, others: Sequence[Level]
) -> Iterator[tuple[Mapping[str, Place], str, np.ndarray]]:
    for place, label, chosen in levels:
        for other, its_label, its_rows in others:
            yield {first: place, second: other}, f"{label}, {its_label}", chosen & its_rows


def _score(
    part: pd.DataFrame,
    at: Mapping[str, Place],
    label: str,
    space: LabelSpace,
    metrics: Sequence[str],
    bootstrap: Bootstrap,
) -> ConditionScore:
    sums = table_sums(part, space)
    draws = sums.draw(bootstrap)
    return ConditionScore(
        at=dict(at),
        label=label,
        images=sums.images,
        people=sums.num_subjects,
        classes=part[target_columns(space)[0]].nunique() if space.kind == "classes" else 0,
        values={metric: draws.estimate(metric) for metric in metrics},
    )


def curves_of(scores: Sequence[ConditionScore]) -> dict[str, dict[str, list[ConditionScore]]]:
    """Condition of numbers -> the scores along it: of all images (""), and within each level of another one.

    Scores stand in the order of the numbers; conditions of fewer than three levels make no curve.
    """
    curves: dict[str, dict[str, list[ConditionScore]]] = {}
    for score in scores:
        for name in (name for name, place in score.at.items() if not isinstance(place, str)):
            others = [f"{other} {_word(place)}" for other, place in score.at.items() if other != name]
            curves.setdefault(name, {}).setdefault(", ".join(others), []).append(score)
    ordered = {
        name: {line: sorted(points, key=lambda point: float(point.at[name])) for line, points in lines.items()}
        for name, lines in curves.items()
    }
    return {name: lines for name, lines in ordered.items() if len(lines.get("", ())) > 2}


def _word(place: Place) -> str:
    return place if isinstance(place, str) else f"{place:g}"


def plain_condition(score: ConditionScore) -> dict[str, object]:
    """Plain values for JSON; a number that does not exist is None."""

    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    values = {
        name: {"value": number(e.value), "low": number(e.interval.low), "high": number(e.interval.high)}
        for name, e in score.values.items()
    }
    counts = {"images": score.images, "people": score.people, "classes": score.classes}
    return {"at": dict(score.at), "label": score.label, **counts, "values": values}
