import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import (
    file_sha256,
    read_json,
    read_record,
    write_atomically,
    write_json,
    write_text,
    write_together,
)

# A child process whose files may hold 4096 bytes at most: a full disk without root.
FULL_DISK = """
import resource, sys
from pathlib import Path
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_text
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_text(Path(sys.argv[1]), "x" * 100_000)
except UserError as error:
    print(error)
    raise SystemExit(2)
"""

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from fer_zoo.core.files import write_atomically
with write_atomically(Path(sys.argv[1])) as temporary:
    temporary.write_text("half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_is_written_and_its_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "text.txt"
    write_text(path, "ü\n")
    assert path.read_bytes() == "ü\n".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["text.txt"]


def test_the_temporary_file_keeps_the_suffix_and_stands_beside(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "picture.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path
        assert not temporary.exists()
        temporary.write_bytes(b"1")
    assert (tmp_path / "picture.png").read_bytes() == b"1"


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path: Path, raised: type[BaseException]) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    with pytest.raises(raised), write_atomically(path) as temporary:
        temporary.write_text("half")
        raise raised
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(path)], check=False)
    assert done.returncode == -9
    assert path.read_text() == "old"


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith(f"Cannot write {path}: ")
    assert "Free some space" in done.stdout
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_errors_of_the_block_keep_their_type(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "copy.txt") as temporary:
        temporary.write_bytes((tmp_path / "missing.txt").read_bytes())


def test_a_block_that_writes_nothing_is_a_bug_not_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "empty.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"Cannot write .*file/result\.json: .*Choose another folder"):
        write_text(tmp_path / "file" / "result.json", "{}")
    with pytest.raises(UserError, match=r"Cannot write /proc/result\.json"):
        write_text(Path("/proc/result.json"), "{}")


def test_json_takes_numpy_and_says_null_for_what_is_not_finite(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    value = {
        1: (np.float32(0.5), np.int64(3), np.float64("nan")),
        "table": np.array([[1.0, np.inf]]),
        "flag": np.True_,
        "name": "ü",
        "missing": float("-inf"),
    }
    write_json(path, value)
    assert read_json(path) == {
        "1": [0.5, 3, None], "table": [[1.0, None]], "flag": True, "name": "ü", "missing": None,
    }  # fmt: skip


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(value=json_values)
def test_json_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.json"
    write_json(path, value)
    assert read_json(path) == value


@given(share=st.floats(0, 0.999))
def test_json_cut_short_anywhere_is_one_sentence(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.json"
    whole = json.dumps({"accuracy": 0.5, "name": "ü", "list": [1, 2]}, ensure_ascii=False).encode()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match="is no whole JSON file"):
        read_json(path)


def test_a_missing_json_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no file .*card\.json"):
        read_json(tmp_path / "card.json")


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1])
def test_checksum_is_that_of_the_whole_content(tmp_path: Path, size: int) -> None:
    content = bytes(i % 251 for i in range(size))
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe{}", "is no whole JSON file"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5000, "is no whole JSON file"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": -Infinity}', "-Infinity is no JSON"),
    ],
)
def test_json_that_no_reader_can_take_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_json(tmp_path / "record.json")


def test_a_json_file_larger_than_any_of_ours_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "record.json").open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(UserError, match="too large"):
        read_json(tmp_path / "record.json")


def test_a_folder_in_the_place_of_a_json_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_json(tmp_path)


def test_a_record_is_an_object(tmp_path: Path) -> None:
    write_json(tmp_path / "good.json", {"a": 1})
    write_json(tmp_path / "bad.json", [1])
    assert read_record(tmp_path / "good.json") == {"a": 1}
    with pytest.raises(UserError, match=r"bad\.json is no record: .* found list\."):
        read_record(tmp_path / "bad.json")


def test_files_that_belong_together_are_renamed_once_all_are_written(tmp_path: Path) -> None:
    paths = tmp_path / "a.bin", tmp_path / "b.json"
    with write_together(*paths) as temporaries:
        for temporary in temporaries:
            temporary.write_bytes(b"old")
    with pytest.raises(ValueError, match="second"), write_together(*paths) as (first, _):
        first.write_bytes(b"new")
        raise ValueError("second")
    assert [path.read_bytes() for path in paths] == [b"old", b"old"]
    with pytest.raises(FileNotFoundError), write_together(*paths) as (first, _):
        first.write_bytes(b"new")  # and the second is forgotten
    assert [path.read_bytes() for path in paths] == [b"old", b"old"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
