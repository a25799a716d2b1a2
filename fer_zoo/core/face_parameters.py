"""The parameters of each face model that an image of a face tells: modes of identity, and the 51 actions.

Named as the face models and `fer-zoo render` name them, so that what is predicted can be drawn. Pose is a target of its
own; light, camera, colours and styles as hair cuts are no part of the target.
"""

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.label_spaces import LabelSpace, value_space

PROCEDURAL_MODES = (
    "face_width", "face_length", "forehead_height", "forehead_slope", "head_depth", "temple_width", "neck_width",
    "ear_size", "ear_protrusion", "jaw_width", "jaw_height", "chin_length", "chin_protrusion", "chin_width",
    "cheekbone", "cheek_fullness", "eye_distance", "eye_height", "eye_depth", "eye_size", "eye_opening", "eye_tilt",
    "eye_asymmetry", "brow_height", "brow_tilt", "brow_distance", "brow_ridge", "brow_thickness", "brow_asymmetry",
    "nose_length", "nose_width", "nose_protrusion", "nose_hump", "nose_tip_height", "nose_tip_size", "nose_bend",
    "bridge_width", "bridge_depth", "mouth_width", "mouth_height", "mouth_protrusion", "mouth_tilt", "upper_lip",
    "lower_lip", "philtrum_length", "mouth_asymmetry", "build", "age", "sex",
)  # fmt: skip
ICT_MODES = tuple(f"identity{number:03d}" for number in range(50))  # of ICT-FaceKit's 100 the strongest

# Modes of which a mirrored face has the opposite; of all others it has the same.
ODD_MODES = frozenset(
    {
        *("eye_asymmetry", "brow_asymmetry", "nose_bend", "mouth_asymmetry"),
        *(f"identity{number:03d}" for number in (9, 20, 25, 28, 33, 37, 43, 45)),
    }
)


def _space(model: str, modes: tuple[str, ...]) -> LabelSpace:
    return value_space(
        f"face_parameters/{model}",
        (*modes, *BLENDSHAPES_51.entries),
        unit="standard deviations of identity modes, weights of actions",
        minimum=-3.0,  # people are drawn within 1.6
        maximum=3.0,
        centre=0.0,
    )


FACE_PARAMETER_SPACES = (_space("procedural", PROCEDURAL_MODES), _space("ict", ICT_MODES))
