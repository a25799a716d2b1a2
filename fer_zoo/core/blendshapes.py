"""The 51 blendshape coefficients of BlendshapeFERNet (Table A1), with their ARKit and ICT-FaceKit counterparts.

ARKit's 52 without `tongueOut`; the two shapes that ICT-FaceKit splits (browInnerUp, cheekPuff) take both halves with
one weight. Order is Table A1's, left before right, "left" the subject's own; values lie in [0, 1].
"""

from typing import NamedTuple

from fer_zoo.core.label_spaces import value_space


class Blendshape(NamedTuple):
    """One coefficient: its name in the paper (Faceshift), in ARKit, and the ICT-FaceKit shapes of the same weight."""

    faceshift: str
    arkit: str
    ict: tuple[str, ...]


BLENDSHAPES: tuple[Blendshape, ...] = (
    Blendshape("EyeBlink_L", "eyeBlinkLeft", ("eyeBlink_L",)),
    Blendshape("EyeBlink_R", "eyeBlinkRight", ("eyeBlink_R",)),
    Blendshape("EyeSquint_L", "eyeSquintLeft", ("eyeSquint_L",)),
    Blendshape("EyeSquint_R", "eyeSquintRight", ("eyeSquint_R",)),
    Blendshape("EyeDown_L", "eyeLookDownLeft", ("eyeLookDown_L",)),
    Blendshape("EyeDown_R", "eyeLookDownRight", ("eyeLookDown_R",)),
    Blendshape("EyeIn_L", "eyeLookInLeft", ("eyeLookIn_L",)),
    Blendshape("EyeIn_R", "eyeLookInRight", ("eyeLookIn_R",)),
    Blendshape("EyeOpen_L", "eyeWideLeft", ("eyeWide_L",)),
    Blendshape("EyeOpen_R", "eyeWideRight", ("eyeWide_R",)),
    Blendshape("EyeOut_L", "eyeLookOutLeft", ("eyeLookOut_L",)),
    Blendshape("EyeOut_R", "eyeLookOutRight", ("eyeLookOut_R",)),
    Blendshape("EyeUp_L", "eyeLookUpLeft", ("eyeLookUp_L",)),
    Blendshape("EyeUp_R", "eyeLookUpRight", ("eyeLookUp_R",)),
    Blendshape("BrowsD_L", "browDownLeft", ("browDown_L",)),
    Blendshape("BrowsD_R", "browDownRight", ("browDown_R",)),
    Blendshape("BrowsU_C", "browInnerUp", ("browInnerUp_L", "browInnerUp_R")),
    Blendshape("BrowsU_L", "browOuterUpLeft", ("browOuterUp_L",)),
    Blendshape("BrowsU_R", "browOuterUpRight", ("browOuterUp_R",)),
    Blendshape("JawOpen", "jawOpen", ("jawOpen",)),
    Blendshape("LipsTogether", "mouthClose", ("mouthClose",)),
    Blendshape("JawLeft", "jawLeft", ("jawLeft",)),
    Blendshape("JawRight", "jawRight", ("jawRight",)),
    Blendshape("JawFwd", "jawForward", ("jawForward",)),
    Blendshape("LipsUpperUp_L", "mouthUpperUpLeft", ("mouthUpperUp_L",)),
    Blendshape("LipsUpperUp_R", "mouthUpperUpRight", ("mouthUpperUp_R",)),
    Blendshape("LipsLowerDown_L", "mouthLowerDownLeft", ("mouthLowerDown_L",)),
    Blendshape("LipsLowerDown_R", "mouthLowerDownRight", ("mouthLowerDown_R",)),
    Blendshape("LipsUpperClose", "mouthRollUpper", ("mouthRollUpper",)),
    Blendshape("LipsLowerClose", "mouthRollLower", ("mouthRollLower",)),
    Blendshape("MouthSmile_L", "mouthSmileLeft", ("mouthSmile_L",)),
    Blendshape("MouthSmile_R", "mouthSmileRight", ("mouthSmile_R",)),
    Blendshape("MouthDimple_L", "mouthDimpleLeft", ("mouthDimple_L",)),
    Blendshape("MouthDimple_R", "mouthDimpleRight", ("mouthDimple_R",)),
    Blendshape("LipsStretch_L", "mouthStretchLeft", ("mouthStretch_L",)),
    Blendshape("LipsStretch_R", "mouthStretchRight", ("mouthStretch_R",)),
    Blendshape("MouthFrown_L", "mouthFrownLeft", ("mouthFrown_L",)),
    Blendshape("MouthFrown_R", "mouthFrownRight", ("mouthFrown_R",)),
    Blendshape("MouthPress_L", "mouthPressLeft", ("mouthPress_L",)),
    Blendshape("MouthPress_R", "mouthPressRight", ("mouthPress_R",)),
    Blendshape("LipsPucker", "mouthPucker", ("mouthPucker",)),
    Blendshape("LipsFunnel", "mouthFunnel", ("mouthFunnel",)),
    Blendshape("MouthLeft", "mouthLeft", ("mouthLeft",)),
    Blendshape("MouthRight", "mouthRight", ("mouthRight",)),
    Blendshape("ChinLowerRaise", "mouthShrugLower", ("mouthShrugLower",)),
    Blendshape("ChinUpperRaise", "mouthShrugUpper", ("mouthShrugUpper",)),
    Blendshape("Sneer_L", "noseSneerLeft", ("noseSneer_L",)),
    Blendshape("Sneer_R", "noseSneerRight", ("noseSneer_R",)),
    Blendshape("Puff", "cheekPuff", ("cheekPuff_L", "cheekPuff_R")),
    Blendshape("CheekSquint_L", "cheekSquintLeft", ("cheekSquint_L",)),
    Blendshape("CheekSquint_R", "cheekSquintRight", ("cheekSquint_R",)),
)

BLENDSHAPES_51 = value_space(
    "blendshapes/51", tuple(shape.arkit for shape in BLENDSHAPES), unit="blendshape weight", maximum=1.0, centre=0.5
)
