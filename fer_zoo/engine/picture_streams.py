"""One picture after the other, from photographs and from the frames of videos."""

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_zoo.data.video import UnreadableVideo, Video, is_video

Photograph = str | Path | np.ndarray  # a file, which may be a video; or an array, RGB, "h w 3" of uint8


@dataclass(frozen=True)
class Picture:
    """A photograph or a frame, before anything is looked for in it.

    Attributes:
        name: the file as given, or the number of an array.
        pixels: RGB, or the file of a photograph, which is read later; None where there is nothing to see.
        frame: its number in the video; None for a photograph.
        seconds: since the video's first frame.
        problem: why there are no pixels.
    """

    name: str
    pixels: np.ndarray | Path | None
    frame: int | None = None
    seconds: float | None = None
    problem: str = ""


def pictures(
    photographs: Iterable[Photograph], *, every: int = 1, first_frame: int = 0
) -> Generator[Picture, None, None]:
    """The pictures of photographs and videos, in order; few are in memory at once.

    Args:
        photographs: files or arrays.
        every: of a video, each frame whose number this divides.
        first_frame: where the first of the files begins, if it is a video.
    """
    for number, photograph in enumerate(photographs):
        if isinstance(photograph, np.ndarray):
            yield Picture(str(number), photograph)
        elif is_video(Path(photograph)):
            yield from _frames(str(photograph), every, 0 if number else first_frame)
        else:
            yield Picture(str(photograph), Path(photograph))


def _frames(name: str, every: int, start: int) -> Generator[Picture, None, None]:
    """Frames, and where the video ends before its end a picture that says so."""
    try:
        with closing(Video(name).frames(start, every)) as frames:
            for frame in frames:
                yield Picture(name, frame.image, frame.number, frame.seconds)
    except UnreadableVideo as error:
        yield Picture(name, None, problem=error.problem)
