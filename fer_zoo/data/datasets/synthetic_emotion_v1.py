"""synthetic_emotion_v1: 4,000 drawn faces of 500 people, seven basic emotions; the same for everybody."""

from pathlib import Path

from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import FrozenSettings, frozen_card, read_frozen
from fer_zoo.data.synthesis.settings import EMOTION_SPACE, SynthesisSettings
from fer_zoo.faces.priors.expressions import BASIC_7, EmotionPrior

CARD = frozen_card(
    "synthetic_emotion_v1",
    "seven basic emotions on 4,000 drawn faces of 500 people",
    first={"emotion": EMOTION_SPACE},
    protocol="stratified_subject_kfold",
    subjects=500,
    traps=(
        "Emotions are prototypes of the literature, and not what people show who feel something.",
        "They are the first faces of synthetic_faces: who learns from one and tests on the other has seen them.",
    ),
)


def synthesis(settings: FrozenSettings) -> SynthesisSettings:
    """What decides the faces: emotions of the face model procedural, seed 0."""
    return SynthesisSettings(
        num_samples=settings.num_samples,
        identity=settings.identity,
        expression="emotions",
        seed=0,
        emotions=EmotionPrior(classes=list(BASIC_7)),
    )


def read(root: Path | None, settings: FrozenSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
