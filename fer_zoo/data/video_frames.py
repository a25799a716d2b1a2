"""Frames of videos as the images of an index, decoded when they are read; an image is called "path of the video#12"."""

import math
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Collection, Generator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from fer_zoo.core.input_spec import Colour
from fer_zoo.core.sample import sample_id
from fer_zoo.data.image_sources import NOT_DECODABLE, NOT_FOUND, UnreadableImage, stamp
from fer_zoo.data.video import SUFFIXES, Frame, UnreadableVideo, Video

_OPEN = 2  # videos that are held open: rows are read one video after the other
_KEPT = 16  # decoded frames of each, for threads that ask in a slightly other order
_AHEAD = 250  # frames that are rather decoded than jumped over
_FRAME = re.compile(rf"(?P<file>.+\.(?:{'|'.join(suffix[1:] for suffix in sorted(SUFFIXES))}))#(?P<number>\d+)", re.I)


def frame_name(video: str, number: int) -> str:
    """What an index calls a frame, numbered from 0, of a video at a path below the root."""
    return f"{video}#{number}"


def file_of(name: str) -> str:
    """The file in which an image of an index lies: the video of a frame, else the image itself.

    Example:
        >>> file_of("Sessions/1/S001-001.avi#12"), file_of("a#1.jpg")
        ('Sessions/1/S001-001.avi', 'a#1.jpg')
    """
    match = _FRAME.fullmatch(name)
    return match["file"] if match else name


def split_name(name: str) -> tuple[str, int]:
    """The path of the video, and the number of the frame, that `frame_name` put together."""
    video, _, number = name.rpartition("#")
    return video, int(number)


class VideoFrames:
    """The image source of an index of frames of videos.

    Frames are decoded one after the other where they are asked for in their order; others cost a jump to a key frame.

    Args:
        root: folder to which the paths of the videos are relative.
        dataset: registered name, from which ids are made.
        names: of the images in the order of the rows, see `frame_name`.
        turns: video -> quarter turns counter-clockwise by which its frames come upright, where the file itself does not
            say it.
    """

    def __init__(
        self, root: Path, dataset: str, names: Sequence[str] = (), turns: Mapping[str, int] | None = None
    ) -> None:
        self._root, self._dataset, self._names, self._turns = root, dataset, list(names), dict(turns or {})
        self._frames = [split_name(name) for name in self._names]
        self._wanted: dict[str, list[int]] = {}
        for path, number in self._frames:
            self._wanted.setdefault(path, []).append(number)
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._readers: OrderedDict[str, _Reader] = OrderedDict()
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, object]:
        """What crosses to another process: no open file."""
        return {"root": self._root, "dataset": self._dataset, "names": self._names, "turns": self._turns}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # what it holds follows from these

    def of(self, names: Sequence[str]) -> "VideoFrames":
        """The same videos in the order of an index's rows."""
        return VideoFrames(self._root, self._dataset, names, self._turns)

    def read(self, row: int, colour: Colour = "rgb") -> UInt8[np.ndarray, "h w c"]:
        """The frame of a row; see `ImageSource`."""
        path, number = self._frames[row]
        try:
            with self._guard():
                pixels = self._reader(path).image(number)
        except UnreadableVideo as error:
            raise self._unreadable(row) from error
        if pixels is None:
            raise self._unreadable(row)
        pixels = np.ascontiguousarray(np.rot90(pixels, self._turns.get(path, 0)))
        if colour == "grey":
            return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, None]
        return pixels.copy() if colour == "rgb" else np.ascontiguousarray(pixels[:, :, ::-1])

    def expect(self, rows: Collection[int]) -> None:
        """Nothing to be done: what is asked for in order is decoded in order."""

    def size(self, row: int) -> tuple[int, int]:
        """Width and height of a row's video."""
        path, _ = self._frames[row]
        try:
            with self._guard():
                video = self._reader(path).video
        except UnreadableVideo as error:
            raise self._unreadable(row) from error
        return (video.height, video.width) if self._turns.get(path, 0) % 2 else (video.width, video.height)

    def stamps(self) -> list[str]:
        """Size and time of change of each row's video, "missing" where there is none, and how it is turned."""
        of_video = {path: stamp(self._root / path) + self._turned(path) for path in self._wanted}
        return [of_video[path] for path, _ in self._frames]

    def _turned(self, path: str) -> str:
        turns = self._turns.get(path, 0)
        return f" turned {turns}" if turns else ""

    def _guard(self) -> threading.Lock:
        """The lock; what was opened before a fork shares its place in the file with the parent and is let go of."""
        if self._process != os.getpid():
            self._forget()
        return self._lock

    def _reader(self, path: str) -> "_Reader":
        if path not in self._readers:
            self._readers[path] = _Reader(Video(self._root / path, name=path), sorted(set(self._wanted[path])))
        self._readers.move_to_end(path)
        while len(self._readers) > _OPEN:
            self._readers.popitem(last=False)
        return self._readers[path]

    def _unreadable(self, row: int) -> UnreadableImage:
        name = self._names[row]
        is_there = (self._root / split_name(name)[0]).is_file()
        return UnreadableImage(sample_id(self._dataset, name), NOT_DECODABLE if is_there else NOT_FOUND)


class _Reader:
    """One video, read in order; the last frames are kept.

    Args:
        video: the file.
        wanted: numbers of the frames that may be asked for, sorted.
    """

    def __init__(self, video: Video, wanted: Sequence[int]) -> None:
        self.video = video
        self._wanted = frozenset(wanted)
        self._step = math.gcd(*np.diff(wanted).tolist()) or 1
        self._kept: OrderedDict[int, UInt8[np.ndarray, "h w 3"]] = OrderedDict()
        self._stream: Generator[Frame, None, None] | None = None
        self._next = 0  # number of the frame that the stream gives next

    def image(self, number: int) -> UInt8[np.ndarray, "h w 3"] | None:
        """The pixels of a frame; None where the video ends before it.

        Raises:
            UnreadableVideo: if the file breaks off before it.
        """
        if number in self._kept:
            return self._kept[number]
        if self._stream is None or not 0 <= number - self._next <= _AHEAD or (number - self._next) % self._step:
            self._stream, self._next = self.video.frames(number, self._step), number
        for frame in self._stream:
            self._next = frame.number + self._step
            if frame.number in self._wanted:
                self._kept[frame.number] = frame.image
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            if frame.number == number:
                return frame.image
        self._stream = None
        return None
