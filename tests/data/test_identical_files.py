"""Copies planted in different parts of a split, among files that only look alike by size."""

from pathlib import Path
from typing import Any

import pytest

from fer_zoo.data import identical_files as module
from fer_zoo.data.identical_files import across, identical_across, identical_files, identical_sentence
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.protocols import Split

# name -> content; all have six bytes but the long one
FILES = {
    "a": b"first.",
    "b": b"second",
    "c": b"first.",
    "d": b"third!",
    "e": b"second",
    "f": b"first.",
    "g": b"a long one",
}


@pytest.fixture
def index(tmp_path: Path) -> Index:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return Index("fake", tmp_path, index_table("fake", list(FILES)), {})


def ids(index: Index, names: str) -> tuple[str, ...]:
    by_name = dict(zip(index.table["image"], index.table["id"], strict=True))
    return tuple(sorted(by_name[name] for name in names))


def test_groups_are_found_by_content(index: Index) -> None:
    assert sorted(identical_files(index, index.ids)) == sorted([ids(index, "acf"), ids(index, "be")])
    assert identical_files(index, ids(index, "abd")) == ()
    assert identical_files(index, []) == ()


def test_only_groups_in_different_parts_are_told(index: Index) -> None:
    split = Split("planted", ids(index, "ab"), ids(index, "e"), ids(index, "cdg"))
    assert sorted(identical_across(index, split)) == sorted([ids(index, "ac"), ids(index, "be")])
    assert identical_across(index, Split("planted", ids(index, "acf"), ids(index, "be"), ids(index, "dg"))) == ()
    groups = identical_files(index, index.ids)
    assert across(groups, split) == identical_across(index, split)


def test_files_of_another_size_are_not_read(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def content(path: Path) -> str:
        read.append(path.name)
        return path.read_bytes().hex()

    monkeypatch.setattr(module, "_content", content)
    assert identical_files(index, ids(index, "abg")) == ()
    assert sorted(read) == ["a", "b"]


def test_what_is_no_file_is_passed_over(index: Index) -> None:
    (index.root / "a").unlink()
    (index.root / "b").write_bytes(b"")
    (index.root / "e").write_bytes(b"")
    (index.root / "d").unlink()
    (index.root / "d").mkdir()
    assert identical_files(index, index.ids) == (ids(index, "cf"),)


def test_frames_of_a_video_are_no_files(index: Index) -> None:
    """Rows that share a file have ids of their own; so may rows whose image is a place in a file."""
    table: Any = index_table("fake", ["a", "b", "c", "a.mp4", "a.mp4#2"])
    table["image"] = ["a", "a", "c", "film\0", "f#1"]
    frames = Index("fake", index.root, table, {})
    assert identical_files(frames, frames.ids) == ()


def test_the_sentence_names_three_pairs() -> None:
    assert identical_sentence([]) == ""
    groups = [(f"{i}", f"{i}'", "x") for i in range(5)]
    assert "of the split: 0 = 0', 1 = 1', 2 = 2' and 2 more; what" in identical_sentence(groups)
    assert "split: 0 = 0'; what is tested" in identical_sentence(groups[:1])
