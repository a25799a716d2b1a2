"""Settings: typed dataclasses whose fields say what they are, built from the words of a user."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from fer_zoo.core.errors import UserError, nearest

S = TypeVar("S")


def setting(
    default: Any,
    doc: str,
    *,
    choices: Sequence[str] = (),
    at_least: float | None = None,
    at_most: float | None = None,
) -> Any:
    """A dataclass field with its sentence and its limits, which `build_settings` enforces and `fer-zoo info` prints."""
    metadata = {"doc": doc, "choices": tuple(choices), "at_least": at_least, "at_most": at_most}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def build_settings(cls: type[S], values: Mapping[str, Any], *, where: str) -> S:
    """An object of a settings dataclass from names and values.

    Args:
        cls: the dataclass; nested dataclasses take nested mappings.
        values: only what differs from the defaults; text is converted ("0.1" becomes a float).
        where: prefix of the keys in messages, e.g. "method" for "method.backbone".

    Raises:
        UserError: for an unknown name (with near misses), a wrong type or a value outside its limits.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    _check_names(cls, values, where)
    node = OmegaConf.structured(cls)
    OmegaConf.set_readonly(node, False)  # a frozen dataclass becomes a read-only node
    _assign(node, cls, values, where)
    try:
        built: S = OmegaConf.to_object(node)  # type: ignore[assignment]  # to_object gives the dataclass back
    except MissingMandatoryValue as error:
        raise UserError(f"{_dotted(where, str(error.full_key))} is '???', which stands for no value.") from error
    except OmegaConfBaseException as error:
        name = _dotted(where, str(error.full_key))
        raise UserError(f"{name} is a text with '${{', where another kind of value is expected.") from error
    _check_limits(built, where)
    return built


def describe_settings(cls: type[Any]) -> list[tuple[str, str, Any, str]]:
    """(name, type, default, sentence with choices or limits) of every field, for `info` and the docs.

    Settings of a group, as `pose.yaw`, stand in the place of the group.
    """
    rows = []
    for entry in fields(cls):
        default = entry.default if entry.default_factory is MISSING else entry.default_factory()
        if is_dataclass(default):
            rows += [(f"{entry.name}.{name}", *rest) for name, *rest in describe_settings(type(default))]
            continue
        allowed = _allowed(entry)
        doc = entry.metadata.get("doc", "") + (f" ({allowed})" if allowed else "")
        rows.append((entry.name, _type_name(cls, entry.name), default, doc))
    return rows


def _allowed(entry: Field[Any]) -> str:
    """The choices or limits of a field in words."""
    least, most = entry.metadata.get("at_least"), entry.metadata.get("at_most")
    if least is not None and most is not None:
        return f"{least:g} to {most:g}"
    if least is None and most is None:
        return " | ".join(entry.metadata.get("choices", ()))
    return f"at least {least:g}" if most is None else f"at most {most:g}"


def _assign(node: Any, cls: type[Any], values: Mapping[str, Any], where: str) -> None:
    """Puts values into a node that OmegaConf made of a dataclass, those of a group one by one, so that one is named."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    for key, value in values.items():
        name = _dotted(where, key)
        if isinstance(value, Mapping) and _is_group(cls, key):
            _assign(node[key], get_type_hints(cls)[key], value, name)
            continue
        if isinstance(value, list | tuple):
            _require_plain_items(value, name)
        try:
            OmegaConf.update(node, key, _literal(value))
        except (OmegaConfBaseException, OverflowError) as error:  # a whole number beyond all floats
            if _is_group(cls, key):
                raise UserError(
                    f"{name} is a group of settings, got {value!r}; set its parts: {name}.KEY=VALUE."
                ) from error
            raise UserError(f"{name} must be {_type_name(cls, key)}, got {value!r}.") from error


def _is_group(cls: type[Any], key: str) -> bool:
    inner = get_type_hints(cls)[key]
    return is_dataclass(inner) and isinstance(inner, type)


def _check_names(cls: type[Any], values: Mapping[str, Any], where: str) -> None:
    known = {entry.name: entry for entry in fields(cls)}
    for key, value in values.items():
        if key not in known:
            name = _dotted(where, key)
            raise UserError(f"There is no setting {name}.{nearest(key, known)} Known: {', '.join(known) or 'none'}.")
        if isinstance(value, Mapping) and _is_group(cls, key):
            _check_names(get_type_hints(cls)[key], value, _dotted(where, key))


def _check_limits(built: Any, where: str) -> None:
    for entry in fields(built):
        value = getattr(built, entry.name)
        if is_dataclass(value):
            _check_limits(value, _dotted(where, entry.name))
            continue
        _check_limit(entry, value, _dotted(where, entry.name))


def _dotted(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _literal(value: Any) -> Any:
    """The value with its "${" escaped, so that a user's text is never taken for an interpolation."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", value)
    if isinstance(value, Mapping):
        return {key: _literal(entry) for key, entry in value.items()}
    return [_literal(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _require_plain_items(items: Sequence[Any], name: str) -> None:
    for item in items:
        if isinstance(item, list | tuple | Mapping):  # OmegaConf lets them into a list of numbers
            raise UserError(f"{name} must hold plain values, found {item!r} in it.")


def _check_limit(entry: Field[Any], value: Any, name: str) -> None:
    choices, least, most = (entry.metadata.get(key) for key in ("choices", "at_least", "at_most"))
    for item in value if isinstance(value, list) else [value]:
        if choices and item not in choices:
            raise UserError(f"{name} is {item!r}.{nearest(str(item), choices)} It must be one of {', '.join(choices)}.")
        if item is None or isinstance(item, str):
            continue
        if isinstance(item, float) and not math.isfinite(item):
            raise UserError(f"{name} is {item}; it must be a finite number.")
        if least is not None and item < least:
            raise UserError(f"{name} is {item}; it must be at least {least}.")
        if most is not None and item > most:
            raise UserError(f"{name} is {item}; it must be at most {most}.")


def _type_name(cls: type[Any], key: str) -> str:
    hint = get_type_hints(cls)[key]
    return (
        hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint).replace("typing.", "")
    )
