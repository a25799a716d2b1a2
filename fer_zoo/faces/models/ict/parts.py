"""Which part of the face a triangle is, and which vertex mirrors which."""

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from scipy.spatial import cKDTree

from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.faces.models.ict.materials import Weights, is_lower
from fer_zoo.faces.models.ict.mesh import IctMesh
from fer_zoo.faces.models.ict.regions import REGIONS, STOP_NARROW_FACE
from fer_zoo.faces.models.ict.shape_tools import between

# Half width of the nose by height, from its lower to its upper end, and the depth behind which all is cheek.
NOSE = ((-1.35, 0.9), (-1.0, 1.9), (0.0, 2.0), (0.9, 1.7), (2.2, 1.1), (3.2, 0.75), (4.0, 0.6))
NOSE_DEPTH = 9.5
FOREHEAD = 5.5  # above it the narrow face ends before the hair begins
MOUTH_PARTS, EYE_PARTS = ("mouth", "gums", "teeth"), ("socket", "right_ball", "left_ball")


def parts(mesh: IctMesh, weights: Weights) -> UInt8[np.ndarray, " t"]:
    """Of each triangle its number in `FACE_PARTS`; neck, ears and what lies below the jaw are background."""
    centre = mesh.neutral[mesh.triangles].mean(axis=1)
    x, y, z = centre.T
    share = {name: weights[name][mesh.triangles].mean(axis=1) for name in ("lip", "brow", "hair")}
    forehead = mesh.of("face") & (y > FOREHEAD) & (z > np.abs(x) / 3)
    narrow = (mesh.original[mesh.triangles] < STOP_NARROW_FACE).all(axis=1)
    lower = is_lower(mesh)[mesh.triangles].mean(axis=1) > 0.5
    is_nose = (np.abs(x) < between(y, NOSE)) & (y > NOSE[0][0]) & (y < NOSE[-1][0]) & (z > NOSE_DEPTH)
    number = np.zeros(len(centre), dtype=np.uint8)
    for name, inside in (
        ("face_skin", forehead | (narrow & (y > _jaw(mesh, z) - 0.2))),
        ("nose", narrow & is_nose),
        ("hair", share["hair"] > 0.5),
        ("left_brow", (share["brow"] > 0.5) & (x > 0)),
        ("right_brow", (share["brow"] > 0.5) & (x < 0)),
        ("upper_lip", (share["lip"] > 0.4) & ~lower),
        ("lower_lip", (share["lip"] > 0.4) & lower),
        ("inner_mouth", mesh.of(*MOUTH_PARTS)),
        ("left_eye", mesh.of(*EYE_PARTS) & (x > 0)),
        ("right_eye", mesh.of(*EYE_PARTS) & (x < 0)),
    ):
        number[inside] = FACE_PARTS.index(name)
    return number


def _jaw(mesh: IctMesh, z: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, " t"]:
    """Height of the jaw's edge, from ear to chin."""
    edge = mesh.neutral[mesh.landmarks[:9]]
    return np.interp(z, edge[:, 2], edge[:, 1])


def mirror(mesh: IctMesh) -> Int64[np.ndarray, " v"]:
    """The vertex that stands in each one's place in the mirrored mesh, region by region.

    An involution, exact to 0.005 cm, but for the gums: 0.03 cm, and two vertices that lie together share a counterpart.
    """
    other = np.empty(len(mesh.neutral), dtype=np.int64)
    for names in (*((name,) for name in REGIONS if not name.endswith("ball")), ("right_ball", "left_ball")):
        inside = np.flatnonzero(mesh.vertices_of(*names))
        points = mesh.neutral[inside]
        other[inside] = inside[cKDTree(points).query(points * (-1, 1, 1))[1]]
    return other
