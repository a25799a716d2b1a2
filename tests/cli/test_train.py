import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fer_zoo.cli.main import main
from fer_zoo.engine.config import RunConfig


def test_a_run_leaves_a_checkpoint_a_log_and_its_configuration(trained: Any) -> None:
    assert {path.name for path in trained.run.iterdir()} >= {"config.yaml", "model", "metrics.csv", "result.json"}
    assert json.loads((trained.run / "model/card.json").read_text())["settings"]["backbone"] == "resnet10t"
    config = RunConfig.from_dict(yaml.safe_load((trained.run / "config.yaml").read_text()))
    assert config.dataset["subject_pattern"] == r"(p\d)_"


def test_a_run_that_is_done_is_not_repeated(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = (trained.run / "model/model.safetensors").stat().st_mtime_ns
    assert main(["train", *trained.words]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("device: CPU")
    assert shown.endswith(f"run folder: {trained.run}\n")
    assert (trained.run / "model/model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["face.jpg"], "`fer-zoo train` takes settings only, written key=value, found 'face.jpg'."),
        (["method=timm_classifier"], "`fer-zoo train` needs dataset=NAME, see `fer-zoo list datasets`."),
        (["--dry-run"], "`fer-zoo train` has no flag --dry-run."),
        (["resume=RUN", "checkpoint=RUN"], "resume=RUN goes on with that run's own weights; leave checkpoint out"),
        (["checkpoint=nowhere", "dataset=image_folder"], "The checkpoint nowhere does not exist; give a run folder"),
        (
            ["method=timm_regressor", "dataset=facial_expressions", "dataset.root=nowhere"],
            "Data set facial_expressions was not found: looked for the folder nowhere.",
        ),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")


def test_a_target_that_the_data_set_lacks(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"dataset.root={trained.photographs}", "dataset=image_folder", "method=timm_regressor"]
    assert main(["train", *words]) == 2
    assert "timm_regressor learns 'au', but image_folder has labels of: emotion." in capsys.readouterr().err


def test_an_output_that_cannot_be_written(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    words = [word for word in trained.words if not word.startswith("output=")]
    assert main(["train", *words, f"output={tmp_path / 'file'}"]) == 2
    assert str(tmp_path / "file") in capsys.readouterr().err
