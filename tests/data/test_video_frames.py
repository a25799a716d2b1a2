import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fakes import videos

from fer_zoo.core.sample import sample_id
from fer_zoo.data.image_sources import ImageSource, UnreadableImage
from fer_zoo.data.video import Video
from fer_zoo.data.video_frames import VideoFrames, frame_name, split_name

NUMBER = 24


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in "abc":
        videos.write(tmp_path / f"{name}.avi", videos.textures(NUMBER, seed=ord(name)), codec="mpeg4", b_frames=0)
    return tmp_path


def truth(root: Path, name: str) -> list[np.ndarray]:
    return [frame.image for frame in Video(root / f"{name}.avi").frames()]


def source_of(root: Path, frames: list[tuple[str, int]]) -> VideoFrames:
    return VideoFrames(root, "some").of([frame_name(f"{name}.avi", number) for name, number in frames])


def test_names_come_apart_again() -> None:
    assert split_name(frame_name("a#1/b.avi", 12)) == ("a#1/b.avi", 12)


@pytest.mark.parametrize("seed", range(3))
def test_any_order_gives_the_frame_of_that_number(root: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    frames = [("abc"[int(video)], int(number)) for video, number in generator.integers(0, (3, NUMBER), (40, 2))]
    source = source_of(root, frames)
    whole = {name: truth(root, name) for name in "abc"}
    for row, (name, number) in enumerate(frames):
        assert np.array_equal(source.read(row), whole[name][number])
    assert isinstance(source, ImageSource) and source.size(0) == (64, 48)


def test_every_third_frame_by_many_threads(root: Path) -> None:
    frames = [(name, number) for name in "ab" for number in range(0, NUMBER, 3)]
    source = source_of(root, frames)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(source.read, range(len(frames))))
    whole = {name: truth(root, name) for name in "ab"}
    assert all(np.array_equal(image, whole[name][number]) for image, (name, number) in zip(found, frames, strict=True))


def test_frames_in_order_are_decoded_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    frames_of = Video.frames
    monkeypatch.setattr(
        Video, "frames", lambda self, start=0, step=1: calls.append(start) or frames_of(self, start, step)
    )
    source = source_of(root, [("a", number) for number in (0, 2, 4, 8, 6, 22)])
    for row in range(6):
        source.read(row)
    assert calls == [0]  # 6 was kept when 8 was asked for
    source.read(0)
    source_of(root, [("a", 20)]).read(0)
    assert calls == [0, 20]  # the first frame is kept, too


def test_colours(root: Path) -> None:
    source, (first, *_) = source_of(root, [("a", 0)]), truth(root, "a")
    assert np.array_equal(source.read(0, "bgr"), first[:, :, ::-1])
    grey = source.read(0, "grey")
    assert grey.shape == (48, 64, 1)
    expected = first @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[:, :, 0] - expected).max() <= 1
    source.read(0)[:] = 0
    assert np.array_equal(source.read(0), first)  # what is kept cannot be written to from outside


def test_what_cannot_be_read_is_named_by_id(root: Path) -> None:
    source = source_of(root, [("a", NUMBER), ("lost", 0), ("cut", 0), ("a", 3)])
    (root / "cut.avi").write_bytes(b"RIFF")
    for row, (name, reason) in enumerate(
        [("a.avi#24", "not an image"), ("lost.avi#0", "not found"), ("cut.avi#0", "")]
    ):
        with pytest.raises(UnreadableImage, match=f"{sample_id('some', name)} cannot be read .*{reason}"):
            source.read(row)
    assert np.array_equal(source.read(3), truth(root, "a")[3])
    with pytest.raises(UnreadableImage, match="not found"):
        source.size(1)


def test_stamps_change_with_the_file_and_copies_start_anew(root: Path) -> None:
    source = source_of(root, [("a", 0), ("b", 0), ("lost", 1), ("a", 5)])
    before = source.stamps()
    assert before[0] == before[3] != before[1] and before[2] == "missing"
    source.read(0)
    copy = pickle.loads(pickle.dumps(source))
    assert np.array_equal(copy.read(3), source.read(3))
    (root / "a.avi").write_bytes((root / "a.avi").read_bytes() + b"\0")
    assert source.stamps()[0] != before[0] and source.stamps()[1] == before[1]
