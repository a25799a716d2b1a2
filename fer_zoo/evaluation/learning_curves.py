"""Learning curves of a run from its table of epochs. A figure, no global state."""

from typing import TYPE_CHECKING

import pandas as pd

from fer_zoo.metrics.catalogue import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLES = {"train": ("training", "0.55", "--"), "val": ("validation", "tab:blue", "-")}
_BEST = "tab:orange"
_FEW = 12  # epochs of which each has its point
_MOST_PANELS = 6


def learning_curves_figure(
    metrics: pd.DataFrame, *, best_epoch: int | None = None, monitor: str = "", title: str = ""
) -> "Figure":
    """A panel for each quantity, training dashed and validation drawn through, over epochs.

    Beyond six quantities those with the longest names are left out.

    Args:
        metrics: a row an epoch: `epoch`, and columns such as `train/loss` or `val/emotion/accuracy`.
        best_epoch: whose weights are kept; marked in every panel, with the validation value there.
        monitor: the column that chose it, whose panel comes right after the loss.
        title: a line above the panels.
    """
    from matplotlib.figure import Figure

    curves = _curves(metrics)
    first = ("loss", monitor.removeprefix("val/"))
    shown = sorted(curves, key=lambda n: (first.index(n) if n in first else 2, n.count("/"), len(n), n))[:_MOST_PANELS]
    columns = max(1, min(3, len(shown)))
    lines = max(1, -(-len(shown) // columns))
    figure = Figure(figsize=(3.6 * columns + 0.3, 2.7 * lines + 0.3), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.ravel()[len(shown) :]:
        axes.axis("off")
    targets = {name.split("/")[0] for name in shown if "/" in name}
    own = f"{targets.pop()}/" if len(targets) == 1 else ""  # goes without saying where there is only one
    for axes, name in zip(grid.ravel(), shown, strict=False):
        axes.set_title(name.removeprefix(own).replace("_", " ").replace("/", ": "), fontsize=10, loc="left")
        _draw(axes, curves[name])
        _set_range(axes, name, curves[name])
        _mark_best(axes, curves[name], best_epoch)
        if len(curves[name]) > 1:
            axes.legend(fontsize=8, frameon=False)
    return figure


def _curves(metrics: pd.DataFrame) -> "dict[str, dict[str, pd.Series[float]]]":
    """Quantity -> stage -> value per epoch, without the epochs that have none."""
    curves: dict[str, dict[str, pd.Series[float]]] = {}
    for column in metrics.columns:
        stage, _, name = str(column).partition("/")
        if stage in _STYLES and metrics[column].notna().any():
            curves.setdefault(name, {})[stage] = metrics.set_index("epoch")[column].dropna()
    return curves


def _draw(axes: "Axes", stages: "dict[str, pd.Series[float]]") -> None:
    from matplotlib.ticker import MaxNLocator

    for stage, series in stages.items():
        label, colour, line = _STYLES[stage]
        marker = "o" if len(series) <= _FEW else None
        axes.plot(series.index, series.to_numpy(), line, color=colour, label=label, marker=marker, markersize=3)
    axes.set_xlabel("epoch", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))


def _set_range(axes: "Axes", name: str, stages: "dict[str, pd.Series[float]]") -> None:
    """All epochs; from 0 for what has no negative values, up to 1 for shares and correlations."""
    epochs = [float(epoch) for series in stages.values() for epoch in series.index]
    margin = 0.03 * (max(epochs) - min(epochs)) or 0.5
    axes.set_xlim(min(epochs) - margin, max(epochs) + margin)
    known = [METRICS[part] for part in name.split("/") if part in METRICS]
    lowest = min(float(series.min()) for series in stages.values())
    if lowest >= 0 and (known or name.endswith("loss")):
        highest = max(float(series.max()) for series in stages.values())
        axes.set_ylim(0, 1.08 * highest or 1.0)
    if known and known[0].higher_is_better:
        axes.set_ylim(top=1.0 if axes.get_ylim()[0] < 0 else 1.02)


def _mark_best(axes: "Axes", stages: "dict[str, pd.Series[float]]", epoch: int | None) -> None:
    """A line at the epoch whose weights are kept, and the validation value there beside the title."""
    series = stages.get("val")
    if series is None or epoch is None or epoch not in series.index:
        return
    value = float(series.loc[epoch])
    axes.axvline(epoch, color=_BEST, linewidth=1, linestyle=":", label="weights kept")
    axes.plot([epoch], [value], "o", color=_BEST, markersize=5)
    axes.set_title(f"{value:.3f} at epoch {epoch}", fontsize=9, loc="right", color=_BEST)
