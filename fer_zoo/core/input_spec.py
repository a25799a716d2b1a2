"""How pixels reach a network: declared by the method, obeyed by the data module, carried by the checkpoint."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from fer_zoo.core.errors import UserError

LARGEST = 4096  # pixels: a damaged card must not ask for an image of terabytes

Colour = Literal["rgb", "bgr", "grey"]
Alignment = Literal["none", "five_points"]


def _is_side(value: object) -> bool:
    return type(value) is int and value <= LARGEST


def _is_finite(value: object) -> bool:
    return (isinstance(value, float) and math.isfinite(value)) or (type(value) is int and abs(value) < 1 << 53)


def _is_alignment(value: object) -> bool:
    return isinstance(value, str) and value in get_args(Alignment)


def _is_colour(value: object) -> bool:
    return isinstance(value, str) and value in get_args(Colour)


def _per_channel(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_finite, value))


_CHECKS = (
    _is_side,
    _is_side,
    _is_finite,
    _is_alignment,
    _is_colour,
    _per_channel,
    _per_channel,
)  # of the fields, in order


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """What a network expects of its image.

    Attributes:
        height, width: pixels.
        crop_scale: side of the crop over the larger side of the face box; ignored for sets that are cropped already.
        alignment: "five_points" maps eyes, nose and mouth corners onto a template; the data must have them.
        colour: channel order; "grey" is one channel.
        mean, std: per channel, in units of [0, 1]; the network sees (pixel - mean) / std.
    """

    height: int
    width: int
    crop_scale: float = 1.25
    alignment: Alignment = "none"
    colour: Colour = "rgb"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if self.colour not in ("rgb", "bgr", "grey") or self.alignment not in ("none", "five_points"):
            raise UserError(
                f"An input spec has colour rgb, bgr or grey and alignment none or five_points, found {self}."
            )
        if not (len(self.mean) == len(self.std) == self.channels):
            raise UserError(
                f"An input spec with colour {self.colour} needs {self.channels} values of mean and std,"
                f" found {self.mean} and {self.std}."
            )
        if self.height < 1 or self.width < 1 or self.crop_scale <= 0 or min(self.std) <= 0:
            raise UserError(f"An input spec needs a positive size, crop scale and std, found {self}.")

    @property
    def channels(self) -> int:
        """Colour channels: 1 or 3."""
        return 1 if self.colour == "grey" else 3

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as card.json holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> "InputSpec":
        """The spec that `to_dict` wrote, wherever it was kept since.

        Raises:
            UserError: for anything else.
        """
        known = {entry.name: check for entry, check in zip(fields(cls), _CHECKS, strict=True)}
        if not isinstance(values, Mapping) or not {"height", "width", "mean", "std"} <= set(values) <= set(known):
            raise UserError(f"An input spec needs height, width, mean and std and knows {', '.join(known)} only.")
        wrong = [name for name, value in values.items() if not known[name](value)]
        if wrong:
            raise UserError(
                f"An input spec cannot have such {' and '.join(wrong)}; a side has at most {LARGEST} pixels."
            )
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})
