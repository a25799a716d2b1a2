"""The image cache: what was decoded, whole or made anew, and right when two processes make it at once."""

import multiprocessing
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.pictures import noise, picture_index
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data import cache as cache_module
from fer_zoo.data.cache import ImageCache, open_cache
from fer_zoo.data.image_sources import NO_FACE, NOT_DECODABLE, NOT_FOUND, FaceImages
from fer_zoo.data.index import Index

SPEC = InputSpec(height=24, width=24, colour="grey", mean=(0.0,), std=(1.0,))


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    read, rows = FaceImages.read, []

    def counting(self: FaceImages, row: int) -> np.ndarray:
        rows.append(row)
        return read(self, row)

    monkeypatch.setattr(FaceImages, "read", counting)
    return rows


def test_the_cache_holds_what_decoding_gives(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 700)  # more than two blocks of threads
    cache = open_cache(index, SPEC, progress=False)
    assert cache.shape == (700, 24, 24, 1)
    for row in range(700):
        np.testing.assert_array_equal(cache.read(row)[:, :, 0], noise(row))
    assert cache.lacking() == {}


def test_a_second_opening_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = picture_index(tmp_path)
    rows = count_reads(monkeypatch)
    open_cache(index, SPEC, progress=False)
    assert sorted(rows) == list(range(12))
    open_cache(index, SPEC, progress=True)
    assert len(rows) == 12


def test_other_geometry_is_another_file_and_other_normalisation_the_same(tmp_path: Path, empty_cache: Path) -> None:
    index = picture_index(tmp_path)
    base = {"height": 24, "width": 24}
    one = InputSpec(**base, colour="grey", mean=(0.0,), std=(1.0,))
    for spec in (one, InputSpec(**base, colour="grey", mean=(0.5,), std=(0.2,)), InputSpec(**base)):
        assert open_cache(index, spec, progress=False).shape[3] == spec.channels
    assert len(list((empty_cache / "images").iterdir())) == 2


def test_a_changed_file_makes_the_cache_stale(tmp_path: Path) -> None:
    index = picture_index(tmp_path)
    old = open_cache(index, SPEC, progress=False)
    Image.fromarray(noise(99)).save(tmp_path / "picture_3.png")
    (tmp_path / "picture_4.png").unlink()
    new = open_cache(index, SPEC, progress=False)
    np.testing.assert_array_equal(new.read(3)[:, :, 0], noise(99))
    assert new.lacking() == {4: NOT_FOUND}
    np.testing.assert_array_equal(old.read(3)[:, :, 0], noise(3))  # who has it open keeps what it opened


def test_another_order_of_rows_is_no_mistake(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 4)
    open_cache(index, SPEC, progress=False)
    turned = replace(index, table=index.table.iloc[::-1])
    assert turned.fingerprint() == index.fingerprint()
    np.testing.assert_array_equal(open_cache(turned, SPEC, progress=False).read(0)[:, :, 0], noise(3))


def test_changed_boxes_make_the_cache_stale(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 2, is_cropped=False)
    whole = open_cache(index, SPEC, progress=False).read(0)
    table = index.table.assign(box_left=[0.0, np.nan], box_top=0.0, box_width=12.0, box_height=12.0)
    boxed = open_cache(Index("fake", tmp_path, table, index.label_spaces), SPEC, progress=False)
    assert (boxed.read(0) != whole).any()
    assert boxed.lacking() == {1: NO_FACE}


@pytest.mark.parametrize("damage", ["cut", "grown", "empty", "garbage"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, empty_cache: Path, damage: str) -> None:
    index = picture_index(tmp_path)
    path = open_cache(index, SPEC, progress=False).path
    content = path.read_bytes()
    damaged = {
        "cut": content[: len(content) // 2], "grown": content + b"x", "empty": b"",
        "garbage": b"\xff" * 4096 + content[4096:],
    }  # fmt: skip
    path.write_bytes(damaged[damage])
    again = open_cache(index, SPEC, progress=False)
    assert path.read_bytes() == content
    np.testing.assert_array_equal(again.read(11)[:, :, 0], noise(11))
    assert [file.name for file in (empty_cache / "images").iterdir()] == [path.name]


def test_unreadable_images_are_told_from_black_ones(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 4)
    (tmp_path / "picture_0.png").write_bytes(b"")
    (tmp_path / "picture_1.png").unlink()
    Image.fromarray(np.zeros((24, 24), np.uint8)).save(tmp_path / "picture_2.png")
    cache = open_cache(index, SPEC, progress=False)
    assert cache.lacking() == {0: NOT_DECODABLE, 1: NOT_FOUND}
    assert cache.reason(2) == ""
    assert not cache.read(0).any()


def test_filling_that_is_broken_off_leaves_nothing(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = picture_index(tmp_path)

    def interrupted(self: FaceImages, row: int) -> np.ndarray:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FaceImages, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            open_cache(index, SPEC, progress=False)
    assert list((empty_cache / "images").iterdir()) == []


def test_a_cache_folder_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = picture_index(tmp_path)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="Cannot write"):
        open_cache(index, SPEC, progress=False)


def test_reading_gives_a_copy_that_cannot_spoil_the_cache(tmp_path: Path) -> None:
    cache = open_cache(picture_index(tmp_path), SPEC, progress=False)
    cache.read(0)[:] = 7
    np.testing.assert_array_equal(cache.read(0)[:, :, 0], noise(0))


def test_a_pickled_cache_carries_its_place_and_not_its_pixels(tmp_path: Path) -> None:
    cache = open_cache(picture_index(tmp_path, 100), SPEC, progress=False)
    pickled = pickle.dumps(cache)
    assert len(pickled) < 1000
    again = pickle.loads(pickled)
    assert isinstance(again, ImageCache)
    np.testing.assert_array_equal(again.read(50), cache.read(50))


def _fill_and_sum(root: Path, barrier: "multiprocessing.synchronize.Barrier", answers: "multiprocessing.Queue") -> None:
    index = picture_index_without_files(root)
    barrier.wait()
    cache = cache_module.open_cache(index, SPEC, progress=False)
    answers.put(sum(int(cache.read(row).sum()) for row in range(cache.shape[0])))


def picture_index_without_files(root: Path) -> Index:
    return pickle.loads((root / "index.pickle").read_bytes())


def test_processes_that_fill_it_at_once_are_all_right(tmp_path: Path, empty_cache: Path) -> None:
    index = picture_index(tmp_path, 300)
    (tmp_path / "index.pickle").write_bytes(pickle.dumps(index))
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_fill_and_sum, args=(tmp_path, barrier, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    sums = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sums == [sum(int(noise(i).sum()) for i in range(300))] * 3
    assert len(list((empty_cache / "images").iterdir())) == 1
