"""synthetic_blendshape_v1: 49 people in three recordings each, after BlendshapeFERNet's BlendshapeExp, frozen."""

from dataclasses import dataclass
from pathlib import Path

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import read_frozen
from fer_zoo.data.synthesis.settings import SynthesisSettings

PEOPLE, FRAMES = 49, 102  # of a person: 36 of 12 actions, 21 of 7 expressions, 45 of 30 random seconds
SIZE = PEOPLE * FRAMES


@dataclass(kw_only=True)
class BlendshapeSettings:
    """How much of the data set is taken."""

    num_samples: int = setting(
        SIZE, f"the first so many of {SIZE:,}, {FRAMES} of each person", at_least=1, at_most=SIZE
    )


CARD = DatasetCard(
    name="synthetic_blendshape_v1",
    summary="51 blendshapes on 49 drawn people, recorded like BlendshapeFERNet's own; the same for everybody",
    targets={
        "blendshapes": "blendshapes/51",
        "au": "au/disfa12",
        "expression": "expression/29",
        "pose": "pose/3",
    },
    settings=BlendshapeSettings,
    terms=Terms("Apache-2.0", "yes"),
    ask="made by code; `fer-zoo synthesize` keeps them as files",
    is_cropped=True,
    drawn=True,
    protocol="subject_kfold",
    expected={"samples": SIZE, "subjects": PEOPLE},
    traps=(
        "A face that is drawn is no photograph: scores on these say little of scores on those.",
        "BlendshapeExp has 297,490 frames; these are 1.5 a second, so that neighbours differ as its far ones do.",
        "Most coefficients of most frames are 0: an error averaged over all 51 is small for one who always says 0.",
    ),
)


def synthesis(settings: BlendshapeSettings) -> SynthesisSettings:
    """What decides the faces: recordings of the procedural head, seed 3."""
    return SynthesisSettings(num_samples=settings.num_samples, expression="recordings", seed=3)


def read(root: Path | None, settings: BlendshapeSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
