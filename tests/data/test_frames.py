"""Frames of planted clips: short ones, gaps in numbering, any first number, equal numbers, photographs between."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.data.frames import check_frames, places_from_end, select_frames
from fer_zoo.data.index import Index, index_table

# clip, number of the frame, sum of values (None: no value)
CLIPS: tuple[tuple[str, int, float | None], ...] = (
    ("long", 1, 0), ("long", 2, 3), ("long", 3, 3), ("long", 4, 1), ("long", 5, 1), ("long", 6, 0),
    ("gaps", 100, 0), ("gaps", 7, 5), ("gaps", 30, 2), ("gaps", 31, None),
    ("short", 12, None), ("short", 9, None),
    ("", 0, 1), ("", 5, None),
    ("one", 0, 4),
)  # fmt: skip


def make_index(clips: Any = CLIPS, **columns: Any) -> Index:
    space = label_space("au/disfa12")
    totals = [np.nan if value is None else float(value) for *_, value in clips]
    values = {entry: [np.nan if np.isnan(t) else 0.0 for t in totals] for entry in space.entries}
    values["AU12"] = totals
    table = index_table("fake", [f"{clip}/{n}_{i}.jpg" for i, (clip, n, _) in enumerate(clips)],
                        clip=[clip for clip, *_ in clips], frame=[n for _, n, _ in clips],
                        emotion=["fear"] * len(clips), **values, **columns)  # fmt: skip
    spaces = {"emotion": label_space("emotion/basic7"), "au": space}
    return Index(
        "fake", Path(), table, spaces if any(v is not None for *_, v in clips) else {"emotion": spaces["emotion"]}
    )


def kept(frames: str, index: Index | None = None) -> dict[str, list[int]]:
    """Per clip the numbers of the frames that stay, in order."""
    table = select_frames(index or make_index(), frames).table
    return {str(clip): sorted(group["frame"]) for clip, group in table.groupby("clip")}


PHOTOGRAPHS = {"": [0, 5]}


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("first", {"long": [1], "gaps": [7], "short": [9], "one": [0]}),
        ("middle", {"long": [3], "gaps": [30], "short": [9], "one": [0]}),
        ("last_1", {"long": [6], "gaps": [100], "short": [12], "one": [0]}),
        ("last_3", {"long": [4, 5, 6], "gaps": [30, 31, 100], "short": [9, 12], "one": [0]}),
        ("first+last_3", {"long": [1, 4, 5, 6], "gaps": [7, 30, 31, 100], "short": [9, 12], "one": [0]}),
        ("end_1+end_3+end_5", {"long": [2, 4, 6], "gaps": [30, 100], "short": [12], "one": [0]}),
        ("end_2", {"long": [5], "gaps": [31], "short": [9]}),
        ("peak", {"long": [2], "gaps": [7], "one": [0]}),
    ],
)
def test_frames_of_each_clip(frames: str, expected: dict[str, list[int]]) -> None:
    assert kept(frames) == {**PHOTOGRAPHS, **expected}


def test_all_is_the_index_itself() -> None:
    index = make_index()
    assert select_frames(index, "all") is index


def test_equal_numbers_are_ordered_by_id() -> None:
    index = make_index([("a", 3, 1.0)] * 4)
    ids = sorted(index.ids)
    assert select_frames(index, "first").ids == ids[:1]
    assert set(select_frames(index, "last_2").ids) == set(ids[2:])
    assert select_frames(index, "peak").ids == ids[:1]


def test_marks_of_the_data_set_come_before_values() -> None:
    marks = [0.0] * len(CLIPS)
    marks[4] = marks[5] = marks[8] = 1.0  # of `long` two, of `gaps` one
    assert kept("peak", make_index(peak=marks)) == {**PHOTOGRAPHS, "long": [5, 6], "gaps": [30]}


def test_the_note_counts_what_is_left_out_and_what_is_short() -> None:
    index = select_frames(make_index(), "last_3")
    (note,) = [note for note in index.notes if note.kind == "frames"]
    assert note.sentence == (
        "frames=last_3 keeps 9 of 13 frames of 4 clips and leaves out 4; 2 images of no clip stay; 2 clips are too"
        " short for it or have no peak, and give what they have."
    )
    assert set(note.ids) == set(make_index().ids) - set(index.ids)
    whole = make_index([("a", i, 0.0) for i in range(4)])
    assert [n.sentence for n in select_frames(whole, "first").notes] == [
        "frames=first keeps 1 of 4 frames of 1 clips and leaves out 3."
    ]


def test_photographs_alone_are_told_and_stay() -> None:
    index = make_index([("", 0, 1.0), ("", 1, 1.0)])
    chosen = select_frames(index, "peak")
    assert chosen.ids == index.ids
    assert chosen.notes[-1].sentence == "frames=peak changes nothing: no image of fake names a clip."


def test_other_frames_are_another_fingerprint() -> None:
    index = make_index()
    assert len({select_frames(index, frames).fingerprint() for frames in ("all", "first", "last_3")}) == 3


def test_a_peak_that_nothing_tells_and_clips_that_are_all_too_short() -> None:
    index = make_index([("a", i, None) for i in range(3)])
    with pytest.raises(UserError, match="neither marks the peak of a clip nor has values of its frames; take last_1"):
        select_frames(index, "peak")
    with pytest.raises(UserError, match="frames=end_4 leaves nothing of fake"):
        select_frames(index, "end_4")


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ("last3", r"asks for 'last3'\. Did you mean 'last_3'\?"),
        ("last_0", "asks for 'last_0'"),
        ("end_-1", "asks for 'end_-1'"),
        ("first+", "asks for ''"),
        ("First", "Did you mean 'first'"),
        ("last_3,first", "asks for 'last_3,first'"),
        ("first+first", "names some frames twice"),
        ("all+peak", "names some frames twice; name each once, and all alone"),
        ("end_" + "9" * 30, "asks for 'end_9"),
    ],
)
def test_names_that_are_none(frames: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        check_frames(frames)


NUMBERS = st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.integers(0, 9), st.integers(0, 3)), min_size=1)
NAMES = st.lists(st.sampled_from(["first", "middle", "peak", "last_2", "end_1", "end_2"]), min_size=1, unique=True)


@given(rows=NUMBERS, names=NAMES, seed=st.integers(0, 100))
def test_agrees_with_plain_loops_in_any_order_of_rows(
    rows: list[tuple[str, int, int]], names: list[str], seed: int
) -> None:
    index = make_index(rows)
    expected: set[str] = set()
    for clip, group in index.table.groupby("clip"):
        frames = sorted(group.to_dict("records"), key=lambda row: (row["frame"], row["id"]))
        for name in names:
            count = int(name.partition("_")[2] or 0)
            chosen = {
                "first": frames[:1],
                "middle": [frames[(len(frames) - 1) // 2]],
                "peak": [max(frames, key=lambda row: row["AU12"])],
                "last": frames[-count:],
                "end": frames[-count : len(frames) - count + 1] if count <= len(frames) else [],
            }[name.partition("_")[0]]
            expected |= {row["id"] for row in (chosen if clip else frames)}
    shuffled = index.table.sample(frac=1.0, random_state=seed)
    for table in (index.table, shuffled):
        other = Index("fake", Path(), pd.DataFrame(table), index.label_spaces)
        if expected:
            assert set(select_frames(other, "+".join(names)).ids) == expected


@pytest.mark.parametrize(
    ("frames", "places"),
    [("last_3", (3, 2, 1)), ("end_1+end_3+end_5", (5, 3, 1)), ("end_4+last_2", (4, 2, 1)), ("last_1", (1,))],
)
def test_places_from_the_end(frames: str, places: tuple[int, ...]) -> None:
    assert places_from_end(frames, where="dataset.expression") == places


@pytest.mark.parametrize("frames", ["first", "all", "last_0", "last_3+", "peak", "last_3,end_1", ""])
def test_other_places_are_refused(frames: str) -> None:
    with pytest.raises(UserError, match=r"^dataset\.expression=.* asks for '.*'; it is last_N"):
        places_from_end(frames, where="dataset.expression")
