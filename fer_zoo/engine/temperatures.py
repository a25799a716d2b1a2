"""Temperatures as a checkpoint's card holds them: {"temperature": {"emotion": 1.37}}."""

import math
from collections.abc import Mapping
from typing import Any

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace


def temperatures_of(card: Mapping[str, Any], spaces: Mapping[str, LabelSpace], *, where: str) -> dict[str, float]:
    """The temperature of each target with classes.

    Args:
        card: of a checkpoint.
        spaces: its label spaces per target.
        where: the checkpoint, for the message.

    Raises:
        UserError: if nothing the method gives is a class, or the card lacks a temperature or holds none that is one.
    """
    classes = [target for target, space in spaces.items() if space.kind == "classes"]
    if not classes:
        raise UserError(
            f"calibrated=true is about probabilities of classes, and {card['method']} in {where} gives values only"
            f" ({', '.join(spaces)}); leave calibrated out."
        )
    stored = _part(card, "temperature")
    for target in classes:
        value = stored.get(target)
        if not isinstance(value, int | float) or isinstance(value, bool) or not (math.isfinite(value) and value > 0):
            raise UserError(f"calibrated=true needs {_lack(card, target, value)} in {where}; leave calibrated out.")
    return {target: float(stored[target]) for target in classes}


def _lack(card: Mapping[str, Any], target: str, value: Any) -> str:
    """What stands where the temperature should."""
    if value is not None:
        return f"a temperature of {target} above 0, and the card says {value!r}"
    how = _part(_part(card, "temperature_fit"), target)
    reason = how.get("reason", "")
    told = f" ({reason})" if reason else ", which training stores at its end"
    return f"the temperature of {target}{told}, and there is none"


def _part(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What stands under a key, if it has parts."""
    part = values.get(key, {})
    return part if isinstance(part, Mapping) else {}
