"""Recipes: trainings that hand weights on.

Each stage is a run like any other, in its own folder: what is done is not repeated, by whichever recipe, and what was
broken off goes on. A stage with data of its own never sees whom the recipe's last stage tests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError
from fer_zoo.core.registry import DATASETS
from fer_zoo.data.index import SPLIT_PARTS
from fer_zoo.data.open import drawn_people, is_at_hand
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.crossvalidate import train_fold
from fer_zoo.engine.jobs import status
from fer_zoo.engine.overlap import share_people
from fer_zoo.engine.recipe_files import DATA, Recipe, Stage, Words, overlaid, words_for
from fer_zoo.engine.rehearsal import compared_spaces, rehearsed
from fer_zoo.engine.run import Echo, Run, open_run
from fer_zoo.engine.trainer import num_processes
from fer_zoo.tasks.face_task import FaceTask


@dataclass(frozen=True, kw_only=True)
class _Tested:
    """Whom a recipe tests.

    Attributes:
        config: of the tested stage, as it was asked for.
        outer: what a stage that must not see them is told, see `RunConfig.apart`.
    """

    config: RunConfig
    outer: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RecipeRun:
    """A recipe whose stages are trained on one fold.

    Attributes:
        recipe: what was trained.
        words: settings as typed.
        runs: stage -> its run.
    """

    recipe: Recipe
    words: Words
    runs: Mapping[str, Run]

    @property
    def last(self) -> Run:
        """The run that everything else was for."""
        return self.runs[self.recipe.stages[-1].name]


def train_recipe(recipe: Recipe, words: Words, *, echo: Echo) -> RecipeRun:
    """Train the stages one after the other, each from what it needs.

    All are set up, and hand fresh weights on, before the first one is trained.

    Args:
        recipe: what to train.
        words: settings as typed: of all stages, of one (`STAGE.KEY=…`), and the data that the recipe is used on.
        echo: told each line for the user.

    Raises:
        UserError: naming the stage, for a configuration that cannot run or weights that do not fit.
    """
    opened, runs = _all_opened(recipe, words), dict[str, Run]()
    for number, stage in enumerate(recipe.stages, start=1):
        first, lines = opened[stage.name]
        for line in (f"stage {number} of {len(recipe.stages)}: {stage.name}", *lines):
            echo(line)
        with _named(recipe, stage):
            run = _started(recipe, stage, words, first, runs)
            train_fold(run, echo=echo)
        runs[stage.name] = run
    return RecipeRun(recipe=recipe, words=words, runs=runs)


def plan_recipe(recipe: Recipe, words: Words) -> list[dict[str, Any]]:
    """A row a stage: what it learns, from whom and from which weights, and what is done; nothing is trained.

    Args:
        recipe, words: as of `train_recipe`.

    Returns:
        Rows with `fold`, `stage`, `method`, `starts_from` (STAGE, or STREAM=STAGE), `dataset`, samples of each part,
        `epochs`, `folds` (how many its protocol makes), `state` and `folder`; these last two are None where a stage
        that it starts from is not trained yet, because they depend on its weights.

    Raises:
        UserError: as `train_recipe`.
    """
    rows, runs = list[dict[str, Any]](), dict[str, Run]()
    opened = _all_opened(recipe, words)
    for stage in recipe.stages:
        run, is_known = opened[stage.name][0], set(stage.needs) <= set(runs)
        if is_known:
            with _named(recipe, stage):
                run = _started(recipe, stage, words, run, runs)
        state = status(run.folder) if is_known else None
        if state == "done":
            runs[stage.name] = run
        parts = {part: len(getattr(run.split, part)) for part in SPLIT_PARTS}
        what = {"fold": run.split.name, "stage": stage.name, "method": run.config.method["name"]}
        where = {"state": state, "folder": str(run.folder) if is_known else None}
        data = {"dataset": run.index.dataset, **parts, "epochs": run.config.trainer.max_epochs}
        starts = [stage.start] * bool(stage.start) + [f"{name}={other}" for name, other in stage.streams.items()]
        rows.append({**what, "starts_from": starts, **data, "folds": len(run.splits), **where})
    return rows


def _all_opened(recipe: Recipe, words: Words) -> dict[str, tuple[Run, list[str]]]:
    """Stage -> its run before it is known what its weights start from, and what is to be said of it."""
    _refuse_own_starts(recipe, words)
    tested, opened, tasks = _tested(recipe, words), dict[str, tuple[Run, list[str]]](), dict[str, FaceTask]()
    for stage in recipe.stages:
        lines: list[str] = []
        run = _opened(recipe, stage, words, tested, lines.append)
        opened[stage.name] = run, lines
        with _named(recipe, stage):
            tasks[stage.name] = rehearsed(stage, run, {**stage.words, **_asked(recipe, stage, words)}, tasks)
    compared_spaces(recipe, {name: run for name, (run, _) in opened.items()})
    return opened


def _opened(recipe: Recipe, stage: Stage, words: Words, tested: "_Tested | None", echo: Echo) -> Run:
    """The run of a stage before it is known what its weights start from."""
    with _named(recipe, stage):
        config = _configuration(recipe, stage, words, {}, echo)
        run = open_run(replace(config, apart=_apart(config, tested)), echo=echo)
        if stage.iterations and "trainer.max_epochs" not in _asked(recipe, stage, words):
            epochs = ceil(stage.iterations / steps_of_epoch(len(run.split.train), config))
            run = replace(run, config=replace(run.config, trainer=replace(run.config.trainer, max_epochs=epochs)))
    return run


def _started(recipe: Recipe, stage: Stage, words: Words, run: Run, runs: Mapping[str, Run]) -> Run:
    """A run that was opened, with what its weights start from, and the network that goes with that."""
    folders = {name: other.folder for name, other in runs.items()}
    config = _configuration(recipe, stage, words, folders, _quiet)
    starts = {name: getattr(config, name) for name in ("method", "checkpoint", "streams", "start_hashes")}
    return replace(run, config=replace(run.config, **starts))


def steps_of_epoch(samples: int, config: RunConfig) -> int:
    """Optimiser steps of a pass over so many samples, of which what is left of a batch is dropped.

    So many whole passes are trained as have at least the iterations of a recipe: what ends within one could not go on.

    Args:
        samples: of the training part.
        config: with batch size, accumulation and devices.
    """
    share, batch = samples // num_processes(config.trainer), config.data.batch_size
    batches = share // batch if share > batch else 1
    return ceil(batches / config.trainer.accumulate)


def _tested(recipe: Recipe, words: Words) -> _Tested | None:
    """Whom the recipe tests, for which nothing has to be trained; None where it is used on no data."""
    stage = recipe.tested
    if stage is None or ("dataset" not in {**recipe.words, **words} and all(own.has_own_data for own in recipe.stages)):
        return None
    with _named(recipe, stage):
        asked = _configuration(recipe, stage, words, {}, _quiet)
        run = open_run(asked, echo=_quiet)
    told = {name: getattr(run.config, name) for name in DATA}
    return _Tested(config=asked, outer={**told, "target": run.target})


def _apart(config: RunConfig, tested: _Tested | None) -> dict[str, Any]:
    """Whom a stage must not see: nobody where its own split leaves them out, or its data show other people.

    Raises:
        UserError: if it learns from people that are tested, who have other codes under another name.
    """
    if tested is None:
        return {}
    name, other = config.dataset["name"], tested.outer["dataset"]["name"]
    if name == other:
        is_same_split = all(getattr(config, key) == getattr(tested.config, key) for key in DATA)
        return {} if is_same_split else tested.outer
    if share_people(DATASETS[name], other):
        raise UserError(f"{name} shows some of the people that {other} tests, under other codes; give it other data.")
    ours, theirs = drawn_people(config.dataset), drawn_people(tested.outer["dataset"])
    if ours & theirs:
        raise UserError(
            f"{config.dataset['name']} draws the people that {tested.outer['dataset']['name']} tests"
            f" ({' and '.join(sorted(ours & theirs))}); set another dataset.seed."
        )
    return {}


def _asked(recipe: Recipe, stage: Stage, words: Words) -> Words:
    """What the recipe's own words and the user's mean for a stage; the user's win."""
    return overlaid(words_for(stage, recipe.words, recipe.names), words_for(stage, words, recipe.names))


def _configuration(recipe: Recipe, stage: Stage, words: Words, folders: Mapping[str, Path], echo: Echo) -> RunConfig:
    """The configuration of a stage, whose weights start from the folders of others, where they are there already."""
    asked, own = _asked(recipe, stage, words), stage.words
    if stage.either and "dataset" not in asked:
        own = overlaid(own, _first_at_hand(stage, asked, {**recipe.words, **words}.get("dataset", ""), echo))
    settings = overlaid(own, asked)
    if folders and stage.start:
        settings["checkpoint"] = str(folders[stage.start])
    if folders and stage.streams:
        settings["streams"] = ",".join(f"{name}={folders[other]}" for name, other in stage.streams.items())
    return compose(list(settings.items()), verb="train")


@contextmanager
def _named(recipe: Recipe, stage: Stage) -> Iterator[None]:
    """Mistakes within name the stage."""
    try:
        yield
    except UserError as error:
        raise UserError(f"Stage {stage.name} of the recipe {recipe.name}: {error}") from error


def _first_at_hand(stage: Stage, asked: Words, tested: str, echo: Echo) -> Words:
    """Of several data sets the first whose files are on this machine, and which shows nobody who is tested."""
    lacking: list[str] = []
    for choice in stage.either:
        name = choice["dataset"]
        if share_people(DATASETS[name], tested):
            lacking.append(f"{name} shows people of {tested}")
        elif not is_at_hand(name, asked.get("dataset.root")):
            lacking.append(f"{name} is not on this machine")
        else:
            if lacking:
                echo(f"{stage.name}: {' and '.join(lacking)}, so {name} is learned from")
            return choice
    first = stage.either[0]["dataset"]
    raise UserError(f"None of its data sets can be used: {', '.join(lacking)}; see `fer-zoo info {first}`.")


def _refuse_own_starts(recipe: Recipe, words: Words) -> None:
    """What a stage starts from, and which methods there are, is the recipe's business."""
    if "resume" in words:
        raise UserError("resume=RUN goes on with one run; a recipe goes on where it stopped: give its command again.")
    for key in words:
        if key == "method" or (key.rpartition(".")[2] in ("checkpoint", "streams") and key.count(".") <= 1):
            raise UserError(f"{key} is decided by the recipe {recipe.name}; leave it out.")


def _quiet(line: str) -> None:
    """What is said again when the stage is trained."""
