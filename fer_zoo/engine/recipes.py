"""Recipes: trainings that hand weights on, then the comparison that they were made for.

Each stage is a run like any other, in its own folder: what is done is not repeated, by whichever recipe, and what was
broken off goes on. A stage with data of its own never sees whom the recipe's last stage tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import plain, write_json, write_text
from fer_zoo.data.open import is_at_hand
from fer_zoo.engine.checkpoint import read_card
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.crossvalidate import pool, train_fold
from fer_zoo.engine.evaluate import evaluation_job
from fer_zoo.engine.jobs import job_id, run_job
from fer_zoo.engine.overlap import refuse_training_data
from fer_zoo.engine.recipe_files import Recipe, Stage, Words, overlaid, words_for
from fer_zoo.engine.results import read_table
from fer_zoo.engine.run import Echo, Run, open_run
from fer_zoo.engine.stage_pictures import draw_stages
from fer_zoo.evaluation.against_first import Gain, gain_table, gains
from fer_zoo.evaluation.report_text import as_markdown, as_text
from fer_zoo.evaluation.scores import table_sums

_CLASS_METRICS = ("accuracy", "mean_class_accuracy")
_VALUE_METRICS = ("mae", "icc31")
_WIDTH = 120


@dataclass(frozen=True, kw_only=True)
class RecipeRun:
    """A recipe whose stages are trained on one fold.

    Attributes:
        recipe: what was trained.
        runs: stage -> its run.
    """

    recipe: Recipe
    runs: Mapping[str, Run]

    @property
    def last(self) -> Run:
        """The run that everything else was for."""
        return self.runs[self.recipe.stages[-1].name]


def train_recipe(recipe: Recipe, words: Words, *, echo: Echo) -> RecipeRun:
    """Train the stages one after the other, each from what it needs.

    Args:
        recipe: what to train.
        words: settings as typed: of all stages, of one (`STAGE.KEY=…`), and the data that the recipe is used on.
        echo: told each line for the user.

    Raises:
        UserError: naming the stage, for a configuration that cannot run or weights that do not fit.
    """
    _refuse_own_starts(recipe, words)
    words = overlaid(recipe.words, words)
    outer = _outer(recipe, words)
    runs: dict[str, Run] = {}
    for number, stage in enumerate(recipe.stages, start=1):
        echo(f"stage {number} of {len(recipe.stages)}: {stage.name}")
        try:
            config = _configuration(recipe, stage, words, {name: run.folder for name, run in runs.items()}, echo)
            run = open_run(replace(config, apart=_apart(stage, config, outer)), echo=echo)
            if stage.iterations and not {"trainer.max_epochs", f"{stage.name}.trainer.max_epochs"} & set(words):
                run = _for_iterations(run, stage.iterations)
            train_fold(run, echo=echo)
        except UserError as error:
            raise UserError(f"Stage {stage.name} of the recipe {recipe.name}: {error}") from error
        runs[stage.name] = run
    return RecipeRun(recipe=recipe, runs=runs)


def _for_iterations(run: Run, iterations: int) -> Run:
    """The run with as many whole epochs as have at least so many steps: what ends within one could not go on."""
    devices = int(run.config.trainer.devices) if run.config.trainer.devices.isdecimal() else 1
    together = run.config.data.batch_size * run.config.trainer.accumulate * devices * run.config.trainer.num_nodes
    epochs = ceil(iterations / ceil(len(run.split.train) / together))
    trainer = replace(run.config.trainer, max_epochs=epochs)
    return Run(replace(run.config, trainer=trainer), run.index, run.target, run.splits)


def crossvalidate_recipe(recipe: Recipe, words: Words, *, echo: Echo) -> Path:
    """Train the stages on every fold of the data that the recipe is used on, then score them together.

    Args:
        recipe: what to train.
        words: as of `train_recipe`, without fold.
        echo: told each line for the user.

    Returns:
        The folder of the recipe's result.

    Raises:
        UserError: if a fold is named, or the recipe is used on no data; and as `train_recipe`.
    """
    if "fold" in words:
        raise UserError("`fer-zoo crossvalidate` runs every fold; leave fold out, or use `fer-zoo train` for one.")
    first = train_recipe(recipe, {**words, "fold": "0"}, echo=echo)
    done = [first]
    for fold in range(1, len(first.last.splits)):
        echo(f"fold {fold + 1} of {len(first.last.splits)}")
        done.append(train_recipe(recipe, {**words, "fold": str(fold)}, echo=echo))
    return score_recipe(done, echo=echo)


def score_recipe(done: Sequence[RecipeRun], *, echo: Echo) -> Path:
    """Score the stages that a recipe compares on the test parts of all its folds, tell the differences, keep both.

    Args:
        done: the recipe on each fold.
        echo: told each line for the user.

    Returns:
        The folder of the recipe's result.

    Raises:
        UserError: if stages to be compared tell other classes apart.
    """
    recipe, last = done[0].recipe, done[0].last
    tables: dict[str, pd.DataFrame] = {}
    for stage in recipe.compare:
        runs = [fold.runs[stage] for fold in done]
        for run in runs:
            refuse_training_data(read_card(run.folder), run, echo=echo)  # of data of another name files are compared
            run_job(evaluation_job(run, echo=echo), echo=echo)
        if len(runs) > 1:
            report, _ = pool(runs, echo=_quiet)
            echo(f"{stage}:\n{report.to_text()}")
        tables[stage] = pd.concat([read_table(run.folder / "test") for run in runs], ignore_index=True)
    ids = {"runs": [{name: run.id for name, run in fold.runs.items()} for fold in done]}
    folder = Path(last.config.output) / f"recipe_{recipe.name}" / job_id(ids)
    result: dict[str, Any] = {"kind": "recipe", "recipe": recipe.name, "stages": _stages(done)}
    if len(tables) > 1:
        found, sentences = _gains(tables, done[0]), [_said(tables, done)]
        table = gain_table(found, recipe.name)
        echo(as_text([table], sentences, _WIDTH))
        write_text(folder / "comparison.md", as_markdown([table], sentences))
        result["comparison"] = plain([gain.to_dict() for gain in found])
        compared = {stage: [fold.runs[stage] for fold in done] for stage in tables}
        result["pictures"] = draw_stages(compared, tables, folder, echo=echo)
    write_json(folder / "result.json", result)
    return folder


def _gains(tables: Mapping[str, pd.DataFrame], done: RecipeRun) -> list[Gain]:
    spaces = {stage: done.runs[stage].new_task().spaces[done.runs[stage].target] for stage in tables}
    first, *others = spaces
    for other in others:
        if spaces[other].entries != spaces[first].entries:
            raise UserError(
                f"The stages {first} and {other} of the recipe {done.recipe.name} are compared, but predict"
                f" {', '.join(spaces[first].entries)}, and {', '.join(spaces[other].entries)}; give both the same data."
            )
    sums = {stage: table_sums(table, spaces[stage]) for stage, table in tables.items()}
    return gains(sums, _CLASS_METRICS if spaces[first].kind == "classes" else _VALUE_METRICS)


def _said(tables: Mapping[str, pd.DataFrame], done: Sequence[RecipeRun]) -> str:
    """On what the comparison rests."""
    table = next(iter(tables.values()))
    folds = f"{len(done)} folds" if len(done) > 1 else done[0].last.split.name
    return (
        f"{len(table):,} test images of {table['subject'].nunique():,} people, {folds}; gains over {next(iter(tables))}"
        " on the same images, with 95 % intervals and paired permutation tests over people (Holm)."
    )


def _stages(done: Sequence[RecipeRun]) -> list[dict[str, Any]]:
    """Where each stage of each fold lies."""
    return [
        {"fold": fold.last.split.name, "stage": name, "folder": f"{run.experiment_folder.name}/{run.id}"}
        for fold in done
        for name, run in fold.runs.items()
    ]


def _outer(recipe: Recipe, words: Words) -> dict[str, Any]:
    """What decides whom the recipe tests, for which nothing has to be trained; {} where it is used on no data."""
    stage = recipe.tested
    if stage is None or ("dataset" not in words and all(own.has_own_data for own in recipe.stages)):
        return {}
    try:
        run = open_run(_configuration(recipe, stage, words, {}, _quiet), echo=_quiet)
    except UserError as error:
        raise UserError(f"Stage {stage.name} of the recipe {recipe.name}: {error}") from error
    config = run.config
    return {
        "dataset": config.dataset,
        "protocol": config.protocol,
        "fold": config.fold,
        "frames": config.frames,
        "target": run.target,
    }


def _apart(stage: Stage, config: RunConfig, outer: dict[str, Any]) -> dict[str, Any]:
    """Whom a stage must not see; of data of another name nobody, so that all folds share one training."""
    is_same = bool(outer) and config.dataset["name"] == outer["dataset"]["name"]
    return outer if stage.has_own_data and is_same else {}


def _configuration(recipe: Recipe, stage: Stage, words: Words, folders: Mapping[str, Path], echo: Echo) -> RunConfig:
    """The configuration of a stage, whose weights start from the folders of others, where they are there already."""
    asked = words_for(stage, words, [s.name for s in recipe.stages])
    own = stage.words
    if stage.either and "dataset" not in asked:
        own = overlaid(own, _first_at_hand(stage, asked, echo))
    settings = overlaid(own, asked)
    if folders and stage.start:
        settings["checkpoint"] = str(folders[stage.start])
    if folders and stage.streams:
        settings["streams"] = ",".join(f"{name}={folders[other]}" for name, other in stage.streams.items())
    return compose(list(settings.items()), verb="train")


def _first_at_hand(stage: Stage, asked: Words, echo: Echo) -> Words:
    """Of several data sets the first whose files are on this machine."""
    lacking: list[str] = []
    for choice in stage.either:
        if is_at_hand(choice["dataset"], asked.get("dataset.root")):
            if lacking:
                echo(
                    f"{stage.name}: {' and '.join(lacking)} not on this machine, so {choice['dataset']} is learned from"
                )
            return choice
        lacking.append(choice["dataset"])
    raise UserError(f"None of its data sets is on this machine: {', '.join(lacking)}; see `fer-zoo info {lacking[0]}`.")


def _refuse_own_starts(recipe: Recipe, words: Words) -> None:
    """What a stage starts from is the recipe's business."""
    for key in words:
        if key.rpartition(".")[2] in ("checkpoint", "streams") and key.count(".") <= 1:
            raise UserError(f"{key} is decided by the recipe {recipe.name}; leave it out.")


def _quiet(line: str) -> None:
    """What is said again when the stage is trained."""
