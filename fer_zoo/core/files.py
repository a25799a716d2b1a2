"""Safe files: what stands under a name is whole, whatever happened while it was written."""

import errno
import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError

NO_SPACE = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
MOST_JSON = 1 << 28  # bytes; the card of a checkpoint that remembers ten million files has fewer


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, with its suffix, that takes its name when the block ends well.

    After an exception, Ctrl-C or a full disk the old file stands as it was and nothing is left beside it.
    Missing parent folders are made.

    Raises:
        UserError: if the folder cannot be written to, or the disk is full.
    """
    with write_together(path) as (temporary,):
        yield temporary


@contextmanager
def write_together(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Temporary paths beside files of one folder that belong together; all take their names when the block ends well.

    None is renamed before all are on the disk, so that a full disk changes none of them. They are renamed in the order
    given; a process that is killed between two renames leaves new files beside old ones, which the last file must be
    able to tell (by a checksum of the others).

    Raises:
        UserError: if the folder cannot be written to, or the disk is full.
    """
    temporaries = tuple(path.with_name(f".{secrets.token_hex(4)}-{path.name}") for path in paths)
    for path, temporary in zip(paths, temporaries, strict=True):
        _require_writable(path, temporary)
    try:
        with full_disk_told(paths[0] if len(paths) == 1 else paths[0].parent):
            yield temporaries
            for temporary in temporaries:
                _write_through(temporary)
            for path, temporary in zip(paths, temporaries, strict=True):
                temporary.replace(path)
            _write_through(paths[0].parent)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def _require_writable(path: Path, temporary: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        temporary.unlink()
    except OSError as error:
        raise UserError(
            f"Cannot write {path}: {error.strerror}. Choose another folder, or make this one writable."
        ) from error


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Turns "no space left" inside the block into a UserError that names `path`; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise UserError(
            f"Cannot write {path}: {os.strerror(error.errno)}. Free some space; what stood there before is untouched."
        ) from error


def _write_through(path: Path) -> None:
    """Waits until a file or the entries of a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8, wholly or not at all."""
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Writes plain values as JSON, wholly or not at all; numbers that are not finite become null."""
    write_text(path, as_json(value))


def as_json(value: Any) -> str:
    """The text of plain values, as `write_json` writes it."""
    return json.dumps(plain(value), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """The same in what JSON knows: arrays and tuples as lists, numbers that are not finite as None, paths as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value) if isinstance(value, Path) else value


def read_json(path: Path) -> Any:
    """The values that `write_json` wrote.

    Raises:
        UserError: if there is no such file, it cannot be read, is cut short or no JSON, or larger than any of ours.
    """
    try:
        if path.stat().st_size > MOST_JSON:
            raise UserError(f"{path} ({path.stat().st_size} bytes) is too large for a JSON file of fer_zoo.")
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except RecursionError as error:
        raise UserError(
            f"{path} is no JSON file of fer_zoo: it is nested too deeply. Delete it and make it again."
        ) from error
    except ValueError as error:  # no JSON, no UTF-8, or a number of more digits than Python reads
        raise UserError(
            f"{path} ({path.stat().st_size} bytes) is no whole JSON file ({error}). Delete it and make it again."
        ) from error


def read_record(path: Path) -> dict[str, Any]:
    """The names and values of a JSON file whose content is one object: a result, a card, a record.

    Who reads many of them catches the error of each, tells it and goes on: a damaged record is named and left out.

    Raises:
        UserError: if there is no such file, it is damaged, or holds something else.
    """
    values = read_json(path)
    if not isinstance(values, dict):
        raise UserError(f"{path} is no record: names with values were expected, found {type(values).__name__}.")
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def file_sha256(path: Path) -> str:
    """The checksum of a file's content: 64 hex digits."""
    checksum = sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            checksum.update(block)
    return checksum.hexdigest()
