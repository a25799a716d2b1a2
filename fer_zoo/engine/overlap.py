"""What a checkpoint remembers of the images it has seen, and the refusal to be scored on them."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import file_sha256
from fer_zoo.data.index import Index
from fer_zoo.engine.checkpoint import subject_hash
from fer_zoo.engine.run import Echo, Run

_DIGITS = 12


def file_hashes(index: Index, ids: Iterable[str]) -> dict[str, str]:
    """12 hex digits of the content of each image file, by id; files that are missing or empty are left out."""
    names = list(ids)
    paths = [index.root / image for image in index.table["image"].iloc[index.rows_of(names)]]
    with ThreadPoolExecutor(max_workers=8) as pool:
        hashes = dict(zip(names, pool.map(_content_hash, paths), strict=True))
    return {name: content for name, content in hashes.items() if content}


def refuse_training_data(card: Mapping[str, Any], run: Run, *, echo: Echo) -> None:
    """Stop where people or image files of the test part were in the checkpoint's training.

    Files are compared by content, so that another reader, other names or other subject codes hide nothing. Copies that
    a data set holds of its own training images under other subjects are told, but a fold stays what it is.

    Raises:
        UserError: naming the first of them by their codes or ids.
    """
    training = card["training"]
    _refuse_subjects(training, run)
    seen = set(training.get("file_hashes", ()))
    if not seen:
        echo("warning: this checkpoint does not say which files it was trained on, so only subjects were compared")
        return
    shared = [name for name, content in file_hashes(run.index, run.split.test).items() if content in seen]
    if not shared:
        return
    ids = ", ".join(shared[:3]) + (" …" if len(shared) > 3 else "")
    if run.index.fingerprint() == training["fingerprint"]:
        echo(f"warning: {len(shared)} test images ({ids}) are copies of training images of other subjects")
        return
    raise UserError(
        f"{len(shared)} of {len(run.split.test)} test images are files that this checkpoint was trained on ({ids}),"
        f" so a score would mean nothing; {_instead(training)}."
    )


def _refuse_subjects(training: Mapping[str, Any], run: Run) -> None:
    if training["dataset"]["name"] != run.index.dataset:
        return
    seen = set(training["subject_hashes"])
    codes = run.index.table["subject"].iloc[run.index.rows_of(run.split.test)].unique()
    shared = [code for code in codes if subject_hash(code) in seen]
    if shared:
        raise UserError(
            f"{len(shared)} of {len(codes)} test subjects were in the training of this checkpoint"
            f" ({', '.join(shared[:3])} …), so a score would mean nothing; {_instead(training)}."
        )


def _instead(training: Mapping[str, Any]) -> str:
    return f"evaluate its own fold {training['fold']} of {training['protocol']['name']}, or other data"


def _content_hash(path: Path) -> str:
    try:
        return file_sha256(path)[:_DIGITS] if path.stat().st_size else ""
    except OSError:  # reported where the image is read
        return ""
