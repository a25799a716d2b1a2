"""Curves of a run: learning curves from its metrics file and the reliability diagram. Figures, no global state."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STAGE = re.compile(r"(train|val|validation|test)[/_](.+)")
_STYLES = {"train": ("0.55", "--"), "val": ("tab:blue", "-"), "validation": ("tab:blue", "-"), "test": ("k", ":")}


def learning_curves_figure(metrics: pd.DataFrame, *, most_panels: int = 6, title: str = "") -> "Figure":
    """One panel per logged quantity, training dashed and validation drawn through, over epochs.

    Args:
        metrics: a logger's table: `epoch`, and columns such as `train/loss` or `val_accuracy`, with gaps.
        most_panels: quantities beyond this number are left out, those with the longest names first.
        title: a line above the panels.
    """
    from matplotlib.figure import Figure

    curves = _curves(metrics)
    shown = sorted(curves, key=lambda name: (name != "loss", name.count("/"), len(name), name))[:most_panels]
    columns = max(1, min(3, len(shown)))
    lines = max(1, -(-len(shown) // columns))
    figure = Figure(figsize=(3.4 * columns + 0.3, 2.7 * lines + 0.3), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.ravel()[len(shown) :]:
        axes.axis("off")
    for axes, name in zip(grid.ravel(), shown, strict=False):
        _draw_curves(axes, name, curves[name])
    return figure


def _curves(metrics: pd.DataFrame) -> "dict[str, dict[str, pd.Series[float]]]":
    """Quantity -> stage -> mean per epoch, without the epochs that have none."""
    curves: dict[str, dict[str, pd.Series[float]]] = {}
    for column in metrics.columns:
        match = _STAGE.fullmatch(str(column).removesuffix("_epoch").removesuffix("_step"))
        if match is None:
            continue
        stage, name = match.groups()
        series = metrics.groupby("epoch")[column].mean().dropna()
        if len(series) and (stage not in curves.get(name, {}) or str(column).endswith("_epoch")):
            curves.setdefault(name, {})[stage] = series
    return curves


def _draw_curves(axes: "Axes", name: str, stages: "dict[str, pd.Series[float]]") -> None:
    from matplotlib.ticker import MaxNLocator

    for stage, series in stages.items():
        colour, line = _STYLES[stage]
        marker = "o" if len(series) < 3 else None
        axes.plot(series.index, series.to_numpy(), line, color=colour, label=stage, marker=marker, markersize=3)
    axes.set_title(name.replace("_", " "), fontsize=10, loc="left")
    axes.set_xlabel("epoch", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.legend(fontsize=8, frameon=False)


def reliability_figure(panels: Mapping[str, Float[np.ndarray, "bins 3"]], *, title: str = "") -> "Figure":
    """How often the answers of each confidence are right, above how many images have that confidence.

    Args:
        panels: what stands above a diagram -> its bins of confidence, from 0 to 1: number of images, sum of
            confidences, number of right answers.
        title: a line above all.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(panels), 5.1 if title else 4.8), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    grid = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False, height_ratios=[3, 1])
    for (upper, lower), (name, bins) in zip(grid.T, panels.items(), strict=True):
        _draw_reliability(upper, lower, bins)
        gap = np.abs(bins[:, 2] - bins[:, 1]).sum() / max(bins[:, 0].sum(), 1.0)
        upper.set_title(f"{name + ': ' if name else ''}calibration error {gap:.3f}", fontsize=10, loc="left")
    grid[0, 0].set_ylabel("share that is right", fontsize=9)
    grid[1, 0].set_ylabel("images", fontsize=9)
    return figure


def _draw_reliability(upper: "Axes", lower: "Axes", bins: Float[np.ndarray, "bins 3"]) -> None:
    """Accuracy of each bin, and the numbers of images below."""
    number, confidence, right = bins.T
    edges = np.linspace(0.0, 1.0, len(bins) + 1)
    width = 1.0 / len(bins)
    used = number > 0
    heights = right[used] / number[used]
    upper.bar(edges[:-1][used], heights, width, align="edge", color="#9ecae1", edgecolor="white", label="accuracy")
    upper.plot([0, 1], [0, 1], "--", color="0.5", linewidth=1, label="perfectly calibrated")
    upper.plot(confidence[used] / number[used], heights, "o", color="#08519c", markersize=4, label="mean confidence")
    upper.set(xlim=(0, 1), ylim=(0, 1.02))
    upper.legend(fontsize=8, frameon=False, loc="upper left")
    lower.bar(edges[:-1], number, width, align="edge", color="0.75", edgecolor="white")
    lower.set_xlabel("confidence (highest probability)", fontsize=9)
    for axes in (upper, lower):
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
