import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes.pictures import drawn_face
from fakes.videos import faces_on_ground, write
from PIL import Image

from fer_zoo.cli.main import main
from fer_zoo.data.video import Video


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A face, a picture without one, and a file that is no image."""
    folder = tmp_path / "photo=graphs"
    folder.mkdir()
    Image.fromarray(drawn_face()).save(folder / "a face.png")
    Image.new("RGB", (90, 60)).save(folder / "black.jpg")
    (folder / "cut.jpg").write_bytes(b"no image")
    for other in ("Thumbs.db", "._cut.jpg"):
        (folder / other).write_bytes(b"of the system")
    return folder


def test_a_table_and_pictures_are_written(
    trained: Any, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out" / "faces.parquet"
    words = [str(photographs), f"checkpoint={trained.run}", f"output={output}", "device=cpu", "--pictures"]
    assert main(["predict", *words]) == 0
    table = pd.read_parquet(output)
    assert [Path(file).name for file in table["file"]] == ["a face.png", "black.jpg", "cut.jpg"]
    assert table["face_found"].tolist() == [True, False, False]
    assert table["emotion"].notna().tolist() == [True, False, False]
    assert abs(table.filter(like="prob_").iloc[0].sum() - 1) < 1e-4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "device: cpu; detector: haar; photographs: 3"
    assert lines[1] == "left out: 2 in the folders (hidden, or no photograph or video by their suffix)"
    assert lines[-2:] == [f"written: {output}", f"written: {tmp_path / 'out/faces_pictures'}"]
    assert len(list((tmp_path / "out/faces_pictures").glob("*.png"))) >= 1


def test_a_video_is_printed_or_written_with_its_clip(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write(tmp_path / "clip.mp4", faces_on_ground(5, [(60, 20)]))
    words = ["predict", str(clip), f"checkpoint={trained.run}", "device=cpu", "every=2", "track=true"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["file", "frame", "face", "track", "emotion"]
    assert [line.split()[1:4] for line in lines[1:]] == [[str(n), "0", "0"] for n in (0, 2, 4)]
    assert main([*words, f"output={tmp_path / 'clip.csv'}", "--pictures"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("photographs: 0; videos: 1; one frame in 2")
    assert pd.read_csv(tmp_path / "clip.csv")["frame"].tolist() == [0, 2, 4]
    assert len(list(Video(tmp_path / "clip_pictures" / "00000_clip.mp4").frames())) == 5
    assert main([*words, f"output={tmp_path / 'clip.csv'}"]) == 2
    assert "exists already; choose another name or delete it" in capsys.readouterr().err


def test_rows_are_printed_where_no_output_is_named(
    trained: Any, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(photographs), f"checkpoint={trained.run}", "detector=none", "device=cpu"]
    assert main(["predict", *words, "--json"]) == 0
    told = capsys.readouterr()
    rows = json.loads(told.out)
    assert [row["face_found"] for row in rows] == [True, True, False]
    assert rows[2]["emotion"] is None and rows[2]["problem"].startswith("unreadable")
    assert "faces: 2; unreadable" in told.err
    assert main(["predict", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["file", "face", "emotion"]
    assert len(lines) == 4 and "face_x" not in lines[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["no/such.jpg", "checkpoint=x"], "There is no file, folder or match for 'no/such.jpg'."),
        (["{faces}", "chekpoint=x"], "`fer-zoo predict` has no setting chekpoint. Did you mean 'checkpoint'?"),
        (["{faces}", "checkpoint={run}", "device=tpu"], "device is 'tpu'; this machine has auto, cpu"),
        (["{faces}", "checkpoint={run}", "detector=har"], "No detector is named 'har'. Did you mean 'haar'?"),
        (["{faces}", "checkpoint={run}", "output=a.xls"], "output=a.xls must end in .csv"),
        (
            ["{faces}", "checkpoint=none", "output={run}/metrics.csv"],
            "{run}/metrics.csv exists already; choose another",
        ),
        (["{faces}", "checkpoint={run}", "every=0"], "every is 0; it must be at least 1"),
        (["{faces}", "checkpoint={run}", "every=often"], "every must be int, got 'often'"),
        (["{faces}", "checkpoint={run}", "track=maybe"], "track must be bool, got 'maybe'"),
        (["{faces}", "checkpoint={run}", "evry=2"], "`fer-zoo predict` has no setting evry. Did you mean 'every'?"),
        (["{faces}", "checkpoint={run}", "boxes=none.csv"], "boxes=none.csv"),
        (["{faces}", "checkpoint={run}", "output=a.csv", "--json"], "--json prints the rows; with output=NAME.json"),
        (["{faces}", "checkpoint={faces}"], "The checkpoint {faces} holds no card.json"),
    ],
)
def test_mistakes(
    words: list[str], sentence: str, trained: Any, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    names = {"faces": photographs, "run": trained.run}
    assert main(["predict", *(word.format(**names) for word in words)]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence.format(**names)}")


def test_a_copy_without_weights_asks_for_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fer_zoo.engine.named_weights.FOLDER", tmp_path)
    assert main(["predict", "a.jpg"]) == 2
    sentence = "No weights that predict emotion ship with this copy of fer_zoo; say checkpoint=PATH"
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")
