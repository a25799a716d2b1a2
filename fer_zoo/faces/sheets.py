"""Labelled sheets of many faces: all actions, sliders, emotions, identities or poses at a glance."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_zoo.faces.actions import SLIDERS
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.face_words import EMOTIONS, Face, scenes_of
from fer_zoo.faces.people import random_face
from fer_zoo.faces.renderer import Renderer
from fer_zoo.geometry.cameras import WeakPerspective

_GAP = 2  # pixels between pictures
_LARGEST_FONT, _SMALLEST_FONT = 14, 7
_PAPER, _INK = (255, 255, 255), (30, 30, 30)
_PEOPLE = 32  # of the sheet of identities
_FEW = (14, 13, 23)  # seeds of those who show emotions besides the face itself
_CLOSE_UP, _CLOSE_CENTRE = 3.0, -0.5  # sides and middle of a picture of the face without hair and neck, as in `scenes`
_SWEEPS: Mapping[str, tuple[float, ...]] = {
    "yaw": (-60, -40, -20, 0, 20, 40, 60),
    "pitch": (-45, -30, -15, 0, 15, 30, 45),
    "roll": (-45, -30, -15, 0, 15, 30, 45),
}


class Cell(NamedTuple):
    """One picture of a sheet and what is written below it."""

    label: str
    face: Face


class Sheet(NamedTuple):
    """Pictures in rows of `columns`; close ups show the face alone, without hair and neck."""

    cells: Sequence[Cell]
    columns: int
    close_up: bool = False


def plan_sheet(kind: str, model: FaceModel, face: Face) -> Sheet:
    """What a sheet shows.

    Args:
        kind: of `SHEETS`.
        model: of the faces.
        face: who is shown; identities are random people besides, who hold their heads alike and do the same.
    """
    return SHEETS[kind](model, face)


def draw_sheet(model: FaceModel, sheet: Sheet, size: int) -> Image.Image:
    """The sheet as a picture.

    Args:
        model: of the faces.
        sheet: what is shown.
        size: pixels of the sides of each of its pictures.

    Raises:
        UserError: for pictures that are too small.
    """
    pictures = pictures_of(model, [cell.face for cell in sheet.cells], size, close_up=sheet.close_up)
    labels = [_lines(cell.label) for cell in sheet.cells]
    font, height = _fitting(labels, size)
    rows = -(-len(pictures) // sheet.columns)
    across, down = size + _GAP, size + height + _GAP
    paper = Image.new("RGB", (sheet.columns * across - _GAP, rows * down - _GAP), _PAPER)
    draw = ImageDraw.Draw(paper)
    for number, (picture, lines) in enumerate(zip(pictures, labels, strict=True)):
        left, top = number % sheet.columns * across, number // sheet.columns * down
        paper.paste(picture, (left, top))
        draw.multiline_text(
            (left + size / 2, top + size + 1), lines, fill=_INK, font=font, anchor="ma", align="center", spacing=0
        )
    return paper


def pictures_of(model: FaceModel, faces: Sequence[Face], size: int, *, close_up: bool = False) -> list[Image.Image]:
    """Each face as a picture.

    Raises:
        UserError: for pictures that are too small.
    """
    renderer = Renderer(model, size=size)
    # A single face needs no block of its own; its last digits are nobody's labels.
    draw = renderer.block if len(faces) == 1 else renderer
    scenes = scenes_of(model, faces, size)
    if close_up:
        scale = scenes.light.new_full((len(faces),), size / _CLOSE_UP)
        middle = scale.new_tensor([size / 2, size / 2 + _CLOSE_CENTRE * size / _CLOSE_UP]).repeat(len(faces), 1)
        scenes = replace(scenes, camera=WeakPerspective(scale, middle))
    images = draw(scenes).image
    as_bytes = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(np.ascontiguousarray(image)) for image in as_bytes]


def _actions(model: FaceModel, face: Face) -> Sheet:
    return Sheet([Cell("neutral", face), *(Cell(name, face.acting({name: 1.0})) for name in ACTIONS)], 9, close_up=True)


def _sliders(model: FaceModel, face: Face) -> Sheet:
    return Sheet([Cell("neutral", face), *(Cell(name, face.acting({name: 1.0})) for name in SLIDERS)], 8, close_up=True)


def _emotions(model: FaceModel, face: Face) -> Sheet:
    people = [face, *(random_face(model, seed) for seed in _FEW)]
    cells = [Cell(name, person.acting(moves)) for person in people for name, moves in EMOTIONS.items()]
    return Sheet(cells, len(EMOTIONS), close_up=True)


def _identities(model: FaceModel, face: Face) -> Sheet:
    people = (random_face(model, seed) for seed in range(_PEOPLE))
    shown = (person.acting(face.actions).turned(**_angles(face)) for person in people)
    return Sheet([Cell(f"seed={seed}", person) for seed, person in enumerate(shown)], 8)


def _poses(model: FaceModel, face: Face) -> Sheet:
    cells = [
        Cell(f"{angle}={degrees:g}", face.turned(**{angle: degrees}))
        for angle, sweep in _SWEEPS.items()
        for degrees in sweep
    ]
    return Sheet(cells, len(_SWEEPS["yaw"]))


SHEETS: Mapping[str, Callable[[FaceModel, Face], Sheet]] = {
    "actions": _actions,
    "sliders": _sliders,
    "emotions": _emotions,
    "identities": _identities,
    "poses": _poses,
}


def _angles(face: Face) -> dict[str, float]:
    yaw, pitch, roll = face.angles
    return {"yaw": yaw, "pitch": pitch, "roll": roll}


def _lines(label: str) -> str:
    """A long name on two lines, broken between two of its words."""
    words = re.findall(r"[A-Z]?[^A-Z_]+_?", label)
    breaks = [("".join(words[:place]), "".join(words[place:])) for place in range(1, len(words))]
    if len(label) <= 12 or not breaks:
        return label
    return "\n".join(min(breaks, key=lambda pair: max(map(len, pair))))


def _fitting(labels: Sequence[str], width: int) -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, int]:
    """The largest font in which all labels are no wider than a picture, and the height of the highest label."""
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    for size in range(_LARGEST_FONT, _SMALLEST_FONT - 1, -1):
        font = ImageFont.load_default(size=size)
        boxes = [draw.multiline_textbbox((0, 0), label, font=font, spacing=0) for label in labels]
        if max(right for _, _, right, _ in boxes) <= width:
            break
    return font, round(max(bottom for _, _, _, bottom in boxes)) + 4
