"""A training that is a step towards another one must not see whom that one will be tested on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fer_zoo.core.errors import UserError
from fer_zoo.data.frames import select_frames
from fer_zoo.data.index import Index, Note
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import PROTOCOLS, make_splits
from fer_zoo.data.protocols.splits import unit_keys


def without_test_units(index: Index, outer: Mapping[str, Any]) -> Index:
    """The index without everyone whom a fold of another run tests, and a note on how many there were.

    People (or clips, or files, whatever the outer protocol keeps apart) are told by their codes, which only data of the
    same name share; of other data the files are compared, by content, before the recipe is scored.

    Args:
        index: of the run that comes first.
        outer: `dataset`, `protocol`, `fold`, `frames` and `target` of the run that is tested.

    Raises:
        UserError: if nothing is left.
    """
    if outer["dataset"]["name"] != index.dataset:
        return index
    settings = {key: value for key, value in outer["dataset"].items() if key not in ("name", "root")}
    whole = open_dataset(outer["dataset"]["name"], outer["dataset"].get("root"), **settings)
    tested = select_frames(whole, outer["frames"])
    protocol = {key: value for key, value in outer["protocol"].items() if key != "name"}
    split = make_splits(tested, outer["protocol"]["name"], protocol, outer["target"])[outer["fold"]]
    unit = PROTOCOLS[outer["protocol"]["name"]].unit
    units = set(unit_keys(tested, unit)[tested.rows_of(split.test)])
    known = np.isin(unit_keys(index, unit).astype(object), list(units))
    if not known.any():  # drawn people of another seed
        return index
    if known.all():
        raise UserError(
            f"All of {index.dataset} is tested in {split.name} of {outer['protocol']['name']}, so nothing is left to"
            " learn from beforehand; take other data for that stage."
        )
    who = len(set(unit_keys(index, unit)[known]))
    note = Note("apart", f"{int(known.sum()):,} samples of {who:,} {unit}s are left out: {split.name} tests them.")
    left = index.table[~known].reset_index(drop=True)
    spaces = dict(index.label_spaces)
    if "identity" in spaces:  # nobody is an answer who is not shown
        spaces["identity"] = spaces["identity"].only(set(left["identity"].dropna()))
    return replace(index, table=left, label_spaces=spaces, notes=(*index.notes, note))
