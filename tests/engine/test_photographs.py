"""Which files a command means."""

from pathlib import Path

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.data.index import IMAGE_SUFFIXES
from fer_zoo.data.video import is_video
from fer_zoo.engine.photographs import count_left_out, expand_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.PNG", "below/c.jpeg", "below/notes.txt", "odd [1].jpg", "d.MOV"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "photos"


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_folder_stands_for_the_photographs_and_videos_below_it(folder: Path) -> None:
    assert names(expand_files([str(folder)]), folder) == ["a.PNG", "b.jpg", "below/c.jpeg", "d.MOV", "odd [1].jpg"]


def test_every_suffix_of_a_data_set_is_a_photograph_and_the_rest_is_counted(tmp_path: Path) -> None:
    for name in (*(f"{place}{suffix}" for place, suffix in enumerate(IMAGE_SUFFIXES)), "Thumbs.db", "._0.jpg", ".b/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = expand_files([str(tmp_path)])
    assert sorted(path.suffix for path in found) == sorted(IMAGE_SUFFIXES) and not any(map(is_video, found))
    assert count_left_out([str(tmp_path), str(tmp_path / "0.jpg"), str(tmp_path)]) == 3


def test_list_file_is_relative_to_itself(folder: Path) -> None:
    (folder / "list.txt").write_text("b.jpg\n\n  below/c.jpeg  \nmissing.jpg\n")
    assert names(expand_files([str(folder / "list.txt")]), folder) == ["b.jpg", "below/c.jpeg", "missing.jpg"]


def test_list_file_may_hold_whole_paths(folder: Path) -> None:
    (folder / "list.txt").write_text(f"{folder / 'b.jpg'}\n")
    assert expand_files([str(folder / "list.txt")]) == [folder / "b.jpg"]


def test_patterns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(expand_files([f"{folder}/*.jpg"]), folder) == ["b.jpg", "odd [1].jpg"]
    assert names(expand_files([f"{folder}/**/*.jpeg"]), folder) == ["below/c.jpeg"]
    assert names(expand_files([f"{folder.parent}/ph*"]), folder) == [
        "a.PNG",
        "b.jpg",
        "below/c.jpeg",
        "d.MOV",
        "odd [1].jpg",
    ]
    monkeypatch.chdir(folder)
    assert expand_files(["*.jpg"]) == [Path("b.jpg"), Path("odd [1].jpg")]


def test_name_with_signs_of_a_pattern_is_a_file_first(folder: Path) -> None:
    assert expand_files([str(folder / "odd [1].jpg")]) == [folder / "odd [1].jpg"]


def test_each_once_in_order(folder: Path) -> None:
    given = [str(folder / "b.jpg"), str(folder), str(folder / "b.jpg")]
    assert names(expand_files(given), folder)[:2] == ["b.jpg", "a.PNG"]
    assert len(expand_files(given)) == 5


@pytest.mark.parametrize("given", ["none.jpg", "*.xyz", "no/such/*"])
def test_what_is_not_there_is_told(given: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match="no file, folder or match"):
        expand_files([given])


def test_a_folder_of_nearly_that_name_is_told(folder: Path) -> None:
    with pytest.raises(UserError, match=r"match for '.*/photo'\. Did you mean 'photos'\?"):
        expand_files([str(folder.with_name("photo"))])


def test_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No photographs or videos in nothing"):
        expand_files([])
    with pytest.raises(UserError, match="No photographs or videos"):
        expand_files([str(tmp_path)])


def test_list_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.jpg\n")
    with pytest.raises(UserError, match=r"list\.txt is no text in UTF-8 \(byte 4\)"):
        expand_files([str(tmp_path / "list.txt")])
