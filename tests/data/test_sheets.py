from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.data.sheets import Sheet


def sheet_of(path: Path, text: str = "") -> Sheet:
    if text:
        path.write_text(text, encoding="utf-8-sig")  # as spreadsheets save it
    return Sheet(path, name=path.name, said=f"file={path.name}")


def test_text_and_parquet_give_the_same_cells(tmp_path: Path) -> None:
    rows = [(" a ", "1"), ("NA", ""), ("", "3")]
    pd.DataFrame({"who": [" a ", "NA", None], "n": [1.0, np.nan, 3.0]}).to_parquet(tmp_path / "t.parquet")
    sheets = [sheet_of(tmp_path / "t.parquet")]
    for name, separator in (("t.csv", ","), ("t.tsv", "\t")):
        text = "".join(separator.join(row) + "\n" for row in [("who", "n"), *rows])
        sheets.append(sheet_of(tmp_path / name, text))
    for sheet in sheets:
        assert sheet.column("who", "") == ["a", "NA", ""]
        assert sheet.column("n", "") == ["1", "", "3"]


def test_an_error_in_a_cell_names_its_row_in_the_file(tmp_path: Path) -> None:
    def small(cell: str) -> int:
        if int(cell) > 9:
            raise UserError("too large.")
        return int(cell)

    frame = pd.DataFrame({"n": [1, 1, 10]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    assert sheet_of(tmp_path / "t.csv").each("n", "", lambda cell: 2 * int(cell)) == [2, 2, 20]
    for name, row in (("t.csv", 4), ("t.parquet", 3)):  # the header is row 1 of a text file
        with pytest.raises(UserError, match=rf"{name} row {row}: too large"):
            sheet_of(tmp_path / name).each("n", "", small)


def test_a_column_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path / "t.csv", "mood,who\nhappy,a\n")
    with pytest.raises(UserError, match=r"no column 'moods' \(label=moods\)\. Did you mean 'mood'\? It has: mood, who"):
        sheet.column("moods", "label=moods")
    sheet.require("who")
