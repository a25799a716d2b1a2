"""The labels of a training part in short, as a checkpoint carries them, and back as rows that give the same guesses."""

from collections.abc import Mapping
from math import isnan
from typing import Any

import pandas as pd

from fer_zoo.core.label_spaces import LabelSpace


def summarised(training: pd.DataFrame, space: LabelSpace) -> dict[str, dict[str, Any]]:
    """How many images of each source have which class, or the mean of each value (None without a label).

    Args:
        training: rows of an index: `source` and the columns of the target.
        space: of the target.
    """
    if space.kind == "values":
        means = {entry: float(training[entry].astype(float).mean()) for entry in space.entries}
        return {"means": {entry: None if isnan(mean) else mean for entry, mean in means.items()}}
    labelled = training[training[space.target].notna()]
    sources = labelled["source"].fillna("").astype(str)
    counts = {str(source): part[space.target].value_counts() for source, part in labelled.groupby(sources)}
    return {"counts": {source: {str(name): int(n) for name, n in c.items()} for source, c in counts.items()}}


def expanded(summary: Mapping[str, Mapping[str, Any]], space: LabelSpace) -> pd.DataFrame:
    """Rows with `source` and the columns of the target that `summarised` shortens to the same."""
    if space.kind == "values":
        means = {entry: [summary.get("means", {}).get(entry)] for entry in space.entries}
        return pd.DataFrame({"source": [""], **means}).astype(dict.fromkeys(space.entries, float))
    counts = summary.get("counts", {})
    pairs = [(source, name) for source, of_source in counts.items() for name, n in of_source.items() for _ in range(n)]
    return pd.DataFrame(pairs, columns=["source", space.target], dtype=object)
