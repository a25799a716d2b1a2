"""A table of a user's, read as text: CSV, TSV or parquet, with the number that each row has in the file."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pandas as pd

from fer_zoo.core.errors import UserError, nearest

T = TypeVar("T")

_SUFFIXES = ("csv", "tsv", "parquet")
_MOST_SHOWN = 24


class Sheet:
    """A table with named columns.

    Args:
        path: ends in .csv, .tsv or .parquet.
        name: what to call the file in messages.
        said: the setting that names it, as typed.

    Attributes:
        table: cells of a text file as text, of parquet as they are.
        suffix: csv, tsv or parquet.
        first_row: the number of the first row in the file.

    Raises:
        UserError: for a file that is not there or no such table, or two columns of one name.
    """

    def __init__(self, path: Path, *, name: str, said: str) -> None:
        self.name, self.suffix = name, path.suffix.lower().removeprefix(".")
        if self.suffix not in _SUFFIXES:
            raise UserError(f"{said} must end in .csv, .tsv or .parquet.")
        if not path.is_file():
            where = f": looked in {path.parent}" if str(path) != name else ""
            raise UserError(f"{said} is not there{where}.")
        self.first_row = 1 if self.suffix == "parquet" else 2  # the header is row 1 of a text file
        try:
            if self.suffix == "parquet":
                self.table = pd.read_parquet(path)
            else:
                separator = "\t" if self.suffix == "tsv" else ","
                self.table = pd.read_csv(path, dtype=str, keep_default_na=False, sep=separator, encoding="utf-8-sig")
        except (ValueError, OSError) as error:  # what pandas and pyarrow raise for a file that is no table
            raise UserError(f"{said} cannot be read as {self.suffix}: {_first_line(error)}.") from error
        self.table.columns = pd.Index([str(column).strip() for column in self.table.columns])
        if self.table.columns.has_duplicates:
            raise UserError(f"{said} has two columns of one name: {', '.join(self.table.columns)}.")

    @classmethod
    def of(cls, table: pd.DataFrame, *, name: str) -> "Sheet":
        """A table that is no file of its own."""
        sheet = cls.__new__(cls)
        sheet.name, sheet.suffix, sheet.first_row, sheet.table = name, "parquet", 1, table
        return sheet

    def require(self, column: str, setting: str = "") -> None:
        """Checks that there is a column.

        Args:
            column: its name.
            setting: the one that names the column, if any.

        Raises:
            UserError: if there is none, with the nearest names.
        """
        known = list(self.table.columns)
        if column not in known:
            shown = ", ".join(known[:_MOST_SHOWN]) + (" …" if len(known) > _MOST_SHOWN else "")
            told = f" ({setting})" if setting else ""
            raise UserError(f"{self.name} has no column {column!r}{told}.{nearest(column, known)} It has: {shown}.")

    def column(self, name: str, setting: str) -> list[str]:
        """Cells as stripped text.

        Raises:
            UserError: if there is no such column, with the nearest names.
        """
        self.require(name, setting)
        return [_text(cell) for cell in self.table[name]]

    def each(self, name: str, setting: str, convert: Callable[[str], T]) -> list[T]:
        """What `convert` makes of each cell; its error gets the row in front."""
        converted: dict[str, T] = {}
        for row, cell in enumerate(cells := self.column(name, setting)):
            if cell in converted:
                continue
            try:
                converted[cell] = convert(cell)
            except UserError as error:
                raise UserError(f"{self.name} row {row + self.first_row}: {error}") from error
        return [converted[cell] for cell in cells]


def number(cell: str, column: str) -> float:
    """The number that a cell holds, NaN for an empty one.

    Raises:
        UserError: if it holds something else.
    """
    try:
        return float(cell) if cell else math.nan
    except ValueError as error:
        raise UserError(f"{column} is {cell!r}, which is not a number.") from error


def _text(cell: object) -> str:
    if cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():  # whole numbers become floats where a cell is missing
        return str(int(cell))
    return str(cell).strip()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
