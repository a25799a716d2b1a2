"""What a video file says about itself without being decoded: whether it is whole, and where its frames lie."""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from av.packet import Packet
from jaxtyping import Int64

if TYPE_CHECKING:
    from av.video.stream import VideoStream

    VideoPacket = Packet[VideoStream]
else:
    VideoPacket = Packet  # generic in its stub only

# A packet of these holds one frame that is shown, so that packets can be counted instead of frames. (VP8 hides some.)
COUNTABLE_CODECS = frozenset(
    {"h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg", "prores", "dnxhd", "ffv1", "rawvideo"}
)

_TRANSPORT_PACKETS = (188, 192, 204)  # bytes: MPEG transport streams, of Blu-ray, with error correction
_MP4_BOXES = frozenset(b"ftyp moov mdat moof mfra free skip wide udta uuid meta sidx styp emsg prft pnot".split())
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


class PacketIndex:
    """The presentation times of all packets of a stream, and which can be decoded first.

    Args:
        times: of all packets, in units of the stream's time base, from the first shown to the last.
        keys: positions in `times` where decoding may begin, ascending.
    """

    def __init__(self, times: Int64[np.ndarray, " t"], keys: Int64[np.ndarray, " k"]) -> None:
        self.times, self.keys = times, keys

    @classmethod
    def read(cls, packets: Iterable[VideoPacket]) -> "PacketIndex | None":
        """The index, or None where times do not tell the order: missing ones, the same twice, or a step back."""
        times, keys = [], []
        latest: int | None = None
        for packet in packets:
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None or (latest is not None and packet.dts is not None and packet.dts < latest):
                return None
            latest = packet.dts if packet.dts is not None else latest
            times.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
        ordered = np.sort(np.array(times, np.int64))
        if not len(ordered) or (np.diff(ordered) == 0).any():
            return None
        return cls(ordered, np.searchsorted(ordered, np.sort(np.array(keys, np.int64))).astype(np.int64))

    def number(self, time: int | None) -> int | None:
        """The number of the frame that is shown at a time, None where there is none."""
        if time is None:
            return None
        position = int(np.searchsorted(self.times, time))
        return position if position < len(self.times) and self.times[position] == time else None

    def starts(self, number: int) -> Iterator[int]:
        """Times of key frames to decode from in order to reach a frame: the last before it, then some farther away."""
        before = self.keys[self.keys <= number]
        for back in (1, 2, 4, 8):
            if back <= len(before) and before[-back] > 0:
                yield int(self.times[before[-back]])


def is_cut_off(path: Path) -> bool:
    """Whether the file ends before the place that its own header names; False where a format does not tell."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(12)
        if head[4:8] in _MP4_BOXES:
            return _mp4_end(stream, size) > size
        if head[:4] == _EBML:
            return _matroska_end(stream) > size
        if head[:4] == b"RIFF":
            return _riff_end(stream, size) > size
        if head[:1] == b"G" or head[4:5] == b"G":
            return _is_transport_stream(stream) and all(size % packet for packet in _TRANSPORT_PACKETS)
    return False


def lacks_moov(path: Path) -> bool:
    """Whether the file is an mp4 without its index, which recorders write last."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        kinds = [kind for kind, _ in _mp4_boxes(stream, size)]
    return bool(kinds) and kinds[0] == b"ftyp" and b"moov" not in kinds


def _mp4_boxes(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Kind and end of each box at the top, as far as they are boxes."""
    start = 0
    while start + 8 <= size:
        stream.seek(start)
        length, kind = struct.unpack(">I4s", stream.read(8))
        if kind not in _MP4_BOXES:
            return
        if length == 1:
            length = int.from_bytes(stream.read(8), "big")
        end = size if length == 0 else start + length
        if end <= start:
            return
        yield kind, end
        start = end


def _mp4_end(stream: BinaryIO, size: int) -> int:
    return max((end for _, end in _mp4_boxes(stream, size)), default=0)


def _matroska_end(stream: BinaryIO) -> int:
    """Where the segment ends; 0 where it was written without a known size."""
    stream.seek(4)
    header = _ebml_number(stream)
    if header is None:
        return 0
    stream.seek(header, 1)
    if stream.read(4) != _SEGMENT:
        return 0
    length = _ebml_number(stream)
    return 0 if length is None else stream.tell() + length


def _ebml_number(stream: BinaryIO) -> int | None:
    """A size of variable length: as many leading zero bits as there are further bytes; all ones mean unknown."""
    first = stream.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    number = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + stream.read(more), "big")
    return None if number == (1 << (7 * (more + 1))) - 1 else number


def _riff_end(stream: BinaryIO, size: int) -> int:
    """The end of the last RIFF part: AVI files beyond 1 GB have several."""
    end = 0
    while end + 8 <= size:
        stream.seek(end)
        kind, length = struct.unpack("<4sI", stream.read(8))
        if kind != b"RIFF" or not length:
            break
        end += 8 + length
    return end


def _is_transport_stream(stream: BinaryIO) -> bool:
    """Whether every packet of the first few begins with the sync byte "G"."""
    stream.seek(0)
    head = stream.read(8 * max(_TRANSPORT_PACKETS))
    return any(
        len(head) > 3 * length and set(head[offset::length]) == set(b"G")
        for length in _TRANSPORT_PACKETS
        for offset in (0, 4)
    )
