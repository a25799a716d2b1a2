"""Sheets of faces as a network sees them: photograph, crop, augmentations, with boxes and points. Pictures only.

Points are (x, y), the origin at the top-left corner of the top-left pixel; nothing here knows files or networks.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from fer_zoo.core.files import write_atomically
from fer_zoo.core.landmarks import FIVE_POINTS, MIDDLE, NUM_LANDMARKS, RIGHT_SIDE

BOX, CROP, RIGHT, LEFT, OTHER = "#ffd400", "#00d0ff", "#ff4040", "#40e060", "#ffffff"  # the last: points of no side
_INK, _PALE, _GROUND = "#202020", "#707070", "#e8e8e8"
_MARGIN, _GAP, _TEXT, _LINE = 16, 8, 12, 16  # pixels
_SIDE, _MOST_SIDE = 192, 256  # of an input on a sheet, about and at most
_SMALL_SIDE, _MOST_SMALL_SIDE = 96, 128  # on an overview

Points = Float[np.ndarray, "p 2"]


@dataclass(frozen=True, kw_only=True)
class View:
    """An input of the network, for the eye.

    Attributes:
        pixels: one channel, or red, green and blue.
        points: in pixels of it; NaN where one is not known.
        note: a few words below it.
    """

    pixels: UInt8[np.ndarray, "h w c"]
    points: Points | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SheetFace:
    """A sample on a sheet.

    Attributes:
        notes: lines below the photograph.
        caption: a word or two on an overview.
        photograph: made small; None where it cannot be read.
        box: (left, top, width, height) of the face in it, None where there is none.
        crop: corners of the input in it, which may lie outside.
        points: in pixels of it.
        views: as evaluation sees it, then as training does.
        problem: why there are no views; what follows from it in a second line.
    """

    notes: tuple[str, ...]
    caption: str = ""
    photograph: UInt8[np.ndarray, "h w 3"] | None = None
    box: tuple[float, float, float, float] | None = None
    crop: Float[np.ndarray, "4 2"] | None = None
    points: Points | None = None
    views: tuple[View, ...] = ()
    problem: str = ""


def class_sheet(
    faces: Sequence[SheetFace], columns: Sequence[str], *, title: str, lines: Sequence[str] = ()
) -> Image.Image:
    """A line a face: the photograph with box, crop and points, then its views.

    Args:
        faces: at least one.
        columns: headings: of the photograph, and of each view.
        title: of the sheet.
        lines: below it.
    """
    side = _shown_side(faces, _SIDE, _MOST_SIDE)
    wide = round(1.4 * side)
    lefts = [_MARGIN, *(_MARGIN + wide + _GAP + i * (side + _GAP) for i in range(len(columns) - 1))]
    height = side + 4 + _LINE * max(len(face.notes) for face in faces) + 2 * _GAP
    top = _MARGIN + 26 + _LINE * (len(lines) + 1) + 2 * _GAP + _LINE
    sheet = Image.new("RGB", (lefts[-1] + side + _MARGIN, top + height * len(faces) + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    _draw_head(draw, title, lines, _legend(faces))
    for left, name in zip(lefts, columns, strict=True):
        draw.text((left, top - _LINE - 2), name, fill=_INK, font=_font(_TEXT))
    for number, face in enumerate(faces):
        y = top + number * height
        sheet.paste(_photograph_cell(face, (wide, side)), (_MARGIN, y))
        _draw_notes(draw, face.notes, (_MARGIN, y + side + 4), wide)
        for left, view in zip(lefts[1:], face.views, strict=False):
            sheet.paste(_view_cell(view, side), (left, y))
            _draw_notes(draw, (view.note,), (left, y + side + 4), side)
        if face.problem:
            _draw_problem(draw, (lefts[1], y, lefts[-1] + side, y + side), face.problem)
    return sheet


def overview_sheet(
    groups: Sequence[tuple[str, Sequence[str], Sequence[SheetFace]]], *, title: str, lines: Sequence[str] = ()
) -> Image.Image:
    """A line a class: its name, some notes and its faces as evaluation sees them.

    Args:
        groups: (class, lines below its name, its faces); a face without a view leaves a grey place.
        title: of the sheet.
        lines: below it.
    """
    everyone = [face for _, _, faces in groups for face in faces]
    side = _shown_side(everyone, _SMALL_SIDE, _MOST_SMALL_SIDE)
    texts = [(name, _TEXT + 2) for name, _, _ in groups] + [(note, _TEXT) for _, notes, _ in groups for note in notes]
    left = _MARGIN + max(100, *(round(_font(size).getlength(text)) for text, size in texts)) + 2 * _GAP
    height = side + _GAP + (_LINE if any(face.caption for face in everyone) else 0)
    top = _MARGIN + 26 + _LINE * len(lines) + 2 * _GAP
    needed = [_font(18).getlength(title), *(_font(_TEXT).getlength(line) for line in lines)]
    right = left + max(len(faces) for _, _, faces in groups) * (side + _GAP) - _GAP
    width = max(right, _MARGIN + math.ceil(max(needed))) + _MARGIN
    sheet = Image.new("RGB", (width, top + height * len(groups) + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    _draw_head(draw, title, lines, ())
    for number, (name, notes, faces) in enumerate(groups):
        y = top + number * height
        draw.text((_MARGIN, y), name, fill=_INK, font=_font(_TEXT + 2))
        for line, note in enumerate(notes, start=1):
            draw.text((_MARGIN, y + line * _LINE + 4), note, fill=_PALE, font=_font(_TEXT))
        for place, face in enumerate(faces):
            x = left + place * (side + _GAP)
            _draw_notes(draw, (face.caption,), (x, y + side + 2), side)
            if face.views:
                sheet.paste(_view_cell(face.views[0], side), (x, y))
            else:
                _draw_problem(draw, (x, y, x + side, y + side), face.problem.partition("\n")[0])
    return sheet


def save_sheet(path: Path, sheet: Image.Image) -> None:
    """Writes a sheet as PNG, wholly or not at all.

    Raises:
        UserError: if the folder cannot be written to.
    """
    with write_atomically(path) as temporary:
        sheet.save(temporary, format="PNG")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu, which has Greek, Cyrillic and more; it comes with matplotlib."""
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def _shown_side(faces: Sequence[SheetFace], about: int, most: int) -> int:
    """Side of the square in which an input is shown: a multiple of its own, or less for a large input."""
    longest = max((max(view.pixels.shape[:2]) for face in faces for view in face.views), default=about)
    return min(longest * max(1, round(about / longest)), most)


def _legend(faces: Sequence[SheetFace]) -> list[tuple[str, str]]:
    """(colour, meaning) of what is drawn on these faces."""
    known = [face.points for face in faces if face.points is not None]
    legend = [(BOX, "face box")] if any(face.box is not None for face in faces) else []
    legend += [(CROP, "what the network sees")]
    if known:
        legend += [(RIGHT, "subject's right"), (LEFT, "subject's left")]
    return legend


def _draw_head(draw: ImageDraw.ImageDraw, title: str, lines: Sequence[str], legend: Sequence[tuple[str, str]]) -> None:
    draw.text((_MARGIN, _MARGIN), title, fill=_INK, font=_font(18))
    y = _MARGIN + 26
    for line in lines:
        draw.text((_MARGIN, y), line, fill=_PALE, font=_font(_TEXT))
        y += _LINE
    x = float(_MARGIN)
    for colour, meaning in legend:
        draw.rectangle((x, y + 3, x + 10, y + 13), fill=colour, outline=_PALE)
        draw.text((x + 16, y), meaning, fill=_PALE, font=_font(_TEXT))
        x += 16 + _font(_TEXT).getlength(meaning) + 16


def _draw_notes(draw: ImageDraw.ImageDraw, notes: Sequence[str], place: tuple[int, int], width: int) -> None:
    font = _font(_TEXT - 1)
    for number, note in enumerate(notes):
        while note and font.getlength(note) > width:
            note = note.removesuffix("…")[:-1] + "…" if len(note) > 1 else ""
        draw.text((place[0], place[1] + number * _LINE), note, fill=_INK if number == 0 else _PALE, font=font)


def _draw_problem(draw: ImageDraw.ImageDraw, place: tuple[int, int, int, int], problem: str) -> None:
    left, top, right, bottom = place
    draw.rectangle((left, top, right - 1, bottom - 1), fill=_GROUND)
    middle, letters = ((left + right) / 2, (top + bottom) / 2), (right - left) // 9
    lines = "\n".join(textwrap.fill(line, letters) for line in problem.splitlines())
    draw.multiline_text(middle, lines, fill=_PALE, font=_font(_TEXT), anchor="mm", align="center")


def _photograph_cell(face: SheetFace, size: tuple[int, int]) -> Image.Image:
    """The photograph, small enough that the crop lies in the cell with it, under box, crop and points."""
    cell = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(cell)
    if face.photograph is None:
        return cell
    height, width = face.photograph.shape[:2]
    corners = np.array([(0, 0), (width, height)], dtype=np.float64)
    reach = corners if face.crop is None else np.concatenate([corners, face.crop])
    low, high = reach.min(axis=0), reach.max(axis=0)
    scale = float(min((np.array(size) - 4) / (high - low)))
    offset = np.array(size) / 2 - scale * (low + high) / 2
    shown = (max(1, round(width * scale)), max(1, round(height * scale)))
    smooth = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    cell.paste(Image.fromarray(face.photograph).resize(shown, smooth), (round(offset[0]), round(offset[1])))
    if face.crop is not None:
        _draw_outline(draw, face.crop * scale + offset, CROP)
    if face.box is not None:
        left, top, wide, high_box = face.box
        right, bottom = left + wide, top + high_box
        outline = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        _draw_outline(draw, outline * scale + offset, BOX)
    if face.points is not None:
        _draw_points(draw, face.points * scale + offset, radius=1.5)
    return cell


def _view_cell(view: View, side: int) -> Image.Image:
    """The input in the middle of a square: whole multiples of its pixels, or its mean where it is larger."""
    height, width, channels = view.pixels.shape
    factor = side / max(height, width)
    factor = float(int(factor)) if factor >= 1 else factor
    shown = (max(1, round(width * factor)), max(1, round(height * factor)))
    kind = Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX
    picture = Image.fromarray(view.pixels if channels == 3 else view.pixels[:, :, 0]).convert("RGB")
    cell = Image.new("RGB", (side, side), _GROUND)
    left, top = (side - shown[0]) // 2, (side - shown[1]) // 2
    cell.paste(picture.resize(shown, kind), (left, top))
    if view.points is not None:
        _draw_points(ImageDraw.Draw(cell), view.points * factor + (left, top), radius=max(1.5, side / 96))
    return cell


def _draw_outline(draw: ImageDraw.ImageDraw, corners: Float[np.ndarray, "4 2"], colour: str) -> None:
    """A line with a dark edge, thin around what is small."""
    around = [(float(x), float(y)) for x, y in (*corners, corners[0])]
    width = 2 if np.ptp(corners, axis=0).min() > 48 else 1
    draw.line(around, fill="black", width=width + 2)
    draw.line(around, fill=colour, width=width)


def _draw_points(draw: ImageDraw.ImageDraw, points: Points, *, radius: float) -> None:
    """Dots in the colour of their side; corners of pixels count from 0, Pillow draws from pixel centres."""
    for number, (x, y) in enumerate(points.tolist()):
        if np.isfinite((x, y)).all():
            at = (x - 0.5 - radius, y - 0.5 - radius, x - 0.5 + radius, y - 0.5 + radius)
            draw.ellipse(at, fill=_colour_of_side(number, len(points)), outline="black" if radius > 2 else None)


def _colour_of_side(number: int, count: int) -> str:
    if count == len(FIVE_POINTS):
        side = FIVE_POINTS[number].partition("_")[0]
        return {"right": RIGHT, "left": LEFT}.get(side, OTHER)
    if count != NUM_LANDMARKS or number in MIDDLE:
        return OTHER
    return RIGHT if number in RIGHT_SIDE else LEFT
