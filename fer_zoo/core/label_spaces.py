"""Label spaces: the named, ordered entries of a target. Order is part of a space; spaces meet by name only."""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import Any, Literal

from fer_zoo.core.errors import UserError, nearest, unknown_name
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.core.sample import DENSE_TARGETS

MISSING_CLASS = -1
MOST_ENTRIES = 100_000  # a damaged file must not make a network of a billion outputs
MOST_SHOWN = 60  # entries in a sentence, and in the name of a space of one's own classes
OWN = "own"  # written where a label space is chosen: the labels themselves are the classes


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return (isinstance(value, float) and math.isfinite(value)) or (type(value) is int and abs(value) < 1 << 53)


def _are_entries(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) <= MOST_ENTRIES and all(map(_is_text, value))


def _are_codes(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_is_text, [*value, *value.values()]))


def _is_kind(value: object) -> bool:
    return isinstance(value, str) and value in ("classes", "values")


# What each field of a stored label space may hold.
_FIELDS: Mapping[str, Callable[[object], bool]] = {
    "name": _is_text, "target": _is_text, "entries": _are_entries, "kind": _is_kind, "unit": _is_text,
    "minimum": _is_number, "maximum": _is_number, "centre": _is_number, "codes": _are_codes,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LabelSpace:
    """The entries of one target, in vector order.

    Attributes:
        name: "target/variant", as a checkpoint stores it; "target/variant:one+two" holds some of the entries only.
        target: what the entries describe: emotion, au, blendshapes, expression …
        entries: unique names; the position is the class number or the vector index.
        kind: "classes" (one of the entries holds) or "values" (each entry has a number).
        unit: what one unit of a value means.
        minimum, maximum: range of a value.
        centre: fixed offset about which metrics take their sums, so that float64 sums lose nothing.
        codes: native spelling -> entry, as the data set writes its labels; entries themselves always count.
    """

    name: str
    target: str
    entries: tuple[str, ...]
    kind: Literal["classes", "values"] = "classes"
    unit: str = "class"
    minimum: float = 0.0
    maximum: float = 1.0
    centre: float = 0.0
    codes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.entries)) != len(self.entries) or not self.entries:
            raise UserError(f"Label space {self.name!r} needs unique entries and at least one, found {self.entries}.")
        strays = set(self.codes.values()) - set(self.entries)
        if strays:
            raise UserError(
                f"Label space {self.name!r} has codes for {sorted(strays)}, which are not among its entries."
            )
        if self.is_points and (self.kind, self.entries) != ("values", LANDMARK_COLUMNS):
            raise UserError(
                f"Label space {self.name!r} must have the values {LANDMARK_COLUMNS[0]} … {LANDMARK_COLUMNS[-1]}, all"
                f" {len(LANDMARK_COLUMNS)} in order: points are moved and scored together."
            )

    @classmethod
    def from_dict(cls, values: Any) -> "LabelSpace":
        """The space that `to_dict` wrote, wherever it was kept since.

        Raises:
            UserError: for anything else.
        """
        if not isinstance(values, Mapping) or not {"name", "target", "entries"} <= set(values) <= set(_FIELDS):
            raise UserError(f"A label space needs name, target and entries and knows {', '.join(_FIELDS)} only.")
        wrong = [name for name, value in values.items() if not _FIELDS[name](value)]
        if wrong:
            raise UserError(f"A label space cannot have such {' and '.join(wrong)}.")
        return cls(**{**values, "entries": tuple(values["entries"])})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as cards and headers hold them."""
        return {**asdict(self), "codes": dict(self.codes)}

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def is_points(self) -> bool:
        """Whether the values are x and y of points, which move with the picture and are scored by distance."""
        return self.target == "landmarks"

    @property
    def rest(self) -> float:
        """The value of nothing happening: 0, or the least value where 0 is none."""
        return 0.0 if self.minimum <= 0 <= self.maximum else self.minimum

    @property
    def is_dense(self) -> bool:
        """Whether each pixel has a label, whose classes or channels the entries are; no table holds such labels."""
        return self.target in DENSE_TARGETS

    def index(self, entry: str) -> int:
        """The position of an entry.

        Raises:
            UserError: if the space has no such entry.
        """
        if entry not in self.entries:
            raise UserError(
                f"{self.name} has no entry {entry!r}.{nearest(entry, self.entries)} It has {listed(self.entries)}."
            )
        return self.entries.index(entry)

    def parse(self, text: object, *, where: str) -> str:
        """The entry that a native label means; upper and lower case are the same.

        Raises:
            UserError: naming the place, the label and the entries.
        """
        label = str(text).strip()
        spellings = {
            **{code.lower(): entry for code, entry in self.codes.items()},
            **{e.lower(): e for e in self.entries},
        }
        if label.lower() not in spellings:
            hint = nearest(label, tuple(spellings))
            raise UserError(f"Label {label!r} in {where} is not one of {self.name}: {listed(self.entries)}.{hint}")
        return spellings[label.lower()]

    def only(self, entries: Collection[str]) -> "LabelSpace":
        """The space of some of the entries, in this space's order; its name says which.

        Raises:
            UserError: if the space lacks one of them, or none are given.

        Example:
            >>> label_space("emotion/basic7").only(["sadness", "anger"]).name
            'emotion/basic7:anger+sadness'
        """
        wanted, known = set(entries), set(self.entries)
        for entry in wanted - known:
            self.index(entry)  # says what there is
        if len(wanted) == len(self.entries):
            return self
        kept = tuple(entry for entry in self.entries if entry in wanted)
        codes = {code: entry for code, entry in self.codes.items() if entry in wanted}
        whole = self.name.partition(":")[0]
        name = _own_name(self.target, kept) if whole.endswith(f"/{OWN}") else f"{whole}:{'+'.join(kept)}"
        return replace(self, name=name, entries=kept, codes=codes)


def listed(entries: Collection[str]) -> str:
    """Entries for a sentence, of very many the first and how many more there are."""
    shown = ", ".join(list(entries)[:MOST_SHOWN])
    return shown if len(entries) <= MOST_SHOWN else f"{shown} … and {len(entries) - MOST_SHOWN:,} more"


def _own_name(target: str, entries: Collection[str]) -> str:
    """The name of a space of one's own classes; very many are told apart by their number and a hash."""
    words = "+".join(entries)
    if len(entries) > MOST_SHOWN:
        words = f"{len(entries)}_{sha256(words.encode()).hexdigest()[:8]}"
    return f"{target}/{OWN}:{words}"


def value_space(
    name: str, entries: tuple[str, ...], *, unit: str, maximum: float, centre: float, minimum: float = 0.0
) -> LabelSpace:
    """A space of numbers from minimum to maximum; the target is the part of the name before the slash."""
    return LabelSpace(
        name=name,
        target=name.partition("/")[0],
        entries=entries,
        kind="values",
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        centre=centre,
    )


def own_space(target: str, labels: Iterable[str], *, where: str) -> LabelSpace:
    """The space of a user's own classes: their labels in lower case, blanks as underscores, in alphabetical order.

    So are the people of a data set, by their codes, for target identity.

    Raises:
        UserError: for a label with signs that a list of classes or a column cannot hold, or if there is none.

    Example:
        >>> own_space("emotion", ["Very calm", "bored"], where="the folders").name
        'emotion/own:bored+very_calm'
    """
    codes = {}
    for label in labels:
        entry = re.sub(r"\s+", "_", unicodedata.normalize("NFC", label).strip().lower())
        if not re.fullmatch(r"[\w.-]+", entry):
            raise UserError(
                f"{label!r} in {where} cannot be the name of a class: rename it with letters, digits, '_', '-' and '.'"
                " only."
            )
        codes[label.strip()] = entry
    entries = tuple(sorted(set(codes.values())))
    if not entries:
        raise UserError(f"There is no class in {where}.")
    spellings = {label: entry for label, entry in codes.items() if label != entry}
    return LabelSpace(name=_own_name(target, entries), target=target, entries=entries, codes=spellings)


@cache
def label_spaces() -> Mapping[str, LabelSpace]:
    """All spaces the zoo declares, by name."""
    from fer_zoo.core.action_units import ACTION_UNIT_SPACES
    from fer_zoo.core.blendshapes import BLENDSHAPES_51
    from fer_zoo.core.emotions import EMOTION_SPACES
    from fer_zoo.core.face_parameters import FACE_PARAMETER_SPACES

    expression = value_space(
        "expression/29",
        tuple(f"expression_{i:02d}" for i in range(29)),
        unit="standard deviations",
        minimum=-3.0,  # the bound of ExpNet's labels (Chang et al., Eq. 2)
        maximum=3.0,
        centre=0.0,
    )
    pose = value_space(
        "pose/3",
        ("pose_pitch", "pose_yaw", "pose_roll"),
        unit="radians",
        minimum=-math.pi,
        maximum=math.pi,
        centre=0.0,
    )
    landmarks = value_space(
        "landmarks/68",
        LANDMARK_COLUMNS,
        unit="pixels",
        minimum=-65_536.0,  # the largest side of a JPEG, beyond its edges: a bound for damaged numbers alone
        maximum=65_536.0,
        centre=0.0,
    )
    people = LabelSpace(  # stand for the people of a data set, who are known when it is read
        name=f"identity/{OWN}", target="identity", entries=("person_1", "person_2")
    )
    of_values = (BLENDSHAPES_51, expression, pose, landmarks, *FACE_PARAMETER_SPACES)
    return {space.name: space for space in (*EMOTION_SPACES, *ACTION_UNIT_SPACES, people, *of_values, *_dense_spaces())}


def _dense_spaces() -> tuple[LabelSpace, ...]:
    """Of what each pixel has: a part, a place on the head, how it is lit."""
    from fer_zoo.core.face_parts import FACE_PARTS

    maps = [
        value_space(
            f"position_map/{model}",  # whose unwrapping it is
            ("position_x", "position_y", "position_z"),
            unit="pixels",
            minimum=-65_536.0,  # as of landmarks
            maximum=65_536.0,
            centre=0.0,
        )
        for model in ("procedural", "ict")
    ]
    shading = value_space(
        "shading/frontal", ("shading",), unit="cosine of the angle to the viewer", maximum=1.0, centre=0.5
    )
    return LabelSpace(name="mask/11", target="mask", entries=FACE_PARTS), *maps, shading


def label_space(name: str) -> LabelSpace:
    """The space of that name; "emotion/basic7:anger+sadness" is some of the entries of one.

    Raises:
        UserError: if there is none, or it lacks one of the entries, with the nearest names.
    """
    whole, colon, entries = name.partition(":")
    if whole not in label_spaces():
        raise unknown_name("label space", whole, tuple(label_spaces()), see="`fer-zoo list label_spaces`")
    return label_spaces()[whole].only(entries.split("+")) if colon else label_spaces()[whole]
