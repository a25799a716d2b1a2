"""Downloading with a checksum, and unpacking that writes nowhere but into its folder.

Members of an archive are named by their position: their names may be names of people.
"""

import secrets
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPException
from lzma import LZMAError
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import NO_SPACE, file_sha256, full_disk_told, write_atomically
from fer_zoo.core.progress import progress

_BLOCK = 1 << 20
_SILENCE_SECONDS = 30
_DAMAGED = (EOFError, LZMAError, zlib.error, tarfile.TarError, zipfile.BadZipFile, NotImplementedError)
_CLASHING_NAMES = (FileExistsError, IsADirectoryError, NotADirectoryError)


def download(address: str, target: Path, sha256: str | None = None) -> None:
    """Fetches a file under a temporary name, checks it and gives it its own; a file with the right checksum is kept.

    Args:
        address: http or https.
        target: the file to write.
        sha256: the expected checksum; without one only the length that the server tells is checked.

    Raises:
        UserError: if it cannot be had whole: the address, the target, the checksum and the way by hand.
    """
    if sha256 is not None and target.is_file() and file_sha256(target) == sha256:
        return
    by_hand = f"Download it by hand and save it as {target}" + (f" (sha256 {sha256})." if sha256 else ".")
    if urlsplit(address).scheme not in ("http", "https"):
        raise UserError(f"Cannot download {address}: only http and https addresses are fetched. {by_hand}")
    with write_atomically(target) as temporary:
        try:
            _fetch(address, temporary)
        except (OSError, HTTPException, EOFError) as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise
            if isinstance(error, HTTPError):
                error.close()  # it is an open answer too
            raise UserError(f"Cannot download {address} ({error or type(error).__name__}). {by_hand}") from error
        found = file_sha256(temporary)
        if sha256 is not None and found != sha256:
            raise UserError(f"{address} has sha256 {found}: it is not the file expected, and was removed. {by_hand}")


def _fetch(address: str, target: Path) -> None:
    request = Request(address, headers={"User-Agent": "fer_zoo"})
    with urlopen(request, timeout=_SILENCE_SECONDS) as response, target.open("wb") as stream:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdecimal() else None
        done = 0
        blocks: Iterator[bytes] = iter(partial(response.read, _BLOCK), b"")
        kilobytes = None if total is None else total // 1000
        for block in progress(blocks, "downloading", total=kilobytes, unit="kB", each=lambda b: len(b) // 1000):
            stream.write(block)
            done += len(block)
    if total is not None and done != total:
        raise EOFError(f"the connection ended after {done} of {total} bytes")


class _Member(NamedTuple):
    """One file or folder of an archive; `what` says what else it is, if so."""

    name: str
    is_folder: bool
    what: str
    content: Callable[[], IO[bytes] | None]


def unpack(archive: Path, folder: Path, *, drop_top_folder: bool = False) -> None:
    """Unpacks a zip or tar file into a new or empty folder, wholly or not at all.

    Files get plain permissions. With `drop_top_folder` the one folder that holds everything is left out.

    Raises:
        UserError: if the archive is damaged, or holds a link, a device or a member that would leave the folder; if
            the folder holds something already or cannot be written to. Nothing is written then.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"Cannot unpack {archive.name} into {folder}, which is not empty: remove it, or name another.")
    temporary = folder.with_name(f".{secrets.token_hex(4)}-{folder.name}")
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"Cannot write {folder}: {error.strerror}. Choose another folder.") from error
    try:
        with full_disk_told(folder):
            _write_members(archive, temporary)
        _only_folder(archive, temporary, drop_top_folder).replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_members(archive: Path, folder: Path) -> None:
    position = 0
    try:
        for position, member in enumerate(_members(archive), start=1):
            _write_member(member, folder, f"Member {position} of {archive.name}")
    except _DAMAGED as error:
        raise UserError(
            f"{archive} is damaged or cut short after {position} members ({type(error).__name__})."
            " Download it again; nothing was unpacked."
        ) from error
    except OSError as error:
        if error.errno is not None and not isinstance(error, _CLASHING_NAMES):
            raise
        raise UserError(f"Member {position} of {archive.name} cannot be unpacked; the archive is damaged.") from error


def _write_member(member: _Member, folder: Path, where: str) -> None:
    parts = _safe_parts(member.name)
    if parts is None or member.what:
        wrong = member.what or "would be written outside the folder"
        raise UserError(f"{where} {wrong}, which no data set needs; nothing was unpacked. Do not trust this archive.")
    path = folder.joinpath(*parts)
    if member.is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = member.content()
    if content is not None:
        with content, path.open("wb") as stream:
            shutil.copyfileobj(content, stream, _BLOCK)


def _safe_parts(name: str) -> tuple[str, ...] | None:
    """The parts of a member's name, or None if on any system it could point outside."""
    windows = PureWindowsPath(name)
    if name.startswith("/") or windows.drive or windows.root or ".." in windows.parts or "\0" in name:
        return None
    return PurePosixPath(name).parts


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    else:
        yield from _tar_members(archive)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            what = "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "is a link or a device"
            if info.flag_bits & 1:
                what = "is encrypted"
            yield _Member(info.filename, info.filename.endswith("/"), what, partial(opened.open, info))


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive) as opened:
        for info in opened:
            what = "" if info.isfile() or info.isdir() else "is a link or a device"
            yield _Member(info.name, info.isdir(), what, partial(opened.extractfile, info))
        while opened.fileobj is not None and opened.fileobj.read(_BLOCK):
            pass  # to the end of the compressed stream, whose checksum stands there


def _only_folder(archive: Path, folder: Path, drop_top_folder: bool) -> Path:
    """What takes the final name: the temporary folder, or the one folder in it."""
    if not drop_top_folder:
        return folder
    entries = list(folder.iterdir())
    if len(entries) != 1 or not entries[0].is_dir():
        raise UserError(f"{archive.name} was expected to hold one folder, found {len(entries)} entries at its top.")
    return entries[0]
