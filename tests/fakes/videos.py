"""Small videos whose frames are known, in any container and codec that PyAV writes."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from fakes.pictures import drawn_face

TICKS = 90_000  # a second


def write(
    path: Path,
    images: Iterable[np.ndarray],
    *,
    codec: str = "libx264",
    rate: int = 30,
    seconds: Sequence[float] | None = None,
    b_frames: int = 2,
    gop: int = 8,
    rotation: int = 0,
    mirror: bool = False,
    pixels: str = "yuv420p",
    muxer: str | None = None,
    options: dict[str, str] | None = None,
    encoder: dict[str, str] | None = None,
) -> Path:
    """RGB images "h w 3" of even sides, shown at `rate` or at the given seconds."""
    stream = None
    with av.open(str(path), "w", format=muxer, options=options or {}) as container:
        for number, image in enumerate(images):
            if stream is None:
                stream = container.add_stream(codec, rate=rate, options=encoder or {})
                stream.height, stream.width, stream.pix_fmt = image.shape[0], image.shape[1], pixels
                stream.codec_context.gop_size = gop
                if b_frames:
                    stream.codec_context.max_b_frames = b_frames
                if seconds is not None:
                    stream.codec_context.time_base = Fraction(1, TICKS)
                if rotation or mirror:
                    stream.set_display_rotation(rotation, hflip=mirror)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            if seconds is not None:
                frame.pts, frame.time_base = round(seconds[number] * TICKS), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode())
    return path


def textures(number: int, height: int = 48, width: int = 64, seed: int = 0) -> list[np.ndarray]:
    """Coarse noise that moves, so that each frame differs from all others and fills several packets."""
    generator = np.random.default_rng(seed)
    ground = generator.integers(0, 256, (height // 4, width // 4 + number, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    return [ground[:, 3 * i : 3 * i + width] for i in range(number)]


def faces_on_ground(
    number: int, places: Sequence[tuple[int, int]], *, side: int = 80, height: int = 120, width: int = 240
) -> Iterable[np.ndarray]:
    """Frames with a drawn face at each (left, top), moving a pixel to and fro."""
    face = drawn_face(side)
    for i in range(number):
        image = np.full((height, width, 3), 150, np.uint8)
        for left, top in places:
            x = left + abs(i % 12 - 6)
            image[top : top + side, x : x + side] = face
        yield image


def sound(path: Path) -> Path:
    """A second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def grey_of(image: np.ndarray) -> np.ndarray:
    """Brightness, which codecs keep better than colour."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
