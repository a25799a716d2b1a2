"""Features in the plane: a t-SNE of each feature set, side by side. Figures, no global state.

t-SNE keeps neighbours, not distances: what can be said of distances stands above each picture as numbers.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 1_000
_STEPS = 500
_COLOURS = (
    "#4363d8", "#3cb44b", "#e6194b", "#f58231", "#911eb4", "#00a6b4", "#808000", "#f032e6", "#7f5539", "#404040",
)  # fmt: skip
_SIDE = 4.6  # inches of a panel


def in_the_plane(features: Float[Tensor, "n d"], *, seed: int = 0) -> Float[np.ndarray, "n 2"]:
    """A t-SNE (van der Maaten and Hinton, 2008; perplexity 30, from principal components): the same for the same seed.

    Args:
        features: of at least four images.
        seed: of the draws.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(30.0, (len(features) - 1) / 3)
    with threadpool_limits(1):  # many threads wait for each other on a busy machine, ten times as long
        found = TSNE(perplexity=perplexity, max_iter=_STEPS, init="pca", random_state=seed).fit_transform(
            features.numpy().astype(np.float32)
        )
    return np.asarray(found, dtype=np.float64)


def features_figure(
    panels: Mapping[str, tuple[Float[np.ndarray, "n 2"], str]],
    classes: Int[np.ndarray, " n"],
    names: Sequence[str],
    *,
    title: str = "",
) -> "Figure":
    """A panel for each feature set, points coloured by class, a legend below.

    Args:
        panels: name of the set -> its points, and what is said of it above them.
        classes: number of each point's class.
        names: of the classes.
        title: a line above all.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    width, head, foot = max(_SIDE * len(panels), len(title) / 13, 6.4), 0.35, 0.55
    above = 0.75
    figure = Figure(figsize=(width, head + above + _SIDE + foot))
    height = figure.get_figheight()
    grid = figure.subplots(
        1,
        len(panels),
        squeeze=False,
        gridspec_kw={
            "left": 0.1 / width,
            "right": 1 - 0.1 / width,
            "bottom": foot / height,
            "top": (foot + _SIDE) / height,
            "wspace": 0.04,
        },
    )[0]
    figure.text(0.1 / width, 1 - 0.12 / height, title, fontsize=12, va="top")
    for axes, (name, (points, said)) in zip(grid, panels.items(), strict=True):
        for number in range(len(names)):
            own = points[classes == number]
            colour = _COLOURS[number % len(_COLOURS)]
            axes.scatter(own[:, 0], own[:, 1], s=9, color=colour, alpha=0.75, linewidths=0)
        axes.text(0, 1.02, said, transform=axes.transAxes, fontsize=8, va="bottom", color="0.25", linespacing=1.3)
        axes.text(0, 1.1, name, transform=axes.transAxes, fontsize=11, va="bottom")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color("0.8")
    used = [number for number in range(len(names)) if (classes == number).any()]
    marks = [
        Line2D([], [], marker="o", linestyle="", color=_COLOURS[number % len(_COLOURS)], label=names[number])
        for number in used
    ]
    columns = max(1, min(len(marks), int(width / 1.05)))
    figure.legend(handles=marks, loc="lower center", ncols=columns, fontsize=9, frameon=False, columnspacing=1.2)
    return figure
