"""synthetic_faces: faces drawn by a face model, whose labels are exact; as many and as varied as one asks for."""

from pathlib import Path

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.settings import EMOTION_SPACE, SynthesisSettings

NAME = "synthetic_faces"

CARD = DatasetCard(
    name=NAME,
    summary="faces drawn by a face model with exact labels, as many and as varied as you ask for",
    targets={
        "emotion": EMOTION_SPACE,
        "au": "au/disfa12",
        "blendshapes": "blendshapes/51",
        "expression": "expression/29",
        "pose": "pose/3",
        "landmarks": "landmarks/68",
        "face_parameters": "face_parameters/procedural",
        "mask": "mask/11",
        "position_map": "position_map/procedural",
        "shading": "shading/frontal",
    },
    settings=SynthesisSettings,
    terms=Terms("Apache-2.0 (procedural), MIT (ict)", "yes"),
    ask="made by code; `fer-zoo synthesize` keeps them as files",
    is_cropped=True,
    drawn=True,
    traps=(
        "Emotions are prototypes of the literature, and not what people show who feel something.",
        "A face that is drawn is no photograph: scores on these say little of scores on those.",
    ),
)


def synthesis(settings: SynthesisSettings) -> SynthesisSettings:
    """Which faces these settings mean; of other drawn data sets `fer-zoo synthesize` asks the same."""
    return settings


def read(root: Path | None, settings: SynthesisSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a wrong setting, a face model whose files are not there, or another folder.
    """
    from fer_zoo.data.synthesis.folder import read_folder
    from fer_zoo.data.synthesis.labels import drawn_index

    faces = synthesis(settings)
    return drawn_index(NAME, faces) if root is None else read_folder(root, NAME, faces)
