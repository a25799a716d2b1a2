"""A growing table on disk: valid at every moment, in the format that its suffix names."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import full_disk_told, write_atomically

FORMATS = (".csv", ".parquet", ".json")


def check_output(path: Path) -> None:
    """Checks that a table can be begun under a name.

    Raises:
        UserError: for another suffix, or where a table stands already, perhaps an unfinished one.
    """
    if path.suffix not in FORMATS:
        raise UserError(f"output={path} must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    for taken in (path, _growing(path)):
        if taken.exists():
            raise UserError(f"{taken} exists already; choose another name or delete it.")


def _growing(path: Path) -> Path:
    return path if path.suffix == ".csv" else path.with_name(path.name + ".partial.csv")


class RowWriter:
    """Writes rows as they come.

    Rows go to a CSV file and are on disk after each call. For parquet and JSON it stands beside the output as
    NAME.partial.csv and is converted at the end, also after an error or Ctrl-C; after a kill it stays.

    Args:
        path: ends in .csv, .parquet or .json (a list of objects).
        columns: names, in order.

    Raises:
        UserError: for another suffix, a table that exists already, or a folder that cannot be written to.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        check_output(path)
        self.path, self.columns = path, list(columns)
        self.growing = _growing(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.growing.open("x", newline="", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UserError(f"Cannot write {path}: {error.strerror}. Choose another output.") from error
        self._writer = csv.DictWriter(self._file, self.columns)
        self._writer.writeheader()

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows; missing columns stay empty."""
        with full_disk_told(self.growing):
            self._writer.writerows(rows)
            self._file.flush()

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with full_disk_told(self.growing):
            self._file.close()
        if self.growing != self.path:
            texts = ("file", "problem")  # a file may be called "NA"
            missing = {column: [""] for column in self.columns if column not in texts}
            table = pd.read_csv(self.growing, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values=missing)
            if "face" in table:
                table["face"] = table["face"].astype("Int64")  # a photograph without a face has no number
            with write_atomically(self.path) as temporary:
                if self.path.suffix == ".parquet":
                    table.to_parquet(temporary, index=False)
                else:
                    table.to_json(temporary, orient="records", indent=1, force_ascii=False)
            self.growing.unlink()
