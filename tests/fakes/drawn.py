"""Folders of drawn faces as `fer-zoo synthesize` keeps them; their truth is drawn beside them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from fakes.fake import Fake, write_image

from fer_zoo.core.registry import DATASETS
from fer_zoo.core.settings import build_settings
from fer_zoo.data.synthesis.blocks import face_model_of
from fer_zoo.data.synthesis.folder import TABLE, prepare, write_block, write_table
from fer_zoo.data.synthesis.labels import image_name
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.priors.face_prior import DrawnFaces, draw_faces
from fer_zoo.faces.renderer import BLOCK

KNOWN_ACTIONS = ("browInnerUp", "jawOpen", "mouthSmileLeft")


def write(folder: Path, dataset: str, *, is_painted: bool = True, **settings: Any) -> Fake:
    """The samples of some settings, written once a process and copied from then on; of noise where not painted."""
    made = _settings(dataset, settings)
    root = folder / dataset
    for path, content in _files(dataset, tuple(sorted(settings.items())), is_painted).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    drawn = _truth(dataset, tuple(sorted(settings.items())))
    paths = [f"{made.key}/{number:07d}.png" for number in range(made.num_samples)]
    actions = drawn.scenes.actions.double().numpy()
    target = next(iter(DATASETS[dataset].targets))
    labels = {path: made.emotions.classes[place] for path, place in zip(paths, drawn.emotion.tolist(), strict=True)}
    return Fake(
        root=root,
        settings={},
        target=target,
        people={path: str(person) for path, person in zip(paths, drawn.person.tolist(), strict=True)},
        labels=labels if target == "emotion" else {},
        values={
            name: dict(zip(paths, actions[:, ACTIONS.index(name)].tolist(), strict=True)) for name in KNOWN_ACTIONS
        },
        hidden=(),
        spoil_label=lambda: _spoil(root / TABLE, target),
    )


def _spoil(path: Path, target: str) -> str:
    """A class that there is not, or a value outside every range."""
    table = pd.read_parquet(path)
    column, wrong = ("emotion", "joyful") if target == "emotion" else ("jawOpen", 7.5)
    table.loc[0, column] = wrong
    table.to_parquet(path)
    return str(wrong)


def _settings(dataset: str, settings: Mapping[str, Any]) -> SynthesisSettings:
    made: SynthesisSettings = DATASETS.module(dataset).synthesis(
        build_settings(DATASETS[dataset].settings, settings, where="dataset")
    )
    return made


@lru_cache
def _truth(dataset: str, settings: tuple[tuple[str, Any], ...]) -> DrawnFaces:
    made = _settings(dataset, dict(settings))
    return draw_faces(
        face_model_of(made.face_model), made, seed=made.seed, numbers=np.arange(made.num_samples), size=made.size
    )


@lru_cache
def _files(dataset: str, settings: tuple[tuple[str, Any], ...], is_painted: bool) -> Mapping[str, bytes]:
    made = _settings(dataset, dict(settings))
    with TemporaryDirectory() as temporary:
        folder = make(Path(temporary), dataset, made) if is_painted else _noise(Path(temporary), dataset, made)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _noise(folder: Path, dataset: str, settings: SynthesisSettings) -> Path:
    """The same labels beside small pictures of noise, which take no time."""
    prepare(folder, dataset, settings)
    for number in range(settings.num_samples):
        write_image(folder / image_name(settings.key, number), number, codec="PNG")
    write_table(folder, dataset, settings)
    return folder


def make(folder: Path, dataset: str, settings: SynthesisSettings) -> Path:
    """A complete folder of any settings, without other processes."""
    prepare(folder, dataset, settings)
    for block in range(-(-settings.num_samples // BLOCK)):
        write_block(folder, settings, block)
    write_table(folder, dataset, settings)
    return folder
