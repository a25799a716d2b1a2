"""The steps of CONTRIBUTING, followed to the letter in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import pages, user_folder

PROJECT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```(?:python|yaml)\n(.*?)```", re.DOTALL)
EXPERIMENT = "configs/experiment/tiny_fernet_facial_expressions.yaml"
FILE = re.compile(r"# ((?:fer_zoo|tests)/\S+)")


def _files(part: str) -> dict[str, str]:
    """Path -> content of every file that the steps of a part show."""
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = text.partition(f"[start:{part}]")[2].partition(f"[end:{part}]")[0]
    files = {}
    for block in BLOCK.findall(shown):
        first, _, rest = block.partition("\n")
        named = FILE.fullmatch(first)
        files[named[1] if named else EXPERIMENT] = rest if named else block
    return files


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which somebody followed the steps of both parts."""
    root = tmp_path_factory.mktemp("contributing")
    for folder in ("fer_zoo", "configs", "tests"):
        shutil.copytree(PROJECT / folder, root / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", root)
    for part, number_of_files in (("method", 5), ("dataset", 2)):
        files = _files(part)
        assert len(files) == number_of_files
        for path, content in files.items():
            assert not (root / path).exists(), path
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content, encoding="utf-8")
    return root


def _python(root: Path, folder: Path, *words: str) -> str:
    """What Python says in a folder, with the package of the copy."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def test_the_tests_of_all_methods_and_data_sets_take_up_the_new_ones(followed: Path) -> None:
    words = ("-v", "-p", "no:cacheprovider", "-k", "tiny_fernet or tiny_faces", "tests/methods", "tests/data")
    shown = _python(followed, followed, "-m", "pytest", *words)
    for place, name in (("tests/methods", "tiny_fernet"), ("tests/data", "tiny_faces")):
        assert len(re.findall(rf"^{place}\S*{name}.* PASSED", shown, re.MULTILINE)) > 10, shown[-2000:]


def test_the_new_ones_are_shown_and_run(followed: Path) -> None:
    """Also from another folder than that of the project."""
    commands = [["info", "tiny_fernet"], ["info", "tiny_faces"], *_commands()]
    lines = "\n".join(f"assert main({words}) == 0" for words in commands)
    home = user_folder.write(followed / "home")
    shown = _python(followed, home, "-c", f"from fer_zoo.cli.main import main\n{lines}")
    assert "94,023" in shown and "research only, by agreement" in shown


def _commands() -> list[list[str]]:
    """The commands of fer-zoo that the steps show; training is short."""
    typed = [block for block in pages.blocks("CONTRIBUTING.md") if block.kind == "bash"]
    found = [words[1:] for block in typed for words in block.commands()]
    small = ["trainer=cpu", "trainer.max_epochs=1", "data.workers=0", "data.batch_size=8"]
    ours = [words for words in found if words[0] in ("info", "train")]
    return [words + (small if words[0] == "train" else []) for words in ours]
