"""Answers of clips: the mean of what is said of their frames."""

import pandas as pd

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import best_entries, output_columns, target_columns


def clip_table(table: pd.DataFrame, space: LabelSpace) -> pd.DataFrame | None:
    """A prediction table with one row a clip, or None where no clip has two frames of the same label.

    Probabilities are means over the frames that have an output. Frames of a clip that are labelled otherwise, as the
    neutral first ones, are a row of their own. Photographs stay as they are.

    Args:
        table: one row a frame.
        space: of classes.
    """
    (label,), outputs = target_columns(space), output_columns(space)
    alone = table["id"].where(table["clip"] == "", "")
    keys = pd.MultiIndex.from_arrays([table["fold"], table["clip"], alone, table[label].fillna("")])
    number, groups = pd.factorize(keys)
    if len(groups) == len(table):
        return None
    frames = table.groupby(number, sort=False)
    clips = frames.first()
    clips[outputs] = frames[outputs].mean()
    clips[space.target] = best_entries(clips[outputs].to_numpy(), space)
    return clips[list(table.columns)].reset_index(drop=True)
