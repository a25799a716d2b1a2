from pathlib import Path

import numpy as np
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.data.number_files import read_numbers


def test_exponents_blanks_and_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("   9.0000000e+00   4.0000000e+00\r\n\r\n 1.2e+00 0\n")
    assert np.array_equal(read_numbers(tmp_path, tmp_path / "a.txt", width=2), [[9, 4], [1.2, 0]])
    (tmp_path / "a.txt").write_text("\n")
    assert read_numbers(tmp_path, tmp_path / "a.txt", width=2).shape == (0, 2)


@pytest.mark.parametrize("content", [b"1 2\n3\n", b"1\n2\n", b"1 x\n", b"1 nan\n", b"1 2 3 4\n", b"\xff\xfe1 2"])
def test_damage_is_told_with_the_path_below_the_root(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "S005").mkdir()
    (tmp_path / "S005" / "a.txt").write_bytes(content)
    with pytest.raises(UserError, match=r"^S005/a\.txt is damaged: lines of 2 numbers are expected; copy it again\.$"):
        read_numbers(tmp_path, tmp_path / "S005" / "a.txt", width=2)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^a\.txt is damaged: lines of one number are expected"):
        read_numbers(tmp_path, tmp_path / "a.txt", width=1)
