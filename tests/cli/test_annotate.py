from pathlib import Path

import pandas as pd
import pytest
from fakes import small_weights
from fakes.pictures import drawn_face
from PIL import Image

import fer_zoo
from fer_zoo.cli.main import main


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Default weights of each target."""
    folder = tmp_path_factory.mktemp("packed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fer_zoo.engine.named_weights.FOLDER", folder / "shipped")
        for target in ("emotion", "landmarks"):
            small_weights.ship(f"small_{target}", small_weights.network(target), folder, default=True)
    return folder / "shipped"


@pytest.fixture
def photographs(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A class folder with a face, where these weights ship."""
    monkeypatch.setattr("fer_zoo.engine.named_weights.FOLDER", packed)
    (tmp_path / "faces" / "anger").mkdir(parents=True)
    Image.fromarray(drawn_face()).save(tmp_path / "faces" / "anger" / "a.png")
    return tmp_path / "faces"


def test_files_and_a_data_set(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", str(photographs), f"output={tmp_path / 'files.csv'}", "device=cpu", "--pictures"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("checkpoint: small_landmarks, which ships with fer_zoo")
    assert lines[-1] == f"use: fer-zoo predict FILES checkpoint=PATH boxes={tmp_path / 'files.csv'}"
    words = ["annotate", "dataset=image_folder", f"dataset.root={photographs}", f"output={tmp_path / 'set.parquet'}"]
    assert main([*words, "device=cpu", "checkpoint=small_landmarks"]) == 0
    shown = capsys.readouterr().out
    assert "faces: 1 of 1 images" in shown and f"written: {tmp_path / 'set.parquet'}" in shown
    files, one = pd.read_csv(tmp_path / "files.csv"), pd.read_parquet(tmp_path / "set.parquet")
    assert one["landmark_30_x"][0] == pytest.approx(files["landmark_30_x"][0], abs=0.05)


def test_predict_without_a_checkpoint(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(photographs), "device=cpu"]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("checkpoint: small_emotion, which ships with fer_zoo (random emotion); never scored")
    assert "prob_anger" in told.out


def test_predict_with_the_weights_of_a_method(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(photographs), "method=timm_regressor", "device=cpu"]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("checkpoint: small_landmarks, which ships") and "landmark_67_x" in told.out
    rows = fer_zoo.predict(photographs, "timm_regressor")  # the same from Python
    assert rows["landmark_67_x"].notna().any()
    for words, sentence in {
        ("method=expnet",): "No method is named 'expnet'.",
        ("method=au_net",): "No weights of au_net ship with this copy of fer_zoo; say checkpoint=PATH",
        ("method=au_net", "checkpoint=small_emotion"): "checkpoint=small_emotion has a method of its own; leave method",
    }.items():
        assert main(["predict", str(photographs), *words]) == 2
        assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{faces}"], "Say where the landmarks go: output=TABLE, a .csv or .parquet file."),
        (["{faces}", "output=a.json"], "output=a.json must end in .csv or .parquet, which other verbs read."),
        (
            ["{faces}", "output=a.csv", "dataset=image_folder"],
            "`fer-zoo annotate` takes files or dataset=NAME, not both.",
        ),
        (["output=a.csv"], "No photographs or videos in nothing"),
        (["{faces}", "output=a.csv", "target=emotion"], "target is 'emotion'. It must be one of landmarks."),
        (["{faces}", "ouput=a.csv"], "`fer-zoo annotate` has no setting ouput. Did you mean 'output'?"),
        (["{faces}", "output=a.csv", "checkpoint=small_emotion"], "small_emotion predicts emotion and no landmarks"),
        (["{faces}", "output=a.csv", "checkpoint=small_landmark"], "The checkpoint small_landmark does not exist"),
        (["dataset=image_folder", "output=a.csv"], "Data set image_folder reads files of your own"),
        (["dataset=image_foldr", "output=a.csv"], "No data set is named 'image_foldr'. Did you mean 'image_folder'"),
        (["dataset=image_folder", "output=a.csv", "dataset.rot=x"], "There is no setting dataset.rot."),
        (["dataset=image_folder", "output=a.csv", "ouput=x"], "`fer-zoo annotate` has no setting ouput. Did you mean"),
        (
            ["dataset=synthetic_faces", "output=a.csv", "num_samples=8"],
            "`fer-zoo annotate` has no setting num_samples. Did you mean 'dataset.num_samples'?",
        ),
        (
            ["dataset=synthetic_faces", "output=a.csv", "pose.yaw=8"],
            "`fer-zoo annotate` has no setting pose.yaw. Did you mean 'dataset.pose.yaw'?",
        ),
        (
            ["dataset=image_folder", "output=a.csv", "root={faces}"],
            "`fer-zoo annotate` has no setting root. Did you mean 'dataset.root'?",
        ),
        (["dataset=image_folder", "output=a.csv", "every=2"], "every is about files; leave it out with dataset=NAME."),
        (["dataset=synthetic_faces", "output=a.csv", "device=cuda:7"], "device is 'cuda:7'; for a data set it is auto"),
        (["dataset=image_folder", "output=a.csv", "--pictures"], "--pictures draws files; annotate the folder"),
    ],
)
def test_mistakes(words: list[str], sentence: str, photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["annotate", *(word.format(faces=photographs) for word in words)]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")
    assert not Path("a.csv").exists()


def test_a_table_that_stands_there_is_kept(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("mine")
    for words in ([str(photographs)], ["dataset=synthetic_faces"]):
        assert main(["annotate", *words, f"output={tmp_path / 'a.csv'}"]) == 2
        assert "a.csv exists already; choose another name or delete it." in capsys.readouterr().err
    assert (tmp_path / "a.csv").read_text() == "mine"


def test_without_weights_it_says_what_to_do(
    no_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["annotate", "dataset=synthetic_faces", f"output={tmp_path / 'a.csv'}"]) == 2
    assert capsys.readouterr().err.startswith("fer-zoo: No weights that predict landmarks ship with this copy of")
