"""Scores and speed of weights that ship, kept beside them."""

import json
import re
from pathlib import Path

import pytest
from fakes import facial_expressions, small_weights

import fer_zoo
from fer_zoo.engine.named_weights import scores_of
from fer_zoo.weights.score import main

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture
def small(no_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of emotions; a miniature of the photographs lies where data sets are looked for."""
    facial_expressions.write(tmp_path / "data")
    monkeypatch.setenv("FER_ZOO_DATA", str(tmp_path / "data"))
    return small_weights.ship("small", small_weights.network("emotion"), tmp_path)


def test_speed_and_scores_stand_side_by_side(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["small"]) == 0
    assert re.match(r"recorded: [\d,]+ faces a second, CPU", capsys.readouterr().out)
    words = ["small", "dataset=facial_expressions", "data.workers=0", "data.cache=false"]
    assert main(words) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"recorded: facial_expressions: mean_class_accuracy 0\.\d{3}( \[.*\])?", last)
    record = scores_of(small)
    assert record["speed"]["faces_per_second"] > 0 and record["speed"]["batch"] == 32
    (score,) = record["scores"]
    assert score["photographs"] and score["dataset"] == score["on"] == "facial_expressions"
    assert score["images"] <= score["asked"] and score["people"] > 1 and len(score["fingerprint"]) == 16
    assert score["command"] == f"python -m fer_zoo.weights.score {' '.join(words)}"
    assert score["fer_zoo"] == fer_zoo.__version__ and re.fullmatch(r"\d{4}-\d\d-\d\d", score["date"])
    assert next(iter(score["metrics"])) == "mean_class_accuracy"
    assert {path.name for path in small.iterdir()} == {"card.json", "model.safetensors", "scores.json"}


def test_a_score_is_that_of_evaluate_and_replaces_the_one_before(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = {"dataset": "facial_expressions", "data.workers": 0, "data.cache": False}
    report, folder = fer_zoo.evaluate("small", words)
    assert folder == Path("runs/small/test_facial_expressions") and (folder / "report.json").is_file()
    for _ in range(2):
        assert main(["small", *(f"{key}={value}" for key, value in words.items())]) == 0
    (score,) = scores_of(small)["scores"]
    expected = report.scores.values["mean_class_accuracy"]
    assert score["metrics"]["mean_class_accuracy"]["value"] == pytest.approx(expected.value, rel=1e-9)


def test_a_track_says_which_metrics_and_which_hash(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["small", "track=facial_expressions", "data.workers=0", "data.cache=false"]) == 0
    (score,) = scores_of(small)["scores"]
    assert score["on"] == "facial_expressions" and score["dataset"] == "facial_expressions" and score["track"]
    assert list(score["metrics"])[:2] == ["mean_class_accuracy", "accuracy"]
    assert json.loads((small / "scores.json").read_text())["weights_sha256"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "`python -m fer_zoo.weights.score` needs one name, found none."),
        (["smal"], "No weights that ship is named 'smal'. Did you mean 'small'?"),
        (["small", "seed=1"], "`python -m fer_zoo.weights.score` needs track=NAME or dataset=NAME beside seed."),
        (
            ["small", "track=facial_expressions", "output=x"],
            "The scores of small are kept beside it; leave output out.",
        ),
        (["small", "track=facial_expresions"], "No track is named 'facial_expresions'. Did you mean"),
    ],
)
def test_mistakes(words: list[str], sentence: str, small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")
    assert not (small / "scores.json").exists()
