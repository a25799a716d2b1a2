"""The code blocks of README, CONTRIBUTING and the pages, and the commands that stand in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE)
_SNIPPET = re.compile(r'^--8<-- ".*"\n', re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: where it stands, relative to the project.
        kind: the word behind the fence, "" where there is none.
        text: what stands in it, without the fence's indent.
    """

    page: str
    kind: str
    text: str

    @property
    def is_script(self) -> bool:
        """Whether it is a whole script instead of lines to type."""
        return self.text.startswith("#!")

    def commands(self) -> list[list[str]]:
        """The words of each command, comments left out; `a && b` are two."""
        found = []
        for line in self.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while "&&" in words:
                found.append(words[: words.index("&&")])
                words = words[words.index("&&") + 1 :]
            found.append(words)
        return [words for words in found if words]


def page_names() -> list[str]:
    """README and CONTRIBUTING, then every page below docs."""
    pages = sorted((PROJECT / "docs").rglob("*.md"))
    return ["README.md", "CONTRIBUTING.md", *(page.relative_to(PROJECT).as_posix() for page in pages)]


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    for found in _FENCE.finditer(_SNIPPET.sub("", (PROJECT / page).read_text(encoding="utf-8"))):
        lines = found["text"].splitlines(keepends=True)
        text = "".join(line.removeprefix(found["indent"]) for line in lines)
        yield Block(page, found["kind"], text)
