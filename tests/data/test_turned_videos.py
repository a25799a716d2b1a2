"""Frames of videos as images of an index: the pictures that were written come back by name, turned where asked."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from fakes import videos

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.sample import sample_id
from fer_zoo.data.cache import open_cache
from fer_zoo.data.checks import check_dataset
from fer_zoo.data.datasets.mmi import CARD
from fer_zoo.data.image_sources import FaceImages, UnreadableImage, image_source
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.video_frames import VideoFrames, file_of, frame_name
from fer_zoo.engine.overlap import file_hashes

PICTURES = videos.textures(12)
NAMES = [frame_name(f"{clip}.avi", number) for clip in ("a", "b") for number in (7, 0, 11)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for clip, pictures in (("a", PICTURES), ("b", PICTURES[::-1])):
        videos.write(tmp_path / f"{clip}.avi", pictures, codec="ffv1", pixels="bgr0", b_frames=0)
    return tmp_path


def index_of(root: Path, **turns: int) -> Index:
    images = VideoFrames(root, "fake", turns={f"{clip}.avi": turn for clip, turn in turns.items()})
    return Index("fake", root, index_table("fake", NAMES), {}, is_cropped=True, images=images)


def test_frames_come_bit_for_bit_by_their_numbers(root: Path) -> None:
    source = pickle.loads(pickle.dumps(image_source(index_of(root))))
    wanted = [PICTURES[place] for place in (7, 0, 11, 4, 11, 0)]
    for row, picture in enumerate(wanted):
        assert np.array_equal(source.read(row), picture)
        assert source.size(row) == (64, 48)
    assert np.array_equal(source.read(1, "bgr"), PICTURES[0][:, :, ::-1])
    grey = source.read(1, "grey")
    assert grey.shape == (48, 64, 1) and np.abs(grey[:, :, 0] - videos.grey_of(PICTURES[0])).max() <= 1


@pytest.mark.parametrize("turn", [-1, 2])
def test_clips_are_turned_where_their_files_do_not_say_it(root: Path, turn: int) -> None:
    source = image_source(index_of(root, b=turn))
    assert np.array_equal(source.read(0), PICTURES[7])
    assert np.array_equal(source.read(3), np.rot90(PICTURES[4], turn))
    assert source.size(3) == ((48, 64) if turn % 2 else (64, 48)) == source.read(3).shape[1::-1]
    plain = image_source(index_of(root)).stamps()
    assert [a == b for a, b in zip(source.stamps(), plain, strict=True)] == [True] * 3 + [False] * 3


def test_what_cannot_be_read_is_named_by_its_id(root: Path) -> None:
    index = index_of(root)
    (root / "a.avi").unlink()
    whole = (root / "b.avi").read_bytes()
    source = image_source(index)
    for row in (0, 1):
        with pytest.raises(UnreadableImage, match=rf"Image {sample_id('fake', NAMES[row])} .*\(file not found\)"):
            source.read(row)
        with pytest.raises(UnreadableImage, match="file not found"):
            source.size(row)
    (root / "b.avi").write_bytes(whole[: len(whole) // 2])
    assert np.array_equal(source.read(4), PICTURES[11])  # the first frame is there
    with pytest.raises(UnreadableImage, match=r"\(not an image or cut short\)"):
        source.read(5)
    beyond = VideoFrames(root, "fake").of(["b.avi#99"])
    with pytest.raises(UnreadableImage, match="not an image or cut short"):
        beyond.read(0)


def test_the_cache_holds_the_frames_and_knows_when_a_video_changes(root: Path) -> None:
    spec = InputSpec(height=48, width=64, crop_scale=1.0, mean=(0.5,) * 3, std=(0.5,) * 3)
    index = index_of(root)
    cache = open_cache(index, spec, progress=False)
    assert np.array_equal(cache.read(3), FaceImages(index, spec).read(3))
    videos.write(root / "b.avi", PICTURES, codec="ffv1", pixels="bgr0", b_frames=0)
    assert np.array_equal(open_cache(index, spec, progress=False).read(3), cache.read(0))


def test_a_check_reads_every_frame_and_finds_copies_of_videos(root: Path) -> None:
    (root / "b.avi").write_bytes((root / "a.avi").read_bytes())
    index = index_of(root)
    report = check_dataset(index, CARD, progress=False)
    assert report.formats == {"frames of videos": 6} and report.sizes == (64, 64, 64)
    assert report.duplicates == tuple((index.ids[row], index.ids[row + 3]) for row in range(3))
    hashes = file_hashes(index, index.ids)
    assert len(hashes) == 6 and len(set(hashes.values())) == 1


def test_names_of_frames_are_told_from_names_of_images() -> None:
    assert file_of(frame_name("a/b.AVI", 3)) == "a/b.AVI"
    for name in ("a#1.jpg", "a.jpg#1", "a.avi#x", "a.avi", "#3"):
        assert file_of(name) == name
