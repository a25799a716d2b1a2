from pathlib import Path

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.data.layout import folders, unwrapped, visible


@pytest.mark.parametrize("path", ["Emotion", "a/Emotion", "a/b/Emotion", "Emotion/Emotion", "a/Emotion/Emotion"])
def test_a_part_is_found_inside_other_folders(tmp_path: Path, path: str) -> None:
    (tmp_path / path / "S001").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    assert unwrapped(tmp_path, "Emotion") == tmp_path / path


def test_a_part_that_is_too_deep_hidden_or_a_file_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "a/b/c/Emotion").mkdir(parents=True)
    (tmp_path / ".a/Emotion").mkdir(parents=True)
    (tmp_path / "Emotion").write_text("")
    assert unwrapped(tmp_path, "Emotion") is None


def test_two_copies_are_told_and_one_above_them_counts(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "VL").mkdir(parents=True)
    with pytest.raises(UserError, match="holds VL more than once, as a/VL and b/VL: give the folder of one copy"):
        unwrapped(tmp_path, "VL")
    (tmp_path / "VL").mkdir()
    assert unwrapped(tmp_path, "VL") == tmp_path / "VL"


def test_hidden_entries_are_left_out(tmp_path: Path) -> None:
    for name in ("b", ".b", "a"):
        (tmp_path / name).mkdir()
    (tmp_path / ".DS_Store").write_text("")
    (tmp_path / "c").write_text("")
    assert [entry.name for entry in visible(tmp_path)] == ["a", "b", "c"]
    assert [entry.name for entry in folders(tmp_path)] == ["a", "b"]
    assert visible(tmp_path / "nowhere") == []
