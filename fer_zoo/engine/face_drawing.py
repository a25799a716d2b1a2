"""Faces drawn onto a picture from the rows of a table: box, number, answer and its probability, bars, points."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from fer_zoo.core.label_spaces import LabelSpace

_SHORTEST = 320  # pixels of the longer side, below which there is no room for words
_MOST_BARS = 12  # entries; of longer spaces the caption names the highest
_HIGHEST = 3
COLOURS = ("#ffe119", "#3cb4ff", "#ff6e6e", "#5ae65a", "#ff9ef5", "#ffa533", "#b4a0ff", "#7ef0e4")  # by number

Row = Mapping[str, Any]
Box = tuple[float, float, float, float]  # left, top, right, bottom


def enlargement(width: int, height: int) -> int:
    """How many times larger a picture is drawn, so that words can be read."""
    return max(1, -(-_SHORTEST // max(width, height)))


def font_size(width: int, height: int) -> int:
    """Pixels of the letters on an enlarged picture."""
    return max(12, max(width, height) // 45)


def face_number(row: Row) -> int:
    """By which a face is called: its track, else its place from the left."""
    number = row.get("face") if row.get("track") is None else row["track"]
    return int(number or 0)


def draw_faces(
    image: UInt8[np.ndarray, "h w 3"], rows: Sequence[Row], spaces: Mapping[str, LabelSpace]
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """The picture, enlarged where it is small, with what its rows say; a row without a box is about all of it.

    Args:
        image: a photograph or a frame.
        rows: of a table of predictions.
        spaces: label space of each target that was predicted.
    """
    height, width = image.shape[:2]
    scale = enlargement(width, height)
    picture = Image.fromarray(image)
    if scale > 1:
        picture = picture.resize((width * scale, height * scale), Image.Resampling.BICUBIC)
    size = font_size(*picture.size)
    faces = [(row, _box(row, picture, scale)) for row in rows if row.get("face_found")]
    taken = [box for _, box in faces]
    for row, box in faces:
        number = face_number(row)
        colour = COLOURS[number % len(COLOURS)]
        words = ", ".join(answer for target, space in spaces.items() if (answer := _answer(row, target, space)))
        for space in spaces.values():
            if space.is_points:
                _draw_points(picture, _points(row, space, scale), size, colour)
        _draw_box(picture, box, f"{number} {words}".strip(), size, colour)
        bars = [bar for space in spaces.values() if len(space) <= _MOST_BARS for bar in _bars(row, space)]
        if bars:
            taken += _draw_bars(picture, box, taken, bars, max(10, round(0.8 * size)), colour)
    return np.asarray(picture)


def _box(row: Row, picture: Image.Image, scale: int) -> Box:
    """In pixels of the enlarged picture."""
    values: list[Any] = [row.get(name) for name in ("face_x", "face_y", "face_width", "face_height")]
    if None in values:
        return (0.0, 0.0, float(picture.width), float(picture.height))
    left, top, width, height = (value * scale for value in values)
    return (left, top, left + width, top + height)


def _answer(row: Row, target: str, space: LabelSpace) -> str:
    """The most probable class, or the highest of many values; "" where they are bars or points, or not known."""
    if space.kind == "classes":
        best = row.get(target)
        return "" if best is None else f"{best} {row[f'prob_{best}']:.2f}"
    if space.is_points:
        return ""
    known = [(row[entry], entry) for entry in space.entries if row.get(entry) is not None]
    highest = sorted(known, reverse=True)[:_HIGHEST] if len(space) > _MOST_BARS else []
    return ", ".join(f"{entry} {value:.2g}" for value, entry in highest)


def _bars(row: Row, space: LabelSpace) -> list[tuple[str, float]]:
    """Each entry with its share of the range."""
    prefix, low, high = ("prob_", 0.0, 1.0) if space.kind == "classes" else ("", space.minimum, space.maximum)
    values = [(entry, row.get(f"{prefix}{entry}")) for entry in space.entries]
    return [(entry, min(1.0, max(0.0, (value - low) / (high - low)))) for entry, value in values if value is not None]


def _points(row: Row, space: LabelSpace, scale: int) -> list[tuple[float, float]]:
    """Those that are known, in pixels of the enlarged picture."""
    values = [row.get(entry) for entry in space.entries]
    pairs = zip(values[::2], values[1::2], strict=True)
    return [(x * scale, y * scale) for x, y in pairs if x is not None and y is not None]


def _draw_points(picture: Image.Image, points: Sequence[tuple[float, float]], size: int, colour: str) -> None:
    """A small disc on each, never without a pixel."""
    draw, radius = ImageDraw.Draw(picture), max(1.5, size / 9)
    for x, y in points:  # a pixel's middle is at +0.5 here and at 0 there
        draw.ellipse((x - 0.5 - radius, y - 0.5 - radius, x - 0.5 + radius, y - 0.5 + radius), fill=colour)


def _draw_box(picture: Image.Image, box: Box, caption: str, size: int, colour: str) -> None:
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = box
    draw.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=colour, width=max(2, size // 8))
    across, down = (round(length) + 4 for length in draw.textbbox((0, 0), caption, font=drawing_font(size))[2:])
    x = min(max(0, left), max(0, picture.width - across))
    y = top - down - 2 if top > down + 2 else min(max(0, top) + 2, max(0, picture.height - down))
    draw.rectangle((x, y, x + across, y + down), fill="black")
    draw.text((x + 2, y + 1), caption, fill=colour, font=drawing_font(size))


def _draw_bars(
    picture: Image.Image, box: Box, taken: Sequence[Box], bars: Sequence[tuple[str, float]], size: int, colour: str
) -> list[Box]:
    """A panel beside the box, right, left or below, where it hides nothing; else none. The area that it takes."""
    font = drawing_font(size)
    names = max(round(font.getlength(name)) for name, _ in bars) + 6
    across, down = names + 4 * size, len(bars) * (size + 3) + 4
    beside = min(max(0.0, box[1]), picture.height - down)
    places = ((box[2] + 3, beside), (box[0] - across - 3, beside), (max(0.0, box[0]), box[3] + 3))
    for left, top in ((round(x), round(y)) for x, y in places):
        area = (left, top, left + across, top + down)
        if min(left, top) >= 0 and area[2] <= picture.width and area[3] <= picture.height and not _meets(area, taken):
            break
    else:
        return []
    picture.paste(Image.blend(picture.crop(area), Image.new("RGB", (across, down)), 0.65), area)
    draw = ImageDraw.Draw(picture)
    for place, (name, share) in enumerate(bars):
        y = top + 2 + place * (size + 3)
        draw.text((left + 3, y), name, fill="white", font=font)
        draw.rectangle((left + names, y + 2, left + names + share * (4 * size - 4), y + size), fill=colour)
    return [area]


def _meets(area: Box, others: Sequence[Box]) -> bool:
    return any(
        area[0] < other[2] and other[0] < area[2] and area[1] < other[3] and other[1] < area[3] for other in others
    )


@cache
def drawing_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of all words on pictures."""
    return ImageFont.load_default(size=size)
