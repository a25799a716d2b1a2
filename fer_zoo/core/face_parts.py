"""The 11 face parts of the Helen parsing set (Smith et al., 2013), in its order.

"left" and "right" are the subject's own sides, as everywhere in the zoo; in Helen's files they are the viewer's, by the
only source known: `from_helen` renames them.
"""

import numpy as np
from jaxtyping import Integer

FACE_PARTS = (
    "background", "face_skin", "left_brow", "right_brow", "left_eye", "right_eye",
    "nose", "upper_lip", "inner_mouth", "lower_lip", "hair",
)  # fmt: skip

# Part i of a flipped image is part MIRROR[i] of the original one.
MIRROR = (0, 1, 3, 2, 5, 4, 6, 7, 8, 9, 10)


def mirror_parts(mask: Integer[np.ndarray, "*shape"]) -> Integer[np.ndarray, "*shape"]:
    """The parts of a flipped image under the names they have there; numbers that are no part stay."""
    table = np.arange(256)
    table[: len(MIRROR)] = MIRROR
    return np.where((mask >= 0) & (mask < 256), table[np.clip(mask, 0, 255)], mask).astype(mask.dtype)


def from_helen(mask: Integer[np.ndarray, "*shape"]) -> Integer[np.ndarray, "*shape"]:
    """A mask whose sides are the viewer's, with the subject's own: each part has the name of its mirror image."""
    return mirror_parts(mask)
