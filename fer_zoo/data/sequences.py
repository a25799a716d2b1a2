"""Sequences of frames with one emotion each, and the rows of an index that their chosen frames become."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fer_zoo.core.errors import UserError
from fer_zoo.core.sample import subject_code
from fer_zoo.data.frames import places_from_end
from fer_zoo.data.index import Note, clip_code


@dataclass(frozen=True)
class FrameSequence:
    """A recording as its owners name it.

    Attributes:
        person: as the owners write it, with a number by which they order people: S005.
        name: no two have the same, and no copy has others: S005/001.
        path: below the root, for messages.
        frames: (number, image) in their order.
        emotion: what it shows at its peak; None where it has no label.
    """

    person: str
    name: str
    path: str
    frames: tuple[tuple[int, str], ...]
    emotion: str | None

    def row(self, dataset: str, place: int, emotion: str | None, *, is_peak: bool) -> dict[str, Any]:
        """The row of the frame at a place, which may be counted from the end as in a list."""
        number, image = self.frames[place]
        return {
            "image": image,
            "subject": subject_code(dataset, self.person),
            "subject_order": person_number(self.person),
            "clip": clip_code(dataset, self.name),
            "frame": number,
            "peak": float(is_peak),
            "emotion": emotion,
        }


def person_number(person: str) -> int:
    """The number in the owners' name of a person: 5 for S005."""
    return int(re.sub(r"\D", "", person))


def expression_rows(
    dataset: str, sequences: Sequence[FrameSequence], *, expression: str, has_neutral: bool, short: str
) -> tuple[list[dict[str, Any]], list[Note]]:
    """The rows of sequences from neutral to peak: the first frame as neutral, if wanted, and those of the expression.

    Args:
        dataset: registered name.
        sequences: those with an emotion are used.
        expression: setting dataset.expression, which frames show the emotion, see `places_from_end`.
        has_neutral: whether the first frame is a row, too; no frame is both.
        short: setting dataset.short_sequences, "stop" or "skip".

    Returns:
        Rows in the order of the sequences, and a note on those that are too short.

    Raises:
        UserError: for sequences that are too short, where they are not skipped, or if none is left.
    """
    places = places_from_end(expression, where="dataset.expression")
    least, rows, lacking = places[0] + has_neutral, list[dict[str, Any]](), list[FrameSequence]()
    labelled = [sequence for sequence in sequences if sequence.emotion is not None]
    for sequence in labelled:
        if len(sequence.frames) < least:
            lacking.append(sequence)
            continue
        rows += [sequence.row(dataset, 0, "neutral", is_peak=False)] if has_neutral else []
        rows += [sequence.row(dataset, -place, sequence.emotion, is_peak=place == 1) for place in places]
    if lacking and short == "stop":
        first = lacking[0]
        raise UserError(
            f"{len(lacking)} of {len(labelled)} sequences with an emotion have fewer than the {least} frames that are"
            f" asked for, e.g. {first.path} with {len(first.frames)}: complete the copy, or set"
            " dataset.short_sequences=skip."
        )
    if not rows:
        raise UserError(f"No sequence of {dataset} has an emotion and {least} frames: is the copy complete?")
    sentence = f"{len(lacking)} sequences with an emotion have fewer than {least} frames and are left out."
    return rows, [Note("short", sentence)] if lacking else []


def ignored_files(number: int) -> list[Note]:
    """A note on files in the folders of sequences that are no frames by their names, if there are any."""
    sentence = f"{number} files in the folders of the sequences are no frames by their names and are left out."
    return [Note("ignored", sentence)] if number else []
