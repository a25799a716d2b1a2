"""Download a data set, the files of a face model, or weights, that may be downloaded.

fer-zoo download NAME [output=FOLDER]

It goes into NAME/ below the first folder of $FER_ZOO_DATA, else into data/NAME, where every verb finds it. Weights that
do not ship go into the cache folder; they are fetched on first use, too.

  fer-zoo download facial_expressions
  fer-zoo download facial_expressions output=/data/faces
  fer-zoo download ict_facekit
"""

from pathlib import Path

from fer_zoo.cli.arguments import Command
from fer_zoo.core.cards import DatasetCard, FaceModelCard
from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import cache_folder, data_roots
from fer_zoo.core.registry import DATASETS
from fer_zoo.engine.named_weights import weights_folder, weights_names
from fer_zoo.faces.open import folder_name, has_files, known_face_model

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


def run(command: Command) -> int:
    """Downloads and unpacks the files of a card."""
    command.allow_flags()
    wanted = command.options("output")
    name = command.one_name("data set", "`fer-zoo list datasets` shows them.")
    if (face_model := known_face_model(name)) is not None:
        _fetch_face_model(face_model, wanted.get("output"))
        return 0
    if name in weights_names():
        if wanted:
            raise UserError("Weights go into the cache folder, $FER_ZOO_CACHE; leave output out.")
        print(f"{name} lies in {weights_folder(name)}")
        return 0
    card = DATASETS[name]
    folder = data_roots(card.name, wanted.get("output"))[0]
    if card.own_data:
        raise UserError(
            f"{card.name} reads files of your own, so there is nothing to download: `fer-zoo info {card.name}`."
        )
    if not card.downloads:
        raise UserError(f"{card.name} cannot be downloaded, it must be asked for: {card.ask}.")
    if folder.is_dir() and any(folder.iterdir()):
        print(f"{folder} holds files already; nothing was downloaded. `fer-zoo check-data {card.name}` looks at them.")
        return 0
    fetch(card, folder)
    return 0


def _fetch_face_model(card: FaceModelCard, output: str | None) -> None:
    """The files of a face model, without the folder that their archive puts around them."""
    if not card.downloads:
        raise UserError(
            f"{card.name} cannot be downloaded, it must be asked for: {card.ask}."
            if has_files(card)
            else f"{card.name} is made by code alone, so there is nothing to download."
        )
    folder = data_roots(folder_name(card), output)[0]
    if folder.is_dir() and any(folder.iterdir()):
        print(f"{folder} holds files already; nothing was downloaded. `fer-zoo info {card.name}` tells of them.")
        return
    fetch(card, folder, drop_top_folder=True)


def fetch(card: DatasetCard | FaceModelCard, folder: Path, *, drop_top_folder: bool = False) -> None:
    """The card's files in a folder, archives unpacked; says where from and under which terms.

    Args:
        card: what is downloaded.
        folder: new or empty.
        drop_top_folder: leave out the one folder that holds everything in an archive.

    Raises:
        UserError: if a file cannot be had whole, or the folder cannot be written.
    """
    from fer_zoo.core.download import download, unpack

    print(f"{card.name}: licence {card.terms.licence}; commercial use: {card.commercial_use}")
    for name, (address, sha256) in card.downloads.items():
        is_archive = name.endswith(_ARCHIVES)
        target = (cache_folder() / "downloads" if is_archive else folder) / name
        print(f"downloading {address}", flush=True)
        download(address, target, sha256 or None)
        if is_archive:
            print(f"unpacking {name}", flush=True)
            into = folder if len(card.downloads) == 1 else folder / Path(name).stem
            unpack(target, into, drop_top_folder=drop_top_folder)
            target.unlink()
    print(f"{card.name} lies in {folder}")
