"""Reads what wandb keeps of an offline run: a log of protocol buffers in blocks, as LevelDB writes them."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEADER, _BLOCK, _RECORD = 7, 32768, 7
_FULL, _LAST = 1, 4


def records(file: Path) -> Iterator[Any]:
    """The records of a .wandb file, in order."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, position, parts = file.read_bytes(), _HEADER, b""
    assert data[:4] == b":W&B"
    while position + _RECORD <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < _RECORD:  # the rest of a block is filled up
            position += left
            continue
        _, size, kind = struct.unpack("<IHB", data[position : position + _RECORD])
        parts += data[position + _RECORD : position + _RECORD + size]
        position += _RECORD + size
        if kind in (_FULL, _LAST):
            record = Record()
            record.ParseFromString(parts)
            yield record
            parts = b""


def history(file: Path) -> list[dict[str, Any]]:
    """One mapping of names to values per step."""
    found = []
    for record in records(file):
        if record.WhichOneof("record_type") == "history":
            found.append({_name(item): json.loads(item.value_json) for item in record.history.item})
    return found


def configuration(file: Path) -> dict[str, Any]:
    """The configuration of the run."""
    found: dict[str, Any] = {}
    for record in records(file):
        kind = record.WhichOneof("record_type")
        updates = {"run": record.run.config.update, "config": record.config.update}.get(kind, ())
        found |= {_name(item): json.loads(item.value_json) for item in updates}
    return found


def _name(item: Any) -> str:
    return item.key or "/".join(item.nested_key)
