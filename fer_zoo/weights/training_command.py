"""The command that makes a run again: from the configuration in its folder, or from the result of its recipe."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.files import read_record
from fer_zoo.engine.config import CONFIG, RunConfig, compose, read_config
from fer_zoo.engine.config_files import options
from fer_zoo.engine.jobs import RESULT
from fer_zoo.engine.recipe_scores import KIND
from fer_zoo.engine.setting_texts import as_texts
from fer_zoo.weights.command_line import without_paths

# Where things lie, how fast they are read and who is told: no part of what was trained.
_NO_PART = ("output", "experiment", "checkpoint", "streams", "start_hashes", "apart", "logger", "dataset.root")
_NO_PART_OF_DATA = ("data.workers", "data.cache", "data.progress", "trainer.log_every_n_steps")


def training_command(folder: Path) -> str:
    """`fer-zoo train …` with what differs from the defaults; "" for a checkpoint that lies in no run.

    Args:
        folder: of the run.

    Raises:
        UserError: if its configuration is damaged, or names what this version does not know.
    """
    if not (folder / CONFIG).is_file():
        return ""
    config = read_config(folder)
    words = _names(config)
    usual, own = (_flat(each.to_dict()) for each in (compose(words, verb="train"), config))
    changed = {key: value for key, value in own.items() if value != usual.get(key) and _is_part(key)}
    if config.checkpoint:
        changed["checkpoint"] = config.checkpoint
    if config.streams:
        changed["streams"] = config.streams
    said = [*words, *as_texts({key: without_paths(value) for key, value in changed.items() if value is not None})]
    return shlex.join(["fer-zoo", "train", *(f"{key}={text}" for key, text in said)])


def is_recipe(folder: Path) -> bool:
    """Whether a folder is that of a recipe's result."""
    return (folder / RESULT).is_file() and read_record(folder / RESULT).get("kind") == KIND


def stage_and_command(folder: Path, stage: str) -> tuple[Path, str]:
    """The run of a recipe's stage, and the command that trains it.

    Args:
        folder: of the recipe's result, beside the experiments.
        stage: of those that were trained.

    Returns:
        The run's folder, and `fer-zoo train recipe=…` without a path of this machine.

    Raises:
        UserError: for a damaged result, an unknown stage, or a recipe that was trained on several folds.
    """
    result = read_record(folder / RESULT)
    try:
        name, words, without = result["recipe"], dict(result["words"]), list(result["without"])
        runs = [(entry["stage"], entry["folder"]) for entry in result["stages"]]
        said = [name, *words, *words.values(), *without, *(text for run in runs for text in run)]
        if isinstance(result["without"], str) or not all(isinstance(text, str) for text in said):
            raise TypeError("names are texts")
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / RESULT} is of another version, or damaged; give the recipe's command again."
        ) from error
    if stage not in dict(runs):
        raise unknown_name("stage", stage, tuple(dict(runs)))
    if len(runs) > len(dict(runs)):
        raise UserError(f"{folder} has several folds; give one of its runs instead.")
    words = {
        key: without_paths(text) for key, text in words.items() if _is_part(key) and _is_part(key.partition(".")[2])
    }
    left_out = {"without": ",".join(without)} if without else {}
    typed = {"recipe": name, **left_out, **words}
    command = shlex.join(["fer-zoo", "train", *(f"{key}={text}" for key, text in typed.items())])
    return folder.resolve().parents[1] / dict(runs)[stage], command


def _names(config: RunConfig) -> list[tuple[str, str]]:
    if config.experiment in options("experiment"):
        return [("experiment", config.experiment)]
    return [(group, str(getattr(config, group)["name"])) for group in ("method", "dataset", "protocol")]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _is_part(key: str) -> bool:
    return key.partition(".")[0] not in _NO_PART and key not in (*_NO_PART, *_NO_PART_OF_DATA)
