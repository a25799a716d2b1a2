"""The whole of predict: what is said, and tables that go on to the same bytes wherever they were broken off."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes.pictures import drawn_face
from fakes.videos import faces_on_ground, textures, write
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import describe_settings
from fer_zoo.data.video import Video
from fer_zoo.engine.checkpoint import save_method
from fer_zoo.engine.create import create_method
from fer_zoo.engine.predict_files import predict_files
from fer_zoo.engine.predict_settings import PredictSettings
from fer_zoo.engine.row_writer import RowWriter

PLACES = ((10, 20), (130, 20))
TRAINING = {"subject_hashes": [], "licences": {}}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32, seed=1)
    save_method(folder, task, training=TRAINING, validation={})
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A photograph, a video with two faces, one that is cut off, and a photograph without a face."""
    folder = tmp_path_factory.mktemp("files")
    Image.fromarray(drawn_face()).save(folder / "one, a.png")
    write(folder / "clip.mp4", faces_on_ground(24, PLACES))
    content = write(folder / "whole.mkv", faces_on_ground(16, PLACES[:1])).read_bytes()
    (folder / "cut.mkv").write_bytes(content[: round(0.6 * len(content))])
    Image.new("RGB", (60, 60)).save(folder / "none.png")
    return [folder / name for name in ("one, a.png", "clip.mp4", "cut.mkv", "none.png")]


@pytest.fixture
def run(checkpoint: Path, files: list[Path]) -> Callable[..., list[str]]:
    """Runs predict; the lines that were said."""

    def predicted(output: Path, *, pictures: bool = False, some: list[Path] | None = None, **others: Any) -> list[str]:
        lines: list[str] = []
        values: dict[str, Any] = {"track": True, "device": "cpu", **others}
        settings = PredictSettings(checkpoint=str(checkpoint), output=str(output), **values)
        predict_files(files if some is None else some, settings, pictures=pictures, echo=lines.append)
        return lines

    return predicted


def interrupt_after(groups: int, patch: pytest.MonkeyPatch) -> None:
    """Ctrl-C when that many photographs and frames have been written."""
    real, count = RowWriter.write, 0

    def write_and_stop(writer: RowWriter, rows: Any) -> None:
        nonlocal count
        count += 1
        if count > groups:
            raise KeyboardInterrupt
        real(writer, rows)

    patch.setattr(RowWriter, "write", write_and_stop)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_after_ctrl_c_the_same_command_goes_on_to_the_same_bytes(
    run: Callable[..., list[str]], tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run(tmp_path / f"unbroken{suffix}")
    output = tmp_path / f"faces{suffix}"
    breaks = (1, 9, 20) if suffix == ".csv" else (20,)
    for groups in breaks:
        with monkeypatch.context() as patch:
            interrupt_after(groups, patch)
            with pytest.raises(KeyboardInterrupt):
                run(output)
        assert not output.exists()
    lines = run(output)
    assert output.read_bytes() == (tmp_path / f"unbroken{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"faces{suffix}", f"unbroken{suffix}"]
    assert [line for line in lines if line.startswith("going on after ")]
    counts = [
        [line.split("; ")[:3] for line in some if line.startswith(("faces: ", "predicted "))] for some in (said, lines)
    ]
    assert counts[0] == counts[1]


def test_after_a_kill_the_same_command_goes_on_to_the_same_bytes(
    run: Callable[..., list[str]], checkpoint: Path, files: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "faces.csv"
    code = (
        "import sys, time; from pathlib import Path; from fer_zoo.engine.row_writer import RowWriter\n"
        "from fer_zoo.engine.predict_files import predict_files\n"
        "from fer_zoo.engine.predict_settings import PredictSettings\n"
        "real = RowWriter.write\n"
        "RowWriter.write = lambda writer, rows: (time.sleep(0.02), real(writer, rows))\n"
        "settings = PredictSettings(checkpoint=sys.argv[1], output=sys.argv[2], track=True, device='cpu')\n"
        "predict_files([Path(file) for file in sys.argv[3:]], settings, pictures=False, echo=print)\n"
    )
    growing = tmp_path / "faces.csv.partial.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(checkpoint), str(output), *map(str, files)], stdout=subprocess.DEVNULL
    )
    end = time.monotonic() + 60
    while not (growing.exists() and len(growing.read_bytes().splitlines()) > 20) and time.monotonic() < end:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not output.exists()
    with growing.open("ab") as stream:
        stream.write(b'"half a r')
    assert any(line.startswith("going on after frame") for line in run(output))
    run(tmp_path / "unbroken.csv")
    assert output.read_bytes() == (tmp_path / "unbroken.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces.csv", "unbroken.csv"]


def test_what_is_said(run: Callable[..., list[str]], files: list[Path], tmp_path: Path) -> None:
    turned = write(tmp_path / "turned.mp4", textures(2), rotation=90)
    lines = run(tmp_path / "faces.csv", some=[*files, turned], every=2)
    assert lines[0] == "device: cpu; detector: haar; photographs: 2; videos: 3; one frame in 2"
    assert lines[1] == f"turned upright, counter-clockwise, as the file says: {turned} by 90°"
    table = pd.read_csv(tmp_path / "faces.csv", keep_default_na=False)
    found = table[table["face_found"]]
    assert lines[2].startswith(f"faces: {len(found)}; videos that break off: 1; no face found: 2; ")
    assert lines[2].endswith(" frames a second")
    counts = found["emotion"].value_counts()
    assert lines[3].startswith("predicted emotion: ")
    assert all(f"{name} {count}" in lines[3] for name, count in counts.items())
    last = table[(table["file"] == str(files[2])) & table["face_found"]]["frame"].astype(int).max()
    problem = table[table["problem"].str.startswith("unreadable after")]["problem"].item()
    assert int(problem.split()[3].rstrip(":")) in (last, last + 1)
    assert f"warning: {files[2]} is {problem}" in lines
    assert lines[-1] == f"written: {tmp_path / 'faces.csv'}"


def test_one_class_alone_is_told(run: Callable[..., list[str]], files: list[Path], tmp_path: Path) -> None:
    lines = run(tmp_path / "faces.csv", some=[files[1]])
    predicted = pd.read_csv(tmp_path / "faces.csv")["emotion"].value_counts(normalize=True)
    warned = any(line.startswith("warning: ") and "of the 48 predictions are" in line for line in lines)
    assert warned == (predicted.max() >= 0.9)
    assert predicted.max() >= 0.9  # one drawn face throughout


def test_pictures_come_from_the_table(
    run: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that breaks off while it draws keeps its whole table and draws again."""
    with monkeypatch.context() as patch:
        patch.setattr("fer_zoo.engine.predict_files.write_pictures", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "faces.csv", pictures=True)
    lines = run(tmp_path / "faces.csv", pictures=True)
    folder = tmp_path / "faces_pictures"
    assert lines[-2:] == [f"written: {tmp_path / 'faces.csv'}", f"written: {folder}"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "00000_one, a.png", "00001_clip.mp4", "00002_cut.mp4", "00003_none.png",
    ]  # fmt: skip
    assert len(list(Video(folder / "00001_clip.mp4").frames())) == 24


def interrupted(*arguments: object, **keywords: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"every": 2}, "was begun with every=1, not 2"),
        ({"track": False}, "was begun with track=True, not False"),
        ({"detector": "none"}, "was begun with detector=haar, not none"),
    ],
)
def test_other_settings_do_not_go_on(
    run: Callable[..., list[str]], files: list[Path], tmp_path: Path, others: dict[str, Any], sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        interrupt_after(2, patch)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "faces.csv")
    with pytest.raises(UserError, match=sentence):
        run(tmp_path / "faces.csv", **others)
    with pytest.raises(UserError, match="was begun with other files"):
        run(tmp_path / "faces.csv", some=files[:1])


def test_a_file_of_another_size_does_not_go_on(
    run: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write(tmp_path / "clip.mp4", faces_on_ground(4, PLACES))
    with monkeypatch.context() as patch:
        interrupt_after(2, patch)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "faces.csv", some=[clip])
    write(clip, faces_on_ground(6, PLACES))
    with pytest.raises(UserError, match="was begun with sizes of the files="):
        run(tmp_path / "faces.csv", some=[clip])


def test_videos_that_cannot_be_read_are_named_and_are_no_photographs(
    run: Callable[..., list[str]], tmp_path: Path
) -> None:
    for number in range(7):
        (tmp_path / f"{number}.mp4").write_text("no video")
    lines = run(tmp_path / "faces.csv", some=sorted(tmp_path.glob("*.mp4")))
    (problem,) = pd.read_csv(tmp_path / "faces.csv")["problem"].unique()
    assert problem.startswith("unreadable: ")
    assert lines[1] == f"{problem}: 7"
    assert lines[2:-1] == [
        *(f"warning: {tmp_path / f'{number}.mp4'} is {problem}" for number in range(5)),
        "warning: 2 more videos cannot be read to their end; the column problem says why",
    ]


def test_boxes_behind_the_end_of_a_video_are_said(
    run: Callable[..., list[str]], files: list[Path], tmp_path: Path
) -> None:
    run(tmp_path / "faces.csv", some=[files[1]])
    (tmp_path / "short").mkdir()
    short = write(tmp_path / "short" / "clip.mp4", faces_on_ground(21, PLACES))
    boxes, some = str(tmp_path / "faces.csv"), [short]
    said = f" rows of {boxes} are of frames that were not reached: of {short}, whose last one is 20"
    assert f"6{said}" in run(tmp_path / "all.csv", some=some, boxes=boxes)
    assert f"2{said}" in run(tmp_path / "some.csv", some=some, boxes=boxes, every=2)
    assert not [line for line in run(tmp_path / "whole.csv", some=[files[1]], boxes=boxes) if "not reached" in line]


def test_settings_that_do_not_fit_together_are_told(run: Callable[..., list[str]], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"takes the place of a detector; leave detector=none out"):
        run(tmp_path / "faces.csv", boxes="boxes.csv", detector="none")
    with pytest.raises(UserError, match=r"boxes=boxes\.csv is not there"):
        run(tmp_path / "faces.csv", boxes="boxes.csv")
    with pytest.raises(UserError, match="calibrated=true needs"):
        run(tmp_path / "faces.csv", calibrated=True)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_landmarks_takes_the_place_of_boxes(tmp_path: Path) -> None:
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32, seed=1, alignment="five_points")
    save_method(tmp_path / "run", task, training=TRAINING, validation={})
    for name in ("a.png", "b.png"):
        Image.fromarray(drawn_face(120)).save(tmp_path / name)
    points = "\n".join(f"{30.5 + 7 * (number % 9)} {40.5 + 6 * (number // 9)}" for number in range(68))
    (tmp_path / "pts").mkdir()
    (tmp_path / "pts" / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{points}\n}}\n")
    settings = PredictSettings(
        checkpoint=str(tmp_path / "run"), output=str(tmp_path / "t.csv"), boxes=str(tmp_path / "pts"), device="cpu"
    )
    lines: list[str] = []
    predict_files([tmp_path / "a.png", tmp_path / "b.png"], settings, pictures=False, echo=lines.append)
    assert f"1 of 2 files have no row in {tmp_path / 'pts'}" in lines
    table = pd.read_csv(tmp_path / "t.csv")
    assert table["face_found"].tolist() == [True, False]
    assert table.loc[0, ["face_x", "face_y"]].tolist() == [30, 40]  # half a pixel less than in the file


def test_boxes_that_do_not_meet_the_files_are_said(
    run: Callable[..., list[str]], files: list[Path], tmp_path: Path
) -> None:
    run(tmp_path / "faces.csv", some=files[:2])
    lines = run(tmp_path / "again.csv", some=[files[0], files[3]], boxes=str(tmp_path / "faces.csv"))
    name = tmp_path / "faces.csv"
    assert lines[:3] == [
        f"device: cpu; boxes: {name}; photographs: 2",
        f"48 rows of {name} are of files that were not asked for",
        f"1 of 2 files have no row in {name}",
    ]


def test_every_setting_is_described() -> None:
    assert all(doc for _, _, _, doc in describe_settings(PredictSettings))


def test_a_file_in_the_place_of_the_pictures_is_told_before_any_work(
    run: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "faces_pictures").write_text("mine")
    with pytest.raises(UserError, match="folder of the pictures and is a file"):
        run(tmp_path / "faces.csv", pictures=True)
    assert [path.name for path in tmp_path.glob("faces*")] == ["faces_pictures"]
