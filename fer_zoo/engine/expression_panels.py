"""Panels beside a photograph: each face, its strongest values as bars, and the expression that they mean on a head."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.engine.face_drawing import COLOURS, Row, drawing_font, face_number, font_size
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.face_words import ACTION_WORDS, Face
from fer_zoo.faces.sheets import pictures_of

MOST_BARS = 15
_MOST_PANELS = 24  # of a photograph; the table has all faces
_LARGEST = 384  # pixels of a drawn head, which is enlarged from there
_MARGIN = 0.15  # of a box, around it
_PAPER, _INK, _PALE = (255, 255, 255), (30, 30, 30), (150, 150, 150)


class Panel(NamedTuple):
    """What a panel shows: a row of the table, one of its spaces, the face, and a head with the expression."""

    row: Row
    space: LabelSpace
    face: Image.Image
    head: Image.Image | None


def is_drawable(space: LabelSpace) -> bool:
    """Whether the entries are actions or sliders of a face model."""
    return has_bars(space) and all(entry in ACTION_WORDS for entry in space.entries)


def has_bars(space: LabelSpace) -> bool:
    """Whether the values of a space are shown on panels: points lie on the photograph instead."""
    return space.kind == "values" and not space.is_points


def with_panels(
    drawn: UInt8[np.ndarray, "h2 w2 3"],
    image: UInt8[np.ndarray, "h w 3"],
    rows: Sequence[Row],
    spaces: Mapping[str, LabelSpace],
    model: FaceModel | None,
) -> UInt8[np.ndarray, "h3 w3 3"]:
    """A drawn photograph with a panel for each face at its right; itself where no face has values.

    Args:
        drawn: the photograph with its faces marked, perhaps enlarged.
        image: the photograph.
        rows: of a table of predictions.
        spaces: label space of each target that was predicted.
        model: whose neutral face shows the expressions, from the front; None leaves them out.
    """
    shown = [
        (row, space)
        for row in rows
        for space in spaces.values()
        if row.get("face_found") and has_bars(space) and any(row.get(entry) is not None for entry in space.entries)
    ]
    if not shown:
        return drawn
    size = font_size(drawn.shape[1], drawn.shape[0])
    side = (MOST_BARS + 1) * _line(size)
    heads = _heads([row_space for row_space in shown[:_MOST_PANELS] if is_drawable(row_space[1])], model, side)
    panels = [
        Panel(row, space, _cut(image, row), heads.pop(0) if heads and is_drawable(space) else None)
        for row, space in shown[:_MOST_PANELS]
    ]
    has_heads = any(panel.head is not None for panel in panels)
    across, down = _panel_size(panels, size, has_heads=has_heads)
    columns = _columns(len(panels), (across, down), (drawn.shape[1], drawn.shape[0]))
    lines = -(-len(panels) // columns)
    more = len(shown) - len(panels)
    foot = _line(size) if more else 0
    height = max(drawn.shape[0], lines * down + foot)
    paper = Image.new("RGB", (drawn.shape[1] + columns * across, height), _PAPER)
    paper.paste(Image.fromarray(drawn), (0, 0))
    for number, panel in enumerate(panels):
        _draw_panel(paper, panel, drawn.shape[1] + number // lines * across, number % lines * down, size, model)
    if more:
        text = f"{more} more in the table"
        place = (drawn.shape[1] + size, lines * down)
        ImageDraw.Draw(paper).text(place, text, fill=_PALE, font=drawing_font(size))
    return np.asarray(paper)


def strongest(row: Row, space: LabelSpace) -> list[tuple[str, float]]:
    """All entries in their order; of long spaces the 15 farthest from rest (0, or the least value), farthest first."""
    known = [(entry, float(row[entry])) for entry in space.entries if row.get(entry) is not None]
    if len(space) <= MOST_BARS:
        return known
    return sorted(known, key=lambda pair: -abs(pair[1] - space.rest))[:MOST_BARS]


def expression_of(row: Row, space: LabelSpace) -> Face:
    """A model's own neutral face with the values as actions or sliders."""
    span = space.maximum - space.minimum
    moves = {e: (float(row[e]) - space.minimum) / span for e in space.entries if row.get(e) is not None}
    return Face().acting({entry: min(1.0, max(0.0, value)) for entry, value in moves.items()})


def _heads(shown: Sequence[tuple[Row, LabelSpace]], model: FaceModel | None, side: int) -> list[Image.Image]:
    if model is None or not shown:
        return []
    faces = [expression_of(row, space) for row, space in shown]
    return pictures_of(model, faces, min(side, _LARGEST), close_up=True)


def _line(size: int) -> int:
    return round(1.3 * size)


def _panel_size(panels: Sequence[Panel], size: int, *, has_heads: bool) -> tuple[int, int]:
    """Width and height of each panel."""
    pictures = (1 + has_heads) * ((MOST_BARS + 1) * _line(size) + size)
    return pictures + _names(panels, size) + 13 * size, (MOST_BARS + 3) * _line(size)


def _columns(number: int, panel: tuple[int, int], photograph: tuple[int, int]) -> int:
    """In how many columns panels make the picture that is seen largest on a screen of 3 to 2, the fewest of equals."""

    def reach(columns: int) -> float:
        lines = -(-number // columns)
        return max(photograph[0] + columns * panel[0], 1.5 * max(photograph[1], lines * panel[1]))

    return min(range(1, number + 1), key=reach)


def _names(panels: Sequence[Panel], size: int) -> int:
    """Pixels of the longest name or heading beside the bars."""
    names = [entry for panel in panels for entry in panel.space.entries]
    return round(max(drawing_font(size).getlength(name) for name in names)) + size // 2


def _cut(image: UInt8[np.ndarray, "h w 3"], row: Row) -> Image.Image:
    """The face with a margin, as far as the photograph goes."""
    values = [row.get(name) for name in ("face_x", "face_y", "face_width", "face_height")]
    if any(value is None for value in values):
        return Image.fromarray(image)
    x, y, width, height = (float(value) for value in values if value is not None)
    margin = _MARGIN * max(width, height)
    left, top = max(0, round(x - margin)), max(0, round(y - margin))
    right, bottom = min(image.shape[1], round(x + width + margin)), min(image.shape[0], round(y + height + margin))
    if right <= left or bottom <= top:
        return Image.fromarray(image)
    return Image.fromarray(image[top:bottom, left:right])


def _draw_panel(paper: Image.Image, panel: Panel, left: int, top: int, size: int, model: FaceModel | None) -> None:
    """Face, bars, head, from left to right, each under its heading."""
    draw, font = ImageDraw.Draw(paper), drawing_font(size)
    line = _line(size)
    side, first = (MOST_BARS + 1) * line, top + line + size // 2
    number = face_number(panel.row)
    x = left + size
    draw.text((x, top + size // 3), f"face {number}", fill=_INK, font=font)
    _paste(paper, panel.face, (x, first), side)
    width = round(draw.textlength(f"face {number} ", font=font))
    draw.rectangle((x + width, top + size // 2, x + width + size // 2, top + size), fill=COLOURS[number % len(COLOURS)])
    x += side + size
    bars = strongest(panel.row, panel.space)
    few = f"strongest {len(bars)} of {len(panel.space)} {panel.space.target}" if len(panel.space) > MOST_BARS else ""
    draw.text((x, top + size // 3), few or panel.space.target, fill=_INK, font=font)
    names = _names([panel], size)
    _draw_bars(draw, bars, panel.space, (x, first), names, size)
    x += names + 10 * size
    if panel.head is not None and model is not None:
        draw.text((x, top + size // 3), f"on the face model {model.name}", fill=_INK, font=font)
        _paste(paper, panel.head, (x, first), side)


def _paste(paper: Image.Image, picture: Image.Image, place: tuple[int, int], side: int) -> None:
    """In the middle of a square."""
    scale = side / max(picture.size)
    small = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    paper.paste(small, (place[0] + (side - small.width) // 2, place[1] + (side - small.height) // 2))


def _draw_bars(
    draw: ImageDraw.ImageDraw,
    bars: Sequence[tuple[str, float]],
    space: LabelSpace,
    place: tuple[int, int],
    names: int,
    size: int,
) -> None:
    """A line each: the name, a bar from rest, the value."""
    font, line, length = drawing_font(size), _line(size), 6 * size
    span = space.maximum - space.minimum
    left = place[0] + names
    rest = left + (space.rest - space.minimum) / span * length
    for number, (name, value) in enumerate(bars):
        y = place[1] + number * line
        end = left + (min(space.maximum, max(space.minimum, value)) - space.minimum) / span * length
        draw.text((place[0], y), name, fill=_INK, font=font)
        draw.rectangle((left, y + line // 6, left + length, y + line - line // 6), fill=(238, 238, 238))
        draw.rectangle((min(rest, end), y + line // 6, max(rest, end), y + line - line // 6), fill=(60, 110, 190))
        draw.text((left + length + size // 2, y), f"{value:.2f}", fill=_INK, font=font)
