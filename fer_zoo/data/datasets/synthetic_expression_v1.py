"""synthetic_expression_v1: 4,000 drawn faces of 500 people, expression coefficients; the same for everybody."""

from pathlib import Path

from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import FrozenSettings, frozen_card, read_frozen
from fer_zoo.data.synthesis.settings import SynthesisSettings

CARD = frozen_card(
    "synthetic_expression_v1",
    "29 expression coefficients on 4,000 drawn faces of 500 people",
    first={"expression": "expression/29"},
    protocol="subject_kfold",
    subjects=500,
    traps=("Coefficients are those of this face model's own components, and no numbers of ExpNet's 3DMM compare.",),
)


def synthesis(settings: FrozenSettings) -> SynthesisSettings:
    """What decides the faces: action units of the face model procedural, seed 2."""
    return SynthesisSettings(
        num_samples=settings.num_samples, identity=settings.identity, expression="action_units", seed=2
    )


def read(root: Path | None, settings: FrozenSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
