"""What weights start from: a checkpoint for the network as a whole, or one for each of its streams."""

from collections.abc import Mapping, Sequence
from typing import Any

from fer_zoo.core.errors import UserError

WHOLE = "network"  # what a checkpoint gives its weights to, if not to a stream


def stream_paths(streams: Sequence[str]) -> dict[str, str]:
    """Stream -> checkpoint, from texts NAME=PATH.

    Raises:
        UserError: for a text of another form, or a stream named twice.

    Example:
        >>> stream_paths(["image=runs/a", "blendshape=runs/b"])
        {'image': 'runs/a', 'blendshape': 'runs/b'}
    """
    paths: dict[str, str] = {}
    for text in streams:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise UserError(f"streams are written NAME=CHECKPOINT, with commas between them, found {text!r}.")
        if name in paths:
            raise UserError(f"streams names {name!r} twice; keep one of them.")
        paths[name] = path
    return paths


def start_paths(checkpoint: str, streams: Sequence[str]) -> dict[str, str]:
    """All checkpoints that weights start from: of the whole network, or by the names of its streams.

    Raises:
        UserError: if both are given, or `stream_paths` refuses.
    """
    if checkpoint and streams:
        raise UserError("checkpoint and streams both say what the weights start from; keep one of them.")
    return {WHOLE: checkpoint} if checkpoint else stream_paths(streams)


def first_start(values: Mapping[str, Any]) -> tuple[str, bool]:
    """The checkpoint whose card decides what else is not said, "" for none, and whether it also decides the method."""
    paths = start_paths(values.get("checkpoint", ""), values.get("streams", []))
    return next(iter(paths.values()), ""), WHOLE in paths


def check_facts(hashes: object, apart: object) -> None:
    """Refuses what no user writes and a damaged file may hold in place of contents by name, and of an outer run.

    Raises:
        UserError: saying what was found.
    """
    if not isinstance(hashes, dict) or not all(isinstance(text, str) for pair in hashes.items() for text in pair):
        raise UserError(f"start_hashes is written by training, contents by name, found {hashes!r}.")
    kinds = {"dataset": dict, "protocol": dict, "fold": int, "frames": str, "target": str}
    if apart and (
        not isinstance(apart, dict)
        or set(apart) != set(kinds)
        or not all(isinstance(apart[key], kind) for key, kind in kinds.items())
        or not all(isinstance(apart[key].get("name"), str) for key in ("dataset", "protocol"))
        or not all(isinstance(key, str) for part in ("dataset", "protocol") for key in apart[part])
    ):
        raise UserError(f"apart is written by recipes: {', '.join(kinds)} of the run that is tested, found {apart!r}.")
    if not isinstance(apart, dict):
        raise UserError(f"apart is a group of settings with names, found {apart!r}.")
