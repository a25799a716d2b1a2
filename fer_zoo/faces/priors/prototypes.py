"""Emotions as what a face does: for each one or more prototypes, as often as each other.

Of every emotion the first has the ranges that a trial on the two face models found readable. The others are variants of
the FACS Investigator's Guide (Ekman, Friesen & Hager, 2002, table "Prototypes and major variants"), unit by unit as the
nearest action: anger also with open mouth, happiness without the cheeks, surprise without the brows.
"""

from collections.abc import Mapping, Sequence

Range = tuple[float, float]
Prototype = Mapping[str, Range]  # action (both sides where none is named) -> range of its strength at full intensity

# The brow goes down half as far as it goes up in fear and sadness, or the two would cancel.
PROTOTYPES: Mapping[str, Sequence[Prototype]] = {
    "neutral": ({},),
    "happiness": (
        {"cheekSquint": (0.4, 1), "mouthSmile": (0.5, 1), "mouthLowerDown": (0, 0.4), "jawOpen": (0, 0.25)},
        {  # 6+12+25, broadly
            "cheekSquint": (0.5, 1),
            "mouthSmile": (0.7, 1),
            "mouthUpperUp": (0.2, 0.7),
            "mouthLowerDown": (0.1, 0.5),
            "jawOpen": (0.1, 0.5),
        },
        {"mouthSmile": (0.5, 1), "mouthUpperUp": (0, 0.4), "cheekSquint": (0, 0.4)},  # 12
    ),
    "surprise": (
        {"browInnerUp": (0.5, 1), "browOuterUp": (0.5, 1), "eyeWide": (0.4, 1), "jawOpen": (0.3, 0.9)},
        {"browInnerUp": (0.6, 1), "browOuterUp": (0.6, 1), "eyeWide": (0.4, 1), "jawOpen": (0, 0.1)},  # 1+2+5
        {  # 5+26, 5+27
            "eyeWide": (0, 0.6),
            "jawOpen": (0.35, 1),
            "browInnerUp": (0, 0.6),
            "browOuterUp": (0, 0.6),
            "mouthFunnel": (0, 0.4),
        },
    ),
    "anger": (
        {"browDown": (0.6, 1), "eyeWide": (0.2, 0.6), "eyeSquint": (0.3, 0.9), "mouthPress": (0.4, 1)},
        {  # 4+5+7+10+22+25+26
            "browDown": (0.6, 1),
            "eyeWide": (0, 0.5),
            "eyeSquint": (0.3, 0.9),
            "mouthUpperUp": (0.3, 0.9),
            "mouthLowerDown": (0.3, 0.9),
            "mouthFunnel": (0, 0.4),
            "jawOpen": (0.15, 0.7),
        },
        {  # 4+7+17+24
            "browDown": (0.6, 1),
            "eyeSquint": (0.3, 0.9),
            "mouthShrugLower": (0.3, 0.8),
            "mouthPress": (0.3, 0.9),
        },
    ),
    "disgust": (
        {
            "noseSneer": (0.5, 1),
            "mouthUpperUp": (0.3, 1),
            "mouthFrown": (0, 0.5),
            "mouthShrugLower": (0, 0.6),
            "browDown": (0, 0.4),
        },
        {  # 9+16+25+26
            "noseSneer": (0.5, 1),
            "mouthUpperUp": (0.3, 1),
            "mouthLowerDown": (0.3, 0.8),
            "jawOpen": (0.1, 0.5),
            "browDown": (0.2, 0.6),
            "eyeSquint": (0, 0.6),
        },
    ),
    "fear": (
        {
            "browInnerUp": (0.5, 1),
            "browOuterUp": (0.3, 0.8),
            "browDown": (0.15, 0.4),
            "eyeWide": (0.5, 1),
            "mouthStretch": (0.5, 1),
            "mouthLowerDown": (0.2, 0.8),
            "jawOpen": (0, 0.35),
        },
        {  # 1+2+4+5+25, +26, +27
            "browInnerUp": (0.5, 1),
            "browOuterUp": (0.3, 0.8),
            "browDown": (0.15, 0.4),
            "eyeWide": (0.5, 1),
            "mouthStretch": (0, 0.4),
            "jawOpen": (0.2, 0.8),
        },
    ),
    "sadness": (
        {
            "browInnerUp": (0.5, 1),
            "browDown": (0.15, 0.4),
            "mouthFrown": (0.5, 1),
            "mouthShrugLower": (0.2, 0.8),
        },
        {  # 1+4+15 and lids that droop
            "browInnerUp": (0.5, 1),
            "browDown": (0.15, 0.4),
            "mouthFrown": (0.4, 1),
            "eyeBlink": (0.1, 0.4),
        },
        {  # 6+15
            "cheekSquint": (0.3, 0.8),
            "mouthFrown": (0.5, 1),
            "mouthShrugLower": (0, 0.6),
            "browInnerUp": (0, 0.5),
        },
        {  # 1+4+7+15+20+25, crying
            "browInnerUp": (0.4, 1),
            "browDown": (0.1, 0.4),
            "eyeSquint": (0.2, 0.8),
            "mouthFrown": (0.3, 0.8),
            "mouthStretch": (0, 0.6),
            "mouthLowerDown": (0.1, 0.5),
            "jawOpen": (0.1, 0.5),
        },
    ),
    "contempt": ({"mouthDimple": (0.5, 1), "mouthSmile": (0.2, 0.6)},),  # of one side
}
ONE_SIDED = ("contempt",)
# What faces seem to do at rest, a person all of it or none: brows that hang, lips that are parted, corners that droop.
RESTING: Sequence[Sequence[str]] = (
    ("browDown",),
    ("eyeSquint",),
    ("mouthUpperUp", "mouthLowerDown"),
    ("mouthFrown",),
)
