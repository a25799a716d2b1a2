"""What a writer of a miniature data set returns: the truth that a reader must find."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Fake:
    """A data set of a dozen samples, laid out as distributed.

    Attributes:
        root: its folder.
        settings: what its reader needs to be told.
        people: image as an index names it -> name of the person, of every sample that the reader must give.
        labels: the same paths -> emotion, None where missing; empty for a data set without emotions.
        values: value entry -> the same paths -> number, NaN where missing.
        parts: the same paths -> part of the official split; empty where there is none.
        notes: kind -> samples that the reader must note.
        hidden: words that must appear in no message or shown column: the names of people.
        spoil_label: writes a label into the files that no label space has, and returns it.
        target: what the data set is about.
    """

    root: Path
    settings: Mapping[str, Any]
    people: Mapping[str, str]
    labels: Mapping[str, str | None]
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    hidden: tuple[str, ...]
    spoil_label: Callable[[], str]
    target: str = "emotion"


def write_image(path: Path, number: int, *, grey: bool = True, codec: str = "JPEG") -> None:
    """A small image of noise; equal numbers give equal files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (16, 14) if grey else (16, 14, 3)
    pixels = np.random.default_rng(number).integers(0, 256, size=shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path, format=codec)


def blank(path: Path) -> None:
    """Takes all pixels out of a file: an image is empty, a video keeps its head and the index at its end."""
    data = path.read_bytes()
    start, end = data.find(b"movi") + 4, data.rfind(b"idx1")
    path.write_bytes(data[:start] + bytes(end - start) + data[end:] if 4 <= start < end else b"")
