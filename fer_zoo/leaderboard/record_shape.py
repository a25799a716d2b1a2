"""What a record must hold to be read: names and kinds, down to the last entry that a board looks at."""

from collections.abc import Callable, Mapping
from typing import Any

_MOST_IMAGES = 2_000_000  # of one class in a training part; each becomes a row

Check = Callable[[Any], bool]


def _is(*kinds: type) -> Check:
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _each(check: Check) -> Check:
    """Of a mapping's values; its keys are text."""
    return lambda value: (
        isinstance(value, Mapping) and all(isinstance(key, str) and check(item) for key, item in value.items())
    )


def _with(**checks: Check) -> Check:
    """Of a mapping's entries by name."""
    return lambda value: (
        isinstance(value, Mapping) and all(name in value and check(value[name]) for name, check in checks.items())
    )


def _is_gap(value: Any) -> bool:
    return isinstance(value, Mapping) and _is(int, float, type(None))(value.get("gap"))


def _is_labels(value: Any) -> bool:
    counts = _each(_each(lambda n: _is(int)(n) and 0 <= n <= _MOST_IMAGES))
    means = _each(_is(int, float, type(None)))
    parts = {"counts": counts, "means": means}
    return isinstance(value, Mapping) and all(name in parts and parts[name](part) for name, part in value.items())


ALWAYS: Mapping[str, Check] = {
    "schema": _is(int),
    "track": _is(dict),
    "entry": _is(str),
    "seed": _is(int),
    "command": _is(str),
}
FAILED: Mapping[str, Check] = {**ALWAYS, "failure": _is(str)}
SCORED: Mapping[str, Check] = {
    **ALWAYS,
    "predictions_sha256": _is(str),
    "pixels": _is(str),
    "method": _is(dict),
    "commercial_use": _is(str),
    "folds": lambda value: bool(value) and _each(_with(on_test=_is_gap, labels=_is_labels))(value),
    "cost": _with(parameters=_is(int), macs=_is(int), faces_per_second=_is(int, float), device=_is(str)),
}


def missing_entry(facts: Any) -> str:
    """The first name that a record lacks or holds something else under; "" for a whole one."""
    if not isinstance(facts, dict):
        return "schema"
    checks = FAILED if "failure" in facts else SCORED
    return next((name for name, check in checks.items() if name not in facts or not check(facts[name])), "")
