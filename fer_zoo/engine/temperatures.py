"""Temperatures as a checkpoint's card holds them: {"temperature": {"emotion": 1.37}}."""

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
        UserError: if nothing the method gives is a class, or the card lacks a temperature.
    """
    classes = [target for target, space in spaces.items() if space.kind == "classes"]
    if not classes:
        raise UserError(
            f"calibrated=true is about probabilities of classes, and {card['method']} in {where} gives values only"
            f" ({', '.join(spaces)}); leave calibrated out."
        )
    stored, fits = card.get("temperature", {}), card.get("temperature_fit", {})
    for target in classes:
        if not stored.get(target, 0.0) > 0:
            reason = fits.get(target, {}).get("reason", "training stores it at its end")
            raise UserError(
                f"calibrated=true needs the temperature of {target}, and there is none in {where} ({reason}); leave"
                " calibrated out."
            )
    return {target: float(stored[target]) for target in classes}
