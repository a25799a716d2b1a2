"""How often each class is predicted: counts, a sentence when one class takes nearly all, and a picture."""

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import best_entries, outputs_of, target_columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEARLY_ALL = 0.9  # of the predictions
FEWEST = 20  # predictions; among fewer, one class alone is no surprise
_PREDICTED, _LABELLED = "#3182bd", "0.75"


def warning_of(predicted: Mapping[str, int], labelled: Mapping[str, int] | None = None) -> str:
    """A sentence when one class takes nearly all predictions, with the counts of the classes; else "".

    It is given from `FEWEST` predictions on, when a class takes `NEARLY_ALL` of them or more. Where labels are known
    and nearly all of them are that class, too, nothing is said: the predictions are as they should be.

    Args:
        predicted: class -> number of predictions.
        labelled: class -> number of images with that label, where there are labels.

    Example:
        >>> warning_of({"neutral": 336, "anger": 14})[:42]
        '96 % of the 350 predictions are neutral (n'
    """
    number = sum(predicted.values())
    if number < FEWEST:
        return ""
    top = max(predicted, key=lambda name: predicted[name])
    if predicted[top] / number < NEARLY_ALL:
        return ""
    labels = sum((labelled or {}).values())
    of_labels = (labelled or {}).get(top, 0)
    if labels and of_labels / labels >= NEARLY_ALL:
        return ""
    counts = ", ".join(f"{name} {count:,}" for name, count in predicted.items() if count)
    said = f"{_percent(predicted[top], number)} of the {number:,} predictions are {top}"
    if labels:
        compared = f", but only {_percent(of_labels, labels)} of the labels"
        return f"{said}{compared} ({counts}): the model has all but collapsed onto one class."
    return f"{said} ({counts}): unless nearly all of the faces are, the model does not fit these pictures."


def predicted_counts(table: pd.DataFrame, space: LabelSpace) -> dict[str, int]:
    """Class -> number of predictions, in the order of the space; images without an output are in none."""
    return _counts(pd.Series(best_entries(outputs_of(table, space), space), dtype=object), space)


def label_counts(table: pd.DataFrame, space: LabelSpace) -> dict[str, int]:
    """Class -> number of images with that label, in the order of the space; labels outside it are in none."""
    return _counts(table[target_columns(space)[0]], space)


def predicted_classes_figure(
    predicted: Mapping[str, int], labelled: Mapping[str, int] | None = None, *, title: str = ""
) -> "Figure":
    """Bars of how large a share of the predictions each class has, beside its share of the labels.

    Args:
        predicted: class -> number of predictions; from top to bottom.
        labelled: class -> number of images with that label; None or all 0 where none is known.
        title: a line above the bars. What `warning_of` says stands below it.
    """
    from matplotlib.figure import Figure

    names, groups = list(predicted), {"predicted": (predicted, _PREDICTED)}
    if labelled and any(labelled.values()):
        groups["true"] = (labelled, _LABELLED)
    warning = textwrap.fill(warning_of(predicted, labelled), 78)
    lines = warning.count("\n") + 1 if warning else 0
    figure = Figure(figsize=(6.4, 1.1 + 0.28 * len(names) * len(groups) + 0.2 * lines), layout="constrained")
    axes = figure.add_subplot()
    height = 0.76 / len(groups)
    for position, (label, (counts, colour)) in enumerate(groups.items()):
        values = [counts.get(name, 0) for name in names]
        total = max(1, sum(values))
        places = [row + (position - (len(groups) - 1) / 2) * height for row in range(len(names))]
        shares = [value / total for value in values]
        bars = axes.barh(places, shares, 0.92 * height, color=colour, label=f"{label} ({total:,})")
        axes.bar_label(bars, [f"{value:,}" for value in values], padding=3, fontsize=8, color="0.3")
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"], fontsize=8)
    axes.set_xlabel("share of the images", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    heading = title or "How often each class is predicted"
    axes.set_title(f"{heading}\n{warning}" if warning else heading, fontsize=9 if warning else 11, loc="left")
    return figure


def _counts(names: "pd.Series[str]", space: LabelSpace) -> dict[str, int]:
    counted = names.dropna().value_counts()
    return {entry: int(counted.get(entry, 0)) for entry in space.entries}


def _percent(part: int, whole: int) -> str:
    """Rounded down, so that only all of them are 100 %."""
    return f"{100 * part // whole} %"
