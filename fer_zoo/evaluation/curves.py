"""The reliability diagram of one or several sets of predictions. A figure, no global state."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
