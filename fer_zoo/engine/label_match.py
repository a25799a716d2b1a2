"""Data met by a checkpoint that was trained on others: which entries both have, by name, and what becomes of the rest.

Classes that only the data have are listed apart and not scored; classes that only the checkpoint has may be predicted,
and then count as wrong. Values that one side lacks are missing: skipped, and counted entry by entry.
"""

from collections.abc import Sequence

import numpy as np

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.index import Index


def match_sentences(index: Index, ids: Sequence[str], space: LabelSpace) -> list[str]:
    """What to tell before a checkpoint with these entries is scored on these samples; nothing where both agree.

    Raises:
        UserError: if they share no entry.
    """
    counts = _counts(index, ids, space)
    shared = [entry for entry in counts if entry in space.entries]
    if counts and not shared:
        raise UserError(
            f"The checkpoint predicts {_list(space.entries)}, and {index.dataset} has labels of {_list(list(counts))}:"
            " no name is shared, so there is nothing to score; `fer-zoo train checkpoint=PATH dataset=NAME` makes a"
            " model of the data's own."
        )
    own = [f"{entry} ({count})" for entry, count in counts.items() if entry not in space.entries]
    lacking = [entry for entry in space.entries if entry not in counts]
    is_classes = space.kind == "classes"
    here = "listed apart, not scored" if is_classes else "not predicted, not scored"
    there = "may be predicted, and then count as wrong" if is_classes else "predicted, not scored"
    lines = [f"in the data alone, {here}: {', '.join(own)}"] if own else []
    return lines + ([f"in the checkpoint alone, {there}: {', '.join(lacking)}"] if lacking else [])


def _counts(index: Index, ids: Sequence[str], space: LabelSpace) -> dict[str, int]:
    """Entry -> labelled samples, of those that have any."""
    rows = index.table.iloc[index.rows_of(ids)]
    if space.kind == "classes":
        found = rows[space.target].dropna().value_counts()
        return {str(entry): int(found[entry]) for entry in sorted(found.index)}
    entries = index.space(space.target).entries
    known = {entry: int(np.count_nonzero(rows[entry].notna())) for entry in entries}
    return {entry: count for entry, count in known.items() if count}


def _list(entries: Sequence[str]) -> str:
    return ", ".join(entries[:8]) + (" …" if len(entries) > 8 else "")
