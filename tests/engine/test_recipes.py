"""Recipes end to end on a few drawn faces: what is handed on, who is never seen, kills, and what does not fit."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import casia_webface, facial_expressions, kills
from safetensors.torch import load_file

from fer_zoo.cli.main import main
from fer_zoo.core.errors import UserError
from fer_zoo.engine.checkpoint import checkpoint_hash, load_method, subject_hash
from fer_zoo.engine.config import compose
from fer_zoo.engine.finetune import start_training
from fer_zoo.engine.recipe_files import Recipe, read_recipe
from fer_zoo.engine.recipe_scores import crossvalidate_recipe, score_recipe
from fer_zoo.engine.recipes import RecipeRun, plan_recipe, steps_of_epoch, train_recipe
from fer_zoo.engine.results import read_table
from fer_zoo.engine.run import open_run
from fer_zoo.weights.training_command import is_recipe, stage_and_command

pytestmark = pytest.mark.usefixtures("blank_pictures")
NETWORK = "image_width: 32, image_height: 32, width_mult: 0.125, colour: grey"
FACES = "name: synthetic_faces, size: 32, samples_per_person: 6"
RECIPE = f"""
stages:
  people:
    method: {{name: fernet_identity, {NETWORK}}}
    dataset: {{{FACES}, identity: true, num_samples: 60}}
    protocol: {{name: identity_holdout}}
    trainer: {{max_epochs: 2, follow_test: true}}
  image: {{start: people, method: {{name: image_fernet, {NETWORK}}}}}
  blend:
    start: people
    method: {{name: blendshape_net, {NETWORK}}}
    dataset: {{{FACES}, expression: sliders, num_samples: 24, seed: 5}}
    protocol: {{name: subject_holdout, test_share: 0.3}}
  fused: {{streams: {{image: image, blendshape: blend}}, method: {{name: blendshape_fernet, {NETWORK}}}}}
compare: [image, fused]
"""
WORDS = {
    "dataset": "synthetic_faces", "dataset.size": "32", "dataset.samples_per_person": "6", "dataset.num_samples": "60",
    "protocol": "subject_kfold", "protocol.folds": "3", "protocol.validation_share": "0.3",
    "trainer.max_epochs": "2", "trainer": "cpu", "data.workers": "0", "data.batch_size": "16",
}  # fmt: skip


def quiet(line: str) -> None:
    """Hears nothing."""


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    path = tmp_path_factory.mktemp("recipes") / "small.yaml"
    path.write_text(RECIPE)
    return read_recipe(str(path))


@pytest.fixture(scope="session")
def done(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[RecipeRun, list[str]]:
    """The recipe on one fold, and what was told."""
    lines: list[str] = []
    output = tmp_path_factory.mktemp("runs")
    return train_recipe(recipe, {**WORDS, "fold": "1", "output": str(output)}, echo=lines.append), lines


def card_of(run: Any) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((run.folder / "model" / "card.json").read_text())
    return card


def test_what_is_handed_on_is_told_and_remembered(done: tuple[RecipeRun, list[str]]) -> None:
    recipe_run, lines = done
    streams = [line for line in lines if line.startswith("stream ")]
    assert [line.split(" starts")[0] for line in streams] == ["stream image", "stream blendshape"]
    assert all("47 tensors with" in line for line in streams)
    card = card_of(recipe_run.last)
    starts = card["training"]["start"]["streams"]
    assert {name: start["method"] for name, start in starts.items()} == {
        "image": "image_fernet",
        "blendshape": "blendshape_net",
    }
    names = [training["dataset"]["name"] for training in card["training"]["earlier"]]
    assert len(names) == 3, "the people's training went into both streams and is remembered once"
    assert card["commercial_use"] == "yes"


def test_the_command_of_a_result_leads_to_the_same_runs(recipe: Recipe, done: tuple[RecipeRun, list[str]]) -> None:
    recipe_run = done[0]
    folder = score_recipe([recipe_run], echo=quiet)
    run, command = stage_and_command(folder, "blend")
    assert run == recipe_run.runs["blend"].folder and is_recipe(folder) and not is_recipe(run)
    words = dict(word.split("=", 1) for word in shlex.split(command)[2:])
    assert words.pop("recipe") == "small.yaml" and not {"output", "data.workers"} & set(words)
    lines: list[str] = []
    again = train_recipe(recipe, {**words, "output": recipe_run.words["output"]}, echo=lines.append)
    assert sum("done already" in line for line in lines) == 4
    assert {name: run.id for name, run in again.runs.items()} == {name: run.id for name, run in recipe_run.runs.items()}
    with pytest.raises(UserError, match=r"^No stage is named 'blendd'\. Did you mean 'blend'\?"):
        stage_and_command(folder, "blendd")


def test_a_plan_knows_what_is_done_and_what_must_wait(
    recipe: Recipe, done: tuple[RecipeRun, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe_run = done[0]
    rows = plan_recipe(recipe, recipe_run.words)
    assert [(row["stage"], row["state"], row["folder"]) for row in rows] == [
        (name, "done", str(run.folder)) for name, run in recipe_run.runs.items()
    ]
    assert [row["starts_from"] for row in rows] == [
        [], ["people"], ["people"], ["image=image", "blendshape=blend"],
    ]  # fmt: skip
    file = tmp_path / "small.yaml"
    file.write_text(RECIPE)
    words = [f"{key}={text}" for key, text in {**recipe_run.words, "fused.seed": "3", "blend.seed": "3"}.items()]
    assert main(["train", f"recipe={file}", *words, "--dry-run", "--json"]) == 0
    states = [row["state"] for row in json.loads(capsys.readouterr().out)]
    assert states == ["done", "done", "new", None], "where the last stage lies depends on weights that are not there"
    others = {**WORDS, "output": str(tmp_path / "runs")}
    assert main(["crossvalidate", f"recipe={file}", *(f"{k}={v}" for k, v in others.items()), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 3 * len(recipe.stages) and "random weights" in lines[1]
    assert not (tmp_path / "runs").exists()


def test_a_stage_that_nothing_is_compared_with_is_scored(recipe: Recipe, done: tuple[RecipeRun, list[str]]) -> None:
    until, lines = recipe.until("blend"), list[str]()
    recipe_run = train_recipe(until, done[0].words, echo=quiet)
    assert recipe_run.last.id == done[0].runs["blend"].id
    folder = score_recipe([recipe_run], echo=lines.append)
    assert "mae" in "".join(lines) and "comparison" not in json.loads((folder / "result.json").read_text())
    assert len(read_table(recipe_run.last.folder / "test")) == len(recipe_run.last.split.test)
    with pytest.raises(UserError, match=r"^Stage blend of the recipe small has data of its own, which"):
        crossvalidate_recipe(until, WORDS, echo=quiet)


@pytest.mark.slow
def test_two_processes_hand_weights_on_as_well(recipe: Recipe, tmp_path: Path) -> None:
    words = {**WORDS, "trainer": "ddp_cpu", "data.batch_size": "8", "fold": "1", "output": str(tmp_path)}
    recipe_run = train_recipe(recipe.until("image"), words, echo=quiet)
    people, image = (recipe_run.runs[name] for name in ("people", "image"))
    assert image.config.trainer.devices == "2"
    facts = card_of(image)["training"]["start"]
    assert facts["method"] == "fernet_identity" and facts["tensors"] == 47
    assert facts["checkpoint"] == checkpoint_hash(people.folder)


def test_features_of_a_fused_network_are_at_first_those_of_its_stages(done: tuple[RecipeRun, list[str]]) -> None:
    runs = done[0].runs
    task = runs["fused"].new_task()
    start_training(runs["fused"], task, runs["fused"].folder / "again", echo=quiet)
    image = torch.randn(5, 1, 32, 32)
    with torch.inference_mode():
        fused = task.eval().features(image)
        for stream, stage in (("image", "image"), ("blendshape", "blend")):
            assert torch.equal(fused[stream], load_method(runs[stage].folder).features(image)["features"])


def test_people_are_told_apart_without_those_whom_a_fold_tests(
    recipe: Recipe, done: tuple[RecipeRun, list[str]]
) -> None:
    recipe_run, lines = done
    index, split = recipe_run.last.index, recipe_run.last.split
    tested = {subject_hash(code) for code in index.table["subject"].iloc[index.rows_of(split.test)]}
    learned = set(card_of(recipe_run.runs["people"])["training"]["subject_hashes"])
    assert len(tested) == 3 and len(learned) == 7 and not tested & learned
    assert "note: 18 samples of 3 subjects are left out: fold2 tests them." in lines
    assert set(load_method(recipe_run.runs["people"].folder).spaces["identity"].entries) == set(
        recipe_run.runs["people"].index.table["subject"]
    )
    alone = open_run(compose(list(recipe.stages[0].words.items()), verb="train"), echo=quiet)
    assert alone.index.table["subject"].nunique() == 10, "alone, that stage would see everybody"
    assert alone.id != recipe_run.runs["people"].id
    configs = {name: run.config for name, run in recipe_run.runs.items()}
    assert configs["people"].apart and not configs["blend"].apart, "other people are drawn there, so folds share it"


def test_accuracy_on_held_out_faces_of_people_is_kept(done: tuple[RecipeRun, list[str]]) -> None:
    result = json.loads((done[0].runs["people"].folder / "result.json").read_text())
    assert result["on_test"]["metric"] == "test/identity/mean_class_accuracy"
    assert len(result["on_test"]["values"]) == 2


def test_a_second_time_nothing_is_trained_and_the_comparison_is_the_same(
    recipe: Recipe, done: tuple[RecipeRun, list[str]]
) -> None:
    recipe_run, _ = done
    told: list[str] = []
    first = score_recipe([recipe_run], echo=told.append)
    lines: list[str] = []
    output = str(recipe_run.last.experiment_folder.parent)
    again = train_recipe(recipe, {**WORDS, "fold": "1", "output": output}, echo=lines.append)
    assert sum("done already" in line for line in lines) == 4
    assert score_recipe([again], echo=quiet) == first
    result = json.loads((first / "result.json").read_text())
    assert [row["stage"] for row in result["stages"]] == [stage.name for stage in recipe.stages]
    people = json.loads((recipe_run.runs["people"].folder / "result.json").read_text())["on_test"]
    assert [row["on_test"] for row in result["stages"]] == [people, {}, {}, {}]
    held_out = f"fold2, people: identity/mean_class_accuracy {people['kept']:.3f} on its own test"
    assert held_out in told
    accuracies = {row["name"]: row for row in result["comparison"] if row["metric"] == "accuracy"}
    gain = accuracies["fused"]["value"] - accuracies["image"]["value"]
    assert accuracies["fused"]["gain"] == pytest.approx(gain)
    assert accuracies["image"]["p"] is None and 0 < accuracies["fused"]["p"] <= 1
    assert "18 test images of 3 people" in (first / "comparison.md").read_text()
    assert_pictures_are_there(first, result["pictures"], [again])


def assert_pictures_are_there(folder: Path, names: list[str], done: list[RecipeRun]) -> None:
    """Sheets as many as there are differences, numbers of both stages, and links that lead somewhere."""
    assert all((folder / name).is_file() for name in names)
    tables = [read_table(done[0].runs[stage].folder / "test") for stage in ("image", "fused")]
    right = [table["emotion"] == table["target_emotion"] for table in tables]
    differ = {
        "fused_right_image_wrong.png": (right[1] & ~right[0]).any(),
        "image_right_fused_wrong.png": (right[0] & ~right[1]).any(),
    }
    assert {name: name in names for name in differ} == differ
    numbers = json.loads((folder / "features.json").read_text())
    assert [one["name"] for one in numbers["sets"]] == ["image", "fused"]
    links = re.findall(r"\]\((.*?)\)", (folder / "pictures.md").read_text())
    assert len(links) >= 8 and all((folder / link).is_file() for link in links)


@pytest.fixture
def work(recipe: Recipe) -> Callable[[Path], None]:
    """Work for a process of its own: the recipe up to its end."""

    def train_below(folder: Path) -> None:
        words = {**WORDS, "output": str(folder / "runs"), "seed": "1", "fold": "1"}
        score_recipe([train_recipe(recipe, words, echo=print)], echo=print)

    return train_below


def last_weights(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = folder.glob("runs/blendshape_fernet_*/*/model/model.safetensors")
    return load_file(path)


def killed_before(work: Callable[[Path], None], folder: Path, name: str, number: int) -> bool:
    """Whether the work was killed before the file of that name, the so manieth of a training, took its name."""
    seen: list[Path] = []

    def at_that_one(path: Path) -> bool:
        seen.append(path)
        return path.name == name and [p.name for p in seen if "test" not in p.parts].count(name) == number

    return kills.is_killed(work, folder, before_rename=at_that_one)


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param([("result.json", 2), ("resume.ckpt", 2)], id="once at the end of a stage, once within one"),
        pytest.param(
            [(name, 1) for name in ("resume.ckpt", "result.json") for _ in range(4)],
            id="at every stage",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_killed_recipe_ends_with_the_weights_of_an_unbroken_one(
    work: Callable[[Path], None], tmp_path: Path, ends: list[tuple[str, int]]
) -> None:
    kills.seconds_of(work, tmp_path / "unbroken")
    killed = tmp_path / "killed"
    killed.mkdir()
    for name, number in ends:
        assert killed_before(work, killed, name, number)
    assert not kills.is_killed(work, killed)
    unbroken, resumed = last_weights(tmp_path / "unbroken"), last_weights(killed)
    assert list(unbroken) == list(resumed)
    assert [name for name in unbroken if not torch.equal(unbroken[name], resumed[name])] == []


def started(recipe_run: RecipeRun, **words: str) -> None:
    """Gives a new fused network what these words say."""
    output = str(recipe_run.last.experiment_folder.parent / "others")
    method = {"method": "blendshape_fernet", "output": output}
    run = open_run(compose([*{**WORDS, **method, **words}.items()], verb="train"), echo=quiet)
    start_training(run, run.new_task(), run.folder, echo=quiet)


def test_weights_that_do_not_belong_there_are_one_sentence(done: tuple[RecipeRun, list[str]]) -> None:
    recipe_run, _ = done
    image, blend = recipe_run.runs["image"].folder, recipe_run.runs["blend"].folder
    with pytest.raises(
        UserError, match="stream 'blendshape' of blendshape_fernet starts from blendshape_net or fernet"
    ):
        started(recipe_run, streams=f"image={image},blendshape={image}")
    with pytest.raises(UserError, match=r"has no stream 'blend'\. Did you mean 'blendshape'"):
        started(recipe_run, streams=f"image={image},blend={blend}")
    with pytest.raises(UserError, match=r"set method\.width_mult=0\.125 as its card has it"):
        started(recipe_run, streams=f"image={image},blendshape={blend}", **{"method.width_mult": "0.25"})
    with pytest.raises(UserError, match="nowhere does not exist"):
        started(recipe_run, streams=f"image={image},blendshape=nowhere")
    with pytest.raises(UserError, match="streams are written NAME=CHECKPOINT"):
        started(recipe_run, streams=str(image))
    with pytest.raises(UserError, match="checkpoint and streams both say"):
        started(recipe_run, streams=f"image={image}", checkpoint=str(image))
    with pytest.raises(UserError, match=r"tensor 'streams\.image|does not fit this network"):
        started(recipe_run, checkpoint=str(image))


def test_a_stage_whose_data_lack_what_it_learns_is_named(recipe: Recipe, tmp_path: Path) -> None:
    words = {**WORDS, "output": str(tmp_path)}
    with pytest.raises(
        UserError, match=r"Stage people of the recipe small: fernet_identity learns 'identity', but syn"
    ):
        train_recipe(recipe, {**words, "people.dataset.identity": "false"}, echo=quiet)
    with pytest.raises(UserError, match=r"Stage fused of the recipe small: .*fold is 7"):
        train_recipe(recipe, {**words, "fold": "7"}, echo=quiet)
    with pytest.raises(UserError, match=r"image\.checkpoint is decided by the recipe small"):
        train_recipe(recipe, {**words, "image.checkpoint": "runs/x"}, echo=quiet)


def test_stages_that_tell_other_classes_apart_are_not_compared(
    recipe: Recipe, done: tuple[RecipeRun, list[str]]
) -> None:
    recipe_run, _ = done
    output = str(recipe_run.last.experiment_folder.parent)
    words = {**WORDS, "fold": "1", "output": output, "trainer.max_epochs": "1"}
    words["image.dataset.emotions.classes"] = "happiness,sadness,anger"
    other = train_recipe(recipe.until("image"), words, echo=quiet)
    mixed = RecipeRun(recipe=recipe, words=recipe_run.words, runs={**recipe_run.runs, "image": other.runs["image"]})
    with pytest.raises(UserError, match="image and fused of the recipe small are compared, but predict"):
        score_recipe([mixed], echo=quiet)


def test_so_many_iterations_are_whole_epochs(recipe: Recipe, done: tuple[RecipeRun, list[str]], tmp_path: Path) -> None:
    """Steps of an epoch are those that training made; 5 steps of 2 an epoch are 3 epochs."""
    for run in done[0].runs.values():
        result = json.loads((run.folder / "result.json").read_text())
        assert steps_of_epoch(len(run.split.train), run.config) == result["steps"] / result["epochs"]
    assert steps_of_epoch(36, run.config) == 2 and steps_of_epoch(16, run.config) == steps_of_epoch(3, run.config) == 1
    counted = tmp_path / "counted.yaml"
    counted.write_text(RECIPE.replace("image: {start: people,", "image: {iterations: 5, start: people,"))
    words = {key: text for key, text in WORDS.items() if key != "trainer.max_epochs"}
    own = {f"{name}.trainer.max_epochs": "2" for name in ("people", "blend", "fused")}
    words |= {**own, "dataset.num_samples": "90", "output": str(tmp_path)}
    image = train_recipe(read_recipe(str(counted)).until("image"), words, echo=quiet).runs["image"]
    steps = steps_of_epoch(len(image.split.train), image.config)
    assert image.config.trainer.max_epochs == -(-5 // steps)


def test_no_stage_sees_whom_the_recipe_tests_whatever_a_user_says(recipe: Recipe, tmp_path: Path) -> None:
    """Another protocol of its own, or the same people under another name."""
    words = {**WORDS, "output": str(tmp_path), "trainer.max_epochs": "1"}
    done = train_recipe(recipe.until("image"), {**words, "image.protocol": "subject_holdout"}, echo=quiet)
    run = done.runs["image"]
    fused = open_run(compose([*{**WORDS, "method": "blendshape_fernet"}.items()], verb="train"), echo=quiet)
    tested = set(fused.index.table["subject"].iloc[fused.index.rows_of(fused.split.test)])
    assert tested and not tested & set(run.index.table["subject"])
    other = {**words, "dataset": "synthetic_emotion_v1", "dataset.num_samples": "60"}
    other = {key: text for key, text in other.items() if key not in ("dataset.size", "dataset.samples_per_person")}
    with pytest.raises(
        UserError, match=r"synthetic_faces draws the people that synthetic_emotion_v1 tests \(seed 0 of pro"
    ):
        train_recipe(recipe, other, echo=quiet)


def test_all_stages_are_set_up_before_the_first_is_trained(recipe: Recipe, tmp_path: Path) -> None:
    words = {**WORDS, "output": str(tmp_path)}
    for word, message in {
        "fused.method.dropuot": "Stage fused of the recipe small: There is no setting method.dropuot",
        "blend.dataset.face_model": "Stage blend of the recipe small: ",
        "imag.seed": "There is no stage 'imag'. Did you mean 'image'",
        "method": "method is decided by the recipe small; leave it out",
        "resume": "resume=RUN goes on with one run; a recipe goes on where it stopped",
        "fused.method.width_mult": "Stage fused of the recipe small: The checkpoint does not fit this network",
        "blend.method.width_mult": "Stage blend of the recipe small: The checkpoint does not fit this network",
    }.items():
        with pytest.raises(UserError, match=message.replace(".", r"\.")):
            train_recipe(recipe, {**words, word: "1"}, echo=quiet)
    with pytest.raises(UserError, match="image and fused of the recipe small are compared, but predict"):
        train_recipe(recipe, {**words, "image.dataset.emotions.classes": "happiness,sadness"}, echo=quiet)
    for streams, message in {
        "{image: image, foto: blend}": "blendshape_fernet has no stream 'foto'",
        "{image: blend, blendshape: image}": "The stream 'image' of blendshape_fernet starts from image_fernet or",
    }.items():
        (tmp_path / "other.yaml").write_text(RECIPE.replace("{image: image, blendshape: blend}", streams))
        with pytest.raises(UserError, match=f"^Stage fused of the recipe other: {message}"):
            plan_recipe(read_recipe(str(tmp_path / "other.yaml")), words)
    assert [path.name for path in tmp_path.iterdir()] == ["other.yaml"]


def test_people_who_are_tested_under_another_name_are_not_learned_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CASIA-WebFace and the photographs of facial_expressions show some of the same celebrities."""
    for fake in (casia_webface, facial_expressions):
        name = fake.__name__.rpartition(".")[2]
        (tmp_path / name).symlink_to(fake.write(tmp_path / f"{name}_files").root)
    monkeypatch.setenv("FER_ZOO_DATA", str(tmp_path))
    recipe = read_recipe("blendshape_fernet").until("image")
    words = {"dataset": "facial_expressions", "protocol": "subject_holdout", "protocol.test_share": "0.3"}
    few = {"identity.dataset.identity_images": "2", "identity.protocol.test_share": "0.3", "trainer": "cpu"}
    rows = plan_recipe(recipe, {**words, **few})
    assert [row["dataset"] for row in rows] == ["facial_expressions"] * 2, "whom the fold tests are left out there"
    with pytest.raises(UserError, match="casia_webface shows some of the people that facial_expressions tests"):
        plan_recipe(recipe, {**words, "trainer": "cpu", "identity.dataset": "casia_webface"})


def test_every_fold_is_trained_and_scored_together(recipe: Recipe, tmp_path: Path) -> None:
    words = {**WORDS, "protocol.folds": "2", "trainer.max_epochs": "1", "output": str(tmp_path)}
    words["dataset.num_samples"] = "120"
    lines: list[str] = []
    folder = crossvalidate_recipe(recipe, words, echo=lines.append)
    result = json.loads((folder / "result.json").read_text())
    assert [row["fold"] for row in result["stages"]] == ["fold1"] * 4 + ["fold2"] * 4
    assert "120 test images of 20 people, 2 folds" in (folder / "comparison.md").read_text()
    with pytest.raises(UserError, match="leave fold out"):
        crossvalidate_recipe(recipe, {**words, "fold": "1"}, echo=quiet)
