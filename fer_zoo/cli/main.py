"""The command `fer-zoo`: finds the verb, runs it, and turns mistakes of the user into one line and exit code 2."""

import importlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from types import ModuleType

from fer_zoo.cli.arguments import FLAGS, VERBS, Command, parse
from fer_zoo.core.errors import UserError

_USER_ERROR = 2
_INTERRUPTED = 130  # as shells count Ctrl-C
_PIPE_CLOSED = 141  # as shells count a reader that went away

_HELP = """A model zoo for facial expression analysis.

fer-zoo VERB [FILES or NAME] [key=value …] [--flags]

A key=value is a setting of the work, a flag is about output and help. `fer-zoo VERB --help` shows examples.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line; the exit code.

    Returns:
        0 when done, 2 for a mistake of the user (one line on stderr), 130 after Ctrl-C. A bug keeps its traceback.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    return told(words, lambda: _run(parse(words)))


def told(words: Sequence[str], work: Callable[[], int]) -> int:
    """What work returns; mistakes of the user are told in a line, with code 2.

    Args:
        words: of the command line.
        work: parses and runs them.
    """
    _never_fail_to_print()
    try:
        code = work()
        sys.stdout.flush()
    except UserError as error:
        if "--debug" in words:
            traceback.print_exc()
        print("fer-zoo: " + " ".join(str(error).split()), file=sys.stderr)
        return _USER_ERROR
    except KeyboardInterrupt:
        print("\nfer-zoo: interrupted; what is done stays, and the same command goes on from there.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (`fer-zoo list | head`); nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    return code


def _run(command: Command) -> int:
    if "--version" in command.flags:
        from fer_zoo import __version__

        print(f"fer-zoo {__version__}")
        return 0
    if not command.verb:
        print(_overview())
        return 0
    module = verb_module(command.verb)
    if "--help" in command.flags:
        print(verb_help(command.verb))
        return 0
    code: int = module.run(command)
    return code


def verb_module(verb: str) -> ModuleType:
    """The module of a verb, imported now."""
    return importlib.import_module(f"fer_zoo.cli.{verb.replace('-', '_')}")


def verb_help(verb: str) -> str:
    """How a verb is used: its module's docstring, and the flags that are everywhere."""
    return f"{(verb_module(verb).__doc__ or '').strip()}\n\nAlways: --debug keeps the traceback of an error."


def _overview() -> str:
    size = max(map(len, VERBS))
    verbs = [f"  {verb.ljust(size)}  {(verb_module(verb).__doc__ or '').splitlines()[0]}" for verb in VERBS]
    size = max(map(len, FLAGS))
    flags = [f"  {flag.ljust(size)}  {says}" for flag, says in FLAGS.items()]
    return "\n".join([_HELP, "Verbs:", *verbs, "", "Flags (each verb's help says which it knows):", *flags])


def _never_fail_to_print() -> None:
    """A sign that the terminal's encoding lacks is shown escaped; a name of a file must not end a run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
