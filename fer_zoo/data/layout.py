"""Finding the parts of a data set where archives may have unpacked into folders of their own."""

from collections.abc import Iterator
from pathlib import Path

from fer_zoo.core.errors import UserError

_DEPTH = 2  # folders around a part, as in B_OriginalImg/OriginalImg/VL


def visible(folder: Path) -> list[Path]:
    """What lies in a folder by name, without hidden files (as .DS_Store) and folders; nothing where there is none."""
    return sorted(e for e in folder.iterdir() if not e.name.startswith(".")) if folder.is_dir() else []


def folders(folder: Path) -> list[Path]:
    """The folders in a folder, by name."""
    return [entry for entry in visible(folder) if entry.is_dir()]


def unwrapped(root: Path, name: str) -> Path | None:
    """The folder of that name, at the root or inside up to two others, and inside itself where it is doubled.

    Args:
        root: of the data set.
        name: as distributed, e.g. "Emotion".

    Returns:
        None where there is none.

    Raises:
        UserError: if there are several equally deep.
    """
    for level in _levels(root):
        found = [place / name for place in level if (place / name).is_dir()]
        if len(found) > 1:
            places = " and ".join(below(root, place) for place in found[:2])
            raise UserError(f"{root} holds {name} more than once, as {places}: give the folder of one copy.")
        if found:
            folder = found[0]
            while (folder / name).is_dir():
                folder = folder / name
            return folder
    return None


def below(root: Path, path: Path) -> str:
    """A path relative to the root, with forward slashes, for indexes and messages."""
    return path.relative_to(root).as_posix()


def _levels(root: Path) -> Iterator[list[Path]]:
    level = [root]
    yield level
    for _ in range(_DEPTH):
        level = [folder for place in level for folder in folders(place)]
        yield level
