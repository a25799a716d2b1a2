"""Conditions: what is known of how a picture came about, or of who is in it, and is no target.

An index and a prediction table hold them as columns `condition_NAME`, texts or numbers; scores are given at each level
of each. Those listed here have an order, a unit and a meaning; any other name is welcome, too.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

PREFIX = "condition_"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A known condition.

    Attributes:
        name: without the prefix.
        meaning: a phrase.
        unit: of numbers, "" for none.
        levels: texts in their order; none for numbers.
        of_person: whether it says who is shown, not how.
    """

    name: str
    meaning: str
    unit: str = ""
    levels: tuple[str, ...] = ()
    of_person: bool = False


LIGHTS = ("frontal", "side", "dark", "cast_shadow")
OCCLUDERS = ("none", "eye", "mouth", "sunglasses", "hair")
CONDITIONS: Mapping[str, Condition] = {
    condition.name: condition
    for condition in (
        Condition(name="light", meaning="how the face is lit", levels=LIGHTS),
        Condition(name="occluder", meaning="what hides a part of the face", levels=OCCLUDERS),
        Condition(name="yaw", meaning="how far the head is turned to a side", unit="degrees"),
        Condition(name="intensity", meaning="strength of the expression, 0 to 1"),
        Condition(name="face_width", meaning="width of the face, from one end of the jaw to the other", unit="pixels"),
        Condition(name="skin_tone", meaning="thirds", levels=("light", "medium", "dark"), of_person=True),
        Condition(name="age", meaning="thirds", levels=("young", "middle", "old"), of_person=True),
        Condition(name="sex", meaning="of the face", levels=("female", "male"), of_person=True),
        Condition(name="build", meaning="thirds", levels=("slim", "medium", "heavy"), of_person=True),
    )
}


def condition_columns(columns: Iterable[Hashable]) -> list[str]:
    """Those that are conditions, known ones first and in their order."""
    found = [column for column in columns if isinstance(column, str) and column.startswith(PREFIX)]
    known = list(CONDITIONS)
    names = {column: column.removeprefix(PREFIX) for column in found}
    return sorted(found, key=lambda column: known.index(names[column]) if names[column] in known else len(known))


def level_order(name: str, levels: Iterable[str]) -> list[str]:
    """The levels of a condition of texts, known ones in their order, others by alphabet behind them."""
    known = CONDITIONS[name].levels if name in CONDITIONS else ()
    return sorted(levels, key=lambda level: (known.index(level) if level in known else len(known), level))
