"""Words for expressions: GE-Net's 23 sliders onto the 51 actions, and what FACS would score of them."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.action_units import GENET_SLIDERS, action_unit_name
from fer_zoo.core.errors import UserError
from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.field_checks import check_entries

SLIDERS = GENET_SLIDERS
# Slider -> the actions that follow it with its own value (GE-Net Table 4). The two lip closers are read by their names,
# of which the paper says AU 24 and AU 17: ARKit has a shape for each half of a lip that rolls in. So no slider means
# AU 17 or 24 in `action_units`.
SLIDER_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "left_eye_blink": ("eyeBlinkLeft",),
    "right_eye_blink": ("eyeBlinkRight",),
    "upper_lid_raiser": ("eyeWideLeft", "eyeWideRight"),
    "cheek_raiser": ("cheekSquintLeft", "cheekSquintRight"),
    "inner_brow_raiser": ("browInnerUp",),
    "left_outer_brow_raiser": ("browOuterUpLeft",),
    "right_outer_brow_raiser": ("browOuterUpRight",),
    "brow_lowerer": ("browDownLeft", "browDownRight"),
    "jaw_open": ("jawOpen",),
    "nose_wrinkler": ("noseSneerLeft", "noseSneerRight"),
    "upper_lip_raiser": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "lower_lip_down": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "lip_corner_puller": ("mouthSmileLeft", "mouthSmileRight"),
    "left_dimpler": ("mouthDimpleLeft",),
    "right_dimpler": ("mouthDimpleRight",),
    "lip_pucker": ("mouthPucker",),
    "lip_stretcher": ("mouthStretchLeft", "mouthStretchRight"),
    "upper_lip_close": ("mouthRollUpper",),
    "lower_lip_close": ("mouthRollLower",),
    "cheek_puff": ("cheekPuff",),
    "lip_corner_depressor": ("mouthFrownLeft", "mouthFrownRight"),
    "jaw_left": ("jawLeft",),
    "jaw_right": ("jawRight",),
}

# Action unit -> actions of which the strongest counts, as FACS scores the stronger side.
_STRONGEST: Mapping[int, tuple[str, ...]] = {
    1: ("browInnerUp",),
    2: ("browOuterUpLeft", "browOuterUpRight"),
    4: ("browDownLeft", "browDownRight"),
    5: ("eyeWideLeft", "eyeWideRight"),
    6: ("cheekSquintLeft", "cheekSquintRight"),
    7: ("eyeSquintLeft", "eyeSquintRight"),
    9: ("noseSneerLeft", "noseSneerRight"),
    10: ("mouthUpperUpLeft", "mouthUpperUpRight"),
    12: ("mouthSmileLeft", "mouthSmileRight"),
    14: ("mouthDimpleLeft", "mouthDimpleRight"),
    15: ("mouthFrownLeft", "mouthFrownRight"),
    16: ("mouthLowerDownLeft", "mouthLowerDownRight"),
    17: ("mouthShrugLower",),
    18: ("mouthPucker",),
    20: ("mouthStretchLeft", "mouthStretchRight"),
    22: ("mouthFunnel",),
    24: ("mouthPressLeft", "mouthPressRight"),
    28: ("mouthRollUpper", "mouthRollLower"),
    29: ("jawForward",),
    30: ("jawLeft", "jawRight"),
    34: ("cheekPuff",),
    45: ("eyeBlinkLeft", "eyeBlinkRight"),
}
_PART_LIPS = ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthFunnel")
# In the order of `action_units`; 25, 26 and 27 come from jaw and lips together.
ACTION_UNITS: tuple[int, ...] = tuple(sorted({*_STRONGEST, 25, 26, 27}))
ACTION_UNIT_NAMES: tuple[str, ...] = tuple(map(action_unit_name, ACTION_UNITS))


def slider_actions(sliders: Float[Tensor, "b n"]) -> Float[Tensor, "b 51"]:
    """The actions of GE-Net's sliders, in the order of its Table 4.

    Raises:
        UserError: for another number of sliders, or one outside [0, 1].
    """
    if sliders.shape[-1] != len(SLIDERS):
        raise UserError(f"There are {len(SLIDERS)} sliders; {sliders.shape[-1]} were given.")
    check_entries("sliders", sliders, SLIDERS, within=(0, 1))
    table = sliders.new_zeros(len(SLIDERS), len(ACTIONS))
    for row, slider in enumerate(SLIDERS):
        for action in SLIDER_ACTIONS[slider]:
            table[row, ACTIONS.index(action)] = 1
    return sliders @ table


def action_units(actions: Float[Tensor, "b a"]) -> Float[Tensor, "b u"]:
    """FACS intensities, 0 to 5, of `ACTION_UNITS` that the actions mean: 5 times the strongest action of a unit.

    A jaw that drops is 26, its upper half 27 besides: 26 keeps rising there, as data sets that score no 27 (DISFA)
    have it. Lips are parted (25) as far as one of them is drawn away or they are funnelled, or as the jaw has dropped
    without `mouthClose` holding them together. Gaze, a mouth drawn to one side and the upper shrug have no unit here.

    Raises:
        UserError: for another number of actions, or one that is no number.
    """
    if actions.shape[-1] != len(ACTIONS):
        raise UserError(f"There are {len(ACTIONS)} actions; {actions.shape[-1]} were given.")
    check_entries("actions", actions, ACTIONS)
    own = dict(zip(ACTIONS, actions.unbind(dim=1), strict=True))
    found = {unit: _strongest([own[name] for name in names]) for unit, names in _STRONGEST.items()}
    jaw = own["jawOpen"]
    found[25] = _strongest([jaw - own["mouthClose"], *(own[name] for name in _PART_LIPS)])
    found[26], found[27] = jaw, 2 * jaw - 1
    return 5 * torch.stack([found[unit].clamp(0, 1) for unit in ACTION_UNITS], dim=1)


def _strongest(values: list[Tensor]) -> Float[Tensor, " b"]:
    return torch.stack(values).amax(dim=0)
