"""Images that one set of predictions gets right and another one wrong: a random draw of them, as a sheet of faces."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from fer_zoo.core.label_spaces import MISSING_CLASS, LabelSpace
from fer_zoo.evaluation.pictures import draw_face
from fer_zoo.evaluation.prediction_table import classes_of, outputs_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 24


def right_where_wrong(right: pd.DataFrame, wrong: pd.DataFrame, space: LabelSpace) -> pd.DataFrame:
    """Labelled images with an output in both tables that the first gets right and the second wrong.

    Args:
        right: a prediction table.
        wrong: another one, on the same images or others besides.
        space: of both.

    Returns:
        `id`, `target`, `p_right` (what the first gives the label), `answer` and `p_wrong` (of the second), in the order
        of the ids, which are hashes: the first rows are a random draw, the same each time.

    Raises:
        UserError: if a table lacks columns of the space.
    """
    both = _answers(right, space).merge(_answers(wrong, space), on=["id", "fold"], suffixes=("_right", "_wrong"))
    known = both["label_right"] != MISSING_CLASS
    found = both[known & (both["best_right"] == both["label_right"]) & (both["best_wrong"] != both["label_right"])]
    found = found.sort_values(["id", "fold"], ignore_index=True)
    return pd.DataFrame(
        {
            "id": found["id"],
            "target": [space.entries[number] for number in found["label_right"]],
            "p_right": found["p_right"],
            "answer": [space.entries[number] for number in found["best_wrong"]],
            "p_wrong": found["p_wrong"],
        }
    )


def _answers(table: pd.DataFrame, space: LabelSpace) -> pd.DataFrame:
    """Label, best class and its probability of each image that has an output."""
    probabilities = outputs_of(table, space)
    there = np.isfinite(probabilities).all(axis=1)
    numbers = {"label": classes_of(table, space)[there], "best": probabilities[there].argmax(axis=1)}
    own = table.loc[there, ["id", "fold"]].reset_index(drop=True)
    return own.assign(**numbers, p=probabilities[there].max(axis=1))


def right_where_wrong_figure(
    found: pd.DataFrame,
    images: Mapping[str, UInt8[np.ndarray, "h w c"]],
    names: tuple[str, str],
    *,
    total: int,
    reverse: int,
    columns: int = 6,
) -> "Figure":
    """A sheet of faces, each with its label and both answers and probabilities below.

    Args:
        found: rows of `right_where_wrong` that are shown, at least one.
        images: by id; the place of one that is not among them stays empty.
        names: of the predictions that are right, and of those that are wrong.
        total: how many such images there are.
        reverse: how many there are the other way round.
        columns: most faces in a line.
    """
    from matplotlib.figure import Figure

    right, wrong = names
    columns = max(3, min(columns, len(found)))
    lines = -(-len(found) // columns)
    across, down, head = 1.95 * columns, 2.45 * lines, 0.65
    figure = Figure(figsize=(across, down + head))
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08, rect=(0, 0, 1, down / (down + head)))
    shown = f"{len(found):,} of {total:,}, drawn at random" if len(found) < total else f"all {total:,}"
    title = f"Right by {right}, wrong by {wrong}: {shown}"
    figure.text(0.02, 1 - 0.1 / (down + head), title, fontsize=11, va="top")
    note = f"The other way round there are {reverse:,}."
    figure.text(0.02, 1 - 0.36 / (down + head), note, fontsize=9, va="top", color="0.35")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.ravel():
        axes.axis("off")
    for axes, row in zip(grid.ravel(), found.itertuples(), strict=False):
        draw_face(axes, images.get(str(row.id)))
        both = f"{right}: {row.target} {row.p_right:.2f}\n{wrong}: {row.answer} {row.p_wrong:.2f}"
        answers = f"{both}\nlabel {row.target} · {row.id}"
        axes.text(0.5, -0.04, answers, transform=axes.transAxes, ha="center", va="top", fontsize=8, linespacing=1.3)
    return figure


def drawn_of(found: pd.DataFrame) -> pd.DataFrame:
    """As many rows as a sheet shows."""
    return found.head(_SHOWN)
