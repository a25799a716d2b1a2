"""Curves of a score over conditions that are numbers, as yaw or intensity. A figure, no global state."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fer_zoo.core.conditions import CONDITIONS
from fer_zoo.evaluation.conditions import ConditionScore

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#d95f02", "#7570b3", "#1b9e77", "#e7298a", "#66a61e", "#a6761d")  # ColorBrewer's Dark2


def curves_figure(
    curves: Mapping[str, Mapping[str, Sequence[ConditionScore]]], metric: str, *, chance: float | None = None
) -> "Figure":
    """A panel a condition: the score of all images with its intervals, and thin lines within the levels of another.

    Args:
        curves: as `conditions.curves_of` makes them; one at least.
        metric: which of the scores is drawn.
        chance: what guessing reaches, as a dotted line.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(curves), 3.8), layout="constrained")
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (name, lines) in zip(panels, curves.items(), strict=True):
        _draw_panel(axes, name, lines, metric)
        if chance is not None:
            axes.axhline(chance, linestyle=":", color="0.5", linewidth=1, label="guessing")
        axes.legend(fontsize=8, frameon=True, framealpha=0.8, edgecolor="none")
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel(metric.replace("_", " "), fontsize=9)
    return figure


def _draw_panel(axes: "Axes", name: str, lines: Mapping[str, Sequence[ConditionScore]], metric: str) -> None:
    for number, (line, points) in enumerate(sorted((key, value) for key, value in lines.items() if key)):
        heights = [point.values[metric].value for point in points]
        axes.plot(
            _along(name, points),
            heights,
            "-",
            color=_COLOURS[number % len(_COLOURS)],
            linewidth=1,
            label=line.replace("_", " "),
        )
    whole = lines[""]
    estimates = [point.values[metric] for point in whole]
    heights = [estimate.value for estimate in estimates]
    reach = [
        [max(0.0, e.value - e.interval.low) for e in estimates],
        [max(0.0, e.interval.high - e.value) for e in estimates],
    ]
    axes.errorbar(_along(name, whole), heights, yerr=reach, fmt="o-", color="black", capsize=3, label="all images")
    known = CONDITIONS.get(name)
    unit = f", {known.unit}" if known and known.unit else ""
    axes.set_xlabel(f"{name.replace('_', ' ')}{unit}", fontsize=9)


def _along(name: str, points: Sequence[ConditionScore]) -> list[float]:
    return [float(point.at[name]) for point in points]
