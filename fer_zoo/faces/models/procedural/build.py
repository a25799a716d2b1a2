"""The face model procedural, put together."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from scipy.spatial import cKDTree

from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.models.procedural.actions import action_basis
from fer_zoo.faces.models.procedural.frame import UNIT
from fer_zoo.faces.models.procedural.grid import FACE_END, TOP
from fer_zoo.faces.models.procedural.ground import ground_of
from fer_zoo.faces.models.procedural.identity import identity_modes, places_of
from fer_zoo.faces.models.procedural.landmarks import landmark_vertices
from fer_zoo.faces.models.procedural.lids import lid_positions
from fer_zoo.faces.models.procedural.materials import face_parts, skin_shade, wrinkles
from fer_zoo.faces.models.procedural.mesh import Part
from fer_zoo.faces.models.procedural.parts import all_parts
from fer_zoo.faces.models.procedural.relief import closed_face
from fer_zoo.faces.models.procedural.sheet import Sheet, make_sheet, unit_square
from fer_zoo.faces.models.procedural.styles import all_weights, as_tensor, styles_of, usual_hair, usual_weights

Points = Float[np.ndarray, "_ 3"]
PART_OF = {
    "bag": "inner_mouth",
    "teeth": "inner_mouth",
    "tongue": "inner_mouth",
    "lid": "face_skin",
    "ear": "background",
}


@cache
def build() -> FaceModel:
    """The model; made once, in half a second.

    Its actions are muscle fields in the manner of Waters (1987), its modes of identity position, orientation and scale
    of the components of a face as in GE-Net (Song et al.).
    """
    sheet = make_sheet()
    closed = closed_face(sheet)
    ground = ground_of(sheet, closed)
    skin = lid_positions(sheet, closed, 1.0, 1.0)
    parts = all_parts(sheet, skin)
    mean = np.concatenate([skin, *(part.points for part in parts)])
    mirror = _mirror(sheet, mean, parts)
    names, modes = _identity(skin, parts)
    weights = usual_weights(sheet, ground)
    _, hair = usual_hair(sheet, ground)
    triangles = [sheet.triangles, *(part.triangles for part in parts)]
    right, left = (
        torch.arange(start, start + len(p.points)) for start, p in _starts(len(skin), parts) if p.name == "ball"
    )
    symmetric = 0.5 * (mean + mean[mirror] * (-1.0, 1.0, 1.0))
    return FaceModel(
        name="procedural",
        mean=as_tensor(UNIT * (symmetric + _padded(hair, parts))),
        identity_names=names,
        identity_basis=as_tensor(UNIT * modes),
        action_basis=as_tensor(UNIT * action_basis(sheet, closed, ground, parts)),
        triangles=torch.from_numpy(np.concatenate(triangles)),
        parts=torch.from_numpy(np.concatenate([face_parts(sheet, ground, weights), *map(_part_numbers, parts)])),
        landmarks=torch.from_numpy(landmark_vertices(sheet, closed)),
        mirror=torch.from_numpy(mirror),
        eyeballs=(right, left),
        uv=as_tensor(_padded(unit_square(sheet), parts)),
        in_map=torch.from_numpy(np.concatenate([_in_map(sheet), *(np.zeros(len(t), bool) for t in triangles[1:])])),
        weights=all_weights(weights, parts),
        shade=as_tensor(np.concatenate([skin_shade(sheet, ground), *(part.shade for part in parts)])),
        wrinkles=as_tensor(_padded(wrinkles(ground), parts)),
        styles=styles_of(sheet, ground, parts),
    )


def _padded(values: Float[np.ndarray, "n ..."], parts: Sequence[Part]) -> Float[np.ndarray, "v ..."]:
    """With zeros for the other parts."""
    count = sum(len(part.points) for part in parts)
    return np.concatenate([values, np.zeros((count, *values.shape[1:]))])


def _starts(first: int, parts: Sequence[Part]) -> list[tuple[int, Part]]:
    """Each part with the number of its first vertex."""
    ends = first + np.cumsum([0, *(len(part.points) for part in parts)])
    return [(int(start), part) for start, part in zip(ends, parts, strict=False)]


def _mirror(sheet: Sheet, mean: Points, parts: Sequence[Part]) -> Int[np.ndarray, " v"]:
    """The sheet knows its own; in the other parts it is the nearest vertex among those of the same name."""
    mirror = np.append(sheet.mirror, np.zeros(len(mean) - len(sheet.mirror), int))
    starts = _starts(len(sheet.mirror), parts)
    for name in dict.fromkeys(part.name for part in parts):
        members = np.concatenate([np.arange(start, start + len(p.points)) for start, p in starts if p.name == name])
        _, nearest = cKDTree(mean[members]).query(mean[members] * (-1.0, 1.0, 1.0))
        mirror[members] = members[nearest]
    return mirror


def _identity(
    skin: Float[np.ndarray, "n 3"], parts: Sequence[Part]
) -> tuple[tuple[str, ...], Float[np.ndarray, "v 3 k"]]:
    """Rims and the mouth's bag take on the modes of the vertices that they are sewn to."""
    sewn = ("bag", "lid")
    points = np.concatenate([skin, *(skin[p.follows] if p.name in sewn else p.points for p in parts)])
    names = np.concatenate([np.full(len(skin), "skin"), *(np.full(len(p.points), p.name) for p in parts)])
    modes = identity_modes(places_of(points, names == "ball", names == "ear", np.isin(names, ("skin", *sewn))))
    return tuple(modes), np.stack(list(modes.values()), axis=-1)


def _part_numbers(part: Part) -> UInt8[np.ndarray, " t"]:
    name = PART_OF.get(part.name) or ("left_eye" if part.points[:, 0].mean() > 0 else "right_eye")
    return np.full(len(part.triangles), FACE_PARTS.index(name), dtype=np.uint8)


def _in_map(sheet: Sheet) -> Bool[np.ndarray, " t"]:
    """Triangles of the front, without the fan at the crown and the neck's end."""
    in_front = (np.abs(sheet.theta) <= np.pi / 2) & (sheet.row >= FACE_END) & (sheet.row < TOP)
    return np.asarray(in_front[sheet.triangles].all(axis=1))
