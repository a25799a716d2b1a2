"""Sheets of faces as a network sees them: photograph, crop, augmentations, with boxes and points. Figures only.

Points are (x, y), the origin at the top-left corner of the top-left pixel; nothing here knows files or networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from fer_zoo.core.landmarks import FIVE_POINTS, MIDDLE, NUM_LANDMARKS, RIGHT_SIDE
from fer_zoo.evaluation.pictures import draw_face

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BOX, CROP, RIGHT, LEFT, OTHER = "#ffd400", "#00d0ff", "#ff4040", "#40e060", "#ffffff"  # the last: points of no side
_PALE = "0.45"
_WIDE = 1.4  # of a photograph beside an input
_LETTERS = 17  # of a note for each inch

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
        caption: a word or two in each line, on an overview.
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
) -> "Figure":
    """A line a face: the photograph with box, crop and points, then its views.

    Args:
        faces: at least one.
        columns: headings: of the photograph, and of each view.
        title: of the sheet.
        lines: below it.
    """
    from matplotlib.patches import Patch

    side, below = 2.0, 0.15 * max(len(face.notes) for face in faces) + 0.2
    widths = [_WIDE * side, *[side] * (len(columns) - 1)]
    figure, grid = _grid(len(faces), widths, side, below, 0.2, title=title, lines=lines)
    known = any(face.points is not None for face in faces)
    meanings = [(BOX, "face box")] if any(face.box is not None for face in faces) else []
    meanings += [(CROP, "what the network sees")]
    meanings += [(RIGHT, "subject's right"), (LEFT, "subject's left")] if known else []
    legend = [Patch(facecolor=colour, edgecolor=_PALE, label=meaning) for colour, meaning in meanings]
    figure.legend(handles=legend, loc="upper right", ncols=len(legend), fontsize=8, frameon=False)
    for axes, name in zip(grid[0], columns, strict=True):
        axes.set_title(name, fontsize=9, loc="left")
    for row, face in zip(grid, faces, strict=True):
        _draw_photograph(row[0], face)
        _write_below(row[0], face.notes, _WIDE * side)
        for axes, view in zip(row[1:], face.views, strict=False):
            _draw_view(axes, view)
            _write_below(axes, (view.note,), side)
        if face.problem:
            row[1].text(0, 0.5, face.problem, transform=row[1].transAxes, va="center", fontsize=9, color=_PALE)
    return figure


def overview_sheet(
    groups: Sequence[tuple[str, Sequence[str], Sequence[SheetFace]]], *, title: str, lines: Sequence[str] = ()
) -> "Figure":
    """A line a class: its name, some notes and its faces as evaluation sees them.

    Args:
        groups: (class, lines below its name, its faces); a face without a view leaves a grey place.
        title: of the sheet.
        lines: below it.
    """
    side, left = 1.0, 0.4 + max(len(text) for name, notes, _ in groups for text in (name, *notes)) / 12
    number = max(len(faces) for _, _, faces in groups)
    lowest = max(face.caption.count("\n") for _, _, faces in groups for face in faces)
    below = 0.2 + 0.12 * lowest
    figure, grid = _grid(len(groups), [side] * number, side, below, left, title=title, lines=lines)
    for row, (name, notes, faces) in zip(grid, groups, strict=True):
        place: dict[str, Any] = {"xycoords": "axes fraction", "xytext": (-(left - 0.2) * 72, 0), "va": "top"}
        row[0].annotate(name, (0, 1), textcoords="offset points", fontsize=10, **place)
        row[0].annotate("\n".join(notes), (0, 0.8), textcoords="offset points", fontsize=8, color=_PALE, **place)
        for axes, face in zip(row, faces, strict=False):
            if face.views:
                _draw_view(axes, face.views[0])
            else:
                reason = face.problem.partition("\n")[0]
                draw_face(axes, None, reason)
            _write_below(axes, face.caption.split("\n"), side)
    return figure


def _grid(
    rows: int,
    widths: Sequence[float],
    side: float,
    below: float,
    left: float,
    *,
    title: str,
    lines: Sequence[str],
) -> "tuple[Figure, np.ndarray]":
    """Axes without frames under a head of title and lines; all sizes in inches, `below` is left below each row."""
    from matplotlib.figure import Figure

    head, gap = 0.7 + 0.18 * len(lines), 0.08
    across = left + sum(widths) + gap * (len(widths) - 1) + 0.2
    width = max(across, *(len(text) / 11 for text in (title, *lines)), 4.0)
    height = head + rows * (side + below)
    figure = Figure(figsize=(width, height))
    edges = {"left": left / width, "right": (across - 0.2) / width, "top": 1 - head / height, "bottom": below / height}
    spaces = {"wspace": gap * len(widths) / sum(widths), "hspace": below / side}
    grid = figure.subplots(
        rows, len(widths), squeeze=False, gridspec_kw={"width_ratios": list(widths), **edges, **spaces}
    )
    for axes in grid.ravel():
        axes.axis("off")
    figure.text(0.2 / width, 1 - 0.12 / height, title, fontsize=13, va="top")
    figure.text(0.2 / width, 1 - 0.38 / height, "\n".join(lines), fontsize=8, va="top", color=_PALE)
    return figure, grid


def _write_below(axes: "Axes", notes: Sequence[str], inches: float) -> None:
    most = int(_LETTERS * inches)
    short = [note if len(note) <= most else f"{note[: most - 1]}…" for note in notes]
    axes.text(0, -0.02, "\n".join(short), transform=axes.transAxes, va="top", fontsize=7, color="0.2")


def _draw_photograph(axes: "Axes", face: SheetFace) -> None:
    """The photograph, small enough that the crop lies in the cell with it, under box, crop and points."""
    if face.photograph is None:
        return
    height, width = face.photograph.shape[:2]
    corners = np.array([(0, 0), (width, height)], dtype=np.float64)
    reach = corners if face.crop is None else np.concatenate([corners, face.crop])
    (left, top), (right, bottom) = reach.min(axis=0), reach.max(axis=0)
    axes.imshow(face.photograph, extent=(0, width, height, 0))
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", anchor="W")
    if face.crop is not None:
        _draw_outline(axes, face.crop, CROP)
    if face.box is not None:
        x, y, wide, high = face.box
        _draw_outline(axes, np.array([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]), BOX)
    if face.points is not None:
        _draw_points(axes, face.points, size=3)


def _draw_view(axes: "Axes", view: View) -> None:
    draw_face(axes, view.pixels)
    if view.points is not None:
        _draw_points(axes, view.points, size=9)


def _draw_outline(axes: "Axes", corners: Float[np.ndarray, "4 2"], colour: str) -> None:
    """A line with a dark edge."""
    from matplotlib.patches import Polygon

    for width, edge in ((3.0, "black"), (1.5, colour)):
        axes.add_patch(Polygon(corners, fill=False, linewidth=width, edgecolor=edge, clip_on=False))


def _draw_points(axes: "Axes", points: Points, *, size: float) -> None:
    """Dots in the colour of their side."""
    colours = [_colour_of_side(number, len(points)) for number in range(len(points))]
    axes.scatter(points[:, 0], points[:, 1], s=size, c=colours, edgecolors="black", linewidths=0.3, zorder=3)


def _colour_of_side(number: int, count: int) -> str:
    if count == len(FIVE_POINTS):
        side = FIVE_POINTS[number].partition("_")[0]
        return {"right": RIGHT, "left": LEFT}.get(side, OTHER)
    if count != NUM_LANDMARKS or number in MIDDLE:
        return OTHER
    return RIGHT if number in RIGHT_SIDE else LEFT
