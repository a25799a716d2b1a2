"""CONTRIBUTING's six steps, followed to the letter in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```(?:python|yaml)\n(.*?)```", re.DOTALL)
EXPERIMENT = "configs/experiment/tiny_fernet_facial_expressions.yaml"


def _files() -> dict[str, str]:
    """Path -> content of every file that the six steps show."""
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a data set")[0]
    files = {}
    for block in BLOCK.findall(text):
        first, _, rest = block.partition("\n")
        files[first.removeprefix("# ") if first.startswith("# fer_zoo/") else EXPERIMENT] = (
            rest if first.startswith("# fer_zoo/") else block
        )
    return files


def test_a_method_is_added_in_six_steps_without_touching_a_shared_file(tmp_path: Path) -> None:
    for name in ("fer_zoo", "configs", "tests"):
        shutil.copytree(PROJECT / name, tmp_path / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    files = _files()
    assert len(files) == 5 and EXPERIMENT in files
    for path, content in files.items():
        assert not (tmp_path / path).exists(), path
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "tiny_fernet", "tests/methods"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    number = re.search(r"(\d+) passed", done.stdout)
    assert number is not None and int(number[1]) > 10, done.stdout[-2000:]
    shown = subprocess.run(
        [sys.executable, "-m", "fer_zoo", "info", "tiny_fernet"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0 and "94,023" in shown.stdout, shown.stderr
