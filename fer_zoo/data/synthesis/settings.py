"""What decides a data set of drawn faces."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
from jaxtyping import Int

from fer_zoo.core.settings import setting
from fer_zoo.faces.priors.settings import FacePrior

VERSION = 2  # of what is drawn for given settings; another one means other pictures
EMOTION_SPACE = "emotion/basic8"
IDENTITY_DOC = "also tell people apart: target identity, a class for each person"
AU_SPACES = ("au/disfa12", "au/fera2015", "au/fera2017", "au/genet23")
# Settings of which no picture depends.
LABELS_ALONE = ("num_samples", "au_space", "identity", "whole_intensities")
ASKED_LATER = ("identity", "whole_intensities")  # of these not even a kept table


@dataclass(kw_only=True)
class SynthesisSettings(FacePrior):
    """Which faces are drawn."""

    face_model: str = setting("procedural", "whose faces they are; procedural+ict: people of both in turn")
    num_samples: int = setting(2000, "pictures; sample i is the same whatever their number", at_least=1)
    seed: int = setting(0, "of everything drawn: another seed has other people", at_least=0)
    size: int = setting(96, "sides of the pictures, pixels", at_least=8, at_most=512)
    au_space: str = setting("au/disfa12", "action units, or GE-Net's sliders", choices=AU_SPACES)
    identity: bool = setting(False, IDENTITY_DOC)
    whole_intensities: bool = setting(
        False, "action units rounded to 0, 1 … 5, as people code them; GE-Net's sliders stay"
    )

    @property
    def heads(self) -> list[str]:
        """The face models, of which each draws every so manieth person."""
        return self.face_model.split("+")

    def by_head(self, numbers: Int[np.ndarray, " b"]) -> list[tuple["SynthesisSettings", Int[np.ndarray, " n"]]]:
        """For each face model that draws any of these samples, its settings and the positions of those."""
        turn = self.places(numbers)[0] % len(self.heads)
        parts = [
            (replace(self, face_model=head), (turn == place).nonzero()[0]) for place, head in enumerate(self.heads)
        ]
        return [(own, places) for own, places in parts if len(places)]

    @property
    def key(self) -> str:
        """12 hex digits of everything that a sample depends on, the generator's version included.

        What is as usual is not said, so that a setting that comes later makes no other sets of those that are there;
        another usual value needs another version.
        """
        said = _unlike(asdict(self), asdict(type(self)()))
        said = {name: value for name, value in said.items() if name not in LABELS_ALONE}
        return sha256(json.dumps([VERSION, said], sort_keys=True).encode()).hexdigest()[:12]


def _unlike(values: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Those that differ, of groups the parts that do."""
    changed = {name: value for name, value in values.items() if value != usual[name]}
    return {
        name: _unlike(value, usual[name]) if isinstance(value, Mapping) else value for name, value in changed.items()
    }
