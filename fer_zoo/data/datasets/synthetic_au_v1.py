"""synthetic_au_v1: 4,000 drawn faces of 500 people who move action units; the same for everybody."""

from pathlib import Path

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import FrozenSettings, read_frozen
from fer_zoo.data.synthesis.settings import SynthesisSettings

CARD = DatasetCard(
    name="synthetic_au_v1",
    summary="action units on 4,000 drawn faces of 500 people, the same for everybody",
    targets={
        "au": "au/disfa12",
        "blendshapes": "blendshapes/51",
        "expression": "expression/29",
        "pose": "pose/3",
    },
    settings=FrozenSettings,
    terms=Terms("Apache-2.0", "yes"),
    ask="made by code; `fer-zoo synthesize` keeps them as files",
    is_cropped=True,
    drawn=True,
    expected={"samples": 4000, "subjects": 500},
    protocol="subject_kfold",
    traps=(
        "Strengths are those of the head's actions, and no coder's: who is right about them need not agree with FACS.",
        "A face that is drawn is no photograph: scores on these say little of scores on those.",
    ),
)


def synthesis(settings: FrozenSettings) -> SynthesisSettings:
    """What decides the faces: action units of the procedural head, seed 1."""
    return SynthesisSettings(num_samples=settings.num_samples, expression="action_units", seed=1)


def read(root: Path | None, settings: FrozenSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
