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
