"""A split, and the refusal of one in which a unit of exclusion stands in two parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from fer_zoo.core.errors import UserError
from fer_zoo.data.index import SPLIT_PARTS, Index, clip_code

Unit = Literal["subject", "clip", "file"]
WHOLE = "all"  # name of a split whose test part is everything

# What a score would be worth if a unit were on both sides, and what to use instead.
_WORTH: Mapping[str, str] = {
    "subject": "would count people seen in training. Use subject_kfold or subject_holdout.",
    "clip": "would count frames of clips seen in training. Use leave_one_clip_out or subject_kfold.",
    "file": "would count images seen in training. List each id in one part.",
}


@dataclass(frozen=True)
class Split:
    """The ids of one division of a data set."""

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @cached_property
    def hash(self) -> str:
        """12 hex digits over the ids of each part; neither the name nor the order of ids counts."""
        digest = sha256()
        for part in SPLIT_PARTS:
            digest.update("\n".join([part, *sorted(getattr(self, part))]).encode() + b"\0")
        return digest.hexdigest()[:12]


def unit_keys(index: Index, unit: Unit) -> npt.NDArray[np.object_]:
    """Per row what it must not share with another part: subject, clip (its own id where it is of none) or id."""
    ids = index.table["id"].to_numpy(dtype=object)
    if unit == "clip":
        clips = index.table["clip"].to_numpy(dtype=object)
        return np.where(clips == "", ids, clips)
    return index.table["subject"].to_numpy(dtype=object) if unit == "subject" else ids


def check_split(index: Index, split: Split, unit: Unit = "subject") -> None:
    """Refuses a split in which a unit stands in two parts, or with nothing to train on or to test.

    Raises:
        UserError: naming the codes of the subjects or clips, or the ids of the files.
    """
    check_keys(index, split, unit, unit_keys(index, unit))


def check_keys(index: Index, split: Split, unit: Unit, keys: npt.NDArray[np.object_]) -> None:
    """`check_split`, with the keys of all rows at hand: for the many splits of one protocol."""
    parts = {part: set(keys[index.rows_of(getattr(split, part))]) for part in SPLIT_PARTS}
    for first, second in combinations(SPLIT_PARTS, 2):
        if both := parts[first] & parts[second]:
            codes = sorted(_shown(index, unit, key) for key in both)
            shown = ", ".join(codes[:5]) + (f" and {len(codes) - 5} more" if len(codes) > 5 else "")
            raise UserError(
                f"Split {split.name} of {index.dataset} has {len(both)} {unit}s both in {first} and in {second}:"
                f" {shown}; a score on it {_WORTH[unit]}"
            )
    for part in ("train", "test"):
        if not parts[part]:
            raise UserError(f"Split {split.name} of {index.dataset} has an empty {part} part.")


def _shown(index: Index, unit: Unit, key: str) -> str:
    """The code of a unit; the id of an image that is of no clip."""
    is_clip = unit == "clip" and not (index.table["id"] == key).any()
    return clip_code(index.dataset, key) if is_clip else key
