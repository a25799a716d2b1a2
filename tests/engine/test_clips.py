"""Annotated clips: as many frames, at the same times, with the faces of the table; and the pictures of photographs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.pictures import drawn_face
from fakes.videos import textures, write
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.data.video import Video
from fer_zoo.engine.clips import write_clip
from fer_zoo.engine.marked_pictures import picture_path, write_pictures

SPACES = {"emotion": label_space("emotion/basic6")}
NUMBER = 24


def row(frame: int | None, left: int, file: str = "clip.mp4", **others: Any) -> dict[str, Any]:
    box = {"face_x": left, "face_y": 120, "face_width": 60, "face_height": 60}
    return {"file": file, "frame": frame, "face": 0, "face_found": True, **box, **others}


def box_at(image: np.ndarray) -> int | None:
    """The column of the box's left edge, found by its yellow."""
    near = np.abs(image[130:170].astype(int) - (255, 225, 25)).sum(axis=2) < 150
    columns = np.flatnonzero(near.all(axis=0))
    return int(columns[0]) if len(columns) else None


@pytest.fixture(scope="module")
def dull(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Video]:
    folder = tmp_path_factory.mktemp("dull")

    def make(**how: Any) -> Video:
        size = how.pop("size", (240, 360))
        return Video(
            write(folder / f"{len(list(folder.iterdir()))}.mp4", [np.full((*size, 3), 90, np.uint8)] * NUMBER, **how)
        )

    return make


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("rate", [24, 25, 30])
def test_a_clip_has_the_frames_of_its_video_with_their_boxes(
    dull: Callable[..., Video], tmp_path: Path, codec: str, rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_zoo.engine.clips._ENCODERS", (codec,))
    video = dull(rate=rate)
    write_clip(video, [row(n, 10 * n) for n in range(NUMBER)], tmp_path / "out.mp4", SPACES)
    clip = Video(tmp_path / "out.mp4")
    frames = list(clip.frames())
    assert clip.rate == pytest.approx(rate, abs=1e-3)
    assert (clip.width, clip.height) == (360, 240)
    np.testing.assert_allclose([f.seconds for f in frames], [f.seconds for f in video.frames()], atol=1e-4)
    assert [box_at(frame.image) for frame in frames] == pytest.approx([10 * n for n in range(NUMBER)], abs=2)
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


def test_frames_between_two_looks_keep_what_the_first_showed(dull: Callable[..., Video], tmp_path: Path) -> None:
    rows = [row(0, 20), {"file": "clip.mp4", "frame": 6, "face_found": False, "problem": "no face found"}, row(12, 80)]
    rows.append({"file": "clip.mp4", "frame": None, "face_found": False, "problem": "unreadable after frame 23"})
    write_clip(dull(), rows, tmp_path / "out.mp4", SPACES)
    found = [box_at(frame.image) for frame in Video(tmp_path / "out.mp4").frames()]
    assert found[:6] == pytest.approx([20] * 6, abs=2)
    assert found[6:12] == [None] * 6
    assert found[12:] == pytest.approx([80] * 12, abs=2)


def test_uneven_times_turned_frames_and_odd_sides_are_kept(dull: Callable[..., Video], tmp_path: Path) -> None:
    seconds = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.1, NUMBER)) + 3
    video = dull(seconds=seconds.tolist(), rotation=90, codec="libx265", encoder={"x265-params": "log-level=none"})
    write_clip(video, [], tmp_path / "out.mp4", SPACES)
    clip = Video(tmp_path / "out.mp4")
    assert (clip.width, clip.height, clip.rotation) == (240, 360, 0)
    np.testing.assert_allclose([f.seconds for f in clip.frames()], seconds - seconds[0], atol=1e-3)
    odd = tmp_path / "odd.avi"
    write(odd, [np.full((241, 361, 3), 90, np.uint8)] * 3, codec="mjpeg", pixels="yuvj420p", b_frames=0)
    write_clip(Video(odd), [], tmp_path / "odd.mp4", SPACES)
    assert (Video(tmp_path / "odd.mp4").width, Video(tmp_path / "odd.mp4").height) == (362, 242)


def test_small_videos_are_drawn_larger(tmp_path: Path) -> None:
    video = Video(write(tmp_path / "small.mp4", textures(5)))
    write_clip(video, [row(0, 3)], tmp_path / "out.mp4", SPACES)
    assert Video(tmp_path / "out.mp4").width == 5 * video.width == 320


def test_a_video_that_breaks_off_gives_a_clip_as_long(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mkv", textures(30)).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: round(0.6 * len(whole))])
    video = Video(tmp_path / "cut.mkv")
    write_clip(video, [], tmp_path / "out.mp4", SPACES)
    number = len(list(Video(tmp_path / "out.mp4").frames()))
    assert 3 < number < 30


def test_each_file_gets_its_picture_and_unreadable_ones_none(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a/face.png", "b/face.png", "bad.jpg", "clip.mp4", "bad.mp4")]
    for path in files[:2]:
        path.parent.mkdir()
        Image.fromarray(drawn_face(200)).save(path)
    write(files[3], textures(5))
    files[2].write_bytes(b"")
    files[4].write_bytes(b"")
    rows = [row(None, 20, str(file)) for file in files[:2]]
    rows += [{"file": str(files[2]), "frame": None, "face_found": False}]
    rows += [row(n, 20, str(files[3])) for n in range(5)]
    rows += [{"file": str(files[4]), "frame": None, "face_found": False}]
    write_pictures(rows, files, tmp_path / "out", SPACES)
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["00000_face.png", "00001_face.png", "00003_clip.mp4"]
    with Image.open(tmp_path / "out" / made[0]) as picture:
        assert picture.size == (400, 400)


def test_pictures_of_one_name_stay_apart() -> None:
    first, second = (picture_path(Path("out"), n, Path(f"{n}/face.jpg"), ".png") for n in (0, 1))
    assert first != second
    assert first.suffix == ".png"


def test_folder_of_pictures_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    Image.fromarray(drawn_face(200)).save(tmp_path / "face.png")
    rows = [row(None, 20, str(tmp_path / "face.png"))]
    with pytest.raises(UserError, match="Cannot write"):
        write_pictures(rows, [tmp_path / "face.png"], tmp_path / "taken", SPACES)
