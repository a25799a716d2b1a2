"""How a report looks: numbers with their intervals, tables for a terminal and for markdown."""

import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_zoo.evaluation.subject_sums import Estimate

if TYPE_CHECKING:
    from rich.table import Table

_TITLE_WIDTH = 12
_WORDS = ("predicted as", "reason", "track", "how it differs", "commercial use")
_ANY_WIDTH = 100_000


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """A table of finished cells; the first column and those named in `_WORDS` are words, the others numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def with_interval(estimate: Estimate) -> str:
    """A score to 3 decimals with its interval to 2, no zero before the point: ".885 [.87, .90]"; "–" for none.

    Example:
        >>> from fer_zoo.evaluation.bootstrap import Interval
        >>> with_interval(Estimate(0.8849, Interval(0.872, 0.9)))
        '.885 [.87, .90]'
    """
    if not math.isfinite(estimate.value):
        return "–"
    value, low, high = short(estimate.value, 3), estimate.interval.low, estimate.interval.high
    return f"{value} [{short(low, 2)}, {short(high, 2)}]" if math.isfinite(low + high) else value


def short(value: float, decimals: int) -> str:
    """A number without the zero before its point.

    Example:
        >>> short(-0.25, 2), short(1.5, 2), short(-0.0001, 2)
        ('-.25', '1.50', '.00')
    """
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def probability(p: float) -> str:
    """A p value to 3 decimals; "–" for none.

    Example:
        >>> probability(0.0312), probability(0.0001)
        ('.031', '< .001')
    """
    if math.isnan(p):
        return "–"
    return short(p, 3) if p >= 0.0005 else "< .001"


def as_markdown(tables: Sequence[ReportTable], sentences: Sequence[str]) -> str:
    """Tables as markdown, the sentences below the first one."""
    parts = []
    for table in tables:
        lines = [f"**{table.title}**\n"] if table.title else []
        lines += [_pipes(table.header), _pipes([_rule(i, table) for i in range(len(table.header))])]
        parts.append("\n".join([*lines, *(_pipes([cell or " " for cell in row]) for row in table.rows)]))
    return "\n\n".join([*parts[:1], "\n".join(f"- {sentence}" for sentence in sentences), *parts[1:]]) + "\n"


def as_text(tables: Sequence[ReportTable], sentences: Sequence[str], width: int) -> str:
    """Tables for a terminal, without colours, the sentences below the first one.

    Nothing is shortened: where a table is too wide, intervals go below their values, and if that does not help, its
    lines are longer than `width`.
    """
    parts = []
    for position, table in enumerate(tables):
        title = f"{table.title}\n" if table.title else ""
        parts.append(title + _drawn(table, width))
        if position == 0:
            parts.append("\n".join(line for said in sentences for line in textwrap.wrap(said, width)))
    return "\n\n".join(parts) + "\n"


def _drawn(table: ReportTable, width: int) -> str:
    from rich.console import Console
    from rich.measure import Measurement

    stream = io.StringIO()
    wide = Console(
        file=stream, width=_ANY_WIDTH, color_system=None, force_terminal=False, force_jupyter=False, highlight=False
    )
    shown = _rich_table(table, stacked=False)
    if Measurement.get(wide, wide.options, shown).minimum > width:
        shown = _rich_table(table, stacked=True)
    least = Measurement.get(wide, wide.options, shown).minimum
    wide.print(shown, width=max(width, least))
    return "\n".join(line.rstrip() for line in stream.getvalue().strip("\n").splitlines())


def _rich_table(table: ReportTable, *, stacked: bool) -> "Table":
    """Numbers are never broken over lines, but between value and interval where stacked; their titles are."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    rows = table.rows
    if stacked:
        rows = [[row[0], *(cell.replace(" [", "\n[") for cell in row[1:])] for row in rows]
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for i, title in enumerate(table.header):
        is_text = _is_text(i, table)
        broken = "\n".join(textwrap.wrap(title, _TITLE_WIDTH))
        is_whole = i == 0 or not is_text
        lines = [line for cell in (broken, *(row[i] for row in rows)) for line in cell.split("\n")]
        least = max(map(len, lines)) if is_whole else None
        shown.add_column(broken, justify="left" if is_text else "right", no_wrap=is_whole, min_width=least)
    for row in rows:
        shown.add_row(*map(escape, row))
    return shown


def _is_text(column: int, table: ReportTable) -> bool:
    return column == 0 or table.header[column] in _WORDS


def _rule(column: int, table: ReportTable) -> str:
    return "---" if _is_text(column, table) else "---:"


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
