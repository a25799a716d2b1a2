"""The growing table: valid whenever it is read, taken up again after any end, in three formats."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.engine.row_writer import RowWriter

COLUMNS: dict[str, type] = {
    "file": str, "frame": int, "face": int, "face_found": bool, "emotion": str, "prob_happiness": float, "problem": str,
}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {"file": "a, b.jpg", "face": 0, "face_found": True, "emotion": "happiness", "prob_happiness": 0.75, "problem": ""},
    {"file": "NA", "face_found": False, "problem": "no face found"},
    {"file": 'quo"te\n.jpg', "face": 1, "face_found": True, "emotion": "anger", "prob_happiness": 0.0, "problem": ""},
]
# Groups as of a photograph with two faces, three frames of a video, and a photograph without a face.
GROUPS: list[list[dict[str, Any]]] = [
    [{**ROWS[0], "face": face} for face in (0, 1)],
    [{**ROWS[2], "file": "clip.mp4", "frame": 0, "face": face} for face in (0, 1, 2)],
    [{"file": "clip.mp4", "frame": 1, "face_found": False, "problem": "no face found"}],
    [{**ROWS[2], "file": "clip.mp4", "frame": 2, "face": face} for face in (0, 1)],
    [ROWS[1]],
]
SUFFIXES = (".csv", ".parquet", ".json")
every_format = pytest.mark.parametrize("suffix", SUFFIXES)


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".json":
        return pd.DataFrame(json.loads(path.read_text()))
    return pd.read_csv(path, keep_default_na=False, na_values={"face": [""], "emotion": [""], "prob_happiness": [""]})


def write_on(path: Path, groups: Sequence[Sequence[Mapping[str, Any]]], **made_of: object) -> RowWriter:
    """Go on as predict does: behind the last row that is there."""
    with RowWriter(path, COLUMNS, made_of) as writer:
        keys = [(group[0]["file"], group[0].get("frame")) for group in groups]
        begin = 0 if writer.last is None else keys.index((writer.last["file"], writer.last["frame"])) + 1
        for group in groups[begin:]:
            writer.write(group)
    return writer


@every_format
def test_rows_come_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"table{suffix}"
    with RowWriter(path, COLUMNS) as writer:
        writer.write(ROWS[:1])
        writer.write(ROWS[1:])
        assert [row["file"] for row in writer.rows()] == [row["file"] for row in ROWS]
    table = read(path)
    assert table.columns.tolist() == list(COLUMNS)
    assert table["file"].tolist() == [row["file"] for row in ROWS]
    assert table["problem"].tolist() == ["", "no face found", ""]
    assert table["face_found"].tolist() == [True, False, True]
    assert table["prob_happiness"].isna().tolist() == [False, True, False]
    assert table["emotion"].isna().tolist() == [False, True, False]
    assert list(path.parent.iterdir()) == [path]


@every_format
def test_table_without_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    with RowWriter(path, COLUMNS):
        pass
    assert len(read(path)) == 0


@every_format
def test_a_long_table_is_converted_in_blocks(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks in which a column is empty throughout have its kind all the same."""
    monkeypatch.setattr("fer_zoo.engine.row_writer._BLOCK", 2)
    path = tmp_path / f"table{suffix}"
    rows = [ROWS[1]] * 3 + ROWS + [ROWS[1]] * 2
    with RowWriter(path, COLUMNS) as writer:
        writer.write(rows)
    assert read(path)["emotion"].fillna("").tolist() == [row.get("emotion", "") for row in rows]


@every_format
def test_the_same_goes_on_after_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"

    def interrupted() -> None:
        with RowWriter(path, COLUMNS, {"every": 1}) as writer:
            for group in GROUPS[:3]:
                writer.write(group)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert {p.name for p in tmp_path.iterdir()} == {f"{path.name}.partial.csv", f"{path.name}.partial.json"}
    writer = write_on(path, GROUPS, every=1)
    assert writer.last is not None
    assert (writer.last["file"], writer.last["frame"], writer.last["face"]) == ("clip.mp4", 0, 2)
    write_on(tmp_path / f"unbroken{suffix}", GROUPS)
    assert path.read_bytes() == (tmp_path / f"unbroken{suffix}").read_bytes()


def test_any_cut_is_taken_up_to_the_same_bytes(tmp_path: Path) -> None:
    """Cut anywhere, in rows, names and numbers: the result is that of an unbroken run."""
    write_on(tmp_path / "unbroken.csv", GROUPS)
    content = (tmp_path / "unbroken.csv").read_bytes()
    path = tmp_path / "table.csv"
    for length in (*range(0, len(content), 17), *range(250, 300), len(content)):
        with pytest.raises(KeyboardInterrupt), RowWriter(path, COLUMNS) as writer:
            raise KeyboardInterrupt
        writer.growing.write_bytes(content[:length])
        write_on(path, GROUPS)
        assert path.read_bytes() == content, length
        path.unlink()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_was_done_is_kept_after_a_kill(tmp_path: Path, suffix: str) -> None:
    """A process that kills itself after its second call of `write` leaves all its rows, and no lock."""
    path = tmp_path / f"table{suffix}"
    child = os.fork()
    if child == 0:
        writer = RowWriter(path, COLUMNS)
        writer.write(ROWS[:2])
        writer.write(ROWS[2:])
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    growing = path.with_name(path.name + ".partial.csv")
    assert read(growing)["file"].tolist() == [row["file"] for row in ROWS]
    write_on(path, [[row] for row in ROWS])
    assert read(path)["file"].tolist() == [row["file"] for row in ROWS]


def test_two_processes_do_not_write_one_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    code = (
        "import sys; from pathlib import Path; from fer_zoo.engine.row_writer import RowWriter\n"
        "try: RowWriter(Path(sys.argv[1]), {'file': str})\n"
        "except Exception as error: print(error)"
    )
    with RowWriter(path, COLUMNS) as writer:
        writer.write(ROWS)
        told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        writer.write(ROWS)
    assert "is being written by another process" in told.stdout
    assert len(read(path)) == 6


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        ({"every": 1}, {"every": 5}, "was begun with every=1, not 5; give the same again"),
        ({"detector": "haar"}, {"detector": "none"}, "was begun with detector=haar, not none"),
        ({"files": ["a.jpg"] * 20}, {"files": ["b.jpg"]}, "was begun with other files"),
        ({"checkpoint": "0" * 64}, {"checkpoint": "1" * 64}, "was begun with another checkpoint"),
        ({"track": True}, {}, "was begun with track=True, not None"),
    ],
)
def test_other_settings_are_told(tmp_path: Path, before: dict[str, Any], now: dict[str, Any], sentence: str) -> None:
    path = tmp_path / "table.csv"
    with pytest.raises(KeyboardInterrupt), RowWriter(path, COLUMNS, before) as writer:
        writer.write(ROWS[:2])
        raise KeyboardInterrupt
    kept = writer.growing.read_bytes()
    with pytest.raises(UserError, match=sentence):
        RowWriter(path, COLUMNS, now)
    with pytest.raises(UserError, match="was begun with other columns"):
        RowWriter(path, {"file": str, "a_long_name_of_a_column": str}, before)
    assert writer.growing.read_bytes() == kept
    write_on(path, [[row] for row in ROWS], **before)
    assert len(read(path)) == 3


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """A file name may hold bytes that are no UTF-8."""
    for suffix in SUFFIXES:
        path = tmp_path / f"table{suffix}"
        with RowWriter(path, COLUMNS) as writer:
            writer.write([{"file": os.fsdecode(b"caf\xe9.jpg"), "face_found": False}])
        assert read(path)["file"].tolist() == ["caf\\udce9.jpg"]


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


@every_format
def test_what_stands_there_is_never_replaced(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    path.write_text("work of hours")
    with pytest.raises(UserError, match=rf"{path.name} exists already; choose another name or delete it"):
        RowWriter(path, COLUMNS)
    assert path.read_text() == "work of hours"


def test_a_growing_table_that_nobody_began_is_told(tmp_path: Path) -> None:
    growing = tmp_path / "table.csv.partial.csv"
    growing.write_text("work of hours")
    with pytest.raises(UserError, match=r"without the table\.csv\.partial\.json that belongs to it; delete it"):
        RowWriter(tmp_path / "table.csv", COLUMNS)
    assert growing.read_text() == "work of hours"


def test_whole_numbers_of_parquet_are_whole(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "table.parquet", COLUMNS) as writer:
        writer.write(ROWS)
    table = pd.read_parquet(tmp_path / "table.parquet")
    assert [str(table[name].dtype) for name in ("frame", "face", "face_found")] == ["Int64", "Int64", "bool"]
