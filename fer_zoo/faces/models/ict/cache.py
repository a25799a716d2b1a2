"""The parsed mesh, kept in the zoo's cache: reading 150 text files takes seconds, reading it a fraction of one."""

import json
import zipfile
from dataclasses import fields
from hashlib import sha256
from pathlib import Path

import numpy as np

from fer_zoo.core.files import write_atomically
from fer_zoo.core.paths import cache_folder
from fer_zoo.faces.models.ict.mesh import IctMesh, folder_of, parse, source_files

# Raised whenever `parse` gives something else than before.
VERSION = 2


def load(root: Path) -> IctMesh:
    """The mesh of a copy of ICT-FaceKit: from the cache, or parsed and put there.

    Raises:
        UserError: for a file that is missing, damaged or of another mesh, or a cache that cannot be written.
    """
    folder = folder_of(root)
    path = cache_folder() / "ict" / f"{_key(folder)}.npz"
    if (mesh := _read(path)) is not None:
        return mesh
    mesh = parse(folder)
    with write_atomically(path) as temporary:
        np.savez(temporary, allow_pickle=False, **mesh.arrays())
    return mesh


def _key(folder: Path) -> str:
    """A name for the content, of which no file is read: of every file its name, size and time of change."""
    found = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in source_files(folder)]
    return sha256(json.dumps([VERSION, found]).encode()).hexdigest()[:20]


def _read(path: Path) -> IctMesh | None:
    """A mesh as it was written; None where there is none or it is damaged, so that it is made again."""
    names = [item.name for item in fields(IctMesh)]
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return IctMesh(**{name: stored[name] for name in names})
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
