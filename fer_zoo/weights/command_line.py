"""What modules that are run as `python -m fer_zoo.weights.…` share: their start, and how commands are shown."""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_zoo.cli.arguments import Command, parse
from fer_zoo.cli.main import told
from fer_zoo.cli.output import say


def start(program: str, words: Sequence[str] | None, run: Callable[[Command], int], *, help_text: str | None) -> int:
    """The command line of a module; the exit code.

    Args:
        program: how it is called.
        words: behind it; those of this process unless given.
        run: what a command does.
        help_text: printed for --help.
    """
    words = sys.argv[1:] if words is None else list(words)
    if {"--help", "-h"} & set(words):
        say((help_text or "").strip())
        return 0
    return told(words, lambda: run(parse(words, program=program)))


def shown_command(program: str, command: Command) -> str:
    """A command as others may see it: of a path from the top its last two parts."""
    files = ["/".join(Path(file).parts[-2:]) if Path(file).is_absolute() else file for file in command.files]
    words = [f"{key}={without_paths(text)}" for key, text in command.settings]
    return f"{program} {shlex.join([*files, *words])}".strip()


def without_paths(value: Any) -> Any:
    """Plain values in which each path from the top is its last part."""
    if isinstance(value, Mapping):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    if not isinstance(value, str):
        return value
    parts = [entry.partition("=") for entry in value.split(",")]  # also of NAME=PATH,NAME=PATH
    return ",".join(f"{_last_part(key)}{sign}{_last_part(rest)}" for key, sign, rest in parts)


def _last_part(text: str) -> str:
    return Path(text).name if text.startswith(("/", "~")) else text
