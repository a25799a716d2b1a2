import json
import re
import shutil
from pathlib import Path
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
    ids = [sorted(name for part in row["ids"].values() for name in part) for row in rows]
    assert ids[0] == ids[1] and len(set(ids[0])) == 48
    assert {part: len(codes) for part, codes in rows[0]["subjects"].items()} == {
        part: rows[0][f"{part}_subjects"] for part in ("train", "validation", "test")
    }
    assert main(["crossvalidate", *trained.words, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    header = next(line for line in lines if line.startswith("fold "))
    assert header.split() == ["fold", "train", "validation", "test", "identical", "hash", "state", "folder"]
    (fold,) = [line for line in lines if line.startswith("fold1")]
    assert re.split(" {2,}", fold)[3:6] == ["24 of 4 subjects", "0", rows[0]["hash"]]
    assert fold.endswith(str(trained.run))


def test_a_dry_run_names_identical_files(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copied = shutil.copytree(trained.photographs, tmp_path / "faces")
    for name in ("anger/p1_0.png", "anger/p2_0.png"):
        shutil.copy(copied / "anger" / "p0_0.png", copied / name)
    words = [*trained.words, f"dataset.root={copied}", "protocol=leave_one_subject_out"]
    kept = [word for word in words if not word.startswith(("protocol.folds", "protocol=subject_kfold"))]
    kept.remove(f"dataset.root={trained.photographs}")
    assert main(["crossvalidate", *kept, "--dry-run"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.match(r"warning: identical files stand in different parts .*: \w{12} = \w{12}", last)
    assert main(["crossvalidate", *kept, "--dry-run", "--json"]) == 0
    told = capsys.readouterr()
    assert len(json.loads(told.out)) == 8
    assert "warning: identical files" in told.err


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
