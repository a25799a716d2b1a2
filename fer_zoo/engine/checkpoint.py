"""Checkpoints: a folder with model.safetensors and card.json. Loading one executes nothing."""

import io
import json
import os
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor

import fer_zoo
from fer_zoo.core.cards import Terms, strictest
from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.files import as_json, file_sha256, read_record, write_atomically, write_together
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.method_settings import STARTING_WEIGHTS
from fer_zoo.core.paths import without_folder
from fer_zoo.core.registry import METHODS
from fer_zoo.engine import named_weights
from fer_zoo.engine.create import create_method
from fer_zoo.engine.temperatures import temperatures_of
from fer_zoo.tasks.face_task import FaceTask

SCHEMA = 1
WEIGHTS, CARD = "model.safetensors", named_weights.CARD
CHECKSUM = "weights_sha256"  # in the card; cards of before have none
# What a card must hold, and what else the engine reads from one.
_NEEDED = {"schema": int, "method": str, "settings": dict, "label_spaces": dict, "input_spec": dict}
_OPTIONAL = {
    "training": dict, "validation": dict, "pretraining": dict, "licences": dict, "temperature": dict,
    "temperature_fit": dict, CHECKSUM: str,
}  # fmt: skip


def subject_hash(code: str) -> str:
    """The form in which a checkpoint remembers a training subject: enough to find an overlap, no code."""
    return sha256(code.encode()).hexdigest()[:12]


def save_method(folder: Path, task: FaceTask, *, training: Mapping[str, Any], validation: Mapping[str, float]) -> None:
    """Write weights and card, both or none; the card comes last, so that a folder with a card is whole.

    The card holds the checksum of the weights: should the process be killed between the two names, loading tells.

    Args:
        folder: made if missing.
        task: its network and settings are stored.
        training: data set, fingerprint, protocol, fold, seed, hashes of the training subjects and files …
        validation: metrics of these weights on the validation part.

    Raises:
        UserError: if the folder cannot be written to, or the disk is full; what stood there is untouched.
    """
    write_checkpoint(folder, task.network.state_dict(), _card(task, training, validation))


def write_checkpoint(
    folder: Path, tensors: Mapping[str, Tensor], card: Mapping[str, Any], *, at_most: int | None = None
) -> int:
    """Write tensors and a card, both or none; the bytes of the two. The card gets the checksum of the weights.

    Raises:
        UserError: if the two have more bytes than `at_most`, the folder cannot be written to, or the disk is full; what
            stood there is untouched.
    """
    content = to_bytes({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    text = as_json({**card, CHECKSUM: sha256(content).hexdigest()}).encode()
    size = len(content) + len(text)
    if at_most is not None and size > at_most:
        raise UserError(
            f"Weights ({len(content):,} bytes) and card ({len(text):,}) are larger than {at_most:,} bytes together."
        )
    with write_together(folder / WEIGHTS, folder / CARD) as (weights, words):
        weights.write_bytes(content)
        words.write_bytes(text)
    return size


def load_method(path: str | Path, *, calibrated: bool = False) -> FaceTask:
    """The method of a checkpoint folder (or of a run folder that holds `model/`), in evaluation mode.

    Its card is the attribute `card`. Weights in half precision give a network in single precision.

    Args:
        path: the folder, or a name that `fer-zoo list weights` shows.
        calibrated: give probabilities at the temperature that the card holds; the answers stay the same.

    Raises:
        UserError: if the folder is no checkpoint, is cut short, does not fit this version's network, or is to be
            calibrated and holds no temperature.
    """
    folder = checkpoint_folder(path)
    card = read_card(folder)
    # The weights stand in the folder; what they once started from need not be at hand.
    settings = {key: value for key, value in card["settings"].items() if key not in STARTING_WEIGHTS}
    try:
        spaces = {target: LabelSpace.from_dict(values) for target, values in card["label_spaces"].items()}
        input_spec = InputSpec.from_dict(card["input_spec"])
    except UserError as error:
        raise UserError(f"{folder / CARD} is damaged. {error}") from error
    _require_whole(folder, card)
    task = create_method(card["method"], label_spaces=spaces, **settings)
    task.input_spec = input_spec
    _load_weights(task.network, folder / WEIGHTS)
    task.card = card
    if calibrated:
        task.temperatures = temperatures_of(card, spaces, where=str(folder))
    return task.eval()


def checkpoint_folder(path: str | Path) -> Path:
    """The folder that holds card.json: the path itself or its `model/`, else that of the weights of this name.

    Raises:
        UserError: if there is none; files with pickled code are named as such and never opened.
    """
    given = Path(path)
    for folder in (given, given / "model"):
        if (folder / CARD).is_file():
            return folder
    if (named := named_weights.weights_folder(str(path))) is not None:
        return named
    if given.is_file():
        raise UserError(
            f"{given} is a file; a checkpoint of fer_zoo is a folder with {WEIGHTS} and {CARD}."
            " Pickled files are never run; bare weights go in with method.backbone_weights=PATH."
        )
    what = f"holds no {CARD}" if given.is_dir() else "does not exist"
    newest = _newest_run(given if given.is_dir() else given.parent)
    raise UserError(
        f"The checkpoint {given} {what}; give a run folder, or a folder with {WEIGHTS} and {CARD}."
        + (f" The newest run there is {newest}." if newest else "")
        + nearest(str(path), named_weights.weights_names())
    )


def _newest_run(folder: Path) -> Path | None:
    """The run below a folder, at one or two levels, whose model was written last."""
    cards = [card for levels in ("*", "*/*") for card in folder.glob(f"{levels}/model/{CARD}")]
    return max(cards, key=lambda card: card.stat().st_mtime).parent.parent if cards else None


def checkpoint_hash(path: str | Path) -> str:
    """12 hex digits over method, label spaces and weights of a checkpoint, wherever it lies.

    Raises:
        UserError: if it is none, or not whole.
    """
    folder = checkpoint_folder(path)
    card = read_card(folder)
    weights = _require_whole(folder, card)
    parts = {"method": card["method"], "spaces": card["label_spaces"], "weights": weights}
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def checkpoint_hashes(paths: Mapping[str, str]) -> dict[str, str]:
    """`checkpoint_hash` of several, by name."""
    return {name: checkpoint_hash(path) for name, path in paths.items()}


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning's resume files, written under another name and renamed, read without executing anything."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write whole or not at all."""
        with write_atomically(Path(path)) as temporary:
            content = io.BytesIO()  # a full disk is no OSError when torch writes the file itself
            torch.save(checkpoint, content)
            temporary.write_bytes(content.getbuffer())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read plain data and tensors only, from a file whose every part has its checksum.

        Raises:
            UserError: for a file that is cut short, was changed, holds code, or is no resume file.
        """
        content = Path(path).read_bytes()
        try:
            _require_intact(content)
            values = torch.load(io.BytesIO(content), map_location=map_location or "cpu", weights_only=True)
        except _DAMAGES as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise _no_resume_file(path, f"{len(content)} bytes: {reason}") from error
        if not isinstance(values, dict):
            raise _no_resume_file(path, f"it holds a {type(values).__name__}")
        if lacking := [name for name, kind in _RESUMED.items() if not isinstance(values.get(name), kind)]:
            raise _no_resume_file(path, f"it lacks {', '.join(lacking)}")
        return values


_RESUMED = {"state_dict": dict, "loops": dict, "callbacks": dict, "optimizer_states": list}
# What reading a damaged archive raises; a pickle that would run code is one of them.
_DAMAGES = (
    zipfile.BadZipFile, UnpicklingError, EOFError, RuntimeError, ValueError, LookupError, TypeError,
    AttributeError, AssertionError, OverflowError, OSError, struct.error, zlib.error,
)  # fmt: skip


def _require_intact(content: bytes) -> None:
    """Checks the checksum of every part of a file that torch wrote, which torch itself does not.

    Raises:
        zipfile.BadZipFile: if one is wrong, or there is none.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
            raise zipfile.BadZipFile("its parts are compressed, which torch never does")
        if (part := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"the checksum of {part} is wrong")


def _no_resume_file(path: Any, reason: str) -> UserError:
    return UserError(
        f"{path} is no whole file to carry on from ({reason}); delete it and give the command again, which starts this"
        " training anew."
    )


def read_card(path: str | Path) -> dict[str, Any]:
    """The card of a checkpoint, whose parts are there and of the right kind.

    Raises:
        UserError: otherwise, and for a schema that this version does not read.
    """
    path = checkpoint_folder(path) / CARD
    card = read_record(path)
    lacking = [key for key, kind in _NEEDED.items() if not isinstance(card.get(key), kind)]
    lacking += [key for key, kind in _OPTIONAL.items() if not isinstance(card.get(key, kind()), kind)]
    if lacking:
        raise UserError(
            f"{path} is no checkpoint card: it lacks {lacking[0]!r}, or holds something else under that name."
        )
    if card["schema"] != SCHEMA:
        raise UserError(
            f"{path.parent} has checkpoint schema {card['schema']}; this version of fer_zoo reads {SCHEMA}."
        )
    return card


def _require_whole(folder: Path, card: Mapping[str, Any]) -> str:
    """The checksum of a checkpoint's weights.

    Raises:
        UserError: if there are none, or not those that the card was written with.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise UserError(f"The checkpoint lacks {path}; it is not whole.")
    checksum = file_sha256(path)
    if card.get(CHECKSUM, checksum) != checksum:
        raise UserError(
            f"The checkpoint {folder} is not whole: {WEIGHTS} ({path.stat().st_size} bytes) is not the file that its"
            f" {CARD} was written with; copy both again, or, where a training writes them, let that go on."
        )
    return checksum


def _load_weights(network: torch.nn.Module, path: Path) -> None:
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is no whole safetensors file ({error}); copy the checkpoint again.") from error
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(
            f"The weights in {path} do not fit the network that its card names: {str(error).splitlines()[1].strip()}"
        ) from error


def _card(task: FaceTask, training: Mapping[str, Any], validation: Mapping[str, float]) -> dict[str, Any]:
    method = METHODS[task.method_name]
    sets = {name: Terms(*terms) for name, terms in training.get("licences", {}).items()}
    earlier = {name: Terms(**terms) for name, terms in task.card.get("pretraining", {}).items()}
    pretraining = {**method.pretraining, **earlier, **task.pretraining()}
    return {
        "schema": SCHEMA,
        "method": task.method_name,
        "settings": {key: without_folder(v) if isinstance(v, str) else v for key, v in asdict(task.settings).items()},
        "label_spaces": {target: space.to_dict() for target, space in task.spaces.items()},
        "input_spec": task.input_spec.to_dict(),
        "num_parameters": sum(p.numel() for p in task.network.parameters()),
        "training": dict(training),
        "pretraining": {name: asdict(terms) for name, terms in pretraining.items()},
        "validation": dict(validation),
        "licences": {"code": asdict(method.code), **{name: asdict(terms) for name, terms in sets.items()}},
        "commercial_use": strictest([method.code, *sets.values(), *pretraining.values()]),
        "versions": {name: version(name) for name in ("torch", "timm", "pytorch-lightning", "albumentations")}
        | {"fer_zoo": fer_zoo.__version__},
        "commit": _commit(),
    }


def _commit() -> str:
    """The commit of the checkout that runs, "" outside of one."""
    folder = Path(fer_zoo.__file__).parent
    if not (folder.parent / ".git").exists():
        return ""
    command = ["git", "-C", os.fspath(folder), "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()
