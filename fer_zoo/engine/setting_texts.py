"""From the text behind a "=" to the value of a setting: the type of the field decides what the text means."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings

Texts = Mapping[str, Any]  # key -> text, or the texts of its parts


def as_tree(settings: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Nested texts from dotted keys.

    Raises:
        UserError: if a key is both a value and a group of values, or is not a name between its dots.

    Example:
        >>> as_tree([("data.batch_size", "32"), ("seed", "1")])
        {'data': {'batch_size': '32'}, 'seed': '1'}
    """
    tree: dict[str, Any] = {}
    for key, text in settings:
        *groups, last = key.split(".")
        if not all((*groups, last)):
            raise UserError(f"{key!r} is no name of a setting: write names with one dot between them.")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
            if not isinstance(branch, dict):
                raise UserError(f"{key} cannot be set beside a value of {group} itself; keep one of them.")
        if last in branch:
            raise UserError(f"{key} is set twice, or beside parts of its own; keep one of them.")
        branch[last] = text
    return tree


def typed(cls: type[Any], texts: Texts, *, where: str) -> dict[str, Any]:
    """The texts as their fields want them; names that the dataclass lacks stay, for `build_settings` to refuse.

    Raises:
        UserError: if parts are named of a setting that has none.
    """
    hints = get_type_hints(cls)
    return {
        key: _value(text, hints[key], f"{where}.{key}" if where else key) if key in hints else text
        for key, text in texts.items()
    }


def settings_from_texts(cls: type[Any], settings: Sequence[tuple[str, str]], *, where: str = "") -> dict[str, Any]:
    """The given settings of a dataclass, checked: values, of the right type, of those that were given.

    Raises:
        UserError: for an unknown name, a wrong type or a value outside its limits.
    """
    values = typed(cls, as_tree(settings), where=where)
    built = build_settings(cls, values, where=where)
    return {key: getattr(built, key) for key in values}


def as_texts(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys and values as they would be typed: what `compose` takes.

    Example:
        >>> as_texts({"trainer.max_epochs": 2, "dataset.cropped": True, "dataset.classes": ["anger", "fear"]})
        [('trainer.max_epochs', '2'), ('dataset.cropped', 'true'), ('dataset.classes', '[anger,fear]')]
    """
    return [(key, _text(value)) for key, value in settings.items()]


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple)):
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow([_text(entry) for entry in value])
        return f"[{row.getvalue()}]"
    return str(value)


def _value(text: Any, hint: Any, name: str) -> Any:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if NoneType in kinds and text == "null":
        return None
    kind = next((kind for kind in kinds if kind is not NoneType), str)
    if isinstance(text, Mapping):
        if is_dataclass(kind):
            return typed(kind, text, where=name)
        raise UserError(f"{name} is one value and has no parts, found {name}.{next(iter(text))}.")
    if is_dataclass(kind) and isinstance(text, str):
        raise UserError(f"{name} is a group of settings; set its parts: {name}.KEY=VALUE.")
    is_list = (get_origin(kind) or kind) in (list, tuple)
    return _items(text) if is_list and isinstance(text, str) else text


def _items(text: str) -> list[str]:
    """The entries of "a,b", "[a, b]" or '"a,b",c'; nothing between brackets is an empty list."""
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    rows = list(csv.reader([inner], skipinitialspace=True))
    return [entry.strip() for entry in rows[0]] if inner.strip() and rows else []
