"""ICT-FaceKit's light model in its own layout, with a made-up mesh: right counts and regions, no face.

Indices in the model are fixed, so that a small one cannot be written; but its 150 files are three, linked.
"""

import json
import os
from pathlib import Path

import numpy as np

from fer_zoo.core.blendshapes import BLENDSHAPES
from fer_zoo.faces.models.ict.regions import (
    BALLS,
    NUM_IDENTITIES,
    NUM_POLYGONS,
    NUM_TEXTURE_VERTICES,
    NUM_VERTICES,
    REGIONS,
    RINGS,
)

FOLDER = "FaceXModel"
HEAD = "# a made-up mesh\n\nmtllib ICTFaceModelMaterial.mtl\n"
RING_SIZE = 32
WIDTH = 97  # vertices in a row of the sheets
MOVED = 0.25  # centimetres: every identity goes up, every action to the left
BALL_CENTRE = (3.0, 3.5, 8.0)  # of the left one
SEAM = 5  # this vertex has a second place in the texture, used by one polygon


def write(folder: Path) -> Path:
    """The root of a copy; its files are hard links, so one to be spoiled must be written anew, see `spoil`."""
    root = folder / "ict_facekit"
    files = root / FOLDER
    files.mkdir(parents=True)
    neutral = vertices()
    (files / "generic_neutral_mesh.obj").write_text(HEAD + vertex_lines(neutral) + polygon_lines(), encoding="ascii")
    (files / "vertex_indices.json").write_text(
        json.dumps({"idx_to_landmark_verts": list(range(0, 6800, 100))}), encoding="ascii"
    )
    shapes = [name for blendshape in BLENDSHAPES for name in blendshape.ict]
    for names, step in (
        ([f"identity{number:03d}" for number in range(NUM_IDENTITIES)], (0.0, MOVED, 0.0)),
        (shapes, (MOVED, 0.0, 0.0)),
    ):
        first = files / f"{names[0]}.obj"
        first.write_text(HEAD + vertex_lines(neutral + step) + "vt 0 0\n", encoding="ascii")
        for name in names[1:]:
            os.link(first, files / f"{name}.obj")
    return root


def spoil(root: Path, name: str, old: str, new: str) -> Path:
    """Replaces the first occurrence of a text in one file alone."""
    path = root / FOLDER / name
    text = path.read_text(encoding="ascii")
    assert old in text
    path.unlink()
    path.write_text(text.replace(old, new, 1), encoding="ascii")
    return path


def vertices() -> np.ndarray:
    """Sheets one behind another, and two spheres of rings with a pole in front and behind."""
    number = np.arange(NUM_VERTICES)
    sheet = np.stack([number % WIDTH - WIDTH // 2, number // WIDTH % WIDTH - WIDTH // 2, number * 0], axis=1) / 8.0
    sheet[:, 2] = 9 - number // WIDTH**2
    polar = np.pi * np.arange(1, RINGS + 1) / (RINGS + 1)
    azimuth = 2 * np.pi * np.arange(RING_SIZE) / RING_SIZE
    x, y = (np.sin(polar)[:, None] * part(azimuth) for part in (np.cos, np.sin))
    rings = np.stack([x, y, np.cos(polar)[:, None] + 0 * x], axis=2).reshape(-1, 3)
    ball = 1.5 * np.concatenate([[(0.0, 0.0, 1.0)], rings, [(0.0, 0.0, -1.0)]])
    for name, side in zip(BALLS, (-1, 1), strict=True):
        sheet[REGIONS[name].first_vertex : REGIONS[name].stop_vertex] = (ball + np.array(BALL_CENTRE)) * (side, 1, 1)
    return sheet


def vertex_lines(places: np.ndarray) -> str:
    """As written in the files: six digits at most."""
    return "".join(f"v {x:g} {y:g} {z:g}\n" for x, y, z in places.tolist())


def polygon_lines() -> str:
    """Texture vertices and polygons, 0-based inside, 1-based in the text."""
    lines = [f"vt {number % 200 / 200:g} {number // 200 / 200:g}\n" for number in range(NUM_TEXTURE_VERTICES)]
    polygons = [[0, 1, 2]] * NUM_POLYGONS
    for name, region in REGIONS.items():
        own = ball_polygons(region.first_vertex) if name in BALLS else sheet_polygons(region)
        polygons[region.first_polygon : region.stop_polygon] = own
    lines.append("usemtl M_Face\n")
    for number, polygon in enumerate(polygons):
        corners = (f"{v + 1}/{(NUM_VERTICES if (number, v) == (SEAM, SEAM) else v) + 1}" for v in polygon)
        lines.append(f"f {' '.join(corners)}\n")
    return "".join(lines)


def sheet_polygons(region: tuple[int, int, int, int]) -> list[list[int]]:
    first, stop, first_polygon, stop_polygon = region
    width = min(WIDTH, (stop - first) // 4)
    starts = [first + number % (stop - first - width - 1) for number in range(stop_polygon - first_polygon)]
    return [[start, start + 1, start + width + 1, start + width] for start in starts]


def ball_polygons(first: int) -> list[list[int]]:
    def vertex(ring: int, place: int) -> int:
        return first + 1 + ring * RING_SIZE + place % RING_SIZE

    behind = first + 1 + RINGS * RING_SIZE
    places = range(RING_SIZE)
    front = [[first, vertex(0, place), vertex(0, place + 1)] for place in places]
    sides = [
        [vertex(ring, place), vertex(ring + 1, place), vertex(ring + 1, place + 1), vertex(ring, place + 1)]
        for ring in range(RINGS - 1)
        for place in places
    ]
    return front + sides + [[behind, vertex(RINGS - 1, place + 1), vertex(RINGS - 1, place)] for place in places]
