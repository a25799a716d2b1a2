"""Training from a checkpoint: what its card gives, what the next card remembers, and who may be scored afterwards."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes import patterns
from safetensors.torch import load_file, save_file

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import file_sha256
from fer_zoo.engine.checkpoint import checkpoint_hash, load_method
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.crossvalidate import crossvalidate, folds
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.finetune import inherited_terms, start_training
from fer_zoo.engine.overlap import refuse_training_data, trainings
from fer_zoo.engine.run import open_run
from fer_zoo.engine.train import resume, train, training_facts
from fer_zoo.evaluation.prediction_table import read_predictions
from fer_zoo.tasks.face_task import FaceTask

pytestmark = pytest.mark.usefixtures("blank_pictures")
OTHERS = ("Ida", "Jan", "Kim", "Lea")
Tune = Callable[..., RunConfig]


def quiet(line: str) -> None:
    """Hears nothing."""


def card_of(run: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((run / "model" / "card.json").read_text())
    return card


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of four people that the trained run has never seen."""
    return patterns.write(tmp_path_factory.mktemp("others") / "faces", people=OTHERS, seed=1)


@pytest.fixture(scope="session")
def mine(others: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their pictures in three folders with names of one's own."""
    root = tmp_path_factory.mktemp("mine") / "faces"
    for name, folder in (("Very calm", "sadness"), ("bored", "anger"), ("happiness", "happiness")):
        shutil.copytree(others / folder, root / name)
    return root


@pytest.fixture(scope="session")
def strict(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained run's checkpoint, as if it had started from faces for research only."""
    folder = shutil.copytree(trained / "model", tmp_path_factory.mktemp("strict") / "model")
    card = json.loads((folder / "card.json").read_text())
    card["pretraining"] = {"faces in the wild": {"licence": "research only", "commercial": "no"}}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def words(root: Path, output: Path, checkpoint: Path, **others: Any) -> list[tuple[str, str]]:
    """A run of one epoch, as a user would type it without a word about the method."""
    plain = {"checkpoint": checkpoint, "trainer__max_epochs": 1, **others}
    named = {key.replace("__", ".") for key in plain}
    typed = patterns.settings(root, output, **plain)
    return [pair for pair in typed if not pair[0].startswith("method") or pair[0] in named]


@pytest.fixture
def tune(others: Path, trained: Path, tmp_path: Path) -> Tune:
    """The configuration of a run from the trained one on other people."""

    def compose_run(**given: Any) -> RunConfig:
        verb, root = given.pop("verb", "train"), given.pop("root", others)
        checkpoint = given.pop("checkpoint", trained)
        return compose(words(root, tmp_path / "runs", checkpoint, **given), verb=verb)

    return compose_run


@pytest.fixture(scope="session")
def tuned(strict: Path, mine: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A finished run on one's own classes, and what it said."""
    lines: list[str] = []
    frozen = {"method__frozen_stages": 2, "method__layer_rate_decay": 0.5}
    own = {"dataset__label_space": "own", "keep_labels": "true", **frozen}
    config = compose(words(mine, tmp_path_factory.mktemp("tuned"), strict, **own), verb="train")
    return train(config, echo=lines.append), lines


def started(config: RunConfig, folder: Path) -> tuple[FaceTask, dict[str, Any], list[str]]:
    """The task before its first step, what its card will say, and what the user hears."""
    lines: list[str] = []
    run = open_run(config, echo=quiet)
    task = run.new_task()
    return task, start_training(run, task, folder, echo=lines.append), lines


def test_network_and_input_come_from_the_card_and_training_does_not(tune: Tune, trained: Path) -> None:
    """The card says learning_rate 0.003; loss and optimiser are the method's own."""
    config = tune()
    assert config.method["name"] == "timm_classifier"
    assert (config.method["backbone"], config.method["image_size"]) == ("resnet10t", 32)
    assert config.method["learning_rate"] == 1e-3
    assert config.checkpoint == str(trained)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_words_of_the_user_win_over_the_card(tune: Tune) -> None:
    config = tune(method__crop_scale=1.5, method__learning_rate=0.01)
    assert (config.method["crop_scale"], config.method["learning_rate"]) == (1.5, 0.01)
    assert config.method["backbone"] == "resnet10t"
    other = tune(method="timm_regressor")
    assert (other.method["name"], other.method["backbone"], other.method["target"]) == (
        "timm_regressor",
        "resnet10t",
        "au",
    )


def test_an_experiment_wins_over_the_card_and_the_user_over_both(tune: Tune) -> None:
    """The file says 64 pixels, the card 32."""
    assert tune(experiment="demo").method["image_size"] == 64
    assert tune(experiment="demo", method__image_size=48).method["image_size"] == 48


def test_training_starts_from_the_weights_and_says_so(tune: Tune, trained: Path, tmp_path: Path) -> None:
    config = tune()
    task, _, lines = started(config, tmp_path)
    before = load_file(trained / "model" / "model.safetensors")
    assert all(before[name].equal(tensor) for name, tensor in task.network.state_dict().items())
    parameters = sum(parameter.numel() for parameter in task.network.parameters())
    assert lines == [
        f"starts from checkpoint {config.start_hashes['network']} (timm_classifier): {len(before)} tensors with"
        f" {parameters:,} parameters kept",
        f"head of emotion kept: the data have the checkpoint's entries ({', '.join(task.spaces['emotion'].entries)})",
    ]


def test_input_differs_aloud_and_keeps_its_normalisation(tune: Tune, trained: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(trained / "model", tmp_path / "copy")
    card = json.loads((copy / "card.json").read_text())
    card["input_spec"] |= {"mean": [0.25], "std": [0.125]}
    (copy / "card.json").write_text(json.dumps(card))
    task, _, lines = started(tune(checkpoint=copy, method__image_size=48), tmp_path)
    assert (task.input_spec.height, task.input_spec.mean, task.input_spec.std) == (48, (0.25,), (0.125,))
    assert lines[-1] == "other than in the checkpoint: image_size 48 (was 32)"


def test_card_remembers_every_training(
    tune: Tune, trained: Path, strict: Path, tuned: tuple[Path, list[str]], tmp_path: Path
) -> None:
    first, second = card_of(trained), card_of(tuned[0])
    _, third, _ = started(tune(checkpoint=tuned[0]), tmp_path)
    assert second["training"]["earlier"] == trainings(first)
    assert third["earlier"] == [
        {key: value for key, value in second["training"].items() if key != "earlier"},
        first["training"],
    ]
    start = second["training"]["start"]
    assert (start["method"], start["checkpoint"], start["keep_labels"]) == (
        "timm_classifier",
        checkpoint_hash(strict),
        True,
    )
    assert start["heads"][0]["kept"] == ["happiness"]
    assert str(strict) not in json.dumps(second)


def test_terms_are_the_strictest_of_the_chain(trained: Path, tuned: tuple[Path, list[str]]) -> None:
    card = card_of(tuned[0])
    assert card["commercial_use"] == "no"
    assert set(card["pretraining"]) == {"faces in the wild", "image_folder"}
    assert card_of(trained)["commercial_use"] == "ask"


def test_of_two_terms_under_one_name_the_stricter_stays() -> None:
    card = {
        "method": "elsewhere",
        "pretraining": {"faces": {"licence": "old", "commercial": "no"}},
        "licences": {"faces": {"licence": "new", "commercial": "ask"}, "code": {"licence": "c", "commercial": "no"}},
    }
    faces = {"licence": "old", "commercial": "no"}
    assert inherited_terms([card], "elsewhere") == {"faces": faces}
    assert inherited_terms([card], "here") == {
        "faces": faces,
        "code of elsewhere": {"licence": "c", "commercial": "no"},
    }


def test_id_follows_the_content_and_not_the_place(
    tune: Tune, trained: Path, tuned: tuple[Path, list[str]], tmp_path: Path
) -> None:
    copy = shutil.copytree(trained / "model", tmp_path / "copy")
    variants: list[dict[str, Any]] = [{}, {"checkpoint": copy}, {"keep_labels": "true"}, {"checkpoint": tuned[0]}]
    ids = [open_run(tune(**variant), echo=quiet).id for variant in variants]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_own_classes_are_trained_scored_and_named(
    trained: Path, mine: Path, tuned: tuple[Path, list[str]], tmp_path: Path
) -> None:
    """Of three folders the checkpoint knows one."""
    run, lines = tuned
    told = "\n".join(lines)
    assert "head of emotion replaced, 3 entries:" in told
    assert "in both, with the checkpoint's weights: happiness" in told
    assert "in the data alone, with fresh weights: bored, very_calm" in told
    assert "in the checkpoint alone, from now on not predicted: anger, disgust, fear, sadness, surprise" in told
    settings = {"dataset.root": mine, "output": tmp_path / "out", "data.workers": 0}
    _, folder = evaluate(run, [(key, str(value)) for key, value in settings.items()], echo=quiet)
    table = read_predictions(folder / "predictions.parquet")[0]
    assert {"prob_bored", "prob_happiness", "prob_very_calm"} <= set(table.columns)
    assert set(table["target_emotion"]) == {"bored", "happiness", "very_calm"}


def test_action_units_start_from_a_backbone_of_classes(trained: Path, others: Path, tmp_path: Path) -> None:
    rows = ["path,person,AU04,AU12"]
    rows += [f"{path.relative_to(others)},{path.stem[0]},1,3" for path in sorted(others.rglob("*.png"))]
    (tmp_path / "units.csv").write_text("\n".join(rows) + "\n")
    settings = {
        "checkpoint": trained,
        "dataset": "table",
        "dataset.root": others,
        "dataset.file": tmp_path / "units.csv",
        "dataset.au_columns": "AU04,AU12",
        "dataset.subject_column": "person",
        "protocol.folds": 2,
    }
    plain = [(key, str(value)) for key, value in settings.items()]
    task, _, lines = started(compose([*plain, ("method", "timm_regressor")], verb="train"), tmp_path)
    assert "head of au is new, with fresh weights for 2 entries" in lines
    assert "head of emotion (6 entries) left behind: it is not trained here" in lines
    before = load_method(trained).network.backbone.state_dict()
    assert all(before[name].equal(tensor) for name, tensor in task.network.backbone.state_dict().items())
    with pytest.raises(UserError, match=r"learns 'emotion', but table .* with method=timm_regressor method\.target=au"):
        open_run(compose(plain, verb="train"), echo=quiet)


def test_what_was_frozen_is_not_inherited(tune: Tune, tuned: tuple[Path, list[str]]) -> None:
    config = tune(checkpoint=tuned[0])
    assert (config.method["frozen_stages"], config.method["layer_rate_decay"]) == (0, 1.0)


def test_frozen_stages_are_what_the_checkpoint_had(trained: Path, tuned: tuple[Path, list[str]]) -> None:
    """Batch statistics included, through a whole training with validation."""
    before, after = load_method(trained).network.backbone, load_method(tuned[0]).network.backbone
    moved = {name for name, tensor in before.state_dict().items() if not tensor.equal(after.state_dict()[name])}
    assert not any(name.startswith(("model.conv1", "model.bn1", "model.layer1")) for name in moved)
    assert {"model.layer2.0.conv1.weight", "model.layer2.0.bn1.running_mean", "model.layer4.0.conv1.weight"} <= moved


class StopsAfter:
    """Raises once the first epoch is told."""

    def __call__(self, line: str) -> None:
        if line.startswith("epoch 2/"):
            raise RuntimeError("stopped by the test")


def test_resumed_run_needs_the_checkpoint_no_more(tune: Tune, trained: Path, tmp_path: Path) -> None:
    """It goes on from its own weights, with the provenance that it wrote down; a run at its start does need it."""
    start = shutil.copytree(trained / "model", tmp_path / "start")
    config = tune(checkpoint=start, trainer__max_epochs=3)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        train(config, echo=StopsAfter())
    unstarted = tune(checkpoint=start, seed=1)
    shutil.rmtree(start)
    lines: list[str] = []
    (broken,) = (tmp_path / "runs" / "timm_classifier_image_folder").iterdir()
    assert resume(broken, echo=lines.append) == broken
    assert not any(line.startswith(("starts from", "epoch 1/")) for line in lines)
    card = card_of(broken)
    assert card["training"]["earlier"] == trainings(card_of(trained))
    assert card["pretraining"] == {"image_folder": {"licence": "your own data", "commercial": "ask"}}
    with pytest.raises(UserError, match="does not exist"):
        train(unstarted, echo=quiet)


def test_checkpoint_that_changed_since_is_refused(tune: Tune, trained: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(trained / "model", tmp_path / "copy")
    config = tune(checkpoint=copy)
    weights = load_file(copy / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, copy / "model.safetensors")
    card = json.loads((copy / "card.json").read_text())
    card["weights_sha256"] = file_sha256(copy / "model.safetensors")  # another whole checkpoint
    (copy / "card.json").write_text(json.dumps(card))
    with pytest.raises(UserError, match="is not what it was when this run was set up"):
        started(config, tmp_path)


def test_people_of_the_first_training_are_told_before_training(tune: Tune, faces: Path, tmp_path: Path) -> None:
    _, _, lines = started(tune(root=faces, fold=1), tmp_path)
    assert lines[-1].startswith("warning: 4 of 4 test subjects were in the training of this checkpoint (s")
    assert lines[-1].endswith("so `fer-zoo evaluate` will refuse to score this run on its test part")
    assert not any(person in lines[-1] for person in patterns.PEOPLE)
    _, _, lines = started(tune(root=faces, fold=0), tmp_path)
    assert not any(line.startswith("warning") for line in lines)


def test_people_of_any_training_are_not_scored(faces: Path, tuned: tuple[Path, list[str]], tmp_path: Path) -> None:
    settings = [("dataset.root", str(faces)), ("output", str(tmp_path / "out"))]
    with pytest.raises(UserError, match=r"test subjects were .* in a training before its last, so a score .* nothing"):
        evaluate(tuned[0], settings, echo=quiet)
    assert not (tmp_path / "out").exists()


def test_crossvalidation_on_people_of_the_checkpoint_trains_nothing(tune: Tune, faces: Path, tmp_path: Path) -> None:
    sentence = r"fold\d: 4 of 4 test subjects were in the training .* or start from a checkpoint that has not seen"
    with pytest.raises(UserError, match=sentence):
        crossvalidate(tune(root=faces, verb="crossvalidate"), echo=quiet)
    assert not (tmp_path / "runs").exists()
    assert len(folds(tune(verb="crossvalidate"), echo=quiet)) == 2  # other people may be


def test_own_files_of_equal_names_are_other_people(tune: Tune, tmp_path: Path) -> None:
    """Without a pattern a file is its own person: IMG_1.jpg in another folder is not the one that was trained on."""
    first, second = (
        open_run(
            tune(root=patterns.write(tmp_path / name, people=OTHERS, seed=seed), dataset__subject_pattern=""),
            echo=quiet,
        )
        for seed, name in ((2, "one"), (3, "two"))
    )
    assert set(first.index.ids) == set(second.index.ids)
    other = training_facts(replace(first, config=replace(first.config, fold=1)))
    lines: list[str] = []
    refuse_training_data({"training": training_facts(first)}, second, echo=lines.append)
    assert not lines
    with pytest.raises(UserError, match=r"test subjects were in the training"):
        refuse_training_data({"training": other}, first, echo=quiet)  # the same files


def test_classes_of_one_side_alone_are_told_and_treated_as_told(trained: Path, others: Path, tmp_path: Path) -> None:
    """Of the data alone: apart. Of the checkpoint alone: may be predicted, and count as wrong."""
    root = tmp_path / "mine"
    for name, folder in (("calm", "sadness"), ("anger", "anger"), ("happiness", "surprise")):
        shutil.copytree(others / folder, root / name)
    lines: list[str] = []
    settings = {"dataset.root": root, "dataset.label_space": "own", "output": tmp_path / "out", "data.workers": 0}
    report, folder = evaluate(trained, [(k, str(v)) for k, v in settings.items()], echo=lines.append)
    assert "in the data alone, listed apart, not scored: calm (4)" in lines
    told = "in the checkpoint alone, may be predicted, and then count as wrong: disgust, fear, sadness, surprise"
    assert told in lines
    table = read_predictions(folder / "predictions.parquet")[0]
    scored = table[table["target_emotion"] != "calm"]
    assert report.scores.coverage.apart == 4
    assert report.scores.coverage.scored == len(scored) == 8
    expected = (scored["emotion"] == scored["target_emotion"]).mean()
    assert report.scores.values["accuracy"].value == pytest.approx(expected)
    assert set(pd.unique(scored["emotion"])) - {"anger", "happiness"}  # the pictures of surprise are called so


def test_nothing_in_common_is_told(trained: Path, others: Path, tmp_path: Path) -> None:
    shutil.copytree(others / "anger", tmp_path / "mine" / "calm")
    settings = {"dataset.root": tmp_path / "mine", "dataset.label_space": "own", "output": tmp_path / "out"}
    with pytest.raises(UserError, match=r"has labels of calm: no name is shared.*fer-zoo train checkpoint="):
        evaluate(trained, [(k, str(v)) for k, v in settings.items()], echo=quiet)


def test_bad_checkpoints_are_told_before_any_work(tune: Tune, trained: Path, tmp_path: Path) -> None:
    cut = shutil.copytree(trained / "model", tmp_path / "cut")
    weights = (cut / "model.safetensors").read_bytes()
    (cut / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    bare = shutil.copytree(trained / "model", tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    for path, sentence in (
        (trained / "model" / "model.safetensors", "is a file; a checkpoint of fer_zoo is a folder"),
        (tmp_path / "none", "does not exist; give a run folder"),
        (tmp_path, "holds no card.json"),
        (bare, "lacks .*it is not whole"),
        ("", "checkpoint is empty"),
    ):
        with pytest.raises(UserError, match=sentence):
            tune(checkpoint=path)
    with pytest.raises(UserError, match="is not whole"):
        started(tune(checkpoint=cut), tmp_path)
    (cut / "card.json").write_text((cut / "card.json").read_text()[:200])
    with pytest.raises(UserError, match=r"card\.json"):
        tune(checkpoint=cut)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"method__backbone_weights": "w.pth"}, r"checkpoint and method\.backbone_weights both say"),
        ({"method__backbone_pretrained": "true"}, r"checkpoint and method\.backbone_pretrained both say"),
        ({"method__backbone": "resnet18"}, r"does not fit this network: .*set method\.backbone=resnet10t"),
        ({"method__frozen_stages": 7}, "resnet10t has 5 stages"),
        ({"dataset__label_space": "own", "keep_labels": "perhaps"}, "keep_labels must be bool"),
    ],
)
def test_contradictions_are_told(tune: Tune, words: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=sentence):
        started(tune(**words), tmp_path)


def test_keep_labels_needs_a_checkpoint_and_evaluate_takes_none(trained: Path, others: Path) -> None:
    plain = [("method", "timm_classifier"), ("dataset", "image_folder"), ("dataset.root", str(others))]
    with pytest.raises(UserError, match="needs checkpoint=PATH"):
        compose([*plain, ("keep_labels", "true")], verb="train")
    with pytest.raises(UserError, match="`fer-zoo evaluate` trains nothing"):
        evaluate(trained, [("checkpoint", str(trained))], echo=quiet)
