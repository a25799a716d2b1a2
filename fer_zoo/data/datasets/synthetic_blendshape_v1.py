"""synthetic_blendshape_v1: 49 people in three recordings each, after BlendshapeFERNet's BlendshapeExp, frozen."""

from dataclasses import dataclass
from pathlib import Path

from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import frozen_card, read_frozen
from fer_zoo.data.synthesis.settings import IDENTITY_DOC, SynthesisSettings

PEOPLE, FRAMES = 49, 102  # of a person: 36 of 12 actions, 21 of 7 expressions, 45 of 30 random seconds
SIZE = PEOPLE * FRAMES


@dataclass(kw_only=True)
class BlendshapeSettings:
    """How much of the data set is taken."""

    num_samples: int = setting(
        SIZE, f"the first so many of {SIZE:,}, {FRAMES} of each person", at_least=1, at_most=SIZE
    )
    identity: bool = setting(False, IDENTITY_DOC)


CARD = frozen_card(
    "synthetic_blendshape_v1",
    "51 blendshapes on 49 drawn people, recorded like BlendshapeFERNet's own",
    first={"blendshapes": "blendshapes/51"},
    protocol="subject_kfold",
    samples=SIZE,
    subjects=PEOPLE,
    settings=BlendshapeSettings,
    traps=(
        "BlendshapeExp has 297,490 frames; these are 1.5 a second, so that neighbours differ as its far ones do.",
        "Most coefficients of most frames are 0: an error averaged over all 51 is small for one who always says 0.",
    ),
)


def synthesis(settings: BlendshapeSettings) -> SynthesisSettings:
    """What decides the faces: recordings of the face model procedural, seed 3."""
    return SynthesisSettings(
        num_samples=settings.num_samples, identity=settings.identity, expression="recordings", seed=3
    )


def read(root: Path | None, settings: BlendshapeSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
