"""Packing: half precision, small, free to use, whole or not there, and nothing of this machine in the card."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import small_weights
from fakes.full_disk import full_disk

from fer_zoo.core.cards import Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_json
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import compose, write_config
from fer_zoo.weights.pack import PackSettings, halved, main, pack, without_machine
from fer_zoo.weights.training_command import stage_and_command, training_command

SETTINGS = PackSettings(name="small", summary="a few")


def quiet(line: str) -> None:
    """Hears nothing."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return small_weights.run_of(tmp_path / "runs" / "an_experiment" / "0123456789ab", small_weights.network("emotion"))


def test_outputs_move_as_little_as_is_said(run: Path, no_weights: Path) -> None:
    lines: list[str] = []
    folder = pack(run, SETTINGS, echo=lines.append)
    assert folder == no_weights / "small" and {path.name for path in folder.iterdir()} == {
        "card.json",
        "model.safetensors",
    }
    said = load_method("small").card["shipped"]["rounding"]
    image = torch.randn(8, 1, 32, 32)
    with torch.inference_mode():
        before, after = (task.predictions(task(image))["emotion"] for task in (load_method(run), load_method("small")))
    moved = float((before - after).abs().max())
    assert 0 < moved < 20 * said["largest_difference"]["emotion"] < 0.02
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert lines[0] == f"373,079 parameters in {size:,} bytes"
    assert re.fullmatch(r"half precision moves outputs on 32 drawn faces by at most: emotion \S+", lines[1])
    assert size < 0.6 * sum(path.stat().st_size for path in (run / "model").iterdir())


def test_points_are_compared_in_pixels(tmp_path: Path, no_weights: Path) -> None:
    folder = small_weights.ship("points", small_weights.network("landmarks"), tmp_path, default=True)
    facts = json.loads((folder / "card.json").read_text())["shipped"]
    assert 0 < facts["rounding"]["largest_difference"]["landmarks"] < 1
    assert facts["default_for"] == ["landmarks"]


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        (
            {"licences": {"photographs": ["research only", "no"], "synthetic_faces": ["Apache-2.0", "yes"]}},
            r"^Weights that ship allow commercial use, and these do not: photographs \(research only\)\.$",
        ),
        ({"licences": {"own": ["your own data", "ask"]}}, r"do not: own \(your own data\)\.$"),
    ],
)
def test_a_chain_that_is_not_free_is_refused(
    tmp_path: Path, no_weights: Path, others: dict[str, Any], sentence: str
) -> None:
    run = small_weights.run_of(tmp_path / "run", small_weights.network("emotion"), **others)
    with pytest.raises(UserError, match=sentence):
        pack(run, SETTINGS, echo=quiet)
    assert not list(no_weights.iterdir())


def test_terms_of_a_start_count(tmp_path: Path, no_weights: Path) -> None:
    task = small_weights.network("emotion")
    task.card = {"pretraining": {"imagenet": vars(Terms("research only", "no"))}}
    run = small_weights.run_of(tmp_path / "run", task)
    with pytest.raises(UserError, match=r"these do not: imagenet \(research only\)"):
        pack(run, SETTINGS, echo=quiet)


def test_large_networks_and_large_files_are_refused(
    tmp_path: Path, run: Path, no_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = small_weights.run_of(tmp_path / "run", small_weights.network("emotion", backbone="resnet10t"))
    with pytest.raises(UserError, match=r"^The network has 4,\d{3},\d{3} parameters; .* at most 2,000,000\."):
        pack(large, SETTINGS, echo=quiet)
    monkeypatch.setattr("fer_zoo.weights.pack.MOST_BYTES", 700_000)
    with pytest.raises(UserError, match=r"larger than 700,000 bytes together"):
        pack(run, SETTINGS, echo=quiet)
    assert not list(no_weights.iterdir())


def test_numbers_that_do_not_fit_are_refused() -> None:
    assert halved({"count": torch.tensor(100_000)})["count"].item() == 100_000
    with pytest.raises(UserError, match=r"The tensor layer\.weight holds numbers that half precision does not"):
        halved({"layer.weight": torch.tensor([1.0, 1e6])})


def test_a_full_disk_leaves_what_stood_there(run: Path, no_weights: Path) -> None:
    pack(run, SETTINGS, echo=quiet)
    before = {path.name: path.read_bytes() for path in (no_weights / "small").iterdir()}
    with full_disk(100_000), pytest.raises(UserError, match=r"Cannot write .*small: File too large\. Free some space"):
        pack(run, PackSettings(name="small", summary="others"), echo=quiet)
    assert {path.name: path.read_bytes() for path in (no_weights / "small").iterdir()} == before


def test_packed_anew_they_have_no_scores(run: Path, no_weights: Path) -> None:
    folder = pack(run, SETTINGS, echo=quiet)
    small_weights.score(folder)
    pack(run, SETTINGS, echo=quiet)
    assert not (folder / "scores.json").exists()


def test_there_is_one_default_of_a_target(run: Path, tmp_path: Path, no_weights: Path) -> None:
    settings = PackSettings(name="small", summary="a few", default=True)
    pack(run, settings, echo=quiet)
    pack(run, settings, echo=quiet)
    with pytest.raises(UserError, match=r"^small are the default weights of emotion already"):
        pack(run, PackSettings(name="other", summary="a few", default=True), echo=quiet)


def test_the_card_holds_nothing_of_this_machine() -> None:
    drawn = {"dataset": {"name": "synthetic_faces", "file": "/somewhere/of_anna/a.csv"}, "file_hashes": ["a", "b"]}
    other = {"dataset": {"name": "image_folder"}, "file_hashes": ["c"], "data": {"landmarks": "~/anna/points.csv"}}
    card = without_machine({"training": {**drawn, "earlier": [other]}, "list": [["/a/b", 5]]})
    assert card["training"]["file_hashes"] == [] and card["training"]["earlier"][0]["file_hashes"] == ["c"]
    assert card["list"] == [["b", 5]] and card["training"]["dataset"]["file"] == "a.csv"
    assert "anna" not in json.dumps(card)


def test_the_command_of_the_training_makes_the_same_run(tmp_path: Path) -> None:
    words = {
        "method": "timm_regressor", "method.target": "landmarks", "method.dropout": "0.1", "dataset": "synthetic_faces",
        "dataset.num_samples": "64", "dataset.pose.yaw": "30", "protocol.folds": "2", "data.workers": "0", "seed": "3",
        "output": str(tmp_path), "trainer.max_epochs": "2",
    }  # fmt: skip
    config = compose([*words.items()], verb="train")
    write_config(tmp_path, config)
    command = training_command(tmp_path)
    assert str(tmp_path) not in command and "workers" not in command
    program, verb, *typed = command.split()
    again = compose([(key, text) for key, _, text in (word.partition("=") for word in typed)], verb="train")
    assert (program, verb) == ("fer-zoo", "train")
    assert (again.method, again.dataset, again.protocol, again.seed) == (
        config.method, config.dataset, config.protocol, config.seed,
    )  # fmt: skip
    assert again.trainer == config.trainer
    assert training_command(tmp_path / "elsewhere") == ""


def test_a_stage_of_a_recipe_is_said_by_its_recipe(
    run: Path, no_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run.parent.parent / "recipe_au_fernet_quick" / "0123456789ab"
    stages = [{"fold": "fold1", "stage": "au", "folder": "an_experiment/0123456789ab"}]
    words = {
        "dataset": "synthetic_faces",
        "au.dataset.root": "/somewhere/of_anna",
        "output": "/somewhere",
        "data.workers": "1",
        "data.landmarks": "~/of_anna/points.csv",
    }
    record = {"kind": "recipe", "recipe": "au_fernet_quick", "words": words, "without": ["fused"], "stages": stages}
    write_json(folder / "result.json", record)
    packed = pack(folder, replace(SETTINGS, stage="au"), echo=quiet)
    facts = json.loads((packed / "card.json").read_text())["shipped"]
    command = "fer-zoo train recipe=au_fernet_quick without=fused dataset=synthetic_faces data.landmarks=points.csv"
    assert facts["made_by"]["train"] == command
    monkeypatch.chdir(folder)
    assert stage_and_command(Path(), "au")[0] == run
    with pytest.raises(UserError, match=r"^No stage is named ''\..*Known: au\.$"):
        pack(folder, SETTINGS, echo=quiet)
    with pytest.raises(UserError, match=r"is no recipe, of which stage=au could be a part"):
        pack(run, replace(SETTINGS, stage="au"), echo=quiet)
    write_json(folder / "result.json", {**record, "stages": [*stages, *stages]})
    with pytest.raises(UserError, match=r"has several folds; give one of its runs instead\.$"):
        pack(folder, replace(SETTINGS, stage="au"), echo=quiet)
    for damaged in ({"kind": "recipe"}, {**record, "without": "fused"}, {**record, "recipe": None}):
        write_json(folder / "result.json", damaged)
        with pytest.raises(UserError, match=r"is of another version, or damaged"):
            pack(folder, replace(SETTINGS, stage="au"), echo=quiet)


def test_streams_of_a_run_are_said_without_their_folders(tmp_path: Path) -> None:
    words = [("method", "blendshape_fernet"), ("dataset", "synthetic_faces")]
    own = replace(compose(words, verb="train"), streams=["image=/gone/of_anna/runs/ab12", "blendshape=runs/x/cd34"])
    write_config(tmp_path, own)
    command = training_command(tmp_path)
    assert "anna" not in command and "image=ab12" in command and "blendshape=runs/x/cd34" in command


def test_an_experiment_is_named_by_its_file(tmp_path: Path) -> None:
    config = compose([("experiment", "timm_classifier_facial_expressions"), ("seed", "2")], verb="train")
    write_config(tmp_path, config)
    assert training_command(tmp_path) == "fer-zoo train experiment=timm_classifier_facial_expressions seed=2"


def test_the_command_line(run: Path, no_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(run), "name=small", "summary=a few emotions"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"weights: {no_weights / 'small'}"
    made_by = load_method("small").card["shipped"]["made_by"]
    assert (
        made_by["pack"]
        == "python -m fer_zoo.weights.pack an_experiment/0123456789ab name=small 'summary=a few emotions'"
    )
    assert main(["--help"]) == 0
    assert "python -m fer_zoo.weights.pack RUN [stage=NAME] name=NAME" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "`python -m fer_zoo.weights.pack` needs one run, found none."),
        (["{run}"], "Weights need name=NAME in snake_case and a summary=TEXT, found ''."),
        (["{run}", "name=A-b", "summary=x"], "Weights need name=NAME in snake_case"),
        (["{run}", "nam=a"], "`python -m fer_zoo.weights.pack` has no setting nam. Did you mean 'name'?"),
        (["{run}", "name=a", "summary=x", "default=perhaps"], "default must be bool, got 'perhaps'"),
        (["{run}x", "name=a", "summary=x"], "The checkpoint {run}x does not exist"),
    ],
)
def test_mistakes(
    words: list[str], sentence: str, run: Path, no_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(run=run) for word in words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence.format(run=run)}")
