"""A growing table on disk: valid at every moment, taken up again where it broke off, in the format of its suffix."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO

import pandas as pd
from filelock import FileLock, Timeout

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import full_disk_told, plain, read_json, write_atomically, write_json

FORMATS = (".csv", ".parquet", ".json")
_GROUP = ("file", "frame")  # the rows of one photograph or frame are written at once and follow each other
_BLOCK = 50_000  # rows that are converted at once
_DTYPES: Mapping[type, str] = {str: "object", int: "Int64", float: "float64", bool: "bool"}
_NEVER_MISSING = ("file", "problem")  # "" is a text there; a file may be called "NA"


def check_output(path: Path) -> None:
    """Checks that a table may stand under a name in the end.

    Raises:
        UserError: for another suffix, or where a finished table stands.
    """
    if path.suffix not in FORMATS:
        raise UserError(f"output={path} must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    if path.exists():
        raise UserError(f"{path} exists already; choose another name or delete it.")


class RowWriter:
    """Writes rows as they come; what was interrupted goes on when the same is asked for again.

    Rows go to NAME.partial.csv and are on disk after each call of `write`. Beside it NAME.partial.json says what the
    table is made of. At the end the table takes its name and its format, unless there was an error or Ctrl-C.

    Args:
        path: ends in .csv, .parquet or .json (a list of objects).
        columns: names and kinds, in order.
        made_of: plain values that must be the same for a table to be gone on with.

    Attributes:
        last: the last row that was kept of an interrupted table; None where all begins. The rows of the last group
            (one photograph or frame) are not kept, as some of them may be missing.

    Raises:
        UserError: for another suffix, a finished table, one that was begun otherwise or is being written by another
            process, or a folder that cannot be written to.
    """

    def __init__(self, path: Path, columns: Mapping[str, type], made_of: Mapping[str, Any] | None = None) -> None:
        check_output(path)
        self.path, self.columns = path, dict(columns)
        self.growing = path.with_name(f"{path.name}.partial.csv")
        self._state = path.with_name(f"{path.name}.partial.json")
        self.last: dict[str, Any] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
            self._lock.acquire()
        except Timeout as error:
            raise UserError(
                f"{path} is being written by another process; wait for it, or choose another name."
            ) from error
        except OSError as error:
            raise UserError(f"Cannot write {path}: {error.strerror}. Choose another output.") from error
        with ExitStack() as unlocked:
            unlocked.callback(self._unlock)
            self._file = self._opened(plain({**(made_of or {}), "columns": list(self.columns)}))
            unlocked.pop_all()
        self._writer = csv.DictWriter(self._file, list(self.columns))

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append the rows of one photograph or frame; missing columns stay empty."""
        with full_disk_told(self.growing):
            self._writer.writerows(rows)
            self._file.flush()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows so far, with values of their kinds; None for what is missing."""
        with self.growing.open("rb") as stream:
            for _, row in self._records(stream):
                yield row

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with full_disk_told(self.growing), self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
            if error is None:
                self._finish()
        finally:
            self._unlock()

    def _opened(self, state: dict[str, Any]) -> IO[str]:
        """The growing file, at its end."""
        if self.growing.exists():
            self._check_same(state)
            end, self.last = self._whole()
            os.truncate(self.growing, end)
        else:
            write_json(self._state, state)
        stream = self.growing.open("a", newline="", encoding="utf-8", errors="backslashreplace")
        if stream.tell() == 0:
            csv.writer(stream).writerow(self.columns)
        return stream

    def _check_same(self, state: Mapping[str, Any]) -> None:
        if not self._state.exists():
            raise UserError(
                f"{self.growing} stands there without the {self._state.name} that belongs to it; delete it."
            )
        before = read_json(self._state)
        for key in {**before, **state}:
            old, new = before.get(key), state.get(key)
            if old != new:
                is_short = len(f"{old}{new}") < 60
                what = f"{key}={old}, not {new}" if is_short else f"{'other' if key[-1] == 's' else 'another'} {key}"
                raise UserError(
                    f"{self.growing} was begun with {what}; give the same again to go on with it, delete it, or choose"
                    " another output."
                )

    def _whole(self) -> tuple[int, dict[str, Any] | None]:
        """Where the last group begins, and the row before it."""
        begin, before = 0, None
        group: tuple[Any, ...] | None = None
        last: dict[str, Any] | None = None
        with self.growing.open("rb") as stream:
            for start, row in self._records(stream):
                if group != (group := tuple(row.get(name) for name in _GROUP)):
                    begin, before = start, last
                last = row
        return begin, before

    def _records(self, stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
        """The place of each whole row, and the row."""
        place, text = 0, ""

        def lines() -> Iterator[str]:
            nonlocal place, text
            for line in stream:
                place += len(line)
                text = line.decode("utf-8", errors="replace")
                yield text

        start = 0
        for number, cells in enumerate(csv.reader(lines())):
            if len(cells) != len(self.columns) or not text.endswith("\r\n"):
                return  # half written
            if number:
                yield (
                    start,
                    {
                        name: _value(name, kind, cell)
                        for (name, kind), cell in zip(self.columns.items(), cells, strict=True)
                    },
                )
            start = place

    def _finish(self) -> None:
        """Give the whole table its name and format."""
        if self.path.suffix == ".csv":
            self.growing.rename(self.path)
        else:
            with write_atomically(self.path) as temporary:
                if self.path.suffix == ".parquet":
                    self._write_parquet(temporary)
                else:
                    self._write_json(temporary)
            self.growing.unlink()
        self._state.unlink()

    def _write_parquet(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
        schema = pa.schema([(name, kinds[kind]) for name, kind in self.columns.items()])
        rows = self.rows()
        block = list(islice(rows, _BLOCK))
        first = self._arrow(block, schema)
        with pq.ParquetWriter(path, first.schema) as writer:
            writer.write_table(first)
            while block := list(islice(rows, _BLOCK)):
                writer.write_table(self._arrow(block, schema))

    def _arrow(self, rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
        """An arrow table that pandas reads with the kinds of the columns."""
        import pyarrow as pa

        table = pd.DataFrame(rows, columns=list(self.columns), dtype="object")
        table = table.astype({name: _DTYPES[kind] for name, kind in self.columns.items()})
        return pa.Table.from_pandas(table, schema=schema, preserve_index=False)

    def _write_json(self, path: Path) -> None:
        """A list of objects, one a line."""
        with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write("[")
            for number, row in enumerate(self.rows()):
                stream.write(f"{',' * bool(number)}\n{json.dumps(row, ensure_ascii=False)}")
            stream.write("\n]\n")

    def _unlock(self) -> None:
        """No file of the lock is left."""
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()


def _value(name: str, kind: type, cell: str) -> Any:
    """What a cell means; None where it is empty, unless that is a text."""
    if not cell:
        return "" if name in _NEVER_MISSING else None
    return cell == "True" if kind is bool else kind(cell)
