"""synthetic_au_v1: 4,000 drawn faces of 500 people who move action units; the same for everybody."""

from pathlib import Path

from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import FrozenSettings, frozen_card, read_frozen
from fer_zoo.data.synthesis.settings import SynthesisSettings

CARD = frozen_card(
    "synthetic_au_v1",
    "action units on 4,000 drawn faces of 500 people",
    first={"au": "au/disfa12"},
    protocol="subject_kfold",
    subjects=500,
    traps=(
        "Strengths are those of the face model's actions, and no coder's: who is right about them need not agree with"
        " FACS.",
    ),
)


def synthesis(settings: FrozenSettings) -> SynthesisSettings:
    """What decides the faces: action units of the face model procedural, seed 1."""
    return SynthesisSettings(
        num_samples=settings.num_samples, identity=settings.identity, expression="action_units", seed=1
    )


def read(root: Path | None, settings: FrozenSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
