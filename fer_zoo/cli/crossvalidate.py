"""Train and evaluate every fold of a protocol, then score all test predictions together.

fer-zoo crossvalidate method=NAME dataset=NAME [protocol=NAME] [KEY=VALUE …] [--dry-run] [--json]
fer-zoo crossvalidate experiment=NAME [KEY=VALUE …]
fer-zoo crossvalidate recipe=NAME [without=NAME] [dataset=NAME] [KEY=VALUE …] [STAGE.KEY=VALUE …] [--dry-run] [--json]

  fer-zoo crossvalidate method=timm_classifier dataset=facial_expressions protocol.folds=5 --dry-run
  fer-zoo crossvalidate method=timm_classifier dataset=image_folder dataset.root=my_faces protocol=subject_kfold

recipe=NAME trains all stages on every fold and compares them over all test parts, see `fer-zoo train --help`.

Settings are those of `fer-zoo train`, without fold. Folds that are done are not repeated.

--dry-run lists the folds (of a recipe their stages), what their parts hold and their state, and trains nothing;
identical files in different parts are named by id. --json prints the report (of a recipe its result), or the list with
the ids and subject codes of each part, as JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_json, print_rows, say, say_aside


def run(command: Command) -> int:
    """Runs all folds and prints the report."""
    from fer_zoo.engine.config import compose

    command.allow_flags("--dry-run", "--json")
    command.no_files()
    if "recipe" in dict(command.settings):
        return _crossvalidate_recipe(command)
    as_json = "--json" in command.flags
    echo = say_aside if as_json else say
    config = compose(command.settings, verb="crossvalidate")

    from fer_zoo.engine.crossvalidate import crossvalidate, describe_folds, folds

    if "--dry-run" in command.flags:
        _print_folds(describe_folds(folds(config, echo=echo)), as_json=as_json)
        return 0
    report, folder = crossvalidate(config, echo=echo)
    print_json(report.to_dict()) if as_json else print(report.to_text())
    echo(f"report, predictions and pictures: {folder}")
    return 0


def _crossvalidate_recipe(command: Command) -> int:
    from fer_zoo.cli.train import asked_recipe, print_plan, tell_recipe

    recipe, settings = asked_recipe(dict(command.settings))

    from fer_zoo.engine.recipe_scores import crossvalidate_recipe, plan_folds

    as_json = "--json" in command.flags
    if "--dry-run" in command.flags:
        print_plan(plan_folds(recipe, settings), as_json=as_json)
    else:
        echo = say_aside if as_json else say
        tell_recipe(crossvalidate_recipe(recipe, settings, echo=echo), as_json=as_json)
    return 0


_PARTS = ("train", "validation", "test")


def _print_folds(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """The folds, and a line on the files that stand in different parts of one."""
    from fer_zoo.data.identical_files import identical_sentence

    if as_json:
        print_json(list(rows))
    else:
        shown = [
            {**row, **{part: _held(row, part) for part in _PARTS}, "identical": len(row["identical"])} for row in rows
        ]
        print_rows(shown, ("fold", *_PARTS, "identical", "hash", "state", "folder"), as_json=False)
    groups = sorted({tuple(group) for row in rows for group in row["identical"]})
    if sentence := identical_sentence(groups):
        say_aside(f"warning: {sentence}") if as_json else say(f"warning: {sentence}")


def _held(row: Mapping[str, Any], part: str) -> str:
    """What a part holds: samples, people and, where the data have any, clips."""
    clips = f", {row[f'{part}_clips']:,} clips" if f"{part}_clips" in row else ""
    return f"{row[part]:,} of {row[f'{part}_subjects']:,} subjects{clips}"
