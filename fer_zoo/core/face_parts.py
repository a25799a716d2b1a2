"""The 11 face parts of the Helen parsing set (Smith et al., 2013), in its order.

Whose left "left" is: the viewer's by the only source known; `MIRROR` swaps the sides whichever it is.
"""

FACE_PARTS = (
    "background", "face_skin", "left_brow", "right_brow", "left_eye", "right_eye",
    "nose", "upper_lip", "inner_mouth", "lower_lip", "hair",
)  # fmt: skip

# Part i of a flipped image is part MIRROR[i] of the original one.
MIRROR = (0, 1, 3, 2, 5, 4, 6, 7, 8, 9, 10)
