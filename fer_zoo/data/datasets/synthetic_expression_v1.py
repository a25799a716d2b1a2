"""synthetic_expression_v1: 4,000 drawn faces of 500 people, expression coefficients; the same for everybody."""

from pathlib import Path

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import FrozenSettings, read_frozen
from fer_zoo.data.synthesis.settings import SynthesisSettings

CARD = DatasetCard(
    name="synthetic_expression_v1",
    summary="29 expression coefficients on 4,000 drawn faces of 500 people, the same for everybody",
    targets={
        "expression": "expression/29",
        "au": "au/disfa12",
        "blendshapes": "blendshapes/51",
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
        "Coefficients are those of this head's own components, and no numbers of ExpNet's 3DMM compare with them.",
        "A face that is drawn is no photograph: scores on these say little of scores on those.",
    ),
)


def synthesis(settings: FrozenSettings) -> SynthesisSettings:
    """What decides the faces: action units of the procedural head, seed 2."""
    return SynthesisSettings(num_samples=settings.num_samples, expression="action_units", seed=2)


def read(root: Path | None, settings: FrozenSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
