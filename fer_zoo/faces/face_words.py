"""One face by names: what a user types (`smile=.8 yaw=20 hair=long`) and the scenes that it stands for."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.errors import UserError, nearest
from fer_zoo.faces.actions import SLIDER_ACTIONS
from fer_zoo.faces.appearance import HAIR_COLOURS, IRIS_COLOURS, material_colours, skin_colour
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.scenes import Scenes, plain_scenes

ANGLES = ("yaw", "pitch", "roll")
COLOURS: Mapping[str, Mapping[str, object]] = {"hair_colour": HAIR_COLOURS, "iris": IRIS_COLOURS}
SHARES = ("skin", "make_up")
MOST_DEVIATIONS = 6.0  # of a mode; people have up to 2
MOST_DEGREES = 180.0

# An action without its side moves both; jaw and mouth go to one side only.
_BOTH: Mapping[str, tuple[str, ...]] = {
    stem: (f"{stem}Left", f"{stem}Right")
    for stem in (name.removesuffix("Left") for name in ACTIONS if name.endswith("Left"))
    if stem not in ("jaw", "mouth")
}
# Plain words; sides are the subject's own, as everywhere.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "frown": ("mouthFrownLeft", "mouthFrownRight"),
    "mouth_open": ("jawOpen",),
    "pucker": ("mouthPucker",),
    "puff": ("cheekPuff",),
    "sneer": ("noseSneerLeft", "noseSneerRight"),
    "brows_up": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "brows_down": ("browDownLeft", "browDownRight"),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "wink": ("eyeBlinkLeft",),
    "squint": ("eyeSquintLeft", "eyeSquintRight"),
    "wide_eyes": ("eyeWideLeft", "eyeWideRight"),
    "look_up": ("eyeLookUpLeft", "eyeLookUpRight"),
    "look_down": ("eyeLookDownLeft", "eyeLookDownRight"),
    "look_left": ("eyeLookOutLeft", "eyeLookInRight"),
    "look_right": ("eyeLookInLeft", "eyeLookOutRight"),
}
ACTION_WORDS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in ACTIONS},
    **_BOTH,
    **SLIDER_ACTIONS,
    **ALIASES,
}
# Emotion -> actions at a clear strength: the action units that EMFACS names for it (happiness 6 12, surprise 1 2 5 26,
# anger 4 5 7 24, disgust 9 10 15 17, fear 1 2 4 5 20 25, sadness 1 4 15 17, contempt 12 14 of one side), and what
# looked right beside them: a smile's parted lips, a little 9 in anger, a little 4 in disgust. The brow goes down half
# as far as it goes up in fear and sadness, or the two would cancel.
EMOTIONS: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "happiness": {"cheekSquint": 0.8, "mouthSmile": 0.85, "mouthLowerDown": 0.2, "jawOpen": 0.1},
    "surprise": {"browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.8, "jawOpen": 0.55},
    "anger": {"browDown": 0.95, "eyeWide": 0.4, "eyeSquint": 0.5, "mouthPress": 0.85, "noseSneer": 0.15},
    "disgust": {"noseSneer": 0.9, "mouthUpperUp": 0.65, "mouthFrown": 0.35, "mouthShrugLower": 0.35, "browDown": 0.3},
    "fear": {
        "browInnerUp": 0.9,
        "browOuterUp": 0.5,
        "browDown": 0.35,
        "eyeWide": 0.9,
        "mouthStretch": 0.8,
        "mouthLowerDown": 0.45,
        "jawOpen": 0.2,
    },
    "sadness": {"browInnerUp": 0.9, "browDown": 0.4, "mouthFrown": 0.85, "mouthShrugLower": 0.5},
    "contempt": {"mouthDimpleLeft": 0.9, "mouthSmileLeft": 0.5},
}


@dataclass(frozen=True, kw_only=True)
class Face:
    """One face by names; what is not named is as the model has it.

    Attributes:
        identity: mode -> standard deviations.
        actions: action -> 0 to 1.
        styles: discrete mode -> choice.
        angles: yaw, pitch, roll in degrees.
        skin: 0 for the lightest, 1 for the darkest.
        make_up: 0 to 1, of the lips.
        colours: of `COLOURS`.
    """

    identity: Mapping[str, float] = field(default_factory=dict)
    actions: Mapping[str, float] = field(default_factory=dict)
    styles: Mapping[str, str] = field(default_factory=dict)
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0)
    skin: float = 0.15
    make_up: float = 0.0
    colours: Mapping[str, str] = field(default_factory=lambda: {"hair_colour": "brown", "iris": "blue"})

    def acting(self, moves: Mapping[str, float]) -> "Face":
        """The same face that does something besides; names are those of `ACTION_WORDS`."""
        moved = {action: value for word, value in moves.items() for action in ACTION_WORDS[word]}
        return replace(self, actions={**self.actions, **moved})

    def turned(self, **degrees: float) -> "Face":
        """The same face with some of its `ANGLES` changed."""
        now = dict(zip(ANGLES, self.angles, strict=True)) | degrees
        return replace(self, angles=(now["yaw"], now["pitch"], now["roll"]))


def with_words(face: Face, model: FaceModel, words: Iterable[tuple[str, str]]) -> Face:
    """A face with what words and their texts say of it: an emotion first, then each in order, the later replaces.

    Raises:
        UserError: for an unknown word (with the nearest), a text that is no number, a value outside its range, or a
            choice that there is not.
    """
    for word, text in sorted(words, key=lambda pair: pair[0] != "emotion"):
        face = _with_word(face, model, word, text)
    return face


def scenes_of(model: FaceModel, faces: Sequence[Face], size: int) -> Scenes:
    """Faces in the light and before the grey of `plain_scenes`, on the model's device, in its precision.

    Raises:
        UserError: for an image that is too small.
    """
    number = len(faces)
    skin = skin_colour(torch.tensor([face.skin for face in faces]))
    hair = torch.tensor([HAIR_COLOURS[face.colours["hair_colour"]] for face in faces])
    iris = torch.tensor([IRIS_COLOURS[face.colours["iris"]] for face in faces])
    make_up = torch.tensor([face.make_up for face in faces])
    styles = {
        mode: torch.tensor([_place([style.name for style in choices], face.styles.get(mode)) for face in faces])
        for mode, choices in model.styles.items()
    }
    scenes = replace(
        plain_scenes(model, number, size),
        identity=_table([face.identity for face in faces], model.identity_names),
        actions=_table([face.actions for face in faces], ACTIONS),
        styles=styles,
        angles=torch.tensor([face.angles for face in faces]).deg2rad(),
        materials=material_colours(skin, hair, iris, make_up),
    )
    return scenes.to(model.mean.device, model.mean.dtype)


def known_words(model: FaceModel) -> list[str]:
    """Every word that says something of a face."""
    return [*ACTION_WORDS, *model.identity_names, *model.styles, *ANGLES, *SHARES, *COLOURS, "emotion"]


def _with_word(face: Face, model: FaceModel, word: str, text: str) -> Face:
    if word in ACTION_WORDS:
        return face.acting({word: _number(word, text, 0.0, 1.0)})
    if word in model.identity_names:
        value = _number(word, text, -MOST_DEVIATIONS, MOST_DEVIATIONS)
        return replace(face, identity={**face.identity, word: value})
    if word in model.styles:
        choice = _choice(word, text, [style.name for style in model.styles[word]])
        return replace(face, styles={**face.styles, word: choice})
    if word in ANGLES:
        return face.turned(**{word: _number(word, text, -MOST_DEGREES, MOST_DEGREES)})
    if word == "skin":
        return replace(face, skin=_number(word, text, 0.0, 1.0))
    if word == "make_up":
        return replace(face, make_up=_number(word, text, 0.0, 1.0))
    if word in COLOURS:
        return replace(face, colours={**face.colours, word: _choice(word, text, list(COLOURS[word]))})
    if word == "emotion":
        return face.acting(EMOTIONS[_choice(word, text, list(EMOTIONS))])
    hint = nearest(word, known_words(model))
    raise UserError(f"{model.name} has no slider {word!r}.{hint} `fer-zoo info {model.name}` lists them.")


def _number(word: str, text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise UserError(f"{word} is {text!r}, which is no number; it must lie in [{least:g}, {most:g}].") from error
    if math.isnan(value) or not least <= value <= most:
        raise UserError(f"{word} is {text}; it must lie in [{least:g}, {most:g}].")
    return value


def _choice(word: str, text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise UserError(f"{word} is {text!r}.{nearest(text, known)} It must be one of {', '.join(known)}.")
    return text


def _place(choices: Sequence[str], chosen: str | None) -> int:
    return 0 if chosen is None else choices.index(chosen)


def _table(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Float[Tensor, "b n"]:
    return torch.tensor([[row.get(name, 0.0) for name in names] for row in rows])
