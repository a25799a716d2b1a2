from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_zoo.cli.main import main
from fer_zoo.core.paths import data_roots
from fer_zoo.faces.sheets import SHEETS

ICT = next((root.resolve() for root in data_roots("ict_facekit") if root.is_dir()), None)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, in which no files of a face model lie."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FER_ZOO_DATA", raising=False)


def drawn(*words: str, output: str = "face.png") -> Image.Image:
    assert main(["render", *words, f"output={output}"]) == 0
    with Image.open(output) as picture:
        picture.load()
        return picture


def pixels(*words: str) -> np.ndarray:
    return np.asarray(drawn("size=48", *words), dtype=int)


def test_a_face_of_the_right_size_and_what_is_said_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "smile=.8", "yaw=20"]) == 0
    with Image.open("face.png") as picture:
        assert picture.size == (256, 256)
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("face model: procedural (5,") and first.endswith("device: cpu")
    assert last == "picture: face.png"


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG"])
def test_pictures_that_stand_still(suffix: str) -> None:
    picture = drawn("size=64", "blink=1", output=f"new/face.{suffix}")
    assert picture.size == (64, 64) and picture.mode == "RGB"
    assert [path.name for path in Path("new").iterdir()] == [f"face.{suffix}"]


def test_the_largest_picture() -> None:
    assert drawn("size=1024").size == (1024, 1024)


def test_a_gif_turns_to_both_sides_and_back() -> None:
    assert main(["render", "size=32", "seed=3", "output=turn.gif"]) == 0
    with Image.open("turn.gif") as picture:
        assert (picture.format, picture.size, getattr(picture, "n_frames", 1)) == ("GIF", (32, 32), 24)


@pytest.mark.parametrize("kind", SHEETS)
def test_sheets(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    picture = drawn(f"sheet={kind}", "size=16", output="all.jpg")
    assert picture.width > 7 * 16
    assert capsys.readouterr().out.splitlines()[-1] == "sheet: all.jpg"


@pytest.mark.parametrize(
    "word",
    [
        *("mouthSmileLeft=1", "mouthSmile=1", "smile=1", "lip_corner_puller=.8", "emotion=anger", "jaw_width=2"),
        *("hair=long", "brows=thick", "beard=full", "yaw=20", "pitch=-10", "roll=15", "skin=1", "make_up=1"),
        *("hair_colour=red", "iris=dark", "seed=5"),
    ],
)
def test_each_kind_of_word_changes_the_picture(word: str) -> None:
    assert (pixels(word) != pixels()).any()


def test_words_that_mean_the_same() -> None:
    assert (pixels("smile=.8") == pixels("mouthSmileRight=.8", "mouthSmileLeft=.8")).all()
    assert (pixels("smile=.8") == pixels("lip_corner_puller=0.8")).all()
    assert (pixels("smile=.5", "mouthSmile=0") == pixels()).all()  # the later word replaces
    assert (pixels("jawOpen=0", "emotion=surprise") == pixels("emotion=surprise", "jawOpen=0")).all()  # but emotions


def test_a_seed_is_one_person() -> None:
    assert (pixels("seed=5") == pixels("seed=5")).all()
    assert (pixels("seed=5") != pixels("seed=6")).any()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["smlie=.5"], "procedural has no slider 'smlie'. Did you mean 'smile'"),
        (["mouthsmileleft=1"], "procedural has no slider 'mouthsmileleft'. Did you mean 'mouthSmileLeft'"),
        (["smile=much"], "smile is 'much', which is no number; it must lie in [0, 1]."),
        (["smile="], "smile is '', which is no number; it must lie in [0, 1]."),
        (["smile=nan"], "smile is nan; it must lie in [0, 1]."),
        (["jawOpen=1.2"], "jawOpen is 1.2; it must lie in [0, 1]."),
        (["lip_corner_puller=-.1"], "lip_corner_puller is -.1; it must lie in [0, 1]."),
        (["skin=2"], "skin is 2; it must lie in [0, 1]."),
        (["age=9"], "age is 9; it must lie in [-6, 6]."),
        (["yaw=inf"], "yaw is inf; it must lie in [-180, 180]."),
        (["hair=lnog"], "hair is 'lnog'. Did you mean 'long'? It must be one of short,"),
        (["hair_colour=green"], "hair_colour is 'green'."),
        (
            ["emotion=hapiness"],
            "emotion is 'hapiness'. Did you mean 'happiness' or 'sadness'? It must be one of neutral, happiness,",
        ),
        (["size=7"], "An image of 7 pixels is too small to show a face; 8 are the least."),
        (["size=1025"], "size is 1025; pictures have 1024 pixels at most."),
        (["size=300", "sheet=poses"], "size is 300; pictures of a sheet have 256 pixels at most."),
        (["size=big"], "size must be"),
        (["seed=-1"], "seed is -1; it must be at least 0."),
        (["sheet=emotion"], "sheet is 'emotion'. Did you mean 'emotions'?"),
        (["face_model=procedual"], "No face model is named 'procedual'. Did you mean 'procedural'?"),
        (["num_identity=9"], "The face model procedural has no setting 'num_identity'. It has none."),
        (["num_identity=many"], "num_identity must be int | None, got 'many'."),
        (["root=x"], "procedural is made by code alone and reads no files: leave root=x out."),
        (
            ["face_model=ict"],
            "The folder of the face model ict was not found: looked for the folder data/ict_facekit. `f",
        ),
        (
            ["face_model=ict", "root=x"],
            "The folder of the face model ict was not found: looked for the folder x. `fer-",
        ),
        (["output=face.bmp"], "output is 'face.bmp'; it must end in .png, .jpg or .gif."),
        (["output=face"], "output is 'face'; it must end in .png, .jpg or .gif."),
        (["output=all.gif", "sheet=poses"], "output is 'all.gif', but a sheet does not move:"),
        (["output=turn.gif", "yaw=5"], "turn.gif turns the head itself: leave yaw out,"),
        (["output=folder.png"], "output is 'folder.png', which is a folder; name a file."),
        (["output=file/face.png", "size=8"], "Cannot write file/face.png: "),
        (["face.png"], "`fer-zoo render` takes settings only, written key=value, found 'face.png'."),
        (["--json"], "`fer-zoo render` has no flag --json."),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder.png").mkdir()
    Path("file").write_text("")
    assert main(["render", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")
    assert not Path("face.png").exists()


@pytest.mark.skipif(ICT is None, reason="the files of ICT-FaceKit are not there")
@pytest.mark.parametrize(
    "words", [["emotion=happiness", "seed=3"], ["sheet=emotions", "size=24"], ["num_identity=100", "identity099=2"]]
)
def test_the_scanned_head(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert np.asarray(drawn("face_model=ict", f"root={ICT}", *words)).std() > 20
    assert capsys.readouterr().out.startswith("face model: ict (16,")


@pytest.mark.skipif(ICT is None, reason="the files of ICT-FaceKit are not there")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["identity099=1"], "ict has no slider 'identity099'. Did you mean 'identity0"),
        (["num_identity=101"], "num_identity is 101; the model ict has 1 to 100 identity modes."),
    ],
)
def test_mistakes_with_the_scanned_head(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "face_model=ict", f"root={ICT}", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")
