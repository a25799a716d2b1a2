"""What recipes are for: their stages scored on the same test images, against one another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import plain, read_json, write_json, write_text
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.engine.checkpoint import read_card
from fer_zoo.engine.crossvalidate import pool
from fer_zoo.engine.evaluate import evaluation_job
from fer_zoo.engine.jobs import RESULT, job_id, run_job
from fer_zoo.engine.overlap import refuse_training_data
from fer_zoo.engine.recipe_files import Recipe, Words
from fer_zoo.engine.recipes import RecipeRun, plan_recipe, train_recipe
from fer_zoo.engine.rehearsal import compared_spaces
from fer_zoo.engine.results import read_table
from fer_zoo.engine.run import Echo, Run
from fer_zoo.engine.stage_pictures import draw_stages
from fer_zoo.evaluation.against_first import Gain, gain_table, gains
from fer_zoo.evaluation.report_text import as_markdown, as_text
from fer_zoo.evaluation.scores import table_sums

_CLASS_METRICS = ("accuracy", "mean_class_accuracy")
_VALUE_METRICS = ("mae", "icc31")
_WIDTH = 120
KIND = "recipe"  # of a result


def crossvalidate_recipe(recipe: Recipe, words: Words, *, echo: Echo) -> Path:
    """Train the stages on every fold of the data that the recipe is used on, then score them together.

    Args:
        recipe: what to train.
        words: as of `train_recipe`, without fold.
        echo: told each line for the user.

    Returns:
        The folder of the recipe's result.

    Raises:
        UserError: if a fold is named, or the last stage has data of its own; and as `train_recipe`.
    """
    _refuse_one_fold(recipe, words)
    first = train_recipe(recipe, {**words, "fold": "0"}, echo=echo)
    done = [first]
    for fold in range(1, len(first.last.splits)):
        echo(f"fold {fold + 1} of {len(first.last.splits)}")
        done.append(train_recipe(recipe, {**words, "fold": str(fold)}, echo=echo))
    return score_recipe(done, echo=echo)


def plan_folds(recipe: Recipe, words: Words) -> list[dict[str, Any]]:
    """The rows of `plan_recipe` for every fold; nothing is trained.

    Raises:
        UserError: as `crossvalidate_recipe`.
    """
    _refuse_one_fold(recipe, words)
    rows = plan_recipe(recipe, {**words, "fold": "0"})
    for fold in range(1, rows[-1]["folds"]):
        rows += plan_recipe(recipe, {**words, "fold": str(fold)})
    return rows


def _refuse_one_fold(recipe: Recipe, words: Words) -> None:
    """Every fold is run, of data that the recipe is used on."""
    if "fold" in words:
        raise UserError("`fer-zoo crossvalidate` runs every fold; leave fold out, or use `fer-zoo train` for one.")
    if (last := recipe.stages[-1]).has_own_data:
        raise UserError(
            f"Stage {last.name} of the recipe {recipe.name} has data of its own, which are not divided into folds here;"
            " `fer-zoo train` trains and scores it."
        )


def score_recipe(done: Sequence[RecipeRun], *, echo: Echo) -> Path:
    """Score the stages that a recipe compares, or its last one, on the test parts of all its folds; tell what differs.

    Args:
        done: the recipe on each fold.
        echo: told each line for the user.

    Returns:
        The folder of the recipe's result.

    Raises:
        UserError: if stages to be compared tell other classes apart.
    """
    recipe, last, spaces = done[0].recipe, done[0].last, compared_spaces(done[0].recipe, done[0].runs)
    tables: dict[str, pd.DataFrame] = {}
    for stage in recipe.scored:
        runs = [fold.runs[stage] for fold in done]
        for run in runs:
            score_stage(run, echo=echo)
        if len(runs) > 1:
            report, _ = pool(runs, echo=_quiet)
            echo(f"{stage}:\n{report.to_text()}")
        elif len(recipe.scored) == 1:
            echo((runs[0].folder / "test" / "report.txt").read_text(encoding="utf-8"))
        tables[stage] = pd.concat([read_table(run.folder / "test") for run in runs], ignore_index=True)
    ids = {"runs": [{name: run.id for name, run in fold.runs.items()} for fold in done]}
    folder = Path(last.config.output) / f"recipe_{recipe.name}" / job_id(ids)
    result: dict[str, Any] = {"kind": KIND, "recipe": recipe.typed, **_again(done), "stages": _stages(done)}
    for line in _followed(result["stages"]):
        echo(line)
    if len(tables) > 1:
        found, sentences = _gains(tables, spaces), [_said(tables, done)]
        table = gain_table(found, recipe.name)
        echo(as_text([table], sentences, _WIDTH))
        write_text(folder / "comparison.md", as_markdown([table], sentences))
        result["comparison"] = plain([gain.to_dict() for gain in found])
        compared = {stage: [fold.runs[stage] for fold in done] for stage in tables}
        result["pictures"] = draw_stages(compared, tables, folder, echo=echo)
    write_json(folder / "result.json", result)
    return folder


def score_stage(run: Run, *, echo: Echo) -> None:
    """Score a run on its test part, which none of its weights has seen; of data of another name files are compared.

    Raises:
        UserError: if they have seen it.
    """
    refuse_training_data(read_card(run.folder), run, echo=echo)
    run_job(evaluation_job(run, echo=echo), echo=echo)


def _gains(tables: Mapping[str, pd.DataFrame], spaces: Mapping[str, LabelSpace]) -> list[Gain]:
    sums = {stage: table_sums(table, spaces[stage]) for stage, table in tables.items()}
    return gains(sums, _CLASS_METRICS if next(iter(spaces.values())).kind == "classes" else _VALUE_METRICS)


def _said(tables: Mapping[str, pd.DataFrame], done: Sequence[RecipeRun]) -> str:
    """On what the comparison rests."""
    table = next(iter(tables.values()))
    folds = f"{len(done)} folds" if len(done) > 1 else done[0].last.split.name
    return (
        f"{len(table):,} test images of {table['subject'].nunique():,} people, {folds}; gains over {next(iter(tables))}"
        " on the same images, with 95 % intervals and paired permutation tests over people (Holm)."
    )


def _stages(done: Sequence[RecipeRun]) -> list[dict[str, Any]]:
    """Where each stage of each fold lies, and how it did on its own test part if that was followed."""
    return [
        {
            "fold": fold.last.split.name,
            "stage": name,
            "folder": f"{run.experiment_folder.name}/{run.id}",
            "on_test": read_json(run.folder / RESULT).get("on_test"),
        }
        for fold in done
        for name, run in fold.runs.items()
    ]


def _followed(stages: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each stage whose own test part was followed: people told apart, on images left out of training."""
    return [
        f"{row['fold']}, {row['stage']}: {found['metric'].removeprefix('test/')} {found['kept']:.3f} on its own test"
        for row in stages
        if (found := row["on_test"]) and found["kept"] is not None
    ]


def _again(done: Sequence[RecipeRun]) -> dict[str, Any]:
    """What makes the stages again: the words, and what was left out (or what nobody needed)."""
    recipe, words = done[0].recipe, done[0].words
    trained = {stage.name for stage in recipe.stages}
    return {
        "words": {key: text for key, text in words.items() if key != "fold" or len(done) == 1},
        "without": [name for name in recipe.names if name not in trained],
    }


def _quiet(line: str) -> None:
    """The report of a stage follows as a whole."""
