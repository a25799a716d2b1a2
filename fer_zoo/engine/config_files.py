"""The settings that ship as files: Hydra groups below `fer_zoo/configs`, composed and turned into plain values.

Only names of files that exist reach Hydra; what a user wrote as a value never does.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError, unknown_name

GROUPS = ("trainer", "logger", "protocol", "experiment")
_LONGEST, _DEEPEST = 1 << 16, 50  # characters of a file, parts within parts


def configs_folder() -> Path:
    """Where the groups lie: the link in a checkout, the folder in a wheel."""
    return Path(__file__).resolve().parents[1] / "configs"


def options(group: str) -> list[str]:
    """The names of a group's files."""
    return sorted(file.stem for file in (configs_folder() / group).glob("*.yaml"))


def compose_files(choices: Mapping[str, str]) -> dict[str, Any]:
    """What the chosen files say, as plain nested values.

    Args:
        choices: group -> name of a file; groups left out keep the choice of `config.yaml`.

    Raises:
        UserError: for a name that a group lacks, with near misses.
    """
    for group, name in choices.items():
        if name not in options(group):
            raise unknown_name(_KINDS[group], name, options(group))
    folder = configs_folder().resolve()
    changed = sum(file.stat().st_mtime_ns for file in folder.glob("*/*.yaml"))
    return deepcopy(_composed(folder, tuple(choices.items()), changed))


@cache
def _composed(folder: Path, choices: tuple[tuple[str, str], ...], changed: int) -> dict[str, Any]:
    """Composed once in a process, and anew when a file has changed: Hydra takes a twentieth of a second."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    overrides = [f"{group}={name}" for group, name in choices]
    with _own_hydra(), initialize_config_dir(str(folder), version_base=None):
        composed = compose("config", overrides=overrides)
    plain: dict[str, Any] = OmegaConf.to_container(composed, resolve=True)  # type: ignore[assignment]  # a mapping
    return {key: value for key, value in plain.items() if value is not None}


def require_plain(text: str) -> None:
    """Refuses a YAML text that is none of ours: longer, deeper, or of aliases, a few lines of which can mean gigabytes.

    Raises:
        ValueError: if it is; or what the parser raises.
    """
    import yaml

    if len(text) > _LONGEST:
        raise ValueError(f"{len(text)} characters are too many")
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"its parts are nested more than {_DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it repeats parts of itself by aliases")


def read_yaml(path: Path, *, what: str) -> dict[str, Any]:
    """The values of a file, e.g. a track's, by name.

    Raises:
        UserError: for a file that is none.
    """
    from yaml import YAMLError

    try:
        values = deepcopy(_loaded(path.resolve(), path.stat().st_mtime_ns))
    except (YAMLError, OSError, ValueError) as error:
        raise UserError(f"{path} is no {what} file ({str(error).splitlines()[0]}).") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} is no {what} file: names with values were expected.")
    return {str(key): value for key, value in values.items()}


@cache
def _loaded(path: Path, changed: int) -> Any:
    """Read once in a process, and anew when the file has changed: a recipe takes a tenth of a second."""
    from omegaconf import OmegaConf

    text = path.read_text(encoding="utf-8")
    require_plain(text)
    return OmegaConf.to_container(OmegaConf.create(text))


def protocol_file(name: str) -> dict[str, Any]:
    """The settings of a named protocol: the `name` of its function and what differs from its defaults."""
    section: dict[str, Any] = {"name": name}
    if name in options("protocol"):
        section |= compose_files({"protocol": name}).get("protocol", {})
    return section


_KINDS = {group: f"{group} configuration" for group in GROUPS} | {"experiment": "experiment", "protocol": "protocol"}


@contextmanager
def _own_hydra() -> Iterator[None]:
    """Hydra's one global state, ours for a moment and then that of the program that called."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.initialize import get_gh_backup, restore_gh_from_backup

    before = get_gh_backup()
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        restore_gh_from_backup(before)
