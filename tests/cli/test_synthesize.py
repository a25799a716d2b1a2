from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_zoo.cli.main import main
from fer_zoo.core.paths import data_roots
from fer_zoo.data.open import open_dataset
from fer_zoo.data.synthesis.blocks import face_model_of

ICT = next((root.absolute() for root in data_roots("ict_facekit") if root.is_dir()), None)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, in which no files of a face model lie."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FER_ZOO_DATA", raising=False)
    face_model_of.cache_clear()


def test_settings_of_the_data_set_with_and_without_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["num_samples=3", "size=16", "processes=1", "dataset.pose.yaw=30", "expression=sliders"]
    assert main(["synthesize", *words, "output=drawn"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("dataset=synthetic_faces dataset.root=drawn")
    index = open_dataset("synthetic_faces", "drawn", pose={"yaw": 30})
    assert len(index) == 3 and "emotion" not in index.label_spaces
    assert main(["check-data", "synthetic_faces", "root=drawn"]) == 0
    assert "files: PNG 3" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_for_a_look(suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synthesize", "num_samples=7", "size=16", f"output=look/some.{suffix}"]) == 0
    with Image.open(f"look/some.{suffix}") as picture:
        assert picture.size == (48, 48)
    assert capsys.readouterr().out.splitlines()[-1] == f"picture: look/some.{suffix}"
    assert [path.name for path in Path("look").iterdir()] == [f"some.{suffix}"]


def test_a_picture_with_the_targets_of_each_face() -> None:
    assert main(["synthesize", "num_samples=3", "size=16", "sheet=targets", "output=targets.png"]) == 0
    with Image.open("targets.png") as picture:
        assert picture.size == (5 * 16, 3 * 16)  # image, landmarks, mask, position map, shading
        views = np.asarray(picture).reshape(48, 5, 16, 3).std(axis=(0, 2))
    assert (views.max(axis=1) > 10).all()


def test_a_picture_in_which_one_part_varies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synthesize", "num_samples=4", "size=16", "sheet=background", "output=behind.png"]) == 0
    assert "; 4 faces of synthetic_faces, background alone, 16 × 16 px" in capsys.readouterr().out
    with Image.open("behind.png") as picture:
        faces = np.asarray(picture).reshape(2, 16, 2, 16, 3).swapaxes(1, 2).reshape(4, 16, 16, 3).astype(int)
    assert (faces[:, 8, 8] == faces[0, 8, 8]).all()  # the nose
    assert len({tuple(corner) for corner in faces[:, 0, 0].tolist()}) == 4


@pytest.mark.skipif(ICT is None, reason="the files of ICT-FaceKit are not there")
def test_the_scanned_head(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FER_ZOO_DATA", str(ICT.parent) if ICT else "")
    assert main(["synthesize", "face_model=ict", "num_samples=2", "size=16", "output=drawn", "processes=1"]) == 0
    assert capsys.readouterr().out.startswith("face model: ict (16,")
    assert main(["synthesize", "face_model=ict", "num_samples=2", "size=16", "output=two.jpg"]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["num_samples=0"], "num_samples is 0; it must be at least 1."),
        (["num_samples=many"], "num_samples must be int, got 'many'."),
        (["emotions.weakest=1.5"], "emotions.weakest is 1.5; it must be at most 1.0."),
        (["emotion.weakest=1"], "There is no setting emotion. Did you mean 'emotions'"),
        (["pose.yw=1"], "There is no setting pose.yw. Did you mean 'yaw'"),
        (["pose=3"], "pose is a group of settings; set its parts: pose.KEY=VALUE."),
        (["emotions.classes=[hapiness]"], "There is no emotion 'hapiness'. Did you mean 'happiness'"),
        (
            ["light.ambient_least=.8"],
            "light.ambient_least is 0.8 and light.ambient_most is 0.7; what is drawn goes from",
        ),
        (["camera.lower=low"], "camera.lower must be float, got 'low'."),
        (["expression=slider"], "expression is 'slider'. Did you mean 'sliders'?"),
        (["processes=0"], "processes is 0; it must be at least 1."),
        (["size=7"], "size is 7; it must be at least 8."),
        (["face_model=ict"], "The folder of the face model ict was not found: looked for the folder data/ict_facekit."),
        (["face_model=procedual"], "No face model is named 'procedual'. Did you mean 'procedural'?"),
        (["dataset=facial_expressions"], "Data set facial_expressions holds photographs and cannot be drawn; these"),
        (["dataset=synthetic_face"], "No data set is named 'synthetic_face'. Did you mean 'synthetic_faces'"),
        (["output="], "Say where the faces go: output=FOLDER, or output=faces.jpg for a look at a few."),
        (["output=look.jpg", "num_samples=500"], "A picture shows 400 faces at most, and num_samples is 500: give few"),
        (
            ["output=look.jpg", "num_samples=65", "sheet=targets"],
            "A picture shows 64 faces at most, and num_samples",
        ),
        (["sheet=targets"], "sheet=targets makes a picture, and output is drawn: let it end in .png."),
        (["sheet=target"], "sheet is 'target'. Did you mean 'targets'?"),
        (
            ["sheet=targets", "output=look.jpg", "face_model=procedural+ict"],
            "sheet=targets shows one face model, and face_model is procedural+ict: give one of procedural, ict.",
        ),
        (
            ["sheet=pose", "output=look.jpg", "face_model=procedural+ict"],
            "sheet=pose shows one face model, and face_model is procedural+ict: give one of procedural, ict.",
        ),
        (
            ["sheet=pose", "output=look.jpg", "grid.yaw=[0,30]"],
            "In sheet=pose nothing else varies, so leave grid.yaw out.",
        ),
        (["sheet=lights"], "sheet is 'lights'. Did you mean 'light'?"),
        (["output=file/faces"], "Cannot write file/faces: "),
        (["output=file"], "file is a file: give another output folder."),
        (["drawn"], "`fer-zoo synthesize` takes settings only, written key=value, found 'drawn'."),
        (["--pictures"], "`fer-zoo synthesize` has no flag --pictures."),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("")
    given = {word.partition("=")[0] for word in words}
    usual = [word for word in ("num_samples=2", "output=drawn") if word.partition("=")[0] not in given]
    assert main(["synthesize", *words, *usual]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")
    assert [path.name for path in Path().iterdir()] == ["file"]
