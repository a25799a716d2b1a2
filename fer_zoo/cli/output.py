"""What the command line prints: tables for people, JSON for programs."""

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from fer_zoo.core.files import plain
from fer_zoo.engine.jobs import process_rank

_LEAST_WIDTH = 24  # of a wrapped last column
_GAP = "  "


def say(line: str) -> None:
    """One line at once, also into a file that somebody follows; of several processes only the first speaks."""
    if process_rank() == 0:
        print(line, flush=True)


def say_aside(line: str) -> None:
    """The same on stderr, where the output itself is a table or JSON."""
    if process_rank() == 0:
        print(line, file=sys.stderr, flush=True)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """A table of the named columns, or all of each row as JSON."""
    if as_json:
        print_json(list(rows))
    elif rows:
        print(table([[cell(row.get(column)) for column in columns] for row in rows], columns, width=_width()))


def print_json(value: Any) -> None:
    """JSON that every parser reads: numbers that are not finite become null, paths text."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False))


def print_facts(facts: Mapping[str, str]) -> None:
    """One fact a line, wrapped under itself; empty ones are left out."""
    shown = {name: text for name, text in facts.items() if text}
    if shown:
        print(table(list(map(list, shown.items())), (), width=_width()))


def print_heading(text: str, *, is_first: bool = False) -> None:
    """A line that opens a part, and a blank one before it."""
    print(text if is_first else f"\n{text}")


def table(cells: Sequence[Sequence[str]], header: Sequence[str], *, width: int | None) -> str:
    """Columns aligned by blanks; the last one is wrapped where the width is known.

    Example:
        >>> print(table([["a", "1"], ["bcd", "22"]], ["name", "count"], width=None))
        name  count
        a     1
        bcd   22
    """
    rows = [list(header), *map(list, cells)] if header else list(map(list, cells))
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for row in rows), strict=True)]
    indent = sum(widths) + len(_GAP) * len(widths)
    lines = []
    for row in rows:
        wrapped = _wrapped(row[-1], None if width is None else max(width - indent, _LEAST_WIDTH))
        first = _GAP.join([*(text.ljust(size) for text, size in zip(row, widths, strict=False)), wrapped[0]])
        lines += [first.rstrip(), *(" " * indent + line for line in wrapped[1:])]
    return "\n".join(lines)


def cell(value: Any) -> str:
    """How a value is shown in a table; None is a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _wrapped(text: str, width: int | None) -> list[str]:
    """Lines no longer than the width; words, names and addresses stay whole."""
    if width is None:
        return [text]
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _width() -> int | None:
    """Columns of the terminal; None where the output goes elsewhere and lines stay whole."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
