"""`fer-zoo synthesize`: processes, kills, Ctrl-C and full disks leave whole pictures, and the folder is the same."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from fakes import kills
from fakes.full_disk import full_disk
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.synthesize import SynthesizeSettings, synthesize

NAME = "synthetic_faces"
Words = dict[str, str]


def quiet(line: str) -> None:
    """Hears nothing."""


def draw(
    folder: Path, *, count: int = 40, processes: int = 1, echo: Callable[[str], None] = quiet, **others: str
) -> Path:
    words = {"num_samples": str(count), "size": "16", **{key.replace("__", "."): text for key, text in others.items()}}
    return synthesize(SynthesizeSettings(output=str(folder), processes=processes), list(words.items()), echo=echo)


def content(folder: Path) -> dict[str, str]:
    """Every file but the lock, by its content."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return content(draw(tmp_path_factory.mktemp("unbroken") / "faces"))


def test_says_what_is_drawn_and_how_it_is_used(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = draw(tmp_path / "faces", count=5, echo=lines.append)
    assert lines[0].startswith("face model: procedural (5,377 vertices), device: cpu; 5 faces of synthetic_faces")
    assert lines[0].endswith("expression=emotions, 16 × 16 px, seed 0")
    assert lines[-2] == f"faces: {folder}"
    assert lines[-1] == f"use: fer-zoo train method=timm_classifier dataset=synthetic_faces dataset.root={folder}"
    assert len(open_dataset(NAME, folder)) == 5
    again = lines.copy()
    draw(tmp_path / "faces", count=5, echo=again.append)
    assert "5 faces are there already" in again[len(lines) :]


def test_several_processes_give_the_same_files(tmp_path: Path, unbroken: dict[str, str]) -> None:
    assert content(draw(tmp_path / "faces", processes=2)) == unbroken


def test_more_samples_extend_a_folder(tmp_path: Path, unbroken: dict[str, str]) -> None:
    folder = draw(tmp_path / "faces", count=11)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}
    assert content(draw(folder)) == unbroken
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())


def test_fewer_samples_than_there_are(tmp_path: Path) -> None:
    folder = draw(tmp_path / "faces", count=12)
    before = content(folder)
    with pytest.raises(UserError, match=r"is of 12 faces, of which the first 5 are those .*give num_samples=12, or"):
        draw(folder, count=5)
    assert content(folder) == before


def test_other_action_units_are_other_labels_of_the_same_pictures(tmp_path: Path) -> None:
    folder = draw(tmp_path / "faces", count=3)
    draw(folder, count=3, au_space="au/genet23")
    assert open_dataset(NAME, folder).label_spaces["au"].name == "au/genet23"


def test_people_of_any_folder_can_be_told_apart(tmp_path: Path) -> None:
    folder = draw(tmp_path / "faces", count=9)
    plain, asked = open_dataset(NAME, folder), open_dataset(NAME, folder, identity=True)
    assert "identity" not in plain.spaces and asked.table["identity"].equals(plain.table["subject"])
    drawn = open_dataset(NAME, num_samples=9, size=16, identity=True)
    assert len(drawn.space("identity")) == 2 and asked.space("identity") == drawn.space("identity")
    assert asked.fingerprint() == drawn.fingerprint() != plain.fingerprint()
    draw(folder, count=9, identity="true")  # the same faces, and it is said once and for all
    assert open_dataset(NAME, folder).fingerprint() == asked.fingerprint()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"seed": "3"}, r"holds faces of seed=0, not 3: give another output folder\."),
        ({"pose__yaw": "30"}, r"holds faces of pose\.yaw=15\.0, not 30\.0: give another output folder\."),
        ({"expression": "sliders"}, r"holds faces of expression=emotions, not sliders: give another"),
    ],
)
def test_nothing_else_is_overwritten(tmp_path: Path, words: Words, sentence: str) -> None:
    folder = draw(tmp_path / "faces", count=2)
    before = content(folder)
    with pytest.raises(UserError, match=sentence):
        draw(folder, count=2, **words)
    assert content(folder) == before


def test_another_version_and_another_data_set(tmp_path: Path) -> None:
    folder = draw(tmp_path / "faces", count=2)
    note = folder / "synthesis.json"
    for old, new, sentence in (
        ('"version": 2', '"version": 1', r"drawn by version 1 of the generator; this is 2: give another output folder"),
        (f'"dataset": "{NAME}"', '"dataset": "others"', r"holds data set others: give another output folder\."),
        ('"key"', '"kez"', r"is damaged"),
        ('"format": 1', '"format": 9', r"is damaged"),
        ('"num_samples"', '"num"', r"is damaged"),
    ):
        whole = note.read_text()
        note.write_text(whole.replace(old, new))
        with pytest.raises(UserError, match=sentence):
            draw(folder, count=2)
        note.write_text(whole)


def test_a_folder_of_photographs_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "anna.png").write_bytes(b"")
    with pytest.raises(UserError, match="is not empty and holds no faces"):
        draw(tmp_path)
    (tmp_path / "anna.txt").write_bytes(b"")
    with pytest.raises(UserError, match="is a file: give another output folder"):
        draw(tmp_path / "anna.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["anna.png", "anna.txt"]


def test_a_folder_that_is_not_complete_says_so(tmp_path: Path) -> None:
    folder = draw(tmp_path / "faces", count=20)
    (folder / "index.parquet").unlink()
    next(folder.glob("*/0000003.png")).unlink()
    with pytest.raises(UserError, match=r"is not complete \(19 of 20 faces\): the same `fer-zoo synthesize` goes on"):
        open_dataset(NAME, folder)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_full_disk(tmp_path: Path, unbroken: dict[str, str], processes: int) -> None:
    """The note has room, pictures of 64 pixels have none; a smaller size shows that what is whole stays."""
    with full_disk(3000), pytest.raises(UserError, match=r"Cannot write .*: File too large\. Free some space"):
        draw(tmp_path / "large", processes=processes, size="64")
    assert not [path for path in (tmp_path / "large").rglob("*") if path.suffix == ".png"]
    with full_disk(20_000), pytest.raises(UserError, match=r"Cannot write .*index\.parquet: File too large"):
        draw(tmp_path / "faces", processes=processes)
    assert len(list((tmp_path / "faces").rglob("*.png"))) == 40
    assert content(draw(tmp_path / "faces", processes=processes)) == unbroken


@pytest.mark.parametrize(
    ("processes", "number"),
    [
        pytest.param(1, 5, id="5 kills"),
        pytest.param(1, 30, id="30 kills", marks=pytest.mark.slow),
        pytest.param(2, 10, id="10 kills, 2 processes", marks=pytest.mark.slow),
    ],
)
def test_kills_at_random_moments(tmp_path: Path, unbroken: dict[str, str], processes: int, number: int) -> None:
    def work(folder: Path) -> None:
        draw(folder / "faces", processes=processes)

    seconds = kills.seconds_of(work, tmp_path / "whole")
    rounds = kills.rounds_of_kills(work, tmp_path, kills=number, seconds=seconds, seed=number)
    assert sum(len(one.moments) for one in rounds) == number
    for one in rounds:
        assert content(one.folder / "faces") == unbroken
    print(f"\n{number} kills in {len(rounds)} folders of {seconds:.1f} s, {processes} processes: all as if unbroken")


@pytest.mark.parametrize("kill_at", ["synthesis.json", "0000021.png", "index.parquet"])
def test_a_kill_before_a_file_takes_its_name(tmp_path: Path, unbroken: dict[str, str], kill_at: str) -> None:
    def work(folder: Path) -> None:
        draw(folder)

    folder = tmp_path / "faces"
    folder.mkdir()
    assert kills.is_killed(work, folder, before_rename=lambda path: path.name == kill_at)
    assert list(folder.rglob(".*-*"))  # what it was writing
    whole = [path for path in folder.rglob("*.png") if not path.name.startswith(".")]
    for path in whole:
        with Image.open(path) as picture:
            picture.load()
    with pytest.raises(UserError, match=r"holds no faces|is not complete"):
        open_dataset(NAME, folder)
    assert content(draw(folder)) == unbroken


def test_only_one_command_draws_into_a_folder(tmp_path: Path) -> None:
    def while_it_draws(line: str) -> None:
        if line.startswith("drawing"):
            with pytest.raises(UserError, match="Another process draws faces into"):
                draw(tmp_path / "faces", count=2)

    draw(tmp_path / "faces", count=2, echo=while_it_draws)


def started(folder: Path) -> subprocess.Popen[str]:
    """A command with two processes of its own that draws for long, in a group of its own."""
    words = ["synthesize", "num_samples=20000", "size=16", "processes=2", f"output={folder}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_zoo", *words], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    end = time.monotonic() + 120
    while not list(folder.glob("*/*.png")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    return process


def children(process: subprocess.Popen[str]) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_keeps_what_is_drawn(tmp_path: Path) -> None:
    process = started(tmp_path / "faces")
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.strip() == "fer-zoo: interrupted; what is done stays, and the same command goes on from there."
    assert not list((tmp_path / "faces").rglob(".*-*"))
    for path in (tmp_path / "faces").rglob("*.png"):
        with Image.open(path) as picture:
            picture.load()


@pytest.mark.slow
def test_who_draws_ends_with_the_command(tmp_path: Path) -> None:
    process = started(tmp_path / "faces")
    workers = children(process)
    assert len(workers) >= 2
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    end = time.monotonic() + 30
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < end, "processes are left over"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_process_that_is_ended_from_outside(tmp_path: Path) -> None:
    process = started(tmp_path / "faces")
    for worker in children(process):
        if b"spawn_main" in Path(f"/proc/{worker}/cmdline").read_bytes():
            os.kill(worker, signal.SIGKILL)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and "was ended from outside, perhaps for want of memory" in told
