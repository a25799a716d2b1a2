"""Videos behind one small interface over PyAV (FFmpeg): facts, frames in order, and any frame by its number.

Frame numbers count what is shown, from 0. Every frame comes upright, as the file's display matrix says.
"""

import math
import struct
from collections.abc import Generator
from contextlib import closing, suppress
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.data.index import IMAGE_SUFFIXES
from fer_zoo.data.video_decoding import Damaged, NoVideo, Packets, decoded, opened, read_packets

SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv"}
)

_BREAKS_OFF = "the file is cut off or damaged"


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

    Raises:
        UnreadableVideo: when it is missing, no video (a text, a picture, sound alone), or without one whole frame.
    """

    def __init__(self, path: str | Path, *, name: str = "") -> None:
        self.path, self.name = Path(path), name or str(path)
        try:
            with opened(self.path) as (container, stream):
                self.num_frames = stream.frames or None
                rate = stream.guessed_rate if container.duration is None else stream.average_rate
                self.rate = float(rate) if rate else None
                self._time_base = stream.time_base
        except NoVideo as error:
            raise UnreadableVideo(self.name, _reason(self.path)) from error
        first = self._first_frame()
        self._stored, self._first_time = (first.width, first.height), first.pts
        self.rotation, self.is_mirrored = _turn(first)
        self.width, self.height = self._stored[::-1] if self.rotation % 180 else self._stored

    def frames(self, start: int = 0, step: int = 1) -> Generator[Frame, None, None]:
        """Every step-th frame from a number on, in the order in which they are shown; memory does not grow.

        Where the file has times, decoding begins at a key frame before `start`, otherwise at the beginning. The pixels
        are the same.

        Raises:
            UnreadableVideo: after the last frame that can be read, where the file is cut off or damaged or the size of
                its frames changes.
        """
        convert = VideoReformatter()
        number = -1
        try:
            with closing(self._numbered(start)) as numbered:
                for number, frame in numbered:
                    self._check_size(number, frame)
                    if number >= start and (number - start) % step == 0:
                        rgb = convert.reformat(frame, format="rgb24", threads=1).to_ndarray()
                        yield Frame(number, self._seconds(number, frame), upright(rgb, self.rotation, self.is_mirrored))
        except Damaged as damage:
            raise UnreadableVideo(self.name, _BREAKS_OFF, last=number if number >= 0 else None) from damage

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
        with closing(decoded(self.path, is_whole=True)) as frames, suppress(Damaged):
            for frame in frames:
                return frame
        raise UnreadableVideo(self.name, f"no whole frame in it, {_BREAKS_OFF}")

    @cached_property
    def _packets(self) -> Packets:
        return read_packets(self.path)

    def _numbered(self, start: int) -> Generator[tuple[int, av.VideoFrame], None, None]:
        """Frames with their numbers, from `start` or from the first one on."""
        times, keys, is_whole = self._packets
        if 0 < start < len(times) and times[0] == self._first_time:
            for key in keys[keys <= times[start]][::-1][:3]:  # a seek may come out behind the nearest one
                with closing(decoded(self.path, is_whole=is_whole, key=int(key))) as frames:
                    first = _frame_at(frames, int(times[start]))
                    if first is not None:
                        yield start, first
                        yield from zip(count(start + 1), frames, strict=False)
                        return
        with closing(decoded(self.path, is_whole=is_whole)) as frames:
            yield from enumerate(frames)

    def _check_size(self, number: int, frame: av.VideoFrame) -> None:
        if (frame.width, frame.height) != self._stored:
            sizes = f"{self._stored[0]}x{self._stored[1]} to {frame.width}x{frame.height}"
            raise UnreadableVideo(self.name, f"the size of the frames changes from {sizes}", last=number - 1)

    def _seconds(self, number: int, frame: av.VideoFrame) -> float | None:
        if self._first_time is not None and frame.pts is not None and self._time_base is not None:
            return float((frame.pts - self._first_time) * self._time_base)
        return number / self.rate if self.rate else None


def count_frames(path: Path, *, name: str = "") -> int:
    """How many frames a video has by its head, else by its packets; none is decoded, so some of them may be damaged.

    Args:
        path: the file.
        name: what to call it in an error; the path by default.

    Raises:
        UnreadableVideo: when it is missing, no video, or tells no number.
    """
    try:
        with opened(path) as (_, stream):
            number = stream.frames
        number = number or len(read_packets(path).times)
    except NoVideo as error:
        raise UnreadableVideo(name or str(path), _reason(path)) from error
    if not number:
        raise UnreadableVideo(name or str(path), "it does not tell how many frames it has")
    return number


def is_video(path: Path) -> bool:
    """Whether a file is taken for a video: by its suffix, and where that is unknown by what it holds.

    What Pillow reads is a picture, be it a moving one.
    """
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix in IMAGE_SUFFIXES:
        return suffix in SUFFIXES
    with suppress(OSError, ValueError, SyntaxError, Image.DecompressionBombError), Image.open(path):
        return False
    with suppress(NoVideo), opened(path):
        return True
    return False


def upright(image: UInt8[np.ndarray, "h w 3"], rotation: int, is_mirrored: bool) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Stored pixels turned counter-clockwise by degrees (a multiple of 90), then left and right mirrored if asked for.

    Example:
        >>> upright(np.arange(6, dtype=np.uint8).reshape(1, 2, 3), 90, False)[:, 0, 0].tolist()
        [3, 0]
    """
    turned = np.rot90(image, rotation // 90)
    return np.ascontiguousarray(turned[:, ::-1] if is_mirrored else turned)


def _reason(path: Path) -> str:
    """Why a file is no video."""
    return "no video in it, or cut off before its index" if path.exists() else "file not found"


def _turn(frame: av.VideoFrame) -> tuple[int, bool]:
    """What a frame's display matrix says: degrees counter-clockwise, and whether left and right change places then.

    A stored pixel (x, y) is shown at (a x + c y, b x + d y).
    """
    data: Any = frame.side_data  # its stub knows one kind only
    if Type.DISPLAYMATRIX not in data:
        return 0, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data[Type.DISPLAYMATRIX]))
    is_mirrored = a * d - b * c < 0
    angle = math.degrees(math.atan2(-b, -a if is_mirrored else a))  # of what is left when x is mirrored back
    return round(angle / 90) % 4 * 90, is_mirrored


def _frame_at(frames: Generator[av.VideoFrame, None, None], time: int) -> av.VideoFrame | None:
    """The frame that is shown at a time, None where another one comes instead."""
    with suppress(Damaged):
        frame = next((frame for frame in frames if frame.pts is None or frame.pts >= time), None)
        return frame if frame is not None and frame.pts == time else None
    return None
