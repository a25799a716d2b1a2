"""The prior of recordings after BlendshapeFERNet's Appendix A, which describes its data set BlendshapeExp.

Three of each person: 12 single actions, 7 expressions, and 30 seconds of random expressions. The paper names no action;
these are those of its Table A1 that a face model shows most clearly. It has 297,490 frames of 49 people, about 200
seconds of each at 30 a second: far fewer a second are drawn by default, as neighbours are nearly alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from fer_zoo.core.settings import setting
from fer_zoo.faces.priors.clips import smooth
from fer_zoo.faces.priors.draws import Draws, between
from fer_zoo.faces.priors.expressions import ACTIONS, BASIC_7, ActionUnitPrior, EmotionPrior, sides_of

SINGLE: Sequence[tuple[str, ...]] = (
    ("browInnerUp", "browOuterUp"), ("browDown",), ("eyeBlink",), ("noseSneer",), ("jawOpen",), ("jawLeft",),
    ("jawRight",), ("mouthSmile",), ("mouthFrown",), ("mouthPucker",), ("mouthFunnel",), ("cheekPuff",),
)  # fmt: skip
SHOWN = ("neutral", *(name for name in BASIC_7 if name != "neutral"))
RECORDINGS = 3  # of a person
_APART = 1 << 16  # numbers that a person has in the streams of other priors


@dataclass(kw_only=True)
class RecordingPrior:
    """How fast and how long people are recorded."""

    rate: float = setting(1.5, "frames per second", at_least=0.1, at_most=60.0)
    action_seconds: float = setting(2.0, "a single action from neutral and back", at_least=0.2, at_most=60.0)
    expression_seconds: float = setting(2.0, "an expression from neutral and back", at_least=0.2, at_most=60.0)
    random_seconds: float = setting(30.0, "the clip of random expressions", at_least=0.2, at_most=600.0)
    change_seconds: float = setting(1.5, "from one random expression to the next", at_least=0.1, at_most=60.0)
    weakest: float = setting(0.6, "least strength of a single action at its apex", at_least=0.0, at_most=1.0)

    @property
    def lengths(self) -> tuple[int, int, int]:
        """Frames of each recording."""
        actions, expressions = len(SINGLE) * self.action_seconds, len(SHOWN) * self.expression_seconds
        first, second, third = (
            max(1, round(self.rate * seconds)) for seconds in (actions, expressions, self.random_seconds)
        )
        return first, second, third

    def places(
        self, numbers: Int[np.ndarray, " b"]
    ) -> tuple[Int[np.ndarray, " b"], Int[np.ndarray, " b"], Int[np.ndarray, " b"]]:
        """Person, clip and frame of samples; clips are recordings, those of a person follow each other."""
        ends = np.cumsum(self.lengths)
        person, rest = np.divmod(numbers, ends[-1])
        recording = np.searchsorted(ends, rest, side="right")
        return person, person * RECORDINGS + recording, rest - (ends - self.lengths)[recording]

    def share(self, clip: Int[np.ndarray, " b"], frame: Int[np.ndarray, " b"]) -> Float[np.ndarray, " b"]:
        """How much of its recording a frame has behind it, 0 to 1."""
        return (frame + 0.5) / np.array(self.lengths)[clip % RECORDINGS]

    def draw(
        self, clips: Draws, frame: Int[np.ndarray, " b"], emotions: EmotionPrior, units: ActionUnitPrior
    ) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, "b 51"]]:
        """How near frames are to an apex, and their actions."""
        person, recording = np.divmod(clips.numbers, RECORDINGS)
        seconds = (frame + 0.5) / self.rate  # in the middle of the frame
        strength, actions = np.ones(len(clips)), np.zeros((len(clips), len(ACTIONS)))
        for place in set(recording.tolist()):
            rows = recording == place
            people, times = clips.of(person[rows]), seconds[rows]
            if place == 0:
                strength[rows], actions[rows] = self._single(people, times)
            elif place == 1:
                strength[rows], actions[rows] = self._expressions(people, times, emotions)
            else:
                strength[rows], actions[rows] = self._random(people, times, units)
        return strength, actions

    def _single(self, people: Draws, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One action after the other."""
        which, rise = self._risen(people, "recording/actions", seconds, self.action_seconds, len(SINGLE))
        apex = between(people.uniform("recording/strength", len(SINGLE)), self.weakest, 1.0)
        table = np.zeros((len(SINGLE), len(ACTIONS)))
        for row, names in enumerate(SINGLE):
            table[row, [ACTIONS.index(side) for name in names for side in sides_of(name)]] = 1
        return rise, table[which] * (np.take_along_axis(apex, which[:, None], axis=1)[:, 0] * rise)[:, None]

    def _expressions(self, people: Draws, seconds: np.ndarray, emotions: EmotionPrior) -> tuple[np.ndarray, np.ndarray]:
        """One emotion after the other, neutral first."""
        which, rise = self._risen(people, "recording/expressions", seconds, self.expression_seconds, len(SHOWN))
        drawn = people.of(people.numbers * _APART + which)
        _, intensity, actions = replace(emotions, classes=list(SHOWN)).draw(drawn, which)
        return intensity * rise, actions * rise[:, None]

    def _random(self, people: Draws, seconds: np.ndarray, units: ActionUnitPrior) -> tuple[np.ndarray, np.ndarray]:
        """From one combination of action units smoothly to the next."""
        change = np.floor(seconds / self.change_seconds).astype(np.int64)
        way = smooth(seconds / self.change_seconds - change)[:, None]
        first, second = (units.draw(people.of(people.numbers * _APART + change + step)) for step in (0, 1))
        return np.ones(len(people)), first * (1 - way) + second * way

    def _risen(
        self, people: Draws, stream: str, seconds: np.ndarray, each: float, count: int
    ) -> tuple[Int[np.ndarray, " b"], Float[np.ndarray, " b"]]:
        """Which of those that follow each other it is, and how far it has risen, stays or has fallen."""
        which = np.minimum((seconds / each).astype(np.int64), count - 1)
        phase = (seconds / each - which).clip(0, 1)
        drawn = people.uniform(stream, 2 * count).reshape(len(people), count, 2)[np.arange(len(people)), which]
        rise, fall = between(drawn[:, 0], 0.2, 0.45), between(drawn[:, 1], 0.55, 0.8)
        return which, smooth(phase / rise) - smooth((phase - fall) / (1 - fall))
