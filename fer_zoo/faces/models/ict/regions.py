"""Which vertices and polygons of ICT-FaceKit's mesh are what, 0-based, as the tables of its README.md say."""

from collections.abc import Mapping
from typing import NamedTuple

NUM_VERTICES = 26_719
NUM_TEXTURE_VERTICES = 28_911
NUM_POLYGONS = 26_384
NUM_IDENTITIES = 100


class Region(NamedTuple):
    """A run of vertices and the run of polygons on them; each ends before `stop`."""

    first_vertex: int
    stop_vertex: int
    first_polygon: int
    stop_polygon: int


# Left out are what lies behind the outer shells of the eyes (the parts called iris) and what is transparent: lacrimal
# fluid, eye blend, eye occlusion, lashes. Drawn opaque they would cover the eyes.
REGIONS: Mapping[str, Region] = {
    "face": Region(0, 9409, 0, 9230),
    "head": Region(9409, 11_248, 9230, 11_144),
    "mouth": Region(11_248, 13_294, 11_144, 13_226),
    "socket": Region(13_294, 14_062, 13_226, 14_034),
    "gums": Region(14_062, 17_039, 14_034, 17_006),
    "teeth": Region(17_039, 21_451, 17_006, 21_496),
    "left_ball": Region(21_451, 22_221, 21_496, 22_296),
    "right_ball": Region(23_021, 23_791, 23_094, 23_894),
}
BALLS = ("right_ball", "left_ball")
# The face without ears and neck: "narrow face area".
STOP_NARROW_FACE = 6706
STOP_UPPER_TEETH = 19_247

# Multi-PIE's 0 to 16 on the jaw as it is seen from the front, from the tables "Right jawline" and "Left jawline"; those
# of vertex_indices.json lie behind it. 8 is the chin of both.
FRONTAL_JAW = (
    1278, 1272, 12, 1834, 243, 781, 2199, 1447, 966,
    3661, 4390, 3022, 2484, 4036, 2253, 3490, 3496,
)  # fmt: skip

# Each shell is a pole in front, 24 rings of 32 vertices and a pole behind. Of these rings every second vertex is drawn:
# dense where pupil and iris end, and such that the mean of the vertices, about which `FaceModel` turns a ball, lies 0.1
# cm from the ball's centre. That of all vertices lies 0.45 cm in front of it.
RINGS = 24
DRAWN_RINGS = (3, 4, 6, 7, 8, 11, 13, 15, *range(16, 25))
