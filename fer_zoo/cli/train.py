"""Train a method on one fold of a data set.

fer-zoo train method=NAME dataset=NAME [protocol=NAME] [fold=0] [KEY=VALUE …]
fer-zoo train experiment=NAME [KEY=VALUE …]
fer-zoo train checkpoint=RUN dataset=NAME [keep_labels=true] [KEY=VALUE …]
fer-zoo train recipe=NAME [stage=NAME] [without=NAME] [dataset=NAME] [KEY=VALUE …] [STAGE.KEY=VALUE …]
                     [--dry-run] [--json]
fer-zoo train resume=RUN

  fer-zoo train method=timm_classifier dataset=facial_expressions
  fer-zoo train method=timm_classifier method.backbone=resnet34 dataset=image_folder dataset.root=my_faces
  fer-zoo train experiment=timm_classifier_facial_expressions trainer=gpu trainer.max_epochs=30 seed=1
  fer-zoo train method=timm_classifier dataset=image_folder dataset.root=my_faces checkpoint=RUN logger=wandb
  fer-zoo train recipe=blendshape_fernet_quick dataset=facial_expressions
  fer-zoo train resume=runs/timm_classifier_facial_expressions/0123456789ab

Settings: method.KEY, dataset.KEY and protocol.KEY as `fer-zoo info NAME` lists them; data.KEY (batch_size, workers,
augmentation, sampling …); trainer=auto|cpu|gpu|ddp_cpu and trainer.KEY (max_epochs, precision, accumulate,
early_stopping_patience, ema_decay …); seed, fold, output.

checkpoint=RUN starts from the weights of another run, whose method, network and input are the defaults. Where the data
have other classes or values the head is new, and keep_labels=true keeps the weights of the names that both have;
method.frozen_stages, method.layer_rate_decay and method.learning_rate say how much the rest may change.

recipe=NAME trains several stages that hand weights on, each in a run of its own, and compares them: KEY=VALUE is for
all stages, STAGE.KEY=VALUE for one, data for those that say none of their own; stage=NAME ends with that one and scores
it, and without=NAME leaves one out, so that what would have started from it starts from random weights. --dry-run lists
the stages, what each learns from and what is done, and trains nothing; --json prints that list, or the result.

streams=NAME=RUN,NAME=RUN starts parts of a network from runs of their own, as recipes do.

logger=csv|tensorboard|wandb says where the course of training goes besides the terminal: metrics.csv always,
TensorBoard's event files or a run at Weights & Biases (offline where no key is set) with logger.project=NAME and
logger.entity=NAME; both with logger.tensorboard=true logger.wandb=true.

The same command goes on where a run stopped, and reads the result of one that is done; resume=RUN does so from the
run's folder alone.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_json, print_rows, say, say_aside
from fer_zoo.core.errors import UserError

if TYPE_CHECKING:
    from fer_zoo.engine.recipe_files import Recipe


def asked_recipe(words: dict[str, str]) -> tuple["Recipe", dict[str, str]]:
    """The recipe that words ask for, and those that are settings of its stages."""
    from fer_zoo.engine.recipe_files import read_recipe

    left = {key: text for key, text in words.items() if key not in ("recipe", "stage", "without")}
    recipe = read_recipe(words["recipe"])
    if "without" in words:
        recipe = recipe.without(words["without"].split(","))
    return recipe.until(words["stage"]) if "stage" in words else recipe, left


def _train_recipe(command: Command) -> int:
    """Trains a recipe on one fold and compares its stages."""
    recipe, settings = asked_recipe(dict(command.settings))

    from fer_zoo.engine.recipe_scores import score_recipe
    from fer_zoo.engine.recipes import plan_recipe, train_recipe

    as_json = "--json" in command.flags
    echo = say_aside if as_json else say
    if "--dry-run" in command.flags:
        print_plan(plan_recipe(recipe, settings), as_json=as_json)
    else:
        tell_recipe(score_recipe([train_recipe(recipe, settings, echo=echo)], echo=echo), as_json=as_json)
    return 0


def print_plan(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """The stages of a recipe, one a line."""
    columns = ("fold", "stage", "method", "starts_from", "dataset", "train", "validation", "test", "epochs", "state")
    if not as_json:
        rows = [{**row, "starts_from": row["starts_from"] or "random weights"} for row in rows]
    print_rows(rows, (*columns, "folder"), as_json=as_json)


def tell_recipe(folder: Path, *, as_json: bool) -> None:
    """Where the result of a recipe lies, or the result."""
    if as_json:
        print_json(json.loads((folder / "result.json").read_text(encoding="utf-8")))
    (say_aside if as_json else say)(f"recipe: {folder}")


def run(command: Command) -> int:
    """Trains; says what is used and where the run lies."""
    from fer_zoo.engine.config import compose, read_config

    wanted = dict(command.settings)
    command.allow_flags(*(("--dry-run", "--json") if "recipe" in wanted else ()))
    command.no_files()
    if "recipe" in wanted:
        return _train_recipe(command)
    if {"resume", "checkpoint"} <= set(wanted):
        raise UserError("resume=RUN goes on with that run's own weights; leave checkpoint out, or leave out resume.")
    if "resume" in wanted:
        folder = Path(command.options("resume")["resume"])
        read_config(folder)  # a mistake is told before torch is loaded
    else:
        config = compose(command.settings, verb="train")

    from fer_zoo.engine.train import resume, train

    if "resume" in wanted:
        resume(folder, echo=say)
    else:
        train(config, echo=say)
    return 0
