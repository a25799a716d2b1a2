"""Face models by name, with their files found."""

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_zoo.core.cards import FaceModelCard
from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.paths import data_roots, find_root
from fer_zoo.core.registry import FACE_MODELS, load_object

if TYPE_CHECKING:
    from fer_zoo.faces.face_model import FaceModel


def open_face_model(name: str, root: str | Path | None = None, **settings: Any) -> "FaceModel":
    """A face model, built.

    Args:
        name: registered, or that of the folder of its files.
        root: that folder; else it is looked for where data sets are, see `core.paths.data_roots`.
        settings: how it is made, as `num_identity` of ict.

    Raises:
        UserError: for an unknown name or setting, files that are not there, or a root for a model that has none.
    """
    card = face_model_card(name)
    if root is not None and not has_files(card):
        raise UserError(f"{card.name} is made by code alone and reads no files: leave root={root} out.")
    build = _build(card, settings)
    if not has_files(card):
        return build()
    how = how_to_get(card)
    kind, folder = "The folder of the face model", folder_name(card)
    return build(find_root(card.name, root, kind=kind, folder=folder, how=how, given_by="root=FOLDER"))


def face_model_card(name: str) -> FaceModelCard:
    """The card of a face model, by its name or by that of the folder of its files.

    Raises:
        UserError: if there is none, with the nearest names.
    """
    card = known_face_model(name)
    return FACE_MODELS[name] if card is None else card


def known_face_model(name: str) -> FaceModelCard | None:
    """The same, or None where there is none."""
    cards = [FACE_MODELS[known] for known in FACE_MODELS.names()]
    return next((card for card in cards if name in (card.name, folder_name(card))), None)


def has_files(card: FaceModelCard) -> bool:
    """Whether a model is read from files; else code alone makes it."""
    return bool(card.downloads or card.ask)


def folder_name(card: FaceModelCard) -> str:
    """What the folder of a model's files is called: as the archive that they come in."""
    return Path(next(iter(card.downloads), card.name)).stem


def found_folder(card: FaceModelCard) -> Path | None:
    """Where the files of a model lie; None if they are not there."""
    return next((folder for folder in data_roots(folder_name(card)) if folder.is_dir()), None)


def how_to_get(card: FaceModelCard) -> str:
    """One sentence on how to come by the files of a model."""
    if card.downloads:
        return f"`fer-zoo download {folder_name(card)}` fetches them."
    return f"They must be asked for: {card.ask}."


def _build(card: FaceModelCard, settings: Mapping[str, Any]) -> Callable[..., "FaceModel"]:
    """What makes the model, given its folder if it has one."""
    build: Callable[..., FaceModel] = load_object(card.build)
    known = list(signature(build).parameters)[int(has_files(card)) :]
    for name in settings:
        if name not in known:
            listing = ", ".join(known) or "none"
            raise UserError(
                f"The face model {card.name} has no setting {name!r}.{nearest(name, known)} It has {listing}."
            )
    return partial(build, **settings)
