"""Priors of expressions: emotions as prototypes, sliders, combinations of action units. All give the 51 actions.

Sides are the subject's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Float, Int

from fer_zoo.core.action_units import GENET_SLIDERS
from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.settings import setting
from fer_zoo.faces.priors.draws import Draws, between
from fer_zoo.faces.priors.prototypes import ONE_SIDED, PROTOTYPES, RESTING

ACTIONS = BLENDSHAPES_51.entries
BASIC_7 = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")

# Groups of action units: each is one thing that a face does.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "inner_brow": ("browInnerUp",),
    "outer_brow": ("browOuterUp",),
    "brow_down": ("browDown",),
    "wide": ("eyeWide",),
    "cheek": ("cheekSquint",),
    "squint": ("eyeSquint",),
    "blink": ("eyeBlink",),
    "sneer": ("noseSneer",),
    "upper_lip": ("mouthUpperUp",),
    "lower_lip": ("mouthLowerDown",),
    "smile": ("mouthSmile",),
    "dimple": ("mouthDimple",),
    "frown": ("mouthFrown",),
    "chin": ("mouthShrugLower",),
    "pucker": ("mouthPucker",),
    "funnel": ("mouthFunnel",),
    "stretch": ("mouthStretch",),
    "press": ("mouthPress",),
    "roll": ("mouthRollLower", "mouthRollUpper"),
    "jaw_open": ("jawOpen",),
    "jaw_forward": ("jawForward",),
    "jaw_left": ("jawLeft",),
    "jaw_right": ("jawRight",),
    "puff": ("cheekPuff",),
}
# What muscles cannot do at once: the stronger one stays.
EXCLUSIVE: Sequence[tuple[str, ...]] = (
    ("jaw_left", "jaw_right"),
    ("blink", "wide"),
    ("smile", "frown", "pucker", "funnel"),
    ("stretch", "pucker", "funnel"),
    ("press", "lower_lip", "upper_lip", "funnel"),
    ("press", "jaw_open"),
    ("roll", "lower_lip", "upper_lip"),
)
# What goes together: the second follows the first with this probability.
FOLLOWS: Mapping[str, tuple[str, float]] = {
    "inner_brow": ("outer_brow", 0.6),
    "smile": ("cheek", 0.7),
    "brow_down": ("squint", 0.5),
    "sneer": ("upper_lip", 0.6),
    "frown": ("chin", 0.5),
    "jaw_open": ("lower_lip", 0.4),
}
_RESTING_SHARE = 0.6  # of people, of each thing that faces seem to do at rest
_CALM = tuple(name for name in ACTIONS if not name.startswith("eye") and name not in ("mouthClose", "tongueOut"))


@dataclass(kw_only=True)
class EmotionPrior:
    """Emotions as prototypes, all equally frequent."""

    classes: list[str] = setting(list(BASIC_7), "emotions that are drawn, equally often", choices=())
    weakest: float = setting(0.6, "least intensity of a prototype; the most is 1", at_least=0.0, at_most=1.0)
    asymmetry: float = setting(0.25, "most that one side is weaker than the other", at_least=0.0, at_most=1.0)
    distractors: int = setting(3, "actions that do not belong to the emotion", at_least=0, at_most=10)
    distraction: float = setting(0.2, "greatest strength of those", at_least=0.0, at_most=1.0)
    blinks: float = setting(0.2, "deviation of how far the lids are down", at_least=0.0, at_most=0.5)
    resting: float = setting(0.35, "most that a person's face seems to do at rest", at_least=0.0, at_most=1.0)

    def check(self) -> None:
        """Refuses emotions that there are not, and those named twice, which would be drawn twice as often.

        Raises:
            UserError: with the nearest.
        """
        for name in self.classes:
            if name not in PROTOTYPES:
                raise UserError(f"There is no emotion {name!r}.{nearest(name, PROTOTYPES)} Known: {_list(PROTOTYPES)}.")
            if self.classes.count(name) > 1:
                raise UserError(f"emotions.classes names {name} twice; all emotions are drawn equally often.")
        if not self.classes:
            raise UserError("No emotion is named in emotions.classes; name one or more.")

    def draw(
        self, draws: Draws, classes: Int[np.ndarray, " b"] | None = None, intensity: np.ndarray | None = None
    ) -> tuple[Int[np.ndarray, " b"], Float[np.ndarray, " b"], Float[np.ndarray, "b 51"]]:
        """Positions in `classes`, intensities and actions; the first two are drawn where they are not given."""
        drawn = draws.uniform("emotion", 3)
        if classes is None:
            classes = np.minimum((drawn[:, 0] * len(self.classes)).astype(np.int64), len(self.classes) - 1)
        if intensity is None:
            intensity = between(drawn[:, 1], self.weakest, 1.0)
        least, most = _ranges(self.classes, classes, draws.uniform("emotion/prototype", 1)[:, 0])
        strength = between(draws.uniform("emotion/strength", len(ACTIONS)), least, most)
        strength = _sides_alike(strength) * intensity[:, None]
        strength = _unequal(strength, draws.uniform("emotion/asymmetry", 2), self.asymmetry)
        one_sided = np.isin(classes, [i for i, name in enumerate(self.classes) if name in ONE_SIDED])
        strength = _one_side(strength, one_sided, drawn[:, 2] < 0.5)
        return classes, intensity, np.maximum(strength, self._distraction(draws)).clip(0, 1)

    def rest(self, people: Draws) -> Float[np.ndarray, "b 51"]:
        """What faces seem to do whatever they express, of each of `RESTING` nothing or up to `resting`."""
        drawn = people.uniform("emotion/rest", 2 * len(RESTING)).reshape(len(people), 2, -1)
        strength = self.resting * drawn[:, 0] * (drawn[:, 1] < _RESTING_SHARE)
        found = np.zeros((len(people), len(ACTIONS)))
        for place, names in enumerate(RESTING):
            for action in (side for name in names for side in sides_of(name)):
                found[:, ACTIONS.index(action)] = strength[:, place]
        return found

    def _distraction(self, draws: Draws) -> Float[np.ndarray, "b 51"]:
        found = np.zeros((len(draws), len(ACTIONS)))
        drawn = draws.uniform("emotion/distractors", 2 * self.distractors).reshape(len(draws), -1, 2)
        places = np.array([ACTIONS.index(name) for name in _CALM])[(drawn[:, :, 0] * len(_CALM)).astype(np.int64)]
        np.put_along_axis(found, places, drawn[:, :, 1] * self.distraction, axis=1)
        lids = np.abs(draws.normal("emotion/lids", 1)) * self.blinks
        found[:, [ACTIONS.index(f"eyeBlink{side}") for side in ("Left", "Right")]] = lids
        return found


@dataclass(kw_only=True)
class SliderPrior:
    """GE-Net's 23 sliders, each active at random and then uniform (its §3: all of them, which is probability 1)."""

    active: float = setting(0.3, "probability that a slider is not 0; 1 is GE-Net's", at_least=0.0, at_most=1.0)

    def draw(self, draws: Draws) -> Float[np.ndarray, "b 23"]:
        """Sliders; of the jaw's two sides the stronger one stays, as they are each other's opposites."""
        drawn = draws.uniform("sliders", 2 * len(GENET_SLIDERS)).reshape(len(draws), 2, -1)
        values = drawn[:, 0] * (drawn[:, 1] < self.active)
        sides = [GENET_SLIDERS.index(name) for name in ("jaw_left", "jaw_right")]
        values[:, sides] *= values[:, sides] == values[:, sides].max(axis=1, keepdims=True)
        return values


@dataclass(kw_only=True)
class ActionUnitPrior:
    """A few groups of action units at once, as a face can do them: some go together, some exclude each other."""

    groups: list[float] = setting([0.1, 0.2, 0.3, 0.25, 0.15], "probability of 0, 1, 2 … groups", at_least=0.0)
    alike: float = setting(0.85, "probability that both sides do the same", at_least=0.0, at_most=1.0)
    blinks: float = setting(0.08, "deviation of how far the lids are down", at_least=0.0, at_most=0.5)
    gaze: float = setting(0.3, "probability that the eyes look aside", at_least=0.0, at_most=1.0)
    lips_closed: float = setting(0.0, "probability that lips stay together as the jaw drops", at_least=0.0, at_most=1.0)

    def check(self) -> None:
        """Refuses probabilities of which none is above 0.

        Raises:
            UserError: for these.
        """
        if not sum(self.groups) > 0:
            raise UserError("action_units.groups holds no probability above 0: of no number of groups.")

    def draw(self, draws: Draws) -> Float[np.ndarray, "b 51"]:
        """The actions."""
        names, count = list(GROUPS), len(draws)
        shares = np.cumsum(self.groups) / sum(self.groups)
        number = (draws.uniform("units/number", 1) > shares).sum(axis=1)
        order = draws.uniform("units/order", len(names)).argsort(axis=1).argsort(axis=1)
        active = order < number[:, None]
        follow = draws.uniform("units/follow", len(FOLLOWS))
        for place, (name, (other, share)) in enumerate(FOLLOWS.items()):
            active[:, names.index(other)] |= active[:, names.index(name)] & (follow[:, place] < share)
        strength = active * between(draws.uniform("units/strength", len(names)), 0.1, 1.0)
        for together in EXCLUSIVE:
            places = [names.index(name) for name in together]
            strength[:, places] *= strength[:, places] == strength[:, places].max(axis=1, keepdims=True)
        actions = np.zeros((count, len(ACTIONS)))
        for place, name in enumerate(names):
            for action in GROUPS[name]:
                for side in sides_of(action):
                    actions[:, ACTIONS.index(side)] = strength[:, place]
        sides = draws.uniform("units/sides", 3)
        actions = _unequal(actions, sides[:, 1:], (sides[:, :1] >= self.alike).astype(float))
        lids = (np.abs(draws.normal("units/lids", 1)) * self.blinks).clip(max=1)
        blink = [ACTIONS.index(f"eyeBlink{side}") for side in ("Left", "Right")]
        actions[:, blink] = np.maximum(actions[:, blink], lids)
        closed = draws.uniform("units/closed", 2)  # as far as the jaw is open, see `closed_jaws`
        actions[:, ACTIONS.index("mouthClose")] = closed[:, 0] * (closed[:, 1] < self.lips_closed)
        return np.maximum(actions, looking(draws, self.gaze))


def looking(draws: Draws, share: float) -> Float[np.ndarray, "b 51"]:
    """Both eyes to the same place, or straight ahead."""
    drawn = draws.uniform("gaze", 3)
    aside, up = between(drawn[:, 1], -1, 1), between(drawn[:, 2], -1, 1)
    found = np.zeros((len(draws), len(ACTIONS)))
    for side, sign in (("Left", 1), ("Right", -1)):
        for way, value in (("Out", sign * aside), ("In", -sign * aside), ("Up", up), ("Down", -up)):
            found[:, ACTIONS.index(f"eyeLook{way}{side}")] = value.clip(min=0) * (drawn[:, 0] < share)
    return found


def sides_of(action: str) -> tuple[str, ...]:
    """The actions of a name without its side."""
    return (action,) if action in ACTIONS else (f"{action}Left", f"{action}Right")


def closed_jaws(actions: Float[np.ndarray, "b 51"]) -> Float[np.ndarray, "b 51"]:
    """With `mouthClose` never above `jawOpen`: alone it pushes the lips through each other."""
    close, jaw = ACTIONS.index("mouthClose"), ACTIONS.index("jawOpen")
    actions = actions.copy()
    actions[:, close] = np.minimum(actions[:, close], actions[:, jaw])
    return actions


def _ranges(
    names: Sequence[str], classes: Int[np.ndarray, " b"], drawn: Float[np.ndarray, " b"]
) -> tuple[Float[np.ndarray, "b 51"], Float[np.ndarray, "b 51"]]:
    """Least and greatest strengths of the prototype that each face follows, of its emotion's as often as the others."""
    numbers = np.array([len(PROTOTYPES[name]) for name in names])
    first = np.concatenate(([0], numbers.cumsum()[:-1]))
    ends = np.zeros((numbers.sum(), 2, len(ACTIONS)))
    for row, prototype in zip(ends, chain.from_iterable(PROTOTYPES[name] for name in names), strict=True):
        for name, range_ in prototype.items():
            row[:, [ACTIONS.index(action) for action in sides_of(name)]] = np.array(range_)[:, None]
    chosen = first[classes] + np.minimum(drawn * numbers[classes], numbers[classes] - 1).astype(np.int64)
    return ends[chosen, 0], ends[chosen, 1]


_LEFT = [place for place, name in enumerate(ACTIONS) if name.endswith("Left") and name not in ("jawLeft", "mouthLeft")]
_RIGHT = [ACTIONS.index(ACTIONS[place].removesuffix("Left") + "Right") for place in _LEFT]


def _sides_alike(strength: Float[np.ndarray, "b 51"]) -> Float[np.ndarray, "b 51"]:
    strength[:, _RIGHT] = strength[:, _LEFT]
    return strength


def _unequal(
    strength: Float[np.ndarray, "b 51"], drawn: Float[np.ndarray, "b 2"], most: float | np.ndarray
) -> Float[np.ndarray, "b 51"]:
    """One side weaker by a share of at most `most`."""
    weaker = 1 - drawn[:, :1] * most
    is_left = drawn[:, 1:] < 0.5
    strength[:, _LEFT] *= np.where(is_left, weaker, 1.0)
    strength[:, _RIGHT] *= np.where(is_left, 1.0, weaker)
    return strength


def _one_side(strength: np.ndarray, chosen: np.ndarray, is_left: np.ndarray) -> Float[np.ndarray, "b 51"]:
    """Where chosen, the other side does nothing."""
    for own, side in ((_LEFT, is_left), (_RIGHT, ~is_left)):
        strength[:, own] *= np.where(chosen & ~side, 0.0, 1.0)[:, None]
    return strength


def _list(names: Mapping[str, object]) -> str:
    return ", ".join(names)
