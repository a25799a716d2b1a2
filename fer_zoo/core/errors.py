"""The one kind of error that a user can cause, and the sentence for a name nobody knows."""

import re
from collections.abc import Collection
from difflib import get_close_matches

# Control characters, line separators and halves of surrogate pairs, which come from file names and damaged files.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_LONGEST = 2000


class UserError(Exception):
    """A mistake of the caller: what is wrong, where, what was found and what to do, in one sentence.

    The command line prints the sentence and exits with code 2; everything else is a bug and keeps its traceback.
    What a terminal would not print, or take for a command, stands in it escaped.

    Example:
        >>> print(UserError("No column 'a\\nb'."))
        No column 'a\\nb'.
    """

    def __init__(self, sentence: str) -> None:
        if len(sentence) > _LONGEST:  # it quotes a damaged file, whose end hides what to do
            sentence = f"{sentence[: _LONGEST // 2]} … {sentence[-_LONGEST // 2 :]}"
        super().__init__(_UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), sentence))


def nearest(name: str, known: Collection[str]) -> str:
    """The near-miss hint for a mistyped name, with a leading blank: " Did you mean 'a' or 'b'?", or nothing.

    Example:
        >>> nearest("resnet81", ["resnet18", "vgg"])
        " Did you mean 'resnet18'?"
    """
    by_lower = {entry.lower(): entry for entry in sorted(known)}
    close = get_close_matches(name.lower(), list(by_lower), n=3)
    return f" Did you mean {' or '.join(repr(by_lower[entry]) for entry in close)}?" if close else ""


def unknown_name(kind: str, name: str, known: Collection[str], *, see: str = "") -> UserError:
    """The error for a name that is not among the known ones.

    Example:
        >>> print(unknown_name("method", "expnett", ["expnet"]))
        No method is named 'expnett'. Did you mean 'expnet'? Known: expnet.
    """
    hint = nearest(name, known)
    listing = ", ".join(sorted(known)) if len(known) <= 24 else f"{len(known)} names{see and f', see {see}'}"
    return UserError(f"No {kind} is named {name!r}.{hint} Known: {listing or 'none'}.")
