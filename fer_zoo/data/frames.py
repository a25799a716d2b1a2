"""Which frames of a clip are used: a step of its own, before anything is divided."""

import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from fer_zoo.core.errors import UserError, nearest
from fer_zoo.data.index import Index, Note

ALL = "all"
_EXAMPLES = (ALL, "first", "middle", "peak", "last_3", "end_1")
_NUMBERED = re.compile(r"(last|end)_([1-9]\d{0,5})")


@dataclass(frozen=True)
class _Clips:
    """The frames that are of clips, in the order of clip, frame and id.

    Attributes:
        table: one row a frame, its index the row of the data set.
        rank: place in the clip, from 0.
        size: frames of the clip.
    """

    table: pd.DataFrame
    rank: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]


def check_frames(frames: str) -> tuple[str, ...]:
    """The names of a selection.

    Raises:
        UserError: for a name that is none, with the nearest; for one named twice, or beside `all`.

    Example:
        >>> check_frames("first+last_3")
        ('first', 'last_3')
    """
    names = tuple(frames.split("+"))
    for name in names:
        if name not in _EXAMPLES and not _NUMBERED.fullmatch(name):
            raise UserError(
                f"frames={frames} asks for {name!r}.{nearest(name, _EXAMPLES)} It is all, or first, middle, peak,"
                " last_N (the last N) and end_N (the N-th from the end) joined by +, e.g. first+last_3."
            )
    if len(set(names)) < len(names) or (ALL in names and len(names) > 1):
        raise UserError(f"frames={frames} names some frames twice; name each once, and all alone.")
    return names


def places_from_end(frames: str, *, where: str) -> tuple[int, ...]:
    """The frames of a clip that a selection means, counted from the end, the earliest first; 1 is the last.

    Args:
        frames: last_N and end_N, joined by +.
        where: the setting, in messages.

    Raises:
        UserError: for another name.

    Example:
        >>> places_from_end("end_1+end_3+end_5", where="dataset.expression")
        (5, 3, 1)
    """
    places = set[int]()
    for name in frames.split("+"):
        match = _NUMBERED.fullmatch(name)
        if match is None:
            raise UserError(
                f"{where}={frames} asks for {name!r}; it is last_N (the last N frames) or end_N (the N-th from the end)"
                " joined by +, e.g. last_3 or end_1+end_3+end_5."
            )
        number = int(match[2])
        places |= set(range(1, number + 1)) if match[1] == "last" else {number}
    return tuple(sorted(places, reverse=True))


def select_frames(index: Index, frames: str) -> Index:
    """The index with the chosen frames of each clip, and a note on what was left out.

    Frames of a clip are ordered by `frame`, then id, so gaps and any first number are no matter. A row of no clip is a
    photograph and stays. A clip that is too short for a name gives what it has.

    Args:
        index: the data set.
        frames: `all`, or names joined by `+`: `first`; `middle` (of an even number the earlier one); `peak` (the frames
            that the data set marks, else the first of the largest summed value); `last_N`, the last N; `end_N`, the
            N-th from the end, 1 being the last.

    Raises:
        UserError: for a name that is none, a peak that nothing tells, or if nothing is left.
    """
    names = check_frames(frames)
    if names == (ALL,):
        return index
    is_frame = index.table["clip"] != ""
    if not is_frame.any():
        sentence = f"frames={frames} changes nothing: no image of {index.dataset} names a clip."
        return replace(index, notes=(*index.notes, Note("frames", sentence)))
    clips = _clips(index.table[is_frame])
    kept, lacking = np.zeros(len(clips.table), bool), np.zeros(len(clips.table), bool)
    for name in names:
        chosen, short = _chosen(index, clips, name)
        kept |= chosen
        lacking |= short
    stays = ~is_frame.to_numpy()
    stays[clips.table.index[kept]] = True
    if not stays.any():
        raise UserError(f"frames={frames} leaves nothing of {index.dataset}: all its clips are too short for it.")
    note = _note(index, frames, clips, kept, lacking)
    return replace(index, table=index.table[stays], notes=(*index.notes, note))


def _clips(table: pd.DataFrame) -> _Clips:
    table = table.sort_values(["clip", "frame", "id"])
    of_clip = table.groupby("clip", sort=False)["id"]
    rank, size = of_clip.cumcount(), of_clip.transform("size")
    return _Clips(table, np.asarray(rank, dtype=np.int64), np.asarray(size, dtype=np.int64))


def _chosen(index: Index, clips: _Clips, name: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Per frame whether it is chosen, and whether its clip is too short, or has no peak."""
    nowhere = np.zeros(len(clips.table), bool)
    if name == "first":
        return clips.rank == 0, nowhere
    if name == "middle":
        return clips.rank == (clips.size - 1) // 2, nowhere
    if name == "peak":
        is_peak = _peaks(index, clips)
        has_peak = pd.Series(is_peak).groupby(clips.table["clip"].to_numpy()).transform("any").to_numpy(dtype=bool)
        return is_peak, ~has_peak
    word, _, digits = name.partition("_")
    from_end, number = clips.size - clips.rank, int(digits)
    return from_end <= number if word == "last" else from_end == number, clips.size < number


def _peaks(index: Index, clips: _Clips) -> npt.NDArray[np.bool_]:
    """The marked frames, else the first frame of each clip's largest sum of values."""
    table = clips.table
    if "peak" in table:
        marked: npt.NDArray[np.bool_] = table["peak"].to_numpy() == 1
        return marked
    spaces = [space for space in index.label_spaces.values() if space.kind == "values" and not space.is_points]
    if not spaces:
        raise UserError(
            f"frames=peak: {index.dataset} neither marks the peak of a clip nor has values of its frames; take last_1"
            " or last_3 where clips end at the peak, or middle."
        )
    values = table[sorted({entry for space in spaces for entry in space.entries})]
    total = values.sum(axis=1, min_count=1).reset_index(drop=True)
    of_clip = table["clip"].to_numpy()
    is_largest = total == total.groupby(of_clip).transform("max")  # never where there is no value
    first = is_largest.groupby(of_clip).cumsum() == 1
    return (is_largest & first).to_numpy(dtype=bool)


def _note(
    index: Index, frames: str, clips: _Clips, kept: npt.NDArray[np.bool_], lacking: npt.NDArray[np.bool_]
) -> Note:
    of_clip = clips.table["clip"]
    sentence = (
        f"frames={frames} keeps {kept.sum():,} of {len(kept):,} frames of {of_clip.nunique():,} clips and leaves out"
        f" {(~kept).sum():,}"
    )
    if photographs := len(index) - len(kept):
        sentence += f"; {photographs:,} images of no clip stay"
    if short := of_clip[lacking].nunique():
        sentence += f"; {short:,} clips are too short for it or have no peak, and give what they have"
    return Note("frames", f"{sentence}.", tuple(clips.table["id"][~kept]))
