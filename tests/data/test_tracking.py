"""The overlap tracker: numbers that go on, gaps, crossings, and the same numbers after a break."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.data.tracking import LEAST_OVERLAP, PATIENCE, Box, OverlapTracker, overlap

BOX: Box = (10.0, 10.0, 20.0, 20.0)
FAR: Box = (100.0, 10.0, 20.0, 20.0)

coordinates = st.integers(0, 60).map(float)
boxes = st.tuples(coordinates, coordinates, st.integers(1, 40).map(float), st.integers(1, 40).map(float))
videos = st.lists(st.lists(boxes, max_size=4), max_size=30)


@given(one=boxes, other=boxes)
def test_overlap_counts_whole_pixels(one: Box, other: Box) -> None:
    """Against boxes drawn as sets of unit squares."""

    def drawn(box: Box) -> np.ndarray:
        left, top, width, height = map(int, box)
        grid = np.zeros((120, 120), bool)
        grid[top : top + height, left : left + width] = True
        return grid

    expected = (drawn(one) & drawn(other)).sum() / (drawn(one) | drawn(other)).sum()
    assert overlap(one, other) == pytest.approx(expected)
    assert overlap(one, other) == overlap(other, one)


def test_numbers_begin_at_nought_from_left_to_right_and_go_on() -> None:
    tracker = OverlapTracker()
    assert tracker.update(0, [BOX, FAR]) == [0, 1]
    assert tracker.update(1, [(12.0, 11.0, 20.0, 20.0), (97.0, 10.0, 21.0, 20.0)]) == [0, 1]
    assert tracker.update(2, [(14.0, 11.0, 20.0, 20.0), (60.0, 60.0, 9.0, 9.0), FAR]) == [0, 2, 1]


def test_a_face_that_moved_too_far_is_another_track() -> None:
    tracker = OverlapTracker()
    tracker.update(0, [BOX])
    near, far = 20 * (1 - LEAST_OVERLAP) / (1 + LEAST_OVERLAP), 20 * (1.01 - LEAST_OVERLAP) / (1 + LEAST_OVERLAP)
    assert tracker.update(1, [(10 + near - 0.1, 10.0, 20.0, 20.0)]) == [0]
    other = OverlapTracker()
    other.update(0, [BOX])
    assert other.update(1, [(10 + far + 0.2, 10.0, 20.0, 20.0)]) == [1]


@pytest.mark.parametrize("step", [1, 5])
def test_a_track_outlives_some_looks_without_a_face(step: int) -> None:
    tracker = OverlapTracker(step)
    tracker.update(0, [BOX])
    for look in range(1, PATIENCE + 1):
        assert tracker.update(look * step, []) == []
    assert tracker.update((PATIENCE + 1) * step, [BOX]) == [0]
    for look in range(PATIENCE + 2, 2 * PATIENCE + 3):
        tracker.update(look * step, [])
    assert tracker.update((2 * PATIENCE + 3) * step, [BOX]) == [1]


def test_the_pair_that_overlaps_most_is_joined_first() -> None:
    """Two faces side by side: the new box in between goes to the nearer one, the other takes what is left."""
    tracker = OverlapTracker()
    tracker.update(0, [(0.0, 0.0, 20.0, 20.0), (10.0, 0.0, 20.0, 20.0)])
    assert tracker.update(1, [(9.0, 0.0, 20.0, 20.0), (16.0, 0.0, 20.0, 20.0)]) == [1, 2]
    assert tracker.update(2, [(1.0, 0.0, 20.0, 20.0)]) == [0]


@given(frames=videos, cut=st.integers(0, 30), step=st.integers(1, 4))
def test_a_tracker_that_recalls_a_table_goes_on_as_one_that_never_stopped(
    frames: list[list[Box]], cut: int, step: int
) -> None:
    unbroken = OverlapTracker(step)
    numbers = [unbroken.update(look * step, found) for look, found in enumerate(frames)]
    rows = [
        (look * step, number, box)
        for look, found in enumerate(frames[:cut])
        for number, box in zip(numbers[look], found, strict=True)
    ]
    resumed = OverlapTracker(step)
    resumed.recall(rows)
    later = [resumed.update((cut + look) * step, found) for look, found in enumerate(frames[cut:])]
    assert later == numbers[cut:]
    assert all(len(set(row)) == len(row) for row in numbers)  # no two faces of a frame in one track
    firsts = list(dict.fromkeys(number for row in numbers for number in row))
    assert firsts == sorted(firsts) == list(range(len(firsts)))
