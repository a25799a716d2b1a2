"""Facial action units: the lists that data sets code, and the 23 sliders of GE-Net (Song et al., Table 4)."""

from fer_zoo.core.label_spaces import LabelSpace, value_space

DISFA_12 = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)  # intensity 0-5
DISFA_8 = (1, 2, 4, 6, 9, 12, 25, 26)  # occurrence: intensity of 2 and more
BP4D_12 = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)  # occurrence
FERA2015_5 = (6, 10, 12, 14, 17)  # intensity 0-5
FERA2017_7 = (1, 4, 6, 10, 12, 14, 17)  # intensity 0-5


def action_unit_name(number: int) -> str:
    """The column of an action unit: "AU01" … "AU45"."""
    return f"AU{number:02d}"


def _intensities(variant: str, numbers: tuple[int, ...]) -> LabelSpace:
    return value_space(
        f"au/{variant}", tuple(map(action_unit_name, numbers)), unit="FACS intensity", maximum=5.0, centre=2.5
    )


def _occurrences(variant: str, numbers: tuple[int, ...]) -> LabelSpace:
    return value_space(
        f"au/{variant}", tuple(map(action_unit_name, numbers)), unit="occurrence", maximum=1.0, centre=0.5
    )


# In the order of Table 4, which is the order of GE-Net's parameter vector.
GENET_SLIDERS = (
    "left_eye_blink", "right_eye_blink", "upper_lid_raiser", "cheek_raiser", "inner_brow_raiser",
    "left_outer_brow_raiser", "right_outer_brow_raiser", "brow_lowerer", "jaw_open", "nose_wrinkler",
    "upper_lip_raiser", "lower_lip_down", "lip_corner_puller", "left_dimpler", "right_dimpler", "lip_pucker",
    "lip_stretcher", "upper_lip_close", "lower_lip_close", "cheek_puff", "lip_corner_depressor",
    "jaw_left", "jaw_right",
)  # fmt: skip

ACTION_UNIT_SPACES: tuple[LabelSpace, ...] = (
    _intensities("disfa12", DISFA_12),
    _occurrences("disfa8", DISFA_8),
    _occurrences("bp4d12", BP4D_12),
    _intensities("fera2015", FERA2015_5),
    _intensities("fera2017", FERA2017_7),
    value_space("au/genet23", GENET_SLIDERS, unit="slider", maximum=1.0, centre=0.5),
)
