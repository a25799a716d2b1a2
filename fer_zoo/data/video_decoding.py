"""Whole frames of a video stream in the order in which they are shown, and where they end."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from fer_zoo.data.video_files import VideoPacket

# FFmpeg also opens texts, single pictures, and playlists that name other files: none of them is a video here.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,asf,ogg,mxf,nut,dv,"
    "yuv4mpegpipe,wav,mp3,flac,aac"
)


class Damaged(Exception):
    """Nothing that is sound follows the frames so far."""


class NoVideo(Exception):
    """The file opens, but holds no moving pictures."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its first video stream, a cover picture being none.

    Raises:
        NoVideo: if there is no such stream, or nothing here decodes it.
        av.FFmpegError: for what is no container.
    """
    # "file:" keeps a name with a colon from being taken for a protocol.
    with av.open(f"file:{path}", options={"format_whitelist": _FORMATS}, metadata_errors="replace") as container:
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams or streams[0].codec_context is None:
            raise NoVideo
        yield container, streams[0]


def decoded(
    path: Path, threads: ThreadType, *, key: int | None = None, is_whole: bool = True, is_countable: bool = False
) -> Generator[av.VideoFrame, None, None]:
    """Frames from the beginning, or from a key frame on.

    Args:
        path: the file.
        threads: with NONE the frames end exactly where damage begins, otherwise perhaps some frames earlier.
        key: the time of the key frame, in units of the stream.
        is_whole: False where the file is known to be cut off.
        is_countable: whether there are as many frames as packets; threads hide errors in the last ones.

    Raises:
        Damaged: after the last frame that is sound and whose place is sure.
    """
    with opened(path) as (container, stream):
        stream.thread_type = threads
        is_strict = container.format.name != "mpegts"  # there it also means that parts were joined
        if key is not None:
            container.seek(key, stream=stream)
        last: VideoPacket | None = None
        missing = 0
        has_key = False
        try:
            for packet in container.demux(stream):
                if not packet.size:
                    break
                has_key = has_key or packet.is_keyframe
                if packet.is_corrupt and has_key and is_strict:
                    raise Damaged
                frames = _frames(packet, is_strict=has_key)
                missing += has_key * (not packet.is_discard) - len(frames)
                yield from frames
                last = packet
        except (Damaged, av.FFmpegError):
            is_whole = False
        frames, is_sound = _pending(stream, last, is_whole=is_whole)
        if threads == ThreadType.NONE or (is_sound and not (is_countable and missing > len(frames))):
            yield from frames
        else:
            raise Damaged
        if not is_sound:
            raise Damaged


def _frames(packet: VideoPacket, *, is_strict: bool) -> Sequence[av.VideoFrame]:
    """The frames that a packet completes; before the first key frame, as in a broadcast, none is expected."""
    try:
        frames = packet.decode()
    except av.FFmpegError:
        if is_strict:
            raise
        return []
    if any(frame.is_corrupt for frame in frames):
        raise Damaged
    return frames


def _pending(stream: VideoStream, last: VideoPacket | None, *, is_whole: bool) -> tuple[Sequence[av.VideoFrame], bool]:
    """What the decoder still holds, and whether that is all there should be.

    Where packets are lost, only frames before which nothing can be missing: a lost packet is decoded, hence shown,
    after the last one that came.
    """
    try:
        frames = stream.codec_context.decode(None)
    except av.FFmpegError:
        return [], False
    if is_whole and not any(frame.is_corrupt for frame in frames):
        return frames, True
    if last is None or last.dts is None:
        return [], False
    end = last.dts + (last.duration or 0)
    return [frame for frame in frames if not frame.is_corrupt and frame.pts is not None and frame.pts <= end], False
