"""The prior of clips: an expression that rises from neutral to its apex, stays and falls, with a little tremor."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from fer_zoo.core.settings import setting
from fer_zoo.faces.priors.draws import Draws, between

_WAVES = 3  # of a tremor or drift


@dataclass(kw_only=True)
class ClipPrior:
    """Frames of one expression of one person; one frame is a photograph at the apex."""

    frames: int = setting(1, "frames of a clip; 1 makes single pictures", at_least=1, at_most=10_000)
    falls: float = setting(
        0.5, "share of clips that fall back to neutral; the others end at the apex", at_least=0.0, at_most=1.0
    )
    tremor: float = setting(0.03, "deviation of the strength over a clip", at_least=0.0, at_most=0.3)
    drift: float = setting(3.0, "deviation of the head's angles over a clip, degrees", at_least=0.0, at_most=20.0)

    def strength(self, clips: Draws, frame: Int[np.ndarray, " b"]) -> Float[np.ndarray, " b"]:
        """What the apex' actions are multiplied by, 0 to 1; `clips` are the draws of each sample's clip."""
        if self.frames == 1:
            return np.ones(len(frame))
        drawn, place = clips.uniform("clip", 4), frame / (self.frames - 1)
        onset, rise = between(drawn[:, 0], 0.0, 0.2), between(drawn[:, 1], 0.2, 0.5)
        falls = (drawn[:, 2] < self.falls) & (self.frames > 2)  # of two frames the second would be neutral, too
        fall = np.where(falls, between(drawn[:, 3], 0.75, 0.9), np.inf)
        up = smooth((place - onset) / rise)
        down = smooth((place - fall) / (1 - np.where(np.isinf(fall), 0.0, fall)))
        tremor = 1 + self.tremor * self._waves(clips, "clip/tremor", place, 1)[:, 0]
        return ((up - down) * tremor).clip(0, 1)

    def turn(self, clips: Draws, frame: Int[np.ndarray, " b"]) -> Float[np.ndarray, "b 3"]:
        """What is added to yaw, pitch and roll, radians."""
        if self.frames == 1:
            return np.zeros((len(frame), 3))
        return self.drifted(clips, frame / (self.frames - 1))

    def drifted(self, clips: Draws, place: Float[np.ndarray, " b"]) -> Float[np.ndarray, "b 3"]:
        """The same where `place` of a clip, 0 to 1, has passed."""
        return np.deg2rad(self.drift) * self._waves(clips, "clip/drift", place, 3)

    def _waves(self, clips: Draws, stream: str, place: np.ndarray, count: int) -> Float[np.ndarray, "b {count}"]:
        """Slow sums of sines of unit deviation."""
        drawn = clips.uniform(stream, 2 * count * _WAVES).reshape(len(clips), 2, count, _WAVES)
        turns = between(drawn[:, 0], 0.5, 4.0) * place[:, None, None] + drawn[:, 1]
        return np.sin(2 * np.pi * turns).sum(axis=2) * np.sqrt(2 / _WAVES)


def smooth(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 with no jerk at either end; outside it stays."""
    share = share.clip(0, 1)
    return share * share * (3 - 2 * share)
