"""Where data sets are looked for, and where the zoo keeps what it can make again."""

import os
from pathlib import Path

from platformdirs import user_cache_dir

from fer_zoo.core.errors import UserError, nearest


def data_roots(dataset: str, explicit: str | Path | None = None) -> list[Path]:
    """Folders in which a data set may lie, first choice first.

    An explicit folder is the only candidate. Else `<dataset>/` in each folder of $FER_ZOO_DATA (a list like PATH),
    then `data/<dataset>` in the current folder.
    """
    if explicit is not None:
        return [Path(explicit).expanduser()]
    listed = [entry for entry in os.environ.get("FER_ZOO_DATA", "").split(os.pathsep) if entry]
    return [*(Path(entry).expanduser() / dataset for entry in listed), Path("data") / dataset]


def find_root(
    name: str,
    explicit: str | Path | None = None,
    *,
    kind: str = "Data set",
    folder: str = "",
    how: str = "",
    given_by: str = "dataset.root=FOLDER, or root=FOLDER with check-data",
) -> Path:
    """The first candidate that is a folder.

    Args:
        name: the registered one of what lies in the folder.
        explicit: the folder a user named, if any.
        kind: what it is, the first word of the message.
        folder: its usual name, where that is not `name`.
        how: one sentence on how to get the files, e.g. from the card.
        given_by: the settings by which a user names the folder.

    Raises:
        UserError: if there is none: where it was looked for, and how to get it.
    """
    candidates = data_roots(folder or name, explicit)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    missing = f"{kind} {name} was not found: looked for the folder {', '.join(map(str, candidates))}."
    if explicit is not None:
        raise UserError(f"{missing}{near_folder(candidates[0])} {how}".strip())
    advice = how or f"`fer-zoo info {name}` says where to get it."
    raise UserError(f"{missing} {advice} Then give its folder: {given_by}; or the folder above it in $FER_ZOO_DATA.")


def near_folder(path: Path) -> str:
    """The near-miss hint for a folder that is not there, among those beside it: see `nearest`."""
    beside = path.parent
    return nearest(path.name, [entry.name for entry in beside.iterdir() if entry.is_dir()]) if beside.is_dir() else ""


def without_folder(text: str) -> str:
    """A setting as others may see it: of a path to something on this machine the last part, else the same."""
    is_path = text.startswith(("/", "~")) and Path(text).expanduser().exists()
    return Path(text).name if is_path else text


def cache_folder() -> Path:
    """$FER_ZOO_CACHE, else the user's cache folder; it may not exist yet, and may be deleted at any time."""
    named = os.environ.get("FER_ZOO_CACHE")
    return Path(named).expanduser() if named else Path(user_cache_dir("fer_zoo", appauthor=False))
