import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_zoo.cli.arguments import parse
from fer_zoo.core.errors import UserError
from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.core.settings import build_settings
from fer_zoo.data.datamodule import DataSettings
from fer_zoo.engine import config_files
from fer_zoo.engine.config import RunConfig, RunSettings, compose
from fer_zoo.engine.config_files import configs_folder, options
from fer_zoo.engine.trainer_settings import LoggerSettings, TrainerSettings

METHOD, DATASET = "method=timm_classifier", "dataset=facial_expressions"


def composed(*words: str, verb: str = "train") -> RunConfig:
    """The configuration of a command line."""
    return compose(parse([verb, *words]).settings, verb=verb)


def refused(*words: str, verb: str = "train") -> str:
    """The sentence that a command line is refused with."""
    with pytest.raises(UserError) as caught:
        composed(*words, verb=verb)
    return str(caught.value)


def test_without_a_word_more_everything_is_its_default() -> None:
    config = composed(METHOD, DATASET)
    card, data = METHODS["timm_classifier"], DATASETS["facial_expressions"]
    assert config.method == {"name": card.name, **vars(card.settings())}
    assert config.dataset == {"name": data.name, "root": None, **vars(data.settings())}
    assert config.protocol["name"] == data.protocol
    assert (config.data, config.trainer, config.logger) == (DataSettings(), TrainerSettings(), LoggerSettings())
    assert (config.seed, config.fold, config.experiment, config.output) == (0, 0, "", "runs")


def test_words_of_a_user_reach_their_fields() -> None:
    config = composed(
        METHOD,
        DATASET,
        "protocol=subject_kfold",
        "trainer=cpu",
        "logger=tensorboard",
        *("method.backbone=resnet34", "method.focal_alpha=0.5,1", "dataset.root=/a b/c=d", "dataset.annotators=x,y"),
        *("protocol.folds=7", "trainer.max_epochs=3", "data.batch_size=32", "seed=1", "fold=2"),
    )
    assert (config.method["backbone"], config.method["focal_alpha"]) == ("resnet34", [0.5, 1.0])
    assert (config.dataset["root"], config.dataset["annotators"]) == ("/a b/c=d", ["x", "y"])
    assert (config.protocol["name"], config.protocol["folds"]) == ("subject_kfold", 7)
    assert (config.trainer.accelerator, config.trainer.max_epochs, config.logger.tensorboard) == ("cpu", 3, True)
    assert (config.data.batch_size, config.seed, config.fold) == (32, 1, 2)


@settings(max_examples=20)
@given(text=st.text().filter(lambda text: text not in ("???", "null")))
def test_any_text_survives_to_the_configuration_and_back(text: str) -> None:
    config = composed(METHOD, DATASET, f"method.backbone={text}", f"dataset.root={text}", f"output={text}")
    assert (config.method["backbone"], config.dataset["root"], config.output) == (text, text, text)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    "text", ["${seed}", "a,b", "(x", "[1", "a: b", "'", '"', "\\", "#", "é", "a\nb", "  ", "$x", "{"]
)
def test_what_hydra_trips_over_survives(text: str) -> None:
    assert composed(METHOD, DATASET, f"output={text}").output == text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((DATASET,), "`fer-zoo train` needs method=NAME, see `fer-zoo list methods`."),
        ((METHOD,), "`fer-zoo train` needs dataset=NAME, see `fer-zoo list datasets`."),
        (("method=timm_clasifier", DATASET), "No method is named 'timm_clasifier'. Did you mean 'timm_classifier'?"),
        ((METHOD, "dataset=facial"), "No data set is named 'facial'."),
        ((METHOD, DATASET, "metod=x"), "There is no setting 'metod'. Did you mean 'method'?"),
        ((METHOD, DATASET, "batch_size=3"), "There is no setting 'batch_size'. Did you mean data.batch_size?"),
        ((METHOD, DATASET, "root=x"), "There is no setting 'root'. Did you mean dataset.root?"),
        (
            (METHOD, DATASET, "missing_images=skip"),
            "There is no setting 'missing_images'. Did you mean dataset.missing",
        ),
        ((METHOD, DATASET, "test_share=1"), "There is no setting 'test_share'. Did you mean protocol.test_share?"),
        ((METHOD, DATASET, "backbone=x"), "There is no setting 'backbone'. Did you mean method.backbone?"),
        ((METHOD, DATASET, "max_epochs=1"), "There is no setting 'max_epochs'. Did you mean trainer.max_epochs?"),
        ((METHOD, DATASET, "method.bacbone=x"), "There is no setting method.bacbone. Did you mean 'backbone'"),
        ((METHOD, DATASET, "method.root=x"), "There is no setting method.root."),
        ((METHOD, DATASET, "method.loss=focl"), "method.loss is 'focl'. Did you mean 'focal'?"),
        ((METHOD, DATASET, "method.dropout=2"), "method.dropout is 2.0; it must be at most 0.95."),
        ((METHOD, DATASET, "dataset.labels=x"), "There is no setting dataset.labels."),
        ((METHOD, DATASET, "dataset.root.x=1"), "dataset.root is one value and has no parts."),
        ((METHOD, DATASET, "data=x"), "data is a group of settings; set its parts, e.g. data.batch_size=32."),
        ((METHOD, DATASET, "data.name=x"), "There is no setting data.name."),
        ((METHOD, DATASET, "data.batch_size=x"), "data.batch_size must be int, got 'x'"),
        ((METHOD, DATASET, "data.sampling=balanced"), "data.sampling is 'balanced'. Did you mean 'class_balanced'?"),
        ((METHOD, DATASET, "trainer=gpuu"), "No trainer configuration is named 'gpuu'. Did you mean 'gpu'?"),
        ((METHOD, DATASET, "trainer.max_epoch=3"), "There is no setting trainer.max_epoch. Did you mean 'max_epochs'"),
        ((METHOD, DATASET, "trainer.max_epochs=0"), "trainer.max_epochs is 0; it must be at least 1."),
        ((METHOD, DATASET, "trainer.precision=fp16"), "trainer.precision is 'fp16'."),
        ((METHOD, DATASET, "trainer.name.x=1"), "trainer.name is one value and has no parts."),
        ((METHOD, DATASET, "logger=tensorbord"), "No logger configuration is named 'tensorbord'."),
        (
            (METHOD, DATASET, "protocol=sbject_kfold"),
            "No protocol is named 'sbject_kfold'. Did you mean 'subject_kfold'",
        ),
        ((METHOD, DATASET, "protocol.fold=3"), "There is no setting protocol.fold. Did you mean 'folds'?"),
        ((METHOD, DATASET, "experiment=nowhere"), "No experiment is named 'nowhere'."),
        ((METHOD, DATASET, "experiment.x=1"), "experiment is one value and has no parts: experiment=NAME."),
        ((METHOD, DATASET, "seed=x"), "seed must be int, got 'x'"),
        ((METHOD, DATASET, "seed=-1"), "seed is -1; it must be at least 0."),
        ((METHOD, DATASET, "seed.x=1"), "seed is one value and has no parts, found seed.x."),
    ],
)
def test_bad_words_are_refused_in_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    assert refused(*words).startswith(sentence)


def test_crossvalidation_takes_no_fold() -> None:
    assert refused(METHOD, DATASET, "fold=1", verb="crossvalidate").startswith(
        "`fer-zoo crossvalidate` runs every fold"
    )


@pytest.fixture
def experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for experiment files beside links to the other groups."""
    for entry in configs_folder().iterdir():
        if entry.name != "experiment":
            (tmp_path / entry.name).symlink_to(entry.resolve())
    (tmp_path / "experiment").mkdir()
    monkeypatch.setattr(config_files, "configs_folder", lambda: tmp_path)
    return tmp_path / "experiment"


EXPERIMENT = """# @package _global_
defaults:
  - override /trainer: cpu
  - override /protocol: subject_kfold
method: {name: timm_classifier, backbone: resnet34}
dataset: {name: facial_expressions, missing_images: skip}
protocol: {folds: 3}
trainer: {max_epochs: 30}
seed: 5
"""


def test_an_experiment_stands_between_defaults_and_words(experiments: Path) -> None:
    (experiments / "mine.yaml").write_text(EXPERIMENT)
    config = composed("experiment=mine", "trainer.max_epochs=2", "protocol.seed=4")
    assert (config.experiment, config.seed) == ("mine", 5)
    assert (config.method["backbone"], config.dataset["missing_images"]) == ("resnet34", "skip")
    assert (config.trainer.accelerator, config.trainer.max_epochs) == ("cpu", 2)
    assert (config.protocol["name"], config.protocol["folds"], config.protocol["seed"]) == ("subject_kfold", 3, 4)


def test_what_an_experiment_says_of_another_method_is_dropped(experiments: Path) -> None:
    (experiments / "mine.yaml").write_text(EXPERIMENT)
    config = composed(
        "experiment=mine", "method=timm_regressor", "dataset=table", "dataset.root=x", "protocol=subject_holdout"
    )
    assert config.method == {"name": "timm_regressor", **vars(METHODS["timm_regressor"].settings())}
    assert (config.dataset["name"], config.dataset["root"]) == ("table", "x")
    assert config.protocol["name"] == "subject_holdout" and "folds" not in config.protocol
    assert composed("experiment=mine", "method=timm_classifier").method["backbone"] == "resnet34"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("metod: {name: x}", "There is no setting 'metod'. Did you mean 'method'?"),
        ("data: {batch: 3}", "There is no setting data.batch."),
        ("method: {name: timm_clasifier}", "No method is named 'timm_clasifier'."),
        ("method: {name: timm_classifier, bakbone: x}", "There is no setting method.bakbone. Did you mean 'backbone'"),
        ("seed: many", "seed must be int, got 'many'"),
    ],
)
def test_an_experiment_is_checked_like_words(experiments: Path, line: str, sentence: str) -> None:
    (experiments / "mine.yaml").write_text(f"# @package _global_\n{line}\n")
    words = [METHOD] if not line.startswith("method") else []
    assert refused("experiment=mine", DATASET, *words).startswith(sentence)


@pytest.mark.parametrize("name", options("experiment"))
def test_every_experiment_that_ships_composes(name: str) -> None:
    assert composed(f"experiment={name}").experiment == name


@pytest.mark.parametrize(
    ("group", "cls"), [("trainer", TrainerSettings), ("logger", LoggerSettings)], ids=["trainer", "logger"]
)
def test_the_files_of_a_group_hold_only_differences(group: str, cls: type[Any]) -> None:
    assert (
        set(options(group)) >= {"trainer": {"auto", "cpu", "gpu", "ddp_cpu"}, "logger": {"csv", "tensorboard"}}[group]
    )
    for name in options(group):
        section = config_files.compose_files({group: name})[group]
        built = build_settings(cls, section, where=group)
        assert [key for key in section if getattr(built, key) == getattr(cls(), key)] == [], name


def test_a_file_that_changes_is_composed_anew(experiments: Path) -> None:
    """In a notebook, for one; and what was handed out is nobody else's."""
    file = experiments / "mine.yaml"
    for seed in (3, 4):
        file.write_text(f"# @package _global_\nseed: {seed}\n")
        os.utime(file, (seed, seed))
        values = config_files.compose_files({"experiment": "mine"})
        assert values.pop("seed") == seed
    assert config_files.compose_files({"experiment": "mine"})["seed"] == 4


def test_the_base_file_holds_no_settings() -> None:
    assert config_files.compose_files({}) == {"trainer": {}, "logger": {}}


def test_the_state_of_a_program_that_uses_hydra_itself_is_kept(tmp_path: Path) -> None:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    (tmp_path / "own.yaml").write_text("a: 1\n")
    config_files._composed.cache_clear()
    with initialize_config_dir(str(tmp_path), version_base=None):
        composed(METHOD, DATASET)
        assert hydra_compose("own") == {"a": 1}


def test_a_written_configuration_of_another_version_is_refused() -> None:
    values = composed(METHOD, DATASET).to_dict()
    with pytest.raises(UserError, match=r"There is no setting trainer\.warp"):
        RunConfig.from_dict({**values, "trainer": {**values["trainer"], "warp": 9}})


def test_every_field_of_a_run_is_in_its_dict() -> None:
    values = composed(METHOD, DATASET).to_dict()
    names = {
        "method",
        "dataset",
        "protocol",
        "data",
        "trainer",
        "logger",
        "start_hashes",
        "apart",
        *(entry.name for entry in fields(RunSettings)),
    }
    assert set(values) == names
