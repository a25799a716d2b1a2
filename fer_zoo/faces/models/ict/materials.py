"""What each vertex of the head is made of, by rule: the files have no colours.

All lengths are centimetres of the mean face in the files' own axes, chosen by looking at renderings.
"""

import numpy as np
from jaxtyping import Float64, Int64

from fer_zoo.core.landmarks import LANDMARK_GROUPS
from fer_zoo.faces.face_model import ACTIONS, MATERIALS
from fer_zoo.faces.models.ict.mesh import IctMesh
from fer_zoo.faces.models.ict.regions import BALLS, STOP_NARROW_FACE
from fer_zoo.faces.models.ict.shape_tools import along_curve, between, border, rings, smoothstep, sphere_centre

Weights = dict[str, Float64[np.ndarray, " v"]]

# The mesh runs in loops around eyes and mouth. Counted from its border inside the lids and lips: the margin of the lids
# and the end of the lips' red, below and, by |x|, above.
LID_MARGIN, LOWER_LIP_END = 2, 12
UPPER_LIP_END = ((0.9, 15.0), (1.7, 14.0), (2.5, 13.0))
MOST_RINGS = 18
# From the middle of the forehead round to the nape: azimuth about the axis x = 0, z = 1 (degrees) and height. Hair on
# the face's own vertices ends above the ear, that on the head's goes on behind it.
HAIRLINE = ((0, 11.0), (22, 11.0), (38, 10.4), (52, 9.4), (62, 8.0), (70, 5.8), (76, 3.2), (80, 2.4), (86, 5.0))
HAIRLINE_BEHIND = ((86, 5.0), (100, 2.5), (112, -0.5), (135, -2.5), (180, -3.5))
# The landmarks lie on the upper edge of the brows; half width from the nose outwards.
BROW_DROP = 0.25
BROW_HALF_WIDTH = ((0.0, 0.30), (0.12, 0.44), (0.35, 0.44), (0.75, 0.32), (1.0, 0.12))
# From the middle outwards: |x| and height below which a beard grows.
BEARD = ((0.0, -1.5), (1.6, -1.5), (2.6, -2.6), (4.0, -3.2), (5.5, -2.6), (6.5, -0.6), (7.3, 2.2))


def paint(mesh: IctMesh) -> Weights:
    """Shares of all materials in each vertex, short hair, brows of middle width and no beard; they add up to 1."""
    weights = {name: np.zeros(len(mesh.neutral)) for name in MATERIALS}
    _paint_inside(mesh, weights)
    face = mesh.vertices_of("face")
    for name, share in (
        ("lip", _blush(mesh)),
        ("lip", lips(mesh)),
        ("lash", _lid_margins(mesh)),
        ("brow", brows(mesh)),
        ("hair", hair(mesh)),
    ):
        for other in weights.values():
            other *= 1 - share
        weights[name] += share
    weights["skin"] += np.where(face | mesh.vertices_of("head"), 1 - sum(weights.values()), 0.0)
    return weights


def brows(mesh: IctMesh, width: float = 1.0) -> Float64[np.ndarray, " v"]:
    """Share of brow: a band about the brows' landmarks, thickest at its inner third, fading out at the temple."""
    share = np.zeros(len(mesh.neutral))
    face = mesh.vertices_of("face")
    for side, inwards in (("right_brow", -1), ("left_brow", 1)):
        through = mesh.neutral[mesh.landmarks[list(LANDMARK_GROUPS[side])]][::inwards]
        away, place = along_curve(mesh.neutral[face], through - (0.0, BROW_DROP, 0.0))
        half = width * between(place, BROW_HALF_WIDTH)
        share[face] = np.maximum(share[face], 0.9 * smoothstep(away / half, 1.4, 0.5))
    return share


def hair(mesh: IctMesh, rise: float = 0.0) -> Float64[np.ndarray, " v"]:
    """Share of hair: above the hairline, which is not quite even and lies higher in front where it has gone back."""
    x, y, z = mesh.neutral.T
    azimuth = np.degrees(np.arctan2(np.abs(x), z - 1.0))
    line = np.where(
        mesh.vertices_of("head"),
        between(azimuth, HAIRLINE[:-1] + HAIRLINE_BEHIND),
        between(azimuth, HAIRLINE),
    )
    uneven = 0.15 * np.sin(azimuth * 0.9) * np.cos(azimuth * 0.37)
    gone = rise * smoothstep(azimuth, 80.0, 45.0)
    return smoothstep(y - line - uneven - gone, -0.4, 0.5) * mesh.vertices_of("face", "head")


def beard(mesh: IctMesh) -> Float64[np.ndarray, " v"]:
    """Where a beard grows: around the mouth, on chin, jaw and the upper neck."""
    x, y, z = mesh.neutral.T
    line = between(np.abs(x), BEARD)
    in_front = smoothstep(z, 1.0, 3.5) * smoothstep(y, -9.8, -8.2)
    return smoothstep(y - line, 0.9, -0.9) * in_front * (1 - lips(mesh)) * mesh.vertices_of("face", "head")


def mouth_rings(mesh: IctMesh) -> Int64[np.ndarray, " v"]:
    """Loops from the border of the skin inside the mouth."""
    x, y, z = mesh.neutral.T
    return _face_rings(mesh, (np.abs(x) < 3) & (y < -2) & (y > -5) & (z > 9))


def is_lower(mesh: IctMesh) -> np.ndarray:
    """Whether a vertex goes with the jaw rather than with the skull."""
    drop = mesh.actions[:, 1, ACTIONS.index("jawOpen")]
    return drop < drop[mesh.landmarks[[48, 54]]].mean()


def lips(mesh: IctMesh) -> Float64[np.ndarray, " v"]:
    """Share of the red of the lips: full between where they meet and where it ends."""
    ring = mouth_rings(mesh)
    x = np.abs(mesh.neutral[:, 0])
    end = np.where(is_lower(mesh), LOWER_LIP_END, between(x, UPPER_LIP_END))
    return 0.85 * smoothstep(ring - end, 1.0, -1.0)


def _face_rings(mesh: IctMesh, near: np.ndarray) -> Int64[np.ndarray, " v"]:
    triangles = mesh.triangles[mesh.of("face")]
    start = np.zeros(len(mesh.neutral), dtype=bool)
    start[border(triangles)] = True
    return rings(triangles, start & near, MOST_RINGS)


def _lid_margins(mesh: IctMesh) -> Float64[np.ndarray, " v"]:
    """Share of lashes: dark on the margin of the upper lid, less on the lower one and one loop above."""
    x, y, z = mesh.neutral.T
    ring = _face_rings(mesh, (np.abs(x) < 5) & (np.abs(y - 3.5) < 1) & (z > 8))
    corners = mesh.neutral[mesh.landmarks[[42, 45]]]  # inner and outer one of the left eye
    line = np.interp(np.abs(x), corners[:, 0], corners[:, 1])
    strength = np.where(y > line, 0.75, 0.4) * smoothstep(np.abs(x), 1.9, 2.5)
    share = np.select([ring <= LID_MARGIN - 1, ring == LID_MARGIN, ring == LID_MARGIN + 1], [0.3, 1.0, 0.5], 0.0)
    return share * strength


def _blush(mesh: IctMesh) -> Float64[np.ndarray, " v"]:
    """Cheeks, the tip of the nose and ears are redder than the rest."""
    mirrored = np.abs(mesh.neutral * (1, 0, 0)) + mesh.neutral * (0, 1, 1)
    share = np.zeros(len(mesh.neutral))
    for centre, radius, strength in (((4.6, -0.5, 9.5), 2.2, 0.14), ((0.0, 0.4, 13.0), 1.4, 0.12)):
        share += strength * np.exp(-(((mirrored - centre) ** 2).sum(axis=1)) / radius**2)
    ears = (mesh.original >= STOP_NARROW_FACE) & (mirrored[:, 0] > 7.2) & (np.abs(mirrored[:, 1] - 2.5) < 4)
    return (share + 0.1 * ears) * mesh.vertices_of("face", "head")


def _paint_inside(mesh: IctMesh, weights: Weights) -> None:
    for name in BALLS:
        ball = mesh.vertices_of(name)
        points = mesh.neutral[ball] - sphere_centre(mesh.neutral[ball])
        axis = points[0]  # the pole in front
        cosine = points @ axis / np.linalg.norm(points, axis=1) / np.linalg.norm(axis)
        angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        pupil = smoothstep(angle, 9.4, 6.6)
        rim = 0.3 * smoothstep(angle, 17.0, 19.5)  # the iris ends in a dark ring
        iris = smoothstep(angle, 23.6, 20.6)
        weights["pupil"][ball] = pupil + iris * rim * (1 - pupil)
        weights["iris"][ball] = iris * (1 - rim) * (1 - pupil)
        weights["sclera"][ball] = (1 - iris) * (1 - pupil)
    for region, shares in (
        ("mouth", {"mouth": 1.0}),
        ("socket", {"skin": 0.4, "tongue": 0.6}),
        ("gums", {"tongue": 1.0}),
        ("teeth", {"tooth": 1.0}),
    ):
        for material, share in shares.items():
            weights[material][mesh.vertices_of(region)] = share
