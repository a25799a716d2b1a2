"""Opening a data set by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import data_roots, find_root
from fer_zoo.core.registry import DATASETS
from fer_zoo.core.settings import build_settings
from fer_zoo.data.index import Index


def open_dataset(name: str, root: str | Path | None = None, **settings: Any) -> Index:
    """The index of a data set.

    Args:
        name: a registered name, see `fer-zoo list datasets`.
        root: its folder; by default `<name>/` in each folder of $FER_ZOO_DATA, then `data/<name>`; none for faces that
            are drawn.
        settings: fields of the data set's settings that differ from their defaults.

    Raises:
        UserError: for an unknown name or setting, a root that is not there, or files that are not laid out as expected.
    """
    card = DATASETS[name]
    if card.own_data and root is None:
        raise UserError(
            f"Data set {name} reads files of your own; give their folder: dataset.root=FOLDER, or root=FOLDER with"
            " check-data."
        )
    built = build_settings(card.settings, settings, where="dataset")
    how = f"`fer-zoo download {name}` fetches it." if card.downloads else f"It must be asked for: {card.ask}."
    is_drawn = card.drawn and root is None
    folder = None if is_drawn else find_root(name, root, how="" if card.own_data or card.drawn else how)
    index: Index = DATASETS.module(name).read(folder, built)
    return index


def is_at_hand(name: str, root: str | Path | None = None) -> bool:
    """Whether a data set can be opened without asking or fetching: it is drawn, or one of its roots is a folder.

    Raises:
        UserError: for an unknown name.
    """
    return DATASETS[name].drawn or any(folder.is_dir() for folder in data_roots(name, root))


def drawn_people(dataset: Mapping[str, Any]) -> set[str]:
    """Whom a drawn data set shows, by face model and seed; nobody of others.

    Args:
        dataset: its `name`, and settings that differ from their defaults.
    """
    card = DATASETS[dataset["name"]]
    if not card.drawn:
        return set()
    own = {key: value for key, value in dataset.items() if key not in ("name", "root")}
    faces = DATASETS.module(card.name).synthesis(build_settings(card.settings, own, where="dataset"))
    return {f"seed {faces.seed} of {face_model}" for face_model in faces.heads}
