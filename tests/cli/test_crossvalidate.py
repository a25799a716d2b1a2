import json
from typing import Any

import pytest

from fer_zoo.cli.main import main

pytestmark = pytest.mark.usefixtures("blank_pictures")


def test_a_dry_run_lists_the_folds_and_what_is_done(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crossvalidate", *trained.words, "--dry-run", "--json"]) == 0
    told = capsys.readouterr()
    rows = json.loads(told.out)
    assert [row["test"] for row in rows] == [24, 24]
    assert rows[0]["folder"] == str(trained.run)
    assert [row["state"] for row in rows][1] == "new"
    assert told.err.startswith("device: CPU")
    assert main(["crossvalidate", *trained.words, "--dry-run"]) == 0
    assert str(trained.run) in capsys.readouterr().out


def test_all_folds_are_scored_together(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crossvalidate", *trained.words, "--json"]) == 0
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert report["label_space"] == "emotion/basic6"
    assert report["rows"][0]["images"] == 48
    assert "report, predictions and pictures" in told.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fold=0", "method=timm_classifier"], "`fer-zoo crossvalidate` runs every fold; leave fold out"),
        (["faces/"], "`fer-zoo crossvalidate` takes settings only"),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crossvalidate", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")
