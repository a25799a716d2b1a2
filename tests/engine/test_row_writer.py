"""The growing table: valid whenever it is read, in three formats."""

import json
import os
import resource
import signal
from pathlib import Path

import pandas as pd
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.engine.row_writer import RowWriter

COLUMNS = ["file", "face", "face_found", "emotion", "prob_happiness", "problem"]
ROWS = [
    {"file": "a, b.jpg", "face": 0, "face_found": True, "emotion": "happiness", "prob_happiness": 0.75, "problem": ""},
    {"file": "NA", "face_found": False, "problem": "no face found"},
    {"file": 'quo"te\n.jpg', "face": 1, "face_found": True, "emotion": "anger", "prob_happiness": 0.0, "problem": ""},
]


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".json":
        return pd.DataFrame(json.loads(path.read_text()))
    return pd.read_csv(path, keep_default_na=False, na_values={"face": [""], "emotion": [""], "prob_happiness": [""]})


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_rows_come_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"table{suffix}"
    with RowWriter(path, COLUMNS) as writer:
        writer.write(ROWS[:1])
        writer.write(ROWS[1:])
    table = read(path)
    assert table.columns.tolist() == COLUMNS
    assert table["file"].tolist() == [row["file"] for row in ROWS]
    assert table["problem"].tolist() == ["", "no face found", ""]
    assert table["face_found"].tolist() == [True, False, True]
    assert table["prob_happiness"].isna().tolist() == [False, True, False]
    assert table["emotion"].isna().tolist() == [False, True, False]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_table_without_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    with RowWriter(path, COLUMNS):
        pass
    assert len(read(path)) == 0


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_what_was_done_is_kept_after_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"

    def interrupted() -> None:
        with RowWriter(path, COLUMNS) as writer:
            writer.write(ROWS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(read(path)) == 3


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_was_done_is_kept_after_a_kill(tmp_path: Path, suffix: str) -> None:
    """A process that kills itself after its second call of `write` leaves all its rows."""
    path = tmp_path / f"table{suffix}"
    child = os.fork()
    if child == 0:
        writer = RowWriter(path, COLUMNS)
        writer.write(ROWS[:2])
        writer.write(ROWS[2:])
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    growing = path if suffix == ".csv" else path.with_name(path.name + ".partial.csv")
    assert read(growing)["file"].tolist() == [row["file"] for row in ROWS]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """A file name may hold bytes that are no UTF-8."""
    path = tmp_path / "table.csv"
    with RowWriter(path, COLUMNS) as writer:
        writer.write([{"file": os.fsdecode(b"caf\xe9.jpg"), "face_found": False}])
    assert "caf" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["table.xlsx", "table", "csv"])
def test_other_formats_are_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"must end in \.csv, \.parquet or \.json"):
        RowWriter(tmp_path / name, COLUMNS)


def test_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match=r"Cannot write .*Choose another"):
        RowWriter(tmp_path / "taken" / "table.csv", COLUMNS)


def test_full_disk_is_told(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with (
            pytest.raises(UserError, match=r"Cannot write .*table\.csv"),
            RowWriter(tmp_path / "table.csv", COLUMNS) as writer,
        ):
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
            for _ in range(100):
                writer.write(ROWS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
@pytest.mark.parametrize("partial", [False, True])
def test_what_stands_there_is_never_replaced(tmp_path: Path, suffix: str, partial: bool) -> None:
    path = tmp_path / f"table{suffix}"
    taken = path.with_name(path.name + ".partial.csv") if partial and suffix != ".csv" else path
    taken.write_text("work of hours")
    with pytest.raises(UserError, match=rf"{taken.name} exists already; choose another name or delete it"):
        RowWriter(path, COLUMNS)
    assert taken.read_text() == "work of hours"


def test_face_numbers_of_parquet_are_whole(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "table.parquet", COLUMNS) as writer:
        writer.write(ROWS)
    assert str(pd.read_parquet(tmp_path / "table.parquet")["face"].dtype) == "Int64"
