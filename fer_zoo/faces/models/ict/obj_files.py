"""ICT-FaceKit's OBJ files: 26,719 vertices and, the same in all of them, the polygons between them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from fer_zoo.core.errors import UserError
from fer_zoo.faces.models.ict.regions import NUM_POLYGONS, NUM_TEXTURE_VERTICES, NUM_VERTICES

AGAIN = "fetch the model again with `fer-zoo download ict_facekit`"


class Polygons(NamedTuple):
    """Triangles that polygons were cut into, their corners counter-clockwise seen from outside.

    Attributes:
        corners: vertices.
        texture_corners: the texture vertex of each corner.
        polygon: number of the polygon that a triangle is part of.
        texture: place of each texture vertex, the origin at the bottom left.
    """

    corners: Int64[np.ndarray, "t 3"]
    texture_corners: Int64[np.ndarray, "t 3"]
    polygon: Int64[np.ndarray, " t"]
    texture: Float64[np.ndarray, "w 2"]


def read_vertices(path: Path) -> Float64[np.ndarray, "26719 3"]:
    """The vertices of a file, in centimetres; x to the subject's left, y up, z forward.

    The one block of lines "v x y z" is cut out and converted at once: 150 such files take seconds, not minutes.

    Raises:
        UserError: if the file is missing, cut, of another mesh, or holds something else than finite numbers.
    """
    return _numbers(path, _content(path), b"v", 3, NUM_VERTICES)


def read_polygons(path: Path) -> Polygons:
    """The polygons and texture coordinates of a file.

    Raises:
        UserError: as `read_vertices`.
    """
    content = _content(path)
    texture = _numbers(path, content, b"vt", 2, NUM_TEXTURE_VERTICES)
    lines = [line[2:] for line in content[content.find(b"\nf ") + 1 :].splitlines() if line.startswith(b"f ")]
    if len(lines) != NUM_POLYGONS:
        raise _damaged(path, f"it has {len(lines)} polygons instead of {NUM_POLYGONS}")
    try:
        polygons = [[tuple(map(int, corner.split(b"/"))) for corner in line.split()] for line in lines]
        triangles = [
            (number, *polygon[0], *polygon[place], *polygon[place + 1])
            for number, polygon in enumerate(polygons)
            for place in range(1, len(polygon) - 1)
        ]
        table = np.array(triangles, dtype=np.int64).reshape(-1, 7)
    except ValueError as error:
        raise _damaged(path, "a line of its polygons is not made of pairs like 874/1") from error
    corners, texture_corners = table[:, 1::2] - 1, table[:, 2::2] - 1
    for numbers, stop in ((corners, NUM_VERTICES), (texture_corners, NUM_TEXTURE_VERTICES)):
        if numbers.min() < 0 or numbers.max() >= stop:
            raise _damaged(path, "a polygon has a corner that is not there")
    return Polygons(corners, texture_corners, table[:, 0], texture)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path} is not there: {AGAIN}.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def _numbers(path: Path, content: bytes, kind: bytes, width: int, count: int) -> Float64[np.ndarray, "n w"]:
    """The numbers of the block of lines that begin with a word; each block ends where the next kind of line begins."""
    mark = b"\n" + kind + b" "
    start = content.find(mark)
    stop = content.find(b"\nvt " if kind == b"v" else b"\nusemtl ", start)
    if start < 0:
        raise _damaged(path, f"it has no lines that begin with {kind.decode()!r}")
    if stop < 0:
        raise _damaged(path, f"it ends within its lines that begin with {kind.decode()!r}")
    block = content[start:stop]
    lines = block.count(mark)
    if lines != count:
        raise _damaged(path, f"it has {lines} lines that begin with {kind.decode()!r} instead of {count}")
    try:
        numbers = np.array(block.replace(mark, b"\n").split(), dtype=np.float64)
    except ValueError as error:
        raise _damaged(path, f"a line that begins with {kind.decode()!r} holds something else than numbers") from error
    if numbers.size != width * count:
        raise _damaged(path, f"its lines that begin with {kind.decode()!r} do not hold {width} numbers each")
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        line = wrong[0] // width + 1
        raise _damaged(path, f"number {line} of its lines that begin with {kind.decode()!r} holds {numbers[wrong[0]]}")
    return numbers.reshape(count, width)


def _damaged(path: Path, what: str) -> UserError:
    return UserError(f"{path} is no whole file of ICT-FaceKit's light model: {what}; {AGAIN}.")
