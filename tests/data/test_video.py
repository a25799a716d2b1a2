"""Videos: facts, frames in order, exact numbers, uprightness, and files that end too soon."""

import gc
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from fakes.pictures import noise
from fakes.videos import grey_of, sound, textures, write
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.data.video import Frame, UnreadableVideo, Video, count_frames, is_video
from fer_zoo.data.video_decoding import decoded

NUMBER = 40
# name -> how it is written; in the last ones frames cannot be found by their times.
KINDS: dict[str, dict[str, object]] = {
    "h264.mp4": {},
    "pyramid.mp4": {"b_frames": 4, "encoder": {"x264-params": "b-pyramid=normal:open-gop=1:scenecut=0"}},
    "faststart.mov": {"options": {"movflags": "faststart"}},
    "fragments.mp4": {"options": {"movflags": "frag_keyframe+empty_moov"}},
    "h264.mkv": {},
    "broadcast.ts": {"muxer": "mpegts"},
    "program.mpg": {"codec": "mpeg2video"},
    "vp9.webm": {"codec": "libvpx-vp9", "b_frames": 0, "encoder": {"deadline": "realtime", "cpu-used": "8"}},
    "hevc.mp4": {"codec": "libx265", "encoder": {"x265-params": "log-level=none", "preset": "ultrafast"}},
    "mjpeg.avi": {"codec": "mjpeg", "b_frames": 0, "pixels": "yuvj420p"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "bare.h264": {"muxer": "h264"},
    "vp8.webm": {"codec": "libvpx", "b_frames": 0, "encoder": {"auto-alt-ref": "1", "lag-in-frames": "10"}},
}
ADDRESSED_BY_TIME = tuple(KINDS)[:-2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def made(folder: Path) -> Callable[[str], Path]:
    """The video of a kind, written once."""

    def path_of(name: str) -> Path:
        path = folder / name
        if not path.exists():
            write(path, textures(NUMBER), **KINDS[name])  # type: ignore[arg-type]
        return path

    return path_of


def same(left: Sequence[Frame], right: Sequence[Frame]) -> bool:
    return len(left) == len(right) and all(
        a.number == b.number and a.seconds == b.seconds and np.array_equal(a.image, b.image)
        for a, b in zip(left, right, strict=True)
    )


@pytest.mark.parametrize("name", KINDS)
def test_frames_come_in_order_with_their_numbers_and_pictures(name: str, made: Callable[[str], Path]) -> None:
    video = Video(made(name))
    frames = list(video.frames())
    assert [frame.number for frame in frames] == list(range(NUMBER))
    np.testing.assert_allclose([frame.seconds for frame in frames], np.arange(NUMBER) / 30, atol=1e-3)
    truth = np.stack([grey_of(image) for image in textures(NUMBER)])
    for frame in frames:  # of all pictures that were written, its own is the nearest
        assert np.abs(truth - grey_of(frame.image)).mean(axis=(1, 2)).argmin() == frame.number
    assert (video.width, video.height, video.rotation, video.is_mirrored) == (64, 48, 0, False)
    assert video.num_frames in (NUMBER, None)
    assert video.rate == pytest.approx(30)


@pytest.mark.parametrize("name", KINDS)
def test_any_frame_is_the_same_as_when_all_are_read(name: str, made: Callable[[str], Path]) -> None:
    video = Video(made(name))
    frames = list(video.frames())
    assert (len(video._packets.times) == NUMBER) == (name in ADDRESSED_BY_TIME)
    for start in (1, 7, 8, 9, 15, 22, NUMBER - 1):
        assert same(list(video.frames(start, 3)), frames[start::3]), start
    assert list(video.frames(NUMBER)) == list(video.frames(NUMBER + 50)) == []
    assert same([video.frame(29)], [frames[29]])


def test_seeking_reads_only_from_a_key_frame_on(made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[int | None] = []

    def noted(path: Path, *, is_whole: bool, key: int | None = None) -> object:
        keys.append(key)
        return decoded(path, is_whole=is_whole, key=key)

    monkeypatch.setattr("fer_zoo.data.video.decoded", noted)
    for name in ADDRESSED_BY_TIME:
        video = Video(made(name))
        keys.clear()  # of the first frame
        video.frame(30)
        assert keys[0] is not None and None not in keys, name


def test_times_may_be_uneven_and_begin_late(folder: Path) -> None:
    seconds = 5 + np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, NUMBER))
    for name in ("uneven.mp4", "uneven.mkv"):
        video = Video(write(folder / name, textures(NUMBER), seconds=seconds.tolist()))
        frames = list(video.frames())
        np.testing.assert_allclose([frame.seconds for frame in frames], seconds - seconds[0], atol=1e-3)
        assert len(video._packets.times) == NUMBER
        assert all(same([video.frame(n)], [frames[n]]) for n in (0, 5, 17, 38))


def test_numbers_that_are_none_are_told(made: Callable[[str], Path]) -> None:
    for number in (-1, NUMBER, 10**9):
        with pytest.raises(UserError, match=rf"has no frame {number}; frames are counted from 0"):
            Video(made("h264.mp4"), name="clip").frame(number)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_frames_are_turned_upright(folder: Path, rotation: int, mirror: bool) -> None:
    """Stored are the pictures as the camera held askew saw them; numpy's own turning is the truth."""
    stored = textures(4)
    path = write(folder / f"turned_{rotation}{mirror}.mp4", stored, rotation=rotation, mirror=mirror)
    video = Video(path)
    plain = list(Video(write(folder / "plain.mp4", stored)).frames())
    turned = [np.rot90(frame.image, rotation // 90) for frame in plain]
    expected = [image[:, ::-1] if mirror else image for image in turned]
    frames = list(video.frames())
    assert all(np.array_equal(frame.image, image) for frame, image in zip(frames, expected, strict=True))
    assert (video.height, video.width) == frames[0].image.shape[:2]
    assert (video.rotation, video.is_mirrored) == (rotation, mirror)
    assert all(frame.image.flags.c_contiguous for frame in frames)


def test_the_matrix_of_the_header_is_what_turns(folder: Path) -> None:
    """The box `tkhd` is written by hand, as a phone does."""
    path = write(folder / "phone.mp4", textures(4))
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    assert struct.unpack(">9i", content[place : place + 36])[0] == 65536
    content[place : place + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30)
    before = Video(path).frame(2).image
    path.write_bytes(content)
    assert np.array_equal(Video(path).frame(2).image, np.rot90(before, -1))  # clockwise
    assert Video(path).rotation == 270


# They do not say how long they are, or (fragments) only of the part that came; the decoder of a bare stream takes half
# a frame for whole, and others lean on it.
ENDLESS = ("bare.h264", "broadcast.ts", "program.mpg", "fragments.mp4")


@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_is_cut_off_gives_its_first_frames_unchanged(
    name: str, made: Callable[[str], Path], tmp_path: Path
) -> None:
    """Wherever it is cut: whole frames, with the right numbers, up to a place; then one sentence."""
    whole = list(Video(made(name)).frames())
    content = made(name).read_bytes()
    most = 0
    for length in np.linspace(0, len(content) - 1, 24).astype(int):
        path = tmp_path / name
        path.write_bytes(content[:length])
        frames: list[Frame] = []
        try:
            frames.extend(Video(path, name="clip").frames())
        except UnreadableVideo as error:
            sentence = str(error)
            last = f" after frame {len(frames) - 1}" if frames else ""
            assert sentence.startswith(f"Video clip is unreadable{last}: "), sentence
        else:
            assert name in ENDLESS or len(frames) == NUMBER, length
        assert [frame.number for frame in frames] == list(range(len(frames)))
        for frame in frames[: -4 if name == "bare.h264" else None]:
            assert np.array_equal(frame.image, whole[frame.number].image), (length, frame.number)
            if name != "bare.h264":
                assert frame.seconds == whole[frame.number].seconds
        most = max(most, len(frames))
    if name not in ("h264.mp4", "pyramid.mp4", "hevc.mp4"):  # their index comes last
        assert most >= NUMBER * 0.8


@pytest.mark.parametrize("name", ["faststart.mov", "h264.mkv", "broadcast.ts"])
def test_what_is_told_of_a_cut_file_does_not_depend_on_where_reading_began(
    name: str, made: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tmp_path / name
    content = made(name).read_bytes()
    path.write_bytes(content[: round(0.7 * len(content))])

    def told(start: int, step: int) -> tuple[list[int], str]:
        numbers = []
        try:
            for frame in Video(path).frames(start, step):
                numbers.append(frame.number)
        except UnreadableVideo as error:
            return numbers, error.problem
        return numbers, ""

    numbers, problem = told(0, 1)
    assert (
        5 < len(numbers) < NUMBER and problem == f"unreadable after frame {numbers[-1]}: the file is cut off or damaged"
    )
    for start in (3, numbers[-1] - 1, numbers[-1], numbers[-1] + 1, numbers[-1] + 7):
        assert told(start, 1) == (numbers[start:], problem)
    assert told(0, 5) == (numbers[::5], problem)


def test_damage_in_the_middle_ends_a_video_there(made: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "damaged.mp4"
    content = bytearray(made("faststart.mov").read_bytes())
    with av.open(str(made("faststart.mov"))) as container:
        packet = [p for p in container.demux(video=0) if p.size][20]
        assert packet.pos is not None
        content[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    path.write_bytes(content)
    whole = list(Video(made("faststart.mov")).frames())
    frames: list[Frame] = []
    with pytest.raises(UnreadableVideo, match=r"after frame \d+: the file is cut off or damaged"):
        frames.extend(Video(path).frames())
    assert 10 < len(frames) < 24
    assert same(frames, whole[: len(frames)])


def test_a_size_that_changes_ends_a_video(tmp_path: Path) -> None:
    first = write(tmp_path / "a.ts", textures(10), muxer="mpegts").read_bytes()
    second = write(tmp_path / "b.ts", textures(10, 96, 128), muxer="mpegts").read_bytes()
    (tmp_path / "both.ts").write_bytes(first + second)
    frames: list[Frame] = []
    with pytest.raises(UnreadableVideo, match=r"after frame 9: the size of the frames changes from 64x48 to 128x96"):
        frames.extend(Video(tmp_path / "both.ts").frames())
    assert len(frames) == 10


def test_parts_that_were_joined_are_one_video(tmp_path: Path) -> None:
    """As downloaded streams are: the second part begins with the times of the first."""
    parts = [write(tmp_path / "part.ts", textures(20, seed=i), muxer="mpegts").read_bytes() for i in range(2)]
    (tmp_path / "both.ts").write_bytes(b"".join(parts))
    video = Video(tmp_path / "both.ts")
    frames = list(video.frames())
    assert [frame.number for frame in frames] == list(range(40))
    assert same([video.frame(30)], [frames[30]])


def test_what_is_no_video_is_told(tmp_path: Path, made: Callable[[str], Path]) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("a text\n" * 100)
    (tmp_path / "text.txt").write_text("a text\n" * 100)  # FFmpeg would draw it
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")
    Image.fromarray(noise(0)).save(tmp_path / "picture.png")
    sound(tmp_path / "sound.wav")
    content = made("h264.mp4").read_bytes()
    (tmp_path / "no_index.mp4").write_bytes(content[: content.index(b"moov") - 4])
    files = (
        "empty.mp4",
        "text.mp4",
        "text.txt",
        "list.mp4",
        "picture.png",
        "sound.wav",
        "no_index.mp4",
        "missing.mp4",
        "",
    )
    for name in files:
        reason = "file not found" if name == "missing.mp4" else "no video in it, or cut off before its index"
        with pytest.raises(UnreadableVideo, match=rf"^Video it is unreadable: {reason}\. Copy or record it again"):
            Video(tmp_path / name, name="it")


def test_videos_are_told_by_suffix_and_then_by_content(tmp_path: Path, made: Callable[[str], Path]) -> None:
    clip = made("h264.mkv").read_bytes()
    Image.fromarray(noise(0)).save(tmp_path / "picture.png")
    contents = {
        "clip.MP4": b"", "clip.xyz": clip, "clip": clip, "face.jpg": clip, "moving.gif": b"", "notes.xyz": b"notes",
        "picture.xyz": (tmp_path / "picture.png").read_bytes(), "empty": b"",
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    assert {name for name in contents if is_video(tmp_path / name)} == {"clip.MP4", "clip.xyz", "clip"}
    assert not is_video(tmp_path / "missing")
    assert not is_video(tmp_path)


def test_names_are_never_taken_for_protocols(tmp_path: Path, made: Callable[[str], Path]) -> None:
    for name in ("concat:a|b.mp4", "http:x.mp4", os.fsdecode(b"caf\xe9.mp4"), "a b%20?#.mp4"):
        (tmp_path / name).write_bytes(made("h264.mp4").read_bytes())
        assert len(list(Video(tmp_path / name).frames())) == NUMBER


def test_no_file_stays_open(made: Callable[[str], Path]) -> None:
    def handles() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    video = Video(made("h264.mp4"))
    before = handles()
    some = video.frames()
    next(some)
    assert handles() == before + 1
    some.close()
    for _ in range(20):
        video.frame(9)
    assert handles() == before


@pytest.mark.parametrize("name", KINDS)
def test_frames_are_counted_without_being_decoded(
    name: str, made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(name)
    monkeypatch.setattr("fer_zoo.data.video.decoded", None)
    if name in ADDRESSED_BY_TIME:
        assert count_frames(path) == NUMBER
    else:
        with pytest.raises(UnreadableVideo, match="it does not tell how many frames it has"):
            count_frames(path)


def test_what_is_no_video_has_no_number_of_frames(tmp_path: Path) -> None:
    (tmp_path / "text.avi").write_text("no video")
    for name, reason in (("text.avi", "no video in it"), ("nowhere.avi", "file not found")):
        with pytest.raises(UnreadableVideo, match=f"^Video clip 7 is unreadable: {reason}"):
            count_frames(tmp_path / name, name="clip 7")
