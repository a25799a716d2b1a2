"""List methods, data sets, face models and the other named things.

fer-zoo list [KIND] [PATTERN] [target=NAME] [commercial=yes|ask|no]

KIND is methods, datasets, face_models, weights, protocols, metrics, label_spaces, experiments, recipes or tracks;
without one it shows methods, data sets and face models.
PATTERN knows *, ? and [abc].

  fer-zoo list
  fer-zoo list methods "timm*" target=emotion
  fer-zoo list datasets commercial=yes
  fer-zoo list metrics --json
  fer-zoo list weights target=landmarks

--json prints all that is known instead of a table.
"""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.catalogue import KINDS, rows_of
from fer_zoo.cli.output import print_heading, print_json, print_rows
from fer_zoo.core.errors import UserError, nearest, unknown_name
from fer_zoo.core.sample import TARGETS

_SHOWN_FIRST = ("methods", "datasets", "face_models")
_WITH_TARGETS = ("methods", "datasets", "label_spaces", "weights")
_WITH_TERMS = (*_SHOWN_FIRST, "weights")
_ANSWERS = ("yes", "ask", "no")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "methods": ("name", "targets", "commercial", "summary"),
    "datasets": ("name", "targets", "protocol", "commercial", "summary"),
    "face_models": ("name", "files", "commercial", "summary"),
    "protocols": ("name", "unit", "summary"),
    "metrics": ("name", "better", "summary"),
    "label_spaces": ("name", "holds", "size", "entries"),
    "experiments": ("name", "method", "dataset", "protocol"),
    "recipes": ("name", "dataset", "stages", "compare"),
    "tracks": ("name", "targets", "dataset", "protocol", "metrics"),
    "weights": ("name", "targets", "size", "faces a second", "licence", "commercial", "scores"),
}
Keep = Callable[[Mapping[str, Any]], bool]


def run(command: Command) -> int:
    """Prints the chosen kinds."""
    command.allow_flags("--json")
    wanted = command.options("target", "commercial")
    kinds, pattern = _kinds_and_pattern(command.files, "target" in wanted)
    keep = _filter(wanted, kinds)
    found = {kind: [row for row in rows_of(kind) if fnmatchcase(row["name"], pattern) and keep(row)] for kind in kinds}
    if not any(found.values()) and not wanted and not set(pattern) & set("*?["):
        raise _nothing(pattern, kinds)
    if "--json" in command.flags:
        print_json(found[kinds[0]] if len(kinds) == 1 else found)
        return 0
    for number, (kind, rows) in enumerate(found.items()):
        if len(kinds) > 1:
            print_heading(kind, is_first=number == 0)
        print_rows([_shown(row) for row in rows] if kind == "weights" else rows, _COLUMNS[kind], as_json=False)
        if not rows:
            print("none of these")
    return 0


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Weights in the units of a table: megabytes, and each score in words."""
    from fer_zoo.engine.named_weights import said_score

    scores = "; ".join(map(said_score, row["scores"])) or "none recorded"
    speed = row.get("faces_per_second")
    more = {"size": f"{row['bytes'] / 1e6:.1f} MB", "faces a second": None if speed is None else round(speed)}
    return {**row, **more, "scores": scores}


def _kinds_and_pattern(words: tuple[str, ...], by_target: bool) -> tuple[tuple[str, ...], str]:
    """The kinds to show, of those without targets none where these choose, and the pattern that names must match."""
    kinds = tuple(kind for kind in _SHOWN_FIRST if kind in _WITH_TARGETS or not by_target)
    rest = list(words)
    if rest and rest[0] in KINDS:
        kinds = (rest.pop(0),)
    if len(rest) > 1:
        hint = nearest(rest[0], KINDS)
        raise UserError(f"`fer-zoo list` takes a kind and a pattern, found {' '.join(words)}.{hint} Quote patterns.")
    return kinds, rest[0] if rest else "*"


def _filter(wanted: Mapping[str, str], kinds: tuple[str, ...]) -> Keep:
    target, commercial = wanted.get("target"), wanted.get("commercial")
    if target is not None and target not in TARGETS:
        raise unknown_name("target", target, tuple(TARGETS))
    if commercial is not None and commercial not in _ANSWERS:
        raise UserError(f"commercial is {commercial!r}; it must be yes, ask or no.")
    for name, value, holds in (("target", target, _WITH_TARGETS), ("commercial", commercial, _WITH_TERMS)):
        if value is not None and not set(kinds) <= set(holds):
            raise UserError(f"`fer-zoo list {kinds[0]}` cannot be narrowed by {name}; {', '.join(holds)} can.")
    return lambda row: (target is None or target in row["targets"]) and commercial in (None, row.get("commercial"))


def _nothing(pattern: str, kinds: tuple[str, ...]) -> UserError:
    known = {str(row["name"]) for kind in kinds for row in rows_of(kind)} | set(KINDS)
    return UserError(f"Nothing is named {pattern!r}.{nearest(pattern, known)} `fer-zoo list` shows what there is.")
