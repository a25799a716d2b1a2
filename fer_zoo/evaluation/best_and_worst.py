"""Faces whose values are predicted best and worst: a sheet, each face with its label and its prediction as bars."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.pictures import draw_face
from fer_zoo.evaluation.prediction_table import outputs_of, values_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EACH = 8  # faces of a kind
_BARS = 8  # entries of a face
_LABEL, _OUTPUT = "0.55", "#3c6ebe"


class ValuedFace(NamedTuple):
    """An image whose values were predicted: its id, mean absolute error, and what its label and the model say."""

    id: str
    error: float
    label: Float[np.ndarray, " k"]
    output: Float[np.ndarray, " k"]


def best_and_worst(table: pd.DataFrame, space: LabelSpace, count: int = _EACH) -> list[list[ValuedFace]]:
    """The images of least and of greatest mean absolute error over their labelled entries; no image in both.

    Args:
        table: predictions.
        space: of its values.
        count: most of each.

    Returns:
        The best, the best of all first, and the worst, the worst of all first; [] each where nothing can be compared.

    Raises:
        UserError: if the table lacks columns of the space.
    """
    labels, outputs = values_of(table, space), outputs_of(table, space)
    away = np.abs(labels - outputs)
    rows = np.flatnonzero(np.isfinite(away).any(axis=1))
    errors, ids = np.nanmean(away[rows], axis=1), table["id"].to_numpy()[rows].astype(str)
    order = np.lexsort((ids, errors))
    count = min(count, len(order) // 2)
    return [
        [ValuedFace(str(ids[i]), float(errors[i]), labels[rows[i]], outputs[rows[i]]) for i in chosen]
        for chosen in (order[:count], order[::-1][:count])
    ]


def best_and_worst_figure(
    found: Sequence[Sequence[ValuedFace]],
    images: Mapping[str, UInt8[np.ndarray, "h w c"]],
    space: LabelSpace,
    *,
    columns: int = 4,
) -> "Figure":
    """A sheet: the best above the worst, each face beside its entries farthest from rest, label above prediction.

    Args:
        found: as `best_and_worst` gives them, at least one of each.
        images: by id; the place of one that is not among them stays empty.
        space: of the values.
        columns: most faces in a line.
    """
    from matplotlib.figure import Figure

    columns = min(columns, len(found[0]))
    lines = -(-len(found[0]) // columns)
    figure = Figure(figsize=(max(4.2 * columns, 6.5), 2 * (2.2 * lines + 0.4)))
    figure.set_layout_engine("constrained")
    unit = "" if space.unit in ("", "class") else f" ({space.unit})"
    parts: Any = figure.subfigures(2, 1)
    for part, faces, title in zip(parts, found, ("least", "greatest"), strict=True):
        heading = f"{space.target}{unit}: the {len(faces)} faces of {title} mean absolute error"
        part.suptitle(f"{heading}; grey: label, blue: prediction", fontsize=11, x=0.01, ha="left")
        grid = part.subplots(lines, 2 * columns, squeeze=False, width_ratios=[1.6, 1.0] * columns)
        for axes in grid.ravel():
            axes.axis("off")
        for number, face in enumerate(faces):
            line, column = divmod(number, columns)
            draw_face(grid[line, 2 * column], images.get(face.id))
            below = {"transform": grid[line, 2 * column].transAxes, "ha": "center", "va": "top", "fontsize": 8}
            grid[line, 2 * column].text(0.5, -0.03, f"error {face.error:.3f} · {face.id}", **below)
            _draw_bars(grid[line, 2 * column + 1], face, space)
    return figure


def _draw_bars(axes: "Axes", face: ValuedFace, space: LabelSpace) -> None:
    """The entries that label or prediction move farthest from rest, farthest above."""
    rest = space.rest
    moved = np.fmax(np.abs(face.label - rest), np.abs(face.output - rest))
    shown = [number for number in np.argsort(-np.nan_to_num(moved), kind="stable") if np.isfinite(moved[number])]
    shown = shown[:_BARS]
    places = np.arange(len(shown))
    axes.axis("on")
    for values, offset, colour in ((face.label, -0.2, _LABEL), (face.output, 0.2, _OUTPUT)):
        axes.barh(places + offset, np.nan_to_num(values[shown] - rest), left=rest, height=0.4, color=colour)
    axes.set_yticks(places, [space.entries[number] for number in shown], fontsize=7)
    axes.set(xlim=(space.minimum, space.maximum), ylim=(_BARS - 0.5, -0.5))
    axes.tick_params(axis="x", labelsize=7)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right"]].set_visible(False)
