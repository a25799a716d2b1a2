"""A z-buffer in plain torch: which triangle each pixel of a batch of faces shows.

All faces share their triangles, and vertices stand batch-last, so that a corner is a row. A dense stage leaves the
triangles that face the camera; a sparse one tests the pixels of the box of each. The nearest triangle of a pixel is the
smallest of whole numbers made of depth and triangle number, so that the result depends on no order. Works alike on
every device.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.core.errors import UserError

_CHUNK = 98304  # triangles of faces at once: what fits the processor's cache
_SIDES = (1, 2, 3, 4, 6, 8, 16, 32, 64, 128, 256, 512)  # boxes are tested in classes of these sides
_CELLS = 1 << 22  # pixels of boxes that are tested at once
_LEAST_AREA = 1e-9  # twice the area in pixels below which a triangle is a line
_TOLERANCE = 1e-5  # of weights: rounding leaves no hole on a shared edge
_STEPS = 4096.0  # of depth that are told apart in a pixel
_FARTHEST = 2.0**30  # of those steps
_EMPTY = torch.iinfo(torch.int64).max
_LOW = 0xFFFFFFFF


@dataclass(frozen=True)
class Hits:
    """The pixels that show something, in order.

    Attributes:
        pixel: place in an image stack (b, h, w) that is laid out flat.
        face: which of the batch.
        triangle: the nearest one at the pixel's centre.
        weights: of its corners; they add up to 1.
        depth: in pixels, small for near.
    """

    pixel: Int[Tensor, " n"]
    face: Int[Tensor, " n"]
    triangle: Int[Tensor, " n"]
    weights: Float[Tensor, "n 3"]
    depth: Float[Tensor, " n"]


@dataclass(frozen=True)
class _Boxes:
    """Triangles of faces, the pixels of their boxes, and their depth and two of their weights as planes.

    A plane is its value at the first pixel, its slope along x and that along y.
    """

    number: Int[Tensor, " s"]  # of the triangle
    face: Int[Tensor, " s"]
    left: Int[Tensor, " s"]
    top: Int[Tensor, " s"]
    side: Int[Tensor, " s"]  # of the box, the longer one; 0 where it holds no pixel centre
    planes: tuple[Tensor, ...]  # those of the second corner's weight, of the third's, of depth


def rasterize(screen: Float[Tensor, "v 3 b"], triangles: Int[Tensor, "t 3"], height: int, width: int) -> Hits:
    """What each pixel shows.

    Args:
        screen: pixel x, pixel y (down) and depth of each vertex, see `cameras`.
        triangles: corners, counter-clockwise seen from outside; those that turn away are not drawn.
        height, width: of the images.

    Raises:
        UserError: for an image without pixels, or a vertex that is no number.
    """
    if height < 1 or width < 1:
        raise UserError(f"An image of {height} x {width} pixels has nothing to show; both sides must be at least 1.")
    # the least and the greatest tell of every NaN and infinity, in one pass
    if screen.numel() and not bool(torch.isfinite(torch.stack(torch.aminmax(screen))).all()):
        raise UserError("A vertex is no finite number after projection; look at pose and camera.")
    axes = tuple(axis.contiguous() for axis in screen.unbind(dim=1))
    corners = tuple(corner.contiguous() for corner in triangles.unbind(dim=1))
    buffer = torch.full((screen.shape[2] * height * width,), _EMPTY, device=screen.device)
    chunk = max(1, _CHUNK // max(1, screen.shape[2]))
    with torch.no_grad():
        for start in range(0, len(triangles), chunk):
            boxes = _boxes(axes, [corner[start : start + chunk] for corner in corners], start, height, width)
            for pixel, depth, number in _candidates(boxes, height, width):
                steps = depth.mul_(_STEPS).clamp_(-_FARTHEST, _FARTHEST)
                key = steps.long().bitwise_left_shift_(32).bitwise_or_(number)
                buffer.scatter_reduce_(0, pixel, key, "amin")
    return _hits(buffer, axes, corners, height, width)


def _boxes(axes: tuple[Tensor, ...], corners: Sequence[Tensor], start: int, height: int, width: int) -> _Boxes:
    """Of the triangles from number `start` on that turn towards the camera."""
    size = axes[0].shape[1]
    places = [[axis.index_select(0, corner) for corner in corners] for axis in axes]
    (x1, x2, x3), (y1, y2, y3) = places[:2]
    area = (x2 - x1).mul_(y3 - y1).sub_((y2 - y1).mul_(x3 - x1))
    shown = (area < -_LEAST_AREA).view(-1).nonzero().squeeze(1)
    number = torch.div(shown, size, rounding_mode="floor")
    face = shown - number * size
    number.add_(start)
    inverse = area.view(-1).index_select(0, shown).reciprocal_()
    (x1, x2, x3), (y1, y2, y3), (z1, z2, z3) = (
        [place.view(-1).index_select(0, shown) for place in axis] for axis in places
    )
    left, columns = _span(x1, x2, x3, width)
    top, lines = _span(y1, y2, y3, height)
    side = torch.maximum(columns, lines).mul_(torch.minimum(columns, lines) > 0)
    for corner, first in ((x2, x1), (x3, x1), (y2, y1), (y3, y1), (z2, z1), (z3, z1)):
        corner.sub_(first)
    to_x, to_y = (left + 0.5).sub_(x1), (top + 0.5).sub_(y1)
    second = (y3.mul_(inverse), x3.mul_(inverse).neg_())
    third = (y2.mul_(inverse).neg_(), x2.mul_(inverse))
    weight2, weight3 = ((to_x * along_x).addcmul_(to_y, along_y) for along_x, along_y in (second, third))
    depth = z1.addcmul_(weight2, z2).addcmul_(weight3, z3)
    along = ((a * z2).addcmul_(b, z3) for a, b in zip(second, third, strict=True))
    planes = (weight2, *second, weight3, *third, depth, *along)
    return _Boxes(number, face, left.long(), top.long(), side.int(), planes)


def _span(
    first: Float[Tensor, " s"], second: Float[Tensor, " s"], third: Float[Tensor, " s"], length: int
) -> tuple[Float[Tensor, " s"], Float[Tensor, " s"]]:
    """The first pixel whose centre lies between the corners, and how many do; 0 or less for none."""
    low = torch.minimum(first, second)
    low = torch.minimum(low, third, out=low).sub_(0.5).ceil_().clamp_(min=0, max=length)
    high = torch.maximum(first, second)
    high = torch.maximum(high, third, out=high).sub_(0.5).floor_().clamp_(min=-1, max=length - 1)
    return low, high.sub_(low).add_(1)


def _candidates(boxes: _Boxes, height: int, width: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Pixel, depth and triangle wherever a pixel centre lies inside a triangle, class by class."""
    base = (boxes.face * height + boxes.top) * width + boxes.left
    rest = boxes.side.nonzero().squeeze(1)
    for side in (*_SIDES, max(height, width)):
        fits = boxes.side.index_select(0, rest) <= side
        source = rest.index_select(0, fits.nonzero().squeeze(1))
        rest = rest.index_select(0, fits.logical_not_().nonzero().squeeze(1))
        if not len(source):
            if not len(rest):
                return
            continue
        for block in torch.split(source, max(1, _CELLS // side**2)):
            yield _inside_boxes(boxes, base, block, side, height, width)


def _inside_boxes(
    boxes: _Boxes, base: Int[Tensor, " s"], source: Int[Tensor, " n"], side: int, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Pixel, depth and triangle of the pixel centres inside some of the triangles; `side` is that of their boxes."""
    planes = [plane.index_select(0, source) for plane in boxes.planes]
    first, number = base.index_select(0, source), boxes.number.index_select(0, source)
    if side == 1:
        second, third, depth = planes[0], planes[3], planes[6]
        inside = _inside(second, third)
        return first.index_select(0, inside), depth.index_select(0, inside), number.index_select(0, inside)
    # a row for each cell of the box, so that neighbours in memory are different boxes
    step = torch.arange(side, device=source.device)
    cell_x, cell_y = step.repeat(side), step.repeat_interleave(side)
    dx, dy = (cell.to(planes[0].dtype)[:, None] for cell in (cell_x, cell_y))
    second, third, depth = (
        torch.addcmul(torch.addcmul(start, along_x, dx), along_y, dy)
        for start, along_x, along_y in (planes[0:3], planes[3:6], planes[6:9])
    )
    inside = _inside(second, third)
    cell = torch.div(inside, len(source), rounding_mode="floor")
    box = inside - cell * len(source)
    pixel = (cell_y * width + cell_x).index_select(0, cell).add_(first.index_select(0, box))
    depth, number = depth.view(-1).index_select(0, inside), number.index_select(0, box)
    # a class is a square that may reach past the image
    right, below = boxes.left.index_select(0, source), boxes.top.index_select(0, source)
    if bool(((right > width - side) | (below > height - side)).any()):
        columns = right.index_select(0, box).add_(cell_x.index_select(0, cell))
        lines = below.index_select(0, box).add_(cell_y.index_select(0, cell))
        held = ((columns < width) & (lines < height)).nonzero().squeeze(1)
        pixel, depth, number = (t.index_select(0, held) for t in (pixel, depth, number))
    return pixel, depth, number


def _inside(second: Tensor, third: Tensor) -> Int[Tensor, " n"]:
    held = (torch.minimum(second, third) >= -_TOLERANCE).logical_and_(second.add_(third) <= 1 + _TOLERANCE)
    return held.view(-1).nonzero().squeeze(1)


def _hits(
    buffer: Int[Tensor, " p"], axes: tuple[Tensor, ...], corners: tuple[Tensor, ...], height: int, width: int
) -> Hits:
    size = axes[0].shape[1]
    pixel = (buffer != _EMPTY).nonzero().squeeze(1)
    triangle = buffer.index_select(0, pixel).bitwise_and_(_LOW)
    face = torch.div(pixel, height * width, rounding_mode="floor")
    line = torch.div(pixel, width, rounding_mode="floor")
    rows = [corner.index_select(0, triangle).mul_(size).add_(face) for corner in corners]
    (x1, x2, x3), (y1, y2, y3), (z1, z2, z3) = ([axis.view(-1).index_select(0, row) for row in rows] for axis in axes)
    to_x, to_y = pixel - line * width + 0.5 - x1, line - face * height + 0.5 - y1
    x2, x3, y2, y3 = x2 - x1, x3 - x1, y2 - y1, y3 - y1
    inverse = 1 / (x2 * y3 - y2 * x3)
    weight2, weight3 = (y3 * to_x - x3 * to_y) * inverse, (x2 * to_y - y2 * to_x) * inverse
    depth = z1 + weight2 * (z2 - z1) + weight3 * (z3 - z1)
    return Hits(pixel, face, triangle, torch.stack((1 - weight2 - weight3, weight2, weight3)).T, depth)
