"""Fourteen drawn faces of seven people, kept as files as `fer-zoo synthesize` keeps them."""

from pathlib import Path

import numpy as np
import pandas as pd
from fakes.fake import Fake

from fer_zoo.data.synthesis import folder as faces
from fer_zoo.data.synthesis.labels import image_name
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.priors.draws import Draws
from fer_zoo.faces.priors.expressions import ACTIONS

NAME = "synthetic_faces"
SETTINGS = SynthesisSettings(num_samples=14, samples_per_person=2, size=24)
_SMILE = ACTIONS.index("mouthSmileLeft")


def write(folder: Path) -> Fake:
    """The faces; whom and what they show follows from the priors, not from the index."""
    root, numbers = folder / NAME, np.arange(SETTINGS.num_samples)
    make(root, SETTINGS)
    paths = [image_name(SETTINGS.key, number) for number in numbers.tolist()]
    classes, _, actions = SETTINGS.emotions.draw(Draws(SETTINGS.seed, numbers))
    emotions = [SETTINGS.emotions.classes[place] for place in classes]

    def spoil_label() -> str:
        table = pd.read_parquet(root / faces.TABLE)
        table.loc[3, "emotion"] = "joy"
        table.to_parquet(root / faces.TABLE)
        return "joy"

    return Fake(
        root=root,
        settings={},
        people={path: str(number // SETTINGS.samples_per_person) for number, path in enumerate(paths)},
        labels=dict(zip(paths, emotions, strict=True)),
        values={"mouthSmileLeft": dict(zip(paths, np.float32(actions[:, _SMILE]).tolist(), strict=True))},
        hidden=(),
        spoil_label=spoil_label,
    )


def make(root: Path, settings: SynthesisSettings) -> Path:
    """A complete folder of any settings, without other processes."""
    faces.prepare(root, NAME, settings)
    for block in sorted({number // faces.BLOCK for number in faces.lacking(root, settings)}):
        faces.write_block(root, settings, block)
    faces.write_table(root, NAME, settings)
    return root
