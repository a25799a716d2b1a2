"""Annotated clips: the frames of a video with what a table says of them, in a video of the same length."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from jaxtyping import UInt8

from fer_zoo.core.files import write_atomically
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.video import Frame, UnreadableVideo, Video
from fer_zoo.engine.face_drawing import Row, draw_faces

_ENCODERS = ("libx264", "mpeg4")  # the first that this build of PyAV has
_TICKS = 60_000  # a second: divided by 24, 25, 30, 50, 60 and 29.97 frames; mpeg4 takes no more than 65,535


def write_clip(video: Video, rows: Iterable[Row], output: Path, spaces: Mapping[str, LabelSpace]) -> None:
    """Write a video's frames, as many and at the same times, with the faces of a table drawn on them; without sound.

    Frames between two that were looked at keep what the first of them showed. Where the video breaks off, so does the
    clip. Memory does not grow.

    Args:
        video: the file.
        rows: of this video, in order of frames.
        output: .mp4; it is whole or not there.
        spaces: label space of each target that was predicted.
    """
    with write_atomically(output) as temporary, av.open(str(temporary), "w") as container:
        stream: VideoStream | None = None
        last = -1
        for frame, own in _with_rows(video, rows):
            image = _even(draw_faces(frame.image, own, spaces))
            if stream is None:
                stream = _new_stream(container, image, video.rate)
            time = frame.number / (video.rate or 25) if frame.seconds is None else frame.seconds
            last = max(last + 1, round(time * _TICKS))
            drawn = av.VideoFrame.from_ndarray(image, format="rgb24")
            drawn.pts, drawn.time_base, drawn.duration = last, Fraction(1, _TICKS), round(_TICKS / (video.rate or 25))
            container.mux(stream.encode(drawn))
        if stream is not None:
            container.mux(stream.encode())


def _with_rows(video: Video, rows: Iterable[Row]) -> Iterator[tuple[Frame, list[Row]]]:
    """Every frame that can be read with the rows that hold for it."""
    groups = groupby((row for row in rows if row["frame"] is not None), key=lambda row: row["frame"])
    number, coming = next(groups, (None, iter(())))
    own: list[Row] = []
    frames = video.frames()
    with closing(frames):
        try:
            for frame in frames:
                if frame.number == number:
                    own = list(coming)
                    number, coming = next(groups, (None, iter(())))
                yield frame, own
        except UnreadableVideo:  # the table says so
            return


def _new_stream(container: OutputContainer, image: np.ndarray, rate: float | None) -> VideoStream:
    available = av.codecs_available
    name = next(name for name in _ENCODERS if name in available)
    options = {"crf": "20", "preset": "veryfast"} if name == "libx264" else {"q": "3"}
    stream: Any = container.add_stream(name, rate=Fraction(rate or 25).limit_denominator(1001), options=options)
    stream.height, stream.width, stream.pix_fmt = image.shape[0], image.shape[1], "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    return stream


def _even(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Sides that encoders take, by doubling the last row or column."""
    down, across = image.shape[0] % 2, image.shape[1] % 2
    return cv2.copyMakeBorder(image, 0, down, 0, across, cv2.BORDER_REPLICATE) if down or across else image
