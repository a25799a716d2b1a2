"""Pictures of a result: the confusion matrix and the sheet of most confident errors. Figures, no global state."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt8

from fer_zoo.core.files import write_atomically
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import class_numbers, outputs_of, target_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 120
_MARGIN = 0.08  # inches


def save_figure(path: Path, figure: "Figure") -> None:
    """Writes a figure as PNG, wholly or not at all.

    Raises:
        UserError: if the folder cannot be written to.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set(dpi=DPI, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)  # untyped
    with write_atomically(path) as temporary:
        canvas.print_png(temporary)  # `savefig` would draw twice


def confusion_figure(
    confusion: Int[np.ndarray, "k k"],
    names: Sequence[str],
    apart: Mapping[str, Sequence[int]] | None = None,
    *,
    title: str = "",
) -> "Figure":
    """Counts per true class (rows) and predicted class (columns), shaded by the share of the row, recall beside.

    Args:
        confusion: number of images.
        names: the classes, in the order of the matrix.
        apart: true classes outside the label space, each with its counts per predicted class; drawn below a gap.
        title: a line above the matrix.
    """
    from matplotlib.figure import Figure

    apart = apart or {}
    rows = len(names) + len(apart) + (0.6 if apart else 0.0)
    height = 0.62 * rows + (2.1 if title else 1.7)
    figure = Figure(figsize=(0.95 * len(names) + 3.8, height))
    figure.set_layout_engine("constrained", w_pad=_MARGIN, h_pad=_MARGIN)
    axes = figure.add_subplot()
    width = len(names)
    for row, (name, counts) in enumerate(zip(names, confusion, strict=True)):
        _draw_row(axes, float(row), name, counts, "Blues", correct=row)
    for offset, (name, given) in enumerate(apart.items()):
        _draw_row(axes, width + 0.6 + offset, name, np.asarray(given), "Greys", correct=None)
    if apart:
        note = "not in the label space, not scored:"
        axes.text(-0.5, width - 0.2, note, ha="left", va="center", fontsize=9, style="italic", color="0.35")
    _label_matrix(axes, names, rows, max(map(len, (*names, *apart))))
    if title:
        axes.set_title(textwrap.fill(title, 24 + 11 * len(names)), fontsize=11, loc="left", pad=26)
    return figure


def _draw_row(
    axes: "Axes", y: float, name: str, counts: Int[np.ndarray, "k"], colours: str, *, correct: int | None
) -> None:
    """One line of the matrix with its name at the left, its recall and size at the right."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    total = int(counts.sum())
    for column, count in enumerate(counts.tolist()):
        share = count / total if total else 0.0
        shade = colormaps[colours](0.9 * share)
        axes.add_patch(Rectangle((column - 0.5, y - 0.5), 1.0, 1.0, facecolor=shade, edgecolor="white", linewidth=1.5))
        ink = "white" if share > 0.55 else "0.15" if count else "0.7"
        weight = "bold" if column == correct else "normal"
        axes.text(column, y, f"{count:,}", ha="center", va="center", fontsize=10, color=ink, weight=weight)
    axes.text(-0.62, y, name, ha="right", va="center", fontsize=10)
    if correct is not None:
        recall = f"{counts[correct] / total:.2f}" if total else "–"
        axes.text(len(counts) - 0.05, y, recall, ha="center", va="center", fontsize=10)
    axes.text(len(counts) + 0.95, y, f"{total:,}", ha="right", va="center", fontsize=10, color="0.4")


def _label_matrix(axes: "Axes", names: Sequence[str], rows: float, longest: int) -> None:
    axes.set_xlim(-0.5, len(names) + 1.0)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_xticks(range(len(names)), names, fontsize=10, rotation=35 if len(names) > 4 else 0)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right" if len(names) > 4 else "center")
        label.set_rotation_mode("anchor")
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    centre = (len(names) - 1) / 2
    axes.set_xlabel("predicted", fontsize=10, x=(centre + 0.5) / (len(names) + 1.5))
    axes.set_ylabel("true", fontsize=10, labelpad=14 + 6.2 * longest)
    for x, text, side in ((len(names) - 0.05, "recall", "center"), (len(names) + 0.95, "images", "right")):
        axes.text(x, -0.62, text, ha=side, va="bottom", fontsize=9, color="0.35")


def most_confident_errors(table: pd.DataFrame, space: LabelSpace, count: int = 24) -> pd.DataFrame:
    """The wrongly classified images of highest probability: id, target, prediction, probability; the surest first.

    Images whose label is outside the space are left out: no answer could be right.

    Raises:
        UserError: if the table lacks columns of the space.
    """
    probabilities = outputs_of(table, space)
    truth = class_numbers(table[target_columns(space)[0]], space)
    rows = np.flatnonzero((truth >= 0) & np.isfinite(probabilities).all(axis=1))
    best = probabilities[rows].argmax(axis=1)
    wrong = best != truth[rows]
    rows, best = rows[wrong], best[wrong]
    errors = pd.DataFrame(
        {
            "id": table["id"].to_numpy()[rows],
            "target": [space.entries[i] for i in truth[rows]],
            "prediction": [space.entries[i] for i in best],
            "probability": probabilities[rows, best],
        }
    )
    return errors.sort_values(["probability", "id"], ascending=[False, True]).head(count).reset_index(drop=True)


def errors_figure(
    errors: pd.DataFrame, images: Mapping[str, UInt8[np.ndarray, "h w c"]], *, columns: int = 6, title: str = ""
) -> "Figure":
    """A sheet of faces, each with "true → predicted", the probability and the id below.

    Args:
        errors: as `most_confident_errors` gives them.
        images: by id; one or three channels. The place of one that is not among them stays empty.
        columns: most faces in a line.
        title: a line above the sheet.
    """
    from matplotlib.figure import Figure

    columns = max(3, min(columns, len(errors)))
    lines = max(1, -(-len(errors) // columns))
    figure = Figure(figsize=(1.75 * columns, 2.15 * lines + 0.45))
    figure.set_layout_engine("constrained", w_pad=_MARGIN, h_pad=_MARGIN)
    figure.suptitle(title or f"The {len(errors)} most confident errors", fontsize=11, x=0.02, ha="left")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.ravel():
        axes.axis("off")
    for axes, error in zip(grid.ravel(), errors.itertuples(), strict=False):
        draw_face(axes, images.get(str(error.id)))
        answer = f"{error.target} → {error.prediction}\np = {error.probability:.2f} · {error.id}"
        axes.text(0.5, -0.04, answer, transform=axes.transAxes, ha="center", va="top", fontsize=8, linespacing=1.3)
    return figure


def draw_face(axes: "Axes", pixels: UInt8[np.ndarray, "h w c"] | None, reason: str = "no image") -> None:
    """An image in the middle of a square, so that captions of all faces stand on one line.

    Args:
        axes: without a frame; afterwards its unit is the pixel, the origin the top left corner of the image.
        pixels: one or three channels; None leaves the place empty.
        reason: stands in an empty place.
    """
    from matplotlib.patches import Rectangle

    height, width, channels = (1, 1, 3) if pixels is None else pixels.shape
    side = max(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    axes.add_patch(Rectangle((left, top), side, side, facecolor="0.93", edgecolor="none", zorder=-1))
    if pixels is None:
        text = textwrap.fill(reason, 14)
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9, color="0.5")
    else:
        shown = pixels if channels == 3 else pixels[..., 0]
        axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
    axes.set(xlim=(left, left + side), ylim=(top + side, top), aspect="equal")
