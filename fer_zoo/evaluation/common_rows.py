"""The images that have an output in several prediction tables, so that nobody gains by leaving out what is hard."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import has_output


@dataclass(frozen=True, kw_only=True)
class CommonRows:
    """Tables cut down to the images that have an output in all of them: `images` of `asked`, over all folds."""

    tables: Mapping[str, pd.DataFrame]
    images: int
    asked: int


def common_rows(tables: Mapping[str, pd.DataFrame], space: LabelSpace) -> CommonRows:
    """The rows whose images have an output in all tables, so that nobody gains by leaving out what is hard.

    Args:
        tables: name -> prediction table.
        space: label space of all of them.

    Raises:
        UserError: if there is no table, columns are missing, or no image has an output in all.
    """
    if not tables:
        raise UserError("There is nothing to compare: give at least one prediction table.")
    keys = {name: pd.MultiIndex.from_frame(table[["id", "fold"]].astype(str)) for name, table in tables.items()}
    asked, *others = keys.values()
    for other in others:
        asked = asked.union(other, sort=False)
    shared = asked
    for name, table in tables.items():
        shared = shared[shared.isin(keys[name][has_output(table, space)])]
    if not len(shared):
        raise UserError(f"No image has an output in all of {', '.join(tables)}; compare fewer of them.")
    cut = {name: table[keys[name].isin(shared)].reset_index(drop=True) for name, table in tables.items()}
    return CommonRows(tables=cut, images=len(shared), asked=len(asked))
