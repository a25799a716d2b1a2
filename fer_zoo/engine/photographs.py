"""Which photographs and videos a command means."""

from collections.abc import Sequence
from pathlib import Path

from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import near_folder
from fer_zoo.data.index import IMAGE_SUFFIXES
from fer_zoo.data.video import SUFFIXES as VIDEO_SUFFIXES

SUFFIXES = frozenset(IMAGE_SUFFIXES) | VIDEO_SUFFIXES


def expand_files(files: Sequence[str]) -> list[Path]:
    """Every photograph and video that is meant, in order, each once.

    A folder stands for those in it and below, but for hidden files, a .txt file for the paths in its lines (relative
    to the file), a pattern with * for what it matches.

    Raises:
        UserError: for a path that does not exist, a list that is no UTF-8, or when nothing is left.
    """
    found: dict[Path, None] = {}
    for given in files:
        found.update(dict.fromkeys(_expand(given)))
    if not found:
        raise UserError(
            f"No photographs or videos in {', '.join(files) or 'nothing'}; give files, folders, patterns or a list."
        )
    return list(found)


def count_left_out(files: Sequence[str]) -> int:
    """How many files of the folders are not meant by them: hidden, or neither photograph nor video by their suffix."""
    folders = (Path(given).expanduser() for given in files)
    found = {file for folder in folders if folder.is_dir() for file in folder.rglob("*")}
    return sum(not _is_meant(file) and file.is_file() for file in found)


def _is_meant(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _expand(given: str) -> list[Path]:
    path = Path(given).expanduser()
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if _is_meant(file) and file.is_file())
    if path.suffix == ".txt" and path.is_file():
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        except UnicodeDecodeError as error:
            raise UserError(
                f"The list {path} is no text in UTF-8 (byte {error.start + 1}); save it as such."
            ) from error
        return [path.parent / line for line in lines if line]
    if path.exists():
        return [path]
    matched = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    if not matched:
        raise UserError(f"There is no file, folder or match for {given!r}.{near_folder(path)}")
    return [path for match in matched for path in (_expand(str(match)) if match.is_dir() else [match])]
