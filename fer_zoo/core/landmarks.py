"""The 68 landmarks of iBUG/Multi-PIE, 0-based: groups, mirror map and the five points used for alignment.

"left" and "right" are the subject's own sides, as everywhere in the zoo.
"""

from collections.abc import Mapping

NUM_LANDMARKS = 68
LANDMARK_COLUMNS = tuple(f"landmark_{number}_{axis}" for number in range(NUM_LANDMARKS) for axis in "xy")

LANDMARK_GROUPS: Mapping[str, tuple[int, ...]] = {
    "jaw": tuple(range(17)),
    "right_brow": tuple(range(17, 22)),
    "left_brow": tuple(range(22, 27)),
    "nose_bridge": tuple(range(27, 31)),
    "nose_base": tuple(range(31, 36)),
    "right_eye": tuple(range(36, 42)),
    "left_eye": tuple(range(42, 48)),
    "outer_lip": tuple(range(48, 60)),
    "inner_lip": tuple(range(60, 68)),
}

NOSE_TIP = 30
OUTER_EYE_CORNERS = (36, 45)  # right, left; their distance is the unit of errors
MOUTH_CORNERS = (48, 54)  # right, left

# Point i of a flipped image is point MIRROR[i] of the original one.
MIRROR: tuple[int, ...] = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    27, 28, 29, 30,
    35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46,
    39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,
    64, 63, 62, 61, 60, 67, 66, 65,
)  # fmt: skip

FIVE_POINTS = ("right_eye", "left_eye", "nose_tip", "right_mouth_corner", "left_mouth_corner")
FIVE_POINTS_MIRROR = (1, 0, 2, 4, 3)

# The landmarks on the subject's right, and those on neither side; the others are on the left.
RIGHT_SIDE = frozenset({*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67})
MIDDLE = frozenset(i for i, other in enumerate(MIRROR) if i == other)
