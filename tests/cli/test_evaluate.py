import json
from pathlib import Path
from typing import Any

import pytest

from fer_zoo.cli.main import main


def test_the_fold_of_a_checkpoint_is_scored(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"dataset.root={trained.photographs}", "data.workers=0", "trainer=cpu", f"output={tmp_path}"]
    assert main(["evaluate", str(trained.run), *words]) == 0
    shown = capsys.readouterr().out
    assert "timm_classifier" in shown and "majority" in shown
    assert shown.endswith(f"report, predictions and pictures: {tmp_path}\n")
    assert {path.name for path in tmp_path.iterdir()} >= {"predictions.parquet", "report.json", "confusion_matrix.png"}

    assert main(["evaluate", str(trained.run), *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["images"] == 24


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "`fer-zoo evaluate` needs one checkpoint, found none. `fer-zoo train` makes them."),
        (["{empty}"], "The checkpoint {empty} holds no card.json"),
        (["{empty}", "--pictures"], "`fer-zoo evaluate` has no flag --pictures."),
    ],
)
def test_mistakes(words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *(word.format(empty=tmp_path) for word in words)]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence.format(empty=tmp_path)}")
