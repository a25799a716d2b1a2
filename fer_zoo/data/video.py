"""Videos behind one small interface over PyAV (FFmpeg): facts, frames in order, and any frame by its number.

Frame numbers count what is shown, from 0. Every frame comes upright, as the file's display matrix says.
"""

import math
import struct
from collections.abc import Generator
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.codec.context import ThreadType
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.data.video_decoding import Damaged, NoVideo, decoded, opened
from fer_zoo.data.video_files import COUNTABLE_CODECS, PacketIndex, is_cut_off, lacks_moov

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"})
SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv"}
)

Matrix = tuple[int, int, int, int]  # a, b, c, d: a stored pixel (x, y) is shown at (a x + c y, b x + d y)


class UnreadableVideo(UserError):
    """A video that cannot be opened, or not be read to its end.

    Attributes:
        name: the file as given.
        reason: why, in a few words.
        last: the last frame that could be read; None where there is none.
    """

    def __init__(self, name: str, reason: str, *, last: int | None = None) -> None:
        self.name, self.reason, self.last = name, reason, last
        super().__init__(f"Video {name} is {self.problem}. Copy or record it again, or leave it out.")

    @property
    def problem(self) -> str:
        """What a table says of it: "unreadable: …" or "unreadable after frame 53: …"."""
        return f"unreadable{'' if self.last is None else f' after frame {self.last}'}: {self.reason}"


class Frame(NamedTuple):
    """A frame of a video.

    Attributes:
        number: its place among all that is shown, from 0.
        seconds: since the first frame; None where neither times nor a rate are known.
        image: upright pixels, RGB.
    """

    number: int
    seconds: float | None
    image: UInt8[np.ndarray, "h w 3"]


class Video:
    """A video file. No handle stays open between calls, and the content decides the format.

    Args:
        path: the file.
        name: what to call it in an error; the path by default.

    Attributes:
        width, height: of the upright frames, in pixels as stored.
        rotation: degrees, counter-clockwise, by which the file says to turn its frames: 0, 90, 180 or 270.
        is_mirrored: whether it also says to mirror them, left and right, once they are turned.
        num_frames: as the file says, which need not be true; None where it does not say.
        rate: mean frames a second; None where it is not known.
        duration: seconds, as the file says; None where it does not.

    Raises:
        UnreadableVideo: when it is missing, empty, no video (a text, a picture, sound alone), or lacks its index.
    """

    def __init__(self, path: str | Path, *, name: str = "") -> None:
        self.path, self.name = Path(path), name or str(path)
        try:
            with opened(self.path) as (container, stream):
                self.num_frames = stream.frames or None
                rate = stream.guessed_rate if container.duration is None else stream.average_rate
                self.rate = float(rate) if rate else None
                self.duration = None if container.duration is None else container.duration / av.time_base
                self._time_base = stream.time_base
                self._is_countable = stream.codec_context.name in COUNTABLE_CODECS
        except (NoVideo, av.FFmpegError, OSError, UnicodeError) as error:
            raise UnreadableVideo(self.name, _why_it_does_not_open(self.path, error)) from error
        self._is_cut_off = is_cut_off(self.path)
        first = self._first_frame()
        self._stored, self._first_time = (first.width, first.height), first.pts
        self._matrix = _display_matrix(first)
        self.width, self.height = self._stored[::-1] if self._matrix[0] == 0 else self._stored
        self.rotation, self.is_mirrored = _rotation(self._matrix)

    def frames(self, start: int = 0, step: int = 1) -> Generator[Frame, None, None]:
        """Every step-th frame from a number on, in the order in which they are shown; memory does not grow.

        Where the file has times, decoding begins at a key frame before `start`, otherwise at the beginning. The pixels
        are the same.

        Raises:
            UnreadableVideo: after the last frame that can be read, where the file is cut off or damaged or the size of
                its frames changes.
        """
        convert = VideoReformatter()
        number, reached = -1, start
        for threads in (ThreadType.AUTO, ThreadType.NONE):  # threads do not say where damage begins: then without
            try:
                with closing(self._numbered(reached, threads)) as numbered:
                    for number, frame in numbered:
                        self._check_size(number, frame)
                        if number >= reached and (number - start) % step == 0:
                            rgb = convert.reformat(frame, format="rgb24", threads=1).to_ndarray()
                            yield Frame(number, self._seconds(number, frame), upright(rgb, self._matrix))
                        reached = max(reached, number + 1)
                return
            except Damaged as damage:
                if threads == ThreadType.NONE:
                    raise UnreadableVideo(self.name, self._why_it_ends(), last=number) from damage

    def frame(self, number: int) -> Frame:
        """The frame of that number, from 0.

        Raises:
            UserError: if there is none.
        """
        with closing(self.frames(max(0, number))) as frames:
            found = next(frames, None)
        if found is None or number < 0:
            raise UserError(f"Video {self.name} has no frame {number}; frames are counted from 0.")
        return found

    def _first_frame(self) -> av.VideoFrame:
        with closing(self._decoded(ThreadType.NONE)) as frames, suppress(Damaged):
            for frame in frames:
                return frame
        raise UnreadableVideo(self.name, f"no whole frame in it, {self._why_it_ends()}")

    @cached_property
    def _index(self) -> PacketIndex | None:
        """None where the times of the packets do not tell the numbers of the frames."""
        if not self._is_countable or self._first_time is None:
            return None
        with opened(self.path) as (container, stream), suppress(av.FFmpegError):
            index = PacketIndex.read(container.demux(stream))
            return index if index and index.number(self._first_time) == 0 else None
        return None

    def _numbered(self, start: int, threads: ThreadType) -> Generator[tuple[int, av.VideoFrame], None, None]:
        """Frames with their numbers, from `start` or an earlier one on."""
        index = self._index if start else None
        if index is not None:
            for key in index.starts(start):
                with suppress(_Lost):
                    yield from self._from_key(index, key, start, threads)
                    return
        yield from enumerate(self._decoded(threads))

    def _from_key(
        self, index: PacketIndex, key: int, start: int, threads: ThreadType
    ) -> Generator[tuple[int, av.VideoFrame], None, None]:
        """Frames from a key frame on; as far as `start` their times tell their numbers, then they are counted."""
        expected: int | None = None
        with closing(self._decoded(threads, key)) as frames:
            try:
                for frame in frames:
                    if expected is None or expected <= start:
                        number = index.number(frame.pts)
                        if number is None or number > start or expected not in (None, number):
                            raise _Lost
                        expected = number
                    yield expected, frame
                    expected += 1
            except Damaged as damage:
                if expected is None:
                    raise _Lost from damage
                raise
        if expected is None or expected <= min(start, len(index.times) - 1):
            raise _Lost

    def _decoded(self, threads: ThreadType, key: int | None = None) -> Generator[av.VideoFrame, None, None]:
        return decoded(self.path, threads, key=key, is_whole=not self._is_cut_off, is_countable=self._is_countable)

    def _check_size(self, number: int, frame: av.VideoFrame) -> None:
        if (frame.width, frame.height) != self._stored:
            sizes = f"{self._stored[0]}x{self._stored[1]} to {frame.width}x{frame.height}"
            raise UnreadableVideo(self.name, f"the size of the frames changes from {sizes}", last=number - 1)

    def _seconds(self, number: int, frame: av.VideoFrame) -> float | None:
        if self._first_time is not None and frame.pts is not None and self._time_base is not None:
            return float((frame.pts - self._first_time) * self._time_base)
        return number / self.rate if self.rate else None

    def _why_it_ends(self) -> str:
        return "the file is cut off" if self._is_cut_off else "the file is damaged"


class _Lost(Exception):
    """A frame does not have the number that its time says."""


def is_video(path: Path) -> bool:
    """Whether a file is taken for a video: by its suffix, and where that is unknown by what it holds.

    What Pillow reads is a picture, be it a moving one.
    """
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix in PICTURE_SUFFIXES:
        return suffix in SUFFIXES
    try:
        with Image.open(path):
            return False
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        pass
    try:
        with opened(path):
            return True
    except (NoVideo, av.FFmpegError, OSError, UnicodeError):
        return False


def upright(image: UInt8[np.ndarray, "h w 3"], matrix: Matrix) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Stored pixels as a display matrix shows them, turned by quarters only.

    Example:
        >>> upright(np.arange(6, dtype=np.uint8).reshape(1, 2, 3), (0, -1, 1, 0))[:, 0, 0].tolist()
        [3, 0]
    """
    if matrix == (1, 0, 0, 1):
        return image
    a, b, c, d = matrix
    if a == 0:
        image, x_step, y_step = image.swapaxes(0, 1), c, b
    else:
        x_step, y_step = a, d
    return np.ascontiguousarray(image[::y_step, ::x_step])


def _display_matrix(frame: av.VideoFrame) -> Matrix:
    """The linear part of a frame's display matrix, to the nearest quarter turn."""
    data: Any = frame.side_data  # its stub knows one kind only
    if Type.DISPLAYMATRIX not in data:
        return (1, 0, 0, 1)
    values = struct.unpack("=9i", bytes(data[Type.DISPLAYMATRIX]))
    a, b, c, d = (values[i] for i in (0, 1, 3, 4))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return (-1 if a < 0 else 1, 0, 0, -1 if d < 0 else 1)
    return (0, -1 if b < 0 else 1, -1 if c < 0 else 1, 0)


def _rotation(matrix: Matrix) -> tuple[int, bool]:
    """Degrees counter-clockwise, and whether left and right change places afterwards."""
    a, b, c, d = matrix
    is_mirrored = a * d - b * c < 0
    if is_mirrored:  # what is left when x is mirrored back
        a, c = -a, -c
    return round(math.degrees(math.atan2(-b, a))) % 360, is_mirrored


def _why_it_does_not_open(path: Path, error: Exception) -> str:
    """A few words for what PyAV says in many."""
    if isinstance(error, NoVideo):
        return "no video in it"
    if not path.exists():
        return "file not found"
    if path.is_file() and path.stat().st_size == 0:
        return "empty file"
    if path.is_file() and lacks_moov(path):
        return "its index (moov) is missing, as where a recording was cut off"
    return "no video or cut short"
