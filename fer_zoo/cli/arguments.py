"""The form of a command: `fer-zoo VERB [FILES or NAME] [key=value …] [--flags]`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_zoo.core.errors import UserError, nearest

# In the order of the help. The module of a verb is its name, hyphens as underscores.
VERBS = (
    *("list", "info", "download", "check-data", "train", "crossvalidate", "evaluate", "predict", "annotate"),
    *("leaderboard", "render", "synthesize", "demo"),
)

# Flag -> what it does. They are about output and help; everything that changes the work is written key=value.
FLAGS: Mapping[str, str] = {
    "--help": "say how the verb is used",
    "--version": "print the version",
    "--debug": "keep the traceback of an error",
    "--json": "print JSON instead of a table",
    "--show-paths": "show paths, which may hold names of people, instead of ids alone",
    "--dry-run": "list what would be done",
    "--pictures": "write pictures, too",
    "--print-jobs": "print one command a job, for any scheduler, and do nothing",
    "--csv": "print CSV instead of a table",
    "--markdown": "print Markdown instead of a table",
}
_SHORT = {"-h": "--help"}
_EVERYWHERE = frozenset({"--help", "--version", "--debug"})
_KEY = re.compile(r"\+{0,2}([A-Za-z_][A-Za-z0-9_.]*)")  # Hydra's + and ++ are read and mean nothing more here


@dataclass(frozen=True)
class Command:
    """A command line taken apart; nothing in it is checked beyond its form.

    Attributes:
        verb: one of VERBS, or "" where none was given.
        program: what the words are said to.
        files: what stands alone, in order: files, or a name.
        settings: key and text of each `key=value`, in order, as typed.
        flags: the flags given, each with its dashes.
    """

    verb: str
    files: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    flags: frozenset[str] = frozenset()
    program: str = "fer-zoo"

    @property
    def call(self) -> str:
        """Program and verb, as typed."""
        return f"{self.program} {self.verb}".rstrip()

    def allow_flags(self, *allowed: str) -> None:
        """Refuses flags that this verb has no use for.

        Raises:
            UserError: naming the flag and those that are allowed.
        """
        for flag in sorted(self.flags - _EVERYWHERE - set(allowed)):
            known = ", ".join(allowed) or "none but --help and --debug"
            raise UserError(f"`{self.call}` has no flag {flag}. It knows {known}.")

    def options(self, *allowed: str) -> dict[str, str]:
        """The settings of a verb that takes only a few, by name.

        Raises:
            UserError: for any other setting, with near misses.
        """
        for key, _ in self.settings:
            if key not in allowed:
                known = ", ".join(allowed) or "none"
                raise UserError(f"`{self.call}` has no setting {key}.{nearest(key, allowed)} It knows: {known}.")
        return dict(self.settings)

    def no_files(self) -> None:
        """Refuses words that are neither settings nor flags.

        Raises:
            UserError: naming the first.
        """
        if self.files:
            raise UserError(
                f"`{self.call}` takes settings only, written key=value, found {self.files[0]!r}."
                f" `{self.call} --help` shows examples."
            )

    def one_name(self, kind: str, see: str) -> str:
        """The single name that a verb is about.

        Raises:
            UserError: if none or several were given.
        """
        if len(self.files) != 1:
            found = "none" if not self.files else f"{len(self.files)}: {', '.join(self.files)}"
            raise UserError(f"`{self.call}` needs one {kind}, found {found}. {see}")
        return self.files[0]


def parse(argv: Sequence[str], *, program: str = "") -> Command:
    """Takes a command line apart: the first plain word is the verb, the first "=" ends a key, "--" ends the flags.

    A word that names an existing file or folder is a file even with a "=" in it.

    Args:
        argv: the words.
        program: what they are said to, where that is not `fer-zoo` and so has no verbs.

    Raises:
        UserError: for an unknown verb or flag (with near misses), or a setting given twice.
    """
    verb, files, flags = "", list[str](), set[str]()
    settings: dict[str, str] = {}
    only_files = False
    for word in argv:
        if only_files:
            files.append(word)
        elif word == "--":
            only_files = True
        elif word.startswith("-") and len(word) > 1:
            flags.add(_flag(word))
        elif not verb and not program:
            verb = _verb(word)
        elif setting := _setting(word):
            key, text = setting
            if key in settings:
                raise UserError(f"{key} is set twice: {settings[key]!r} and {text!r}. Keep one of them.")
            settings[key] = text
        else:
            files.append(word)
    return Command(verb, tuple(files), tuple(settings.items()), frozenset(flags), program or "fer-zoo")


def _verb(word: str) -> str:
    if word not in VERBS:
        raise UserError(f"There is no verb {word!r}.{nearest(word, VERBS)} Verbs: {', '.join(VERBS)}.")
    return word


def _flag(word: str) -> str:
    flag = _SHORT.get(word, word)
    if flag in FLAGS:
        return flag
    if "=" in word:
        raise UserError(f"There is no flag {word!r}: settings are written without dashes, {word.lstrip('-')}.")
    raise UserError(
        f"There is no flag {word!r}.{nearest(word, FLAGS)} Flags: {', '.join(FLAGS)}; settings are key=value."
        f" A file of that name is written ./{word}."
    )


def _setting(word: str) -> tuple[str, str] | None:
    """Key and text, or None if the word is a file."""
    key, equals, text = word.partition("=")
    found = _KEY.fullmatch(key)
    if not equals or found is None or _exists(word):
        return None
    return found[1], text


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # too long for a name, or with a zero byte: no file then
        return False
