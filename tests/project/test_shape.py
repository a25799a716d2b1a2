"""The shape of the code: lengths, names and habits that a linter does not know."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parents[2]
MODULES = sorted((CHECKOUT / "fer_zoo").rglob("*.py"))
NAMES = [str(path.relative_to(CHECKOUT)) for path in MODULES]

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
# "fer_zoo/a/b.py" or "fer_zoo/a/b.py:function" -> why it may be longer.
LONGER_BECAUSE: dict[str, str] = {}

NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "stuff"}
# Reading these runs what the file says.
RUNS_WHAT_IT_READS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
ABSOLUTE_PATH = re.compile(
    r"""(?<![\w.:/<~-])(/(?:home|root|work|mnt|data|usr|tmp|opt|var|Users|private)\b|[A-Z]:\\)"""
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


every_module = pytest.mark.parametrize("path", MODULES, ids=NAMES)


def name_of(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@every_module
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES_OF_A_FILE or name_of(path) in LONGER_BECAUSE, f"{lines} lines"


@every_module
def test_a_function_fits_a_screen(path: Path) -> None:
    long = {f.name: length(f) for f in functions(path) if length(f) > MOST_LINES_OF_A_FUNCTION}
    assert [name for name in long if f"{name_of(path)}:{name}" not in LONGER_BECAUSE] == [], long


def test_exceptions_have_a_reason_and_are_still_needed() -> None:
    for entry, reason in LONGER_BECAUSE.items():
        path, _, name = entry.partition(":")
        assert len(reason) > 10, entry
        lines = (CHECKOUT / path).read_text(encoding="utf-8").splitlines()
        longest = max((length(f) for f in functions(CHECKOUT / path) if f.name == name), default=0)
        assert longest > MOST_LINES_OF_A_FUNCTION if name else len(lines) > MOST_LINES_OF_A_FILE, entry


@every_module
def test_names_say_what_is_inside(path: Path) -> None:
    assert not NO_NAMES & {part.removesuffix(".py") for part in path.relative_to(CHECKOUT).parts}
    assert re.fullmatch(r"(__)?[a-z][a-z0-9_]*(__)?", path.stem)


@every_module
def test_no_path_of_one_machine(path: Path) -> None:
    constants = [node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant)]
    texts = [value for value in constants if isinstance(value, str) and "\n" not in value]  # not examples in docstrings
    assert [text for text in texts if ABSOLUTE_PATH.search(text)] == []


def test_configs_hold_no_path_of_one_machine_and_no_import_path() -> None:
    files = sorted((CHECKOUT / "configs").rglob("*.yaml"))
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not ABSOLUTE_PATH.search(text), path.name
        assert "_target_" not in text, path.name
        yaml.safe_load(text)


@every_module
def test_loading_executes_nothing(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            only_errors = isinstance(node, ast.ImportFrom) and all(name.endswith("Error") for name in names)
            roots = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            assert only_errors or not RUNS_WHAT_IT_READS & {root.partition(".")[0] for root in roots}, node.lineno
        if isinstance(node, ast.Call):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert given.get("weights_only", "True") != "False", node.lineno
            assert given.get("allow_pickle", "False") == "False", node.lineno
            if ast.unparse(node.func) in ("torch.load", "load_from_checkpoint"):
                assert given.get("weights_only") == "True", f"line {node.lineno}: weights_only=True is missing"


@every_module
def test_errors_are_not_swallowed(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else ""
            assert caught and not re.search(r"\b(Base)?Exception\b", caught), f"line {node.lineno} catches everything"


@every_module
def test_what_the_checkers_are_told_to_skip_has_a_reason(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        assert "noqa" not in line, number
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", line), number
        if "type: ignore" in line:
            assert re.search(r"# type: ignore\[[\w, -]+\]  # \w+", line), f"line {number}: no code or no reason"


@every_module
def test_public_things_are_documented(path: Path) -> None:
    module = parsed(path)
    assert ast.get_docstring(module), "the module itself"
    for node in module.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
