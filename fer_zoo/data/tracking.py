"""Which box of a frame goes on with which box of the frames before: overlap alone, no look at the face.

A track number is no promise of identity: two people who cross may change numbers, and one who was out of sight for
longer than `PATIENCE` looks comes back with a new one.
"""

from collections.abc import Iterable, Sequence

Box = tuple[float, float, float, float]  # left, top, width, height

LEAST_OVERLAP = 0.3  # intersection over union, below which two boxes are not of one track
PATIENCE = 10  # looks at which a track may be without a face and still go on


class OverlapTracker:
    """Gives the boxes of one video, frame after frame, the numbers of their tracks, from 0 in order of appearance.

    Of all pairs of a track's last box and a new box the one that overlaps most is joined first, then the next of those
    left (greedy); equal ones by lower track, then by place in the frame.

    Args:
        step: frames between two looks.
    """

    def __init__(self, step: int = 1) -> None:
        self.step = step
        self._tracks: dict[int, tuple[int, Box]] = {}  # number -> the frame it was last seen in, its box there
        self._next = 0

    def update(self, frame: int, boxes: Sequence[Box]) -> list[int]:
        """The track of each box of a frame; frames come in order."""
        self._forget(frame)
        pairs = sorted(
            (-overlap(last, box), number, position)
            for number, (_, last) in self._tracks.items()
            for position, box in enumerate(boxes)
        )
        found: dict[int, int] = {}  # place in the frame -> track
        for negative, number, position in pairs:
            if -negative >= LEAST_OVERLAP and position not in found and number not in found.values():
                found[position] = number
        for position in range(len(boxes)):
            if position not in found:
                found[position], self._next = self._next, self._next + 1
        numbers = [found[position] for position in range(len(boxes))]
        self._tracks.update({number: (frame, box) for number, box in zip(numbers, boxes, strict=True)})
        return numbers

    def recall(self, rows: Iterable[tuple[int, int, Box]]) -> None:
        """Take up the rows of a table (frame, track, box), in order, as if their boxes had been given to `update`."""
        for frame, number, box in rows:
            self._forget(frame)
            self._tracks[number] = (frame, box)
            self._next = max(self._next, number + 1)

    def _forget(self, frame: int) -> None:
        """Ends the tracks that were not seen for too long."""
        oldest = frame - (PATIENCE + 1) * self.step
        self._tracks = {number: track for number, track in self._tracks.items() if track[0] >= oldest}


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1.

    Example:
        >>> overlap((0, 0, 2, 2), (1, 0, 2, 2))
        0.3333333333333333
    """
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one[2] * one[3] + other[2] * other[3] - both)
