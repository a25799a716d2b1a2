"""The command that makes a run again, from the configuration that stands in its folder."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_zoo.core.paths import without_folder
from fer_zoo.engine.config import CONFIG, RunConfig, compose, read_config
from fer_zoo.engine.config_files import options
from fer_zoo.engine.setting_texts import as_texts

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
    said = [*words, *as_texts({key: _shown(value) for key, value in changed.items() if value is not None})]
    return shlex.join(["fer-zoo", "train", *(f"{key}={text}" for key, text in said)])


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


def _shown(value: Any) -> Any:
    return without_folder(value) if isinstance(value, str) else value
