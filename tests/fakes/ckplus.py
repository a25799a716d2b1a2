"""A miniature of CK+: gaps in the numbers, sequences without an emotion, wrapped archives, other files between."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fakes.fake import Fake, write_image

NAN = math.nan
# person, sequence, frame numbers, code and entry of the emotion, FACS of the last frame (unit -> intensity)
SEQUENCES = (
    ("S005", "001", (1, 2, 3, 4, 5), 3, "disgust", {9: 4, 4: 0, 17: 2}),
    ("S010", "002", (1, 2, 3, 9, 12), 1, "anger", {4: 3, 23: 2}),
    ("S010", "004", (3, 4, 5, 6), 7, "surprise", {1: 5, 2: 5, 26: 1}),
    ("S011", "001", (1, 2, 3, 4), 5, "happiness", {6: 3, 12: 5}),
    ("S022", "003", (1, 2, 3, 4), 5, "happiness", {12: 0}),
    ("S501", "006", (1, 2, 3, 4), 2, "contempt", {14: 3}),
    ("S999", "001", (1, 2, 3, 4, 5, 6), 6, "sadness", {1: 3, 15: 2}),
    ("S132", "001", (1, 2, 3, 4), 4, "fear", {}),  # its FACS file is empty
)
UNLABELLED = (("S001", "001", (1, 2, 3)), ("S010", "001", (1, 2)), ("S999", "003", (1,)))
CODES = {"anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happiness": 5, "sadness": 6, "surprise": 7}


def frame(person: str, sequence: str, number: int) -> str:
    return f"cohn-kanade-images/{person}/{sequence}/{person}_{sequence}_{number:08d}.png"


def notation(value: float) -> str:
    """As the files have it: MATLAB's, blanks in front."""
    return f"   {value:.7e}"


def points(number: int) -> np.ndarray:
    """68 points, known by the number of their frame."""
    return np.arange(136.0).reshape(68, 2) + number / 8


def write_label(root: Path, part: str, person: str, sequence: str, number: int, kind: str, lines: list[str]) -> Path:
    path = root / part / person / sequence / f"{person}_{sequence}_{number:08d}_{kind}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write(folder: Path, *, sequences: Sequence[Any] = SEQUENCES) -> Fake:
    """Thirty-two samples of seven people: of each labelled sequence the first frame and the last three."""
    root = folder / "ckplus"
    seed = 0
    people, labels = dict[str, str](), dict[str, str | None]()
    for person, sequence, numbers, code, entry, facs in sequences:
        for number in numbers:
            write_image(root / frame(person, sequence, number), seed := seed + 1, codec="PNG")
            rows = [f"{notation(x)}{notation(y)}" for x, y in points(number)]
            write_label(root, "Landmarks", person, sequence, number, "landmarks", rows)
        for number, label in zip((numbers[0], *numbers[-3:]), ("neutral", entry, entry, entry), strict=True):
            people[frame(person, sequence, number)] = person
            labels[frame(person, sequence, number)] = label
        write_label(root, "Emotion_labels/Emotion", person, sequence, numbers[-1], "emotion", [notation(code)])
        lines = [f"{notation(unit)}{notation(level)}" for unit, level in facs.items()]
        write_label(root, "FACS_labels/FACS", person, sequence, numbers[-1], "facs", lines)
    for person, sequence, numbers in UNLABELLED:
        for number in numbers:
            write_image(root / frame(person, sequence, number), seed := seed + 1, codec="PNG")
    line = f"{notation(12)}{notation(2)}"
    write_label(root, "FACS_labels/FACS", "S001", "001", 3, "facs", [line])
    (root / "Emotion_labels/Emotion/S001/001").mkdir(parents=True)  # the others have none at all
    (root / "cohn-kanade-images/S005/001/.DS_Store").write_bytes(b"x")
    (root / "cohn-kanade-images/S005/001/notes.txt").write_text("no frame")
    (root / "cohn-kanade-images/S005/001/Thumbs_99.png").write_bytes(b"no frame")

    def spoil_label() -> str:
        write_label(root, "Emotion_labels/Emotion", "S010", "002", 12, "emotion", [notation(9)])
        return "9"

    return Fake(root=root, settings={}, people=people, labels=labels, hidden=(), spoil_label=spoil_label)


def write_repack(folder: Path) -> Fake:
    """CK+48 of the labelled sequences: the last three frames of each in a folder a class."""
    root = folder / "ck48"
    people, labels = dict[str, str](), dict[str, str | None]()
    for number, (person, sequence, numbers, _, entry, _) in enumerate(SEQUENCES):
        for place, own in enumerate(numbers[-3:]):
            path = f"{'happy' if entry == 'happiness' else entry}/{person}_{sequence}_{own:08d}.png"
            write_image(root / "CK+48" / path, 100 + 3 * number + place, codec="PNG")
            people[path], labels[path] = person, entry

    def spoil_label() -> str:
        (root / "CK+48" / "happy").rename(root / "CK+48" / "hapy")
        return "hapy"

    return Fake(root=root, settings={}, people=people, labels=labels, hidden=(), spoil_label=spoil_label)
