"""What FFmpeg tells of a video file: its packets, whether all of them are there, and the frames that they become."""

from array import array
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from jaxtyping import Int64

# FFmpeg also opens texts, single pictures, and playlists that name other files: none of them is a video here.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,asf,ogg,mxf,nut,dv,"
    "yuv4mpegpipe,wav,mp3,flac,aac"
)
# A packet of these holds one frame that is shown, so that times of packets tell numbers of frames. (VP8 hides some.)
_COUNTABLE_CODECS = frozenset(
    {"h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg", "prores", "dnxhd", "ffv1", "rawvideo"}
)
_TRANSPORT_STREAM = "mpegts"
_TRANSPORT_PACKETS = (188, 192, 204)  # bytes: of a broadcast, of Blu-ray, with error correction
_SLACK = 0.02  # seconds, as files round their times


class NoVideo(Exception):
    """The file cannot be opened, or holds no moving pictures."""


class Damaged(Exception):
    """Nothing that is sound, and whose place is sure, follows the frames so far."""


class Packets(NamedTuple):
    """What the packets of a video stream say without being decoded.

    Attributes:
        times: when each frame is shown, ascending, in units of the stream; empty where that does not tell its number.
        keys: those of `times` from which decoding may begin, ascending.
        is_whole: whether as much came as the file says that it holds; True where it does not say.
    """

    times: Int64[np.ndarray, " t"]
    keys: Int64[np.ndarray, " k"]
    is_whole: bool


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its first video stream, a cover picture being none.

    Raises:
        NoVideo: for what is no container, or has no such stream that can be decoded.
    """
    try:  # "file:" keeps a name with a colon from being taken for a protocol
        container = av.open(f"file:{path}", options={"format_whitelist": _FORMATS}, metadata_errors="replace")
    except (av.FFmpegError, OSError, UnicodeError) as error:
        raise NoVideo from error
    with container:
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams or streams[0].codec_context is None:
            raise NoVideo
        yield container, streams[0]


def read_packets(path: Path) -> Packets:
    """The packets of a video; it is read to its end, and nothing is decoded."""
    times, keys, decoding_times = (array("q") for _ in range(3))  # eight bytes each, as videos may be long
    is_timed = True
    duration = 0  # of the last frame
    end = 0.0  # seconds, of what lasts longest
    with opened(path) as (container, stream):
        try:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None:
                    end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                if not packet.size or packet.stream_index != stream.index:
                    continue
                if packet.dts is not None:
                    decoding_times.append(packet.dts)
                    duration = packet.duration or 0
                if packet.is_discard:
                    continue
                if packet.pts is None:
                    is_timed = False
                    continue
                times.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
        except av.FFmpegError:  # decoding will end there, too
            pass
        span = decoding_times[-1] + duration - decoding_times[0] if decoding_times else 0
        is_whole = _is_whole(container, stream, span, end, path.stat().st_size)
        shown = np.sort(np.array(times, np.int64))
        if (
            stream.codec_context.name not in _COUNTABLE_CODECS
            or not is_timed
            or (np.diff(shown) == 0).any()
            or (np.diff(decoding_times) < 0).any()  # as where parts were joined
        ):
            shown, keys = shown[:0], keys[:0]
        return Packets(shown, np.sort(np.array(keys, np.int64)), is_whole)


def decoded(path: Path, *, is_whole: bool, key: int | None = None) -> Generator[av.VideoFrame, None, None]:
    """Frames in the order in which they are shown, from the beginning or from a key frame on.

    Args:
        path: the file.
        is_whole: where it is not, the frames that wait for others in the end are left out: one that is lost may belong
            between them.
        key: the time of the key frame, in units of the stream.

    Raises:
        Damaged: after the last frame that is sound and whose place is sure.
    """
    with opened(path) as (container, stream):
        is_strict = container.format.name != _TRANSPORT_STREAM  # there it also means that parts were joined
        if key is not None:
            container.seek(key, stream=stream)
        has_key = False
        try:
            for packet in container.demux(stream):
                if not packet.size and not is_whole:
                    raise Damaged
                has_key = has_key or packet.is_keyframe
                if packet.is_corrupt and has_key and is_strict:
                    raise Damaged
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    if not has_key:  # as in a broadcast that begins anywhere
                        continue
                    raise
                if any(frame.is_corrupt for frame in frames):
                    raise Damaged
                yield from frames
        except av.FFmpegError as error:
            raise Damaged from error


def _is_whole(container: InputContainer, stream: VideoStream, span: int, end: float, size: int) -> bool:
    """Whether the packets last as long as the file says; only these formats say it."""
    match container.format.name.split(",")[0]:
        case "avi":  # its unit of time is the frame
            return span >= stream.frames
        case "mov" if stream.time_base is not None:
            return span * stream.time_base >= (stream.duration or 0) * stream.time_base - _SLACK
        case "matroska":  # tells of its longest stream
            return end >= (container.duration or 0) / av.time_base - _SLACK
        case "mpegts":
            return not all(size % packet for packet in _TRANSPORT_PACKETS)
    return True
