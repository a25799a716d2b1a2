"""synthetic_emotion_v1: 4,000 drawn faces of 500 people, seven basic emotions; the same for everybody."""

from pathlib import Path

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import FrozenSettings, read_frozen
from fer_zoo.data.synthesis.settings import EMOTION_SPACE, SynthesisSettings
from fer_zoo.faces.priors.expressions import BASIC_7, EmotionPrior

CARD = DatasetCard(
    name="synthetic_emotion_v1",
    summary="seven basic emotions on 4,000 drawn faces of 500 people, the same for everybody",
    targets={
        "emotion": EMOTION_SPACE,
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
    expected={
        "samples": 4000,
        "subjects": 500,
        "emotion=anger": 579,
        "emotion=disgust": 575,
        "emotion=fear": 595,
        "emotion=happiness": 586,
        "emotion=neutral": 528,
        "emotion=sadness": 563,
        "emotion=surprise": 574,
    },
    protocol="stratified_subject_kfold",
    traps=(
        "Emotions are prototypes of the literature, and not what people show who feel something.",
        "A face that is drawn is no photograph: scores on these say little of scores on those.",
        "They are the first faces of synthetic_faces: who learns from one and tests on the other has seen them.",
    ),
)


def synthesis(settings: FrozenSettings) -> SynthesisSettings:
    """What decides the faces: emotions of the procedural head, seed 0."""
    return SynthesisSettings(
        num_samples=settings.num_samples, expression="emotions", seed=0, emotions=EmotionPrior(classes=list(BASIC_7))
    )


def read(root: Path | None, settings: FrozenSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
