"""Download a data set that may be downloaded.

fer-zoo download NAME [output=FOLDER]

It goes into NAME/ below the first folder of $FER_ZOO_DATA, else into data/NAME, where every verb finds it.

  fer-zoo download facial_expressions
  fer-zoo download facial_expressions output=/data/faces
"""

from pathlib import Path

from fer_zoo.cli.arguments import Command
from fer_zoo.core.cards import DatasetCard
from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import cache_folder, data_roots
from fer_zoo.core.registry import DATASETS

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


def run(command: Command) -> int:
    """Downloads and unpacks the files of a card."""
    command.allow_flags()
    wanted = command.options("output")
    card = DATASETS[command.one_name("data set", "`fer-zoo list datasets` shows them.")]
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


def fetch(card: DatasetCard, folder: Path) -> None:
    """The card's files in a folder, archives unpacked; says where from and under which terms.

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
            unpack(target, folder if len(card.downloads) == 1 else folder / Path(name).stem)
            target.unlink()
    print(f"{card.name} lies in {folder}")
