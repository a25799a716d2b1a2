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


@pytest.mark.parametrize(
    ("part", "number_of_files", "name", "tests", "shown"),
    [
        ("method", 5, "tiny_fernet", "tests/methods", "94,023"),
        ("dataset", 2, "tiny_faces", "tests/data", "research only, by agreement"),
    ],
)
def test_its_steps_add_one_without_touching_a_shared_file(
    part: str, number_of_files: int, name: str, tests: str, shown: str, tmp_path: Path
) -> None:
    for folder in ("fer_zoo", "configs", "tests"):
        shutil.copytree(
            PROJECT / folder, tmp_path / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    files = _files(part)
    assert len(files) == number_of_files
    for path, content in files.items():
        assert not (tmp_path / path).exists(), path
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", name, tests]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    number = re.search(r"(\d+) passed", done.stdout)
    assert number is not None and int(number[1]) > 10, done.stdout[-2000:]
    lines = "\n".join(f"assert main({words}) == 0" for words in _commands(part))
    code = f"from fer_zoo.cli.main import main\nassert main(['info', {name!r}]) == 0\n{lines}"
    home = user_folder.write(tmp_path / "home")
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0 and shown in told.stdout, told.stderr


def _commands(part: str) -> list[list[str]]:
    """The commands of fer-zoo that the steps of a part show; training is short."""
    typed = [block for block in pages.blocks("CONTRIBUTING.md") if block.kind == "bash"]
    found = [words[1:] for block in typed for words in block.commands()]
    small = ["trainer=cpu", "trainer.max_epochs=1", "data.workers=0", "data.batch_size=8"]
    ours = [words for words in found if words[0] in ("info", "train")]
    return [words + (small if words[0] == "train" else []) for words in ours] if part == "method" else []
