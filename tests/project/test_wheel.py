"""The package as others get it: a wheel, away from the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
NEEDED = ("pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel of a copy of the checkout was installed."""
    work = tmp_path_factory.mktemp("wheel")
    copy = work / "checkout"
    copy.mkdir()
    for name in ("fer_zoo", "configs"):
        shutil.copytree(CHECKOUT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in NEEDED:
        shutil.copy(CHECKOUT / name, copy)
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(work), str(copy)], work)
    (wheel,) = work.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    run([*pip, str(work / "site"), str(wheel)], work)
    shutil.rmtree(copy)
    return work / "site"


def run(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_methods_are_listed_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    shown = run([sys.executable, "-m", "fer_zoo", "list", "methods"], tmp_path, PYTHONPATH=str(installed))
    assert "timm_classifier" in shown
    where = run([sys.executable, "-c", "import fer_zoo; print(fer_zoo.__file__)"], tmp_path, PYTHONPATH=str(installed))
    assert Path(where.strip()).is_relative_to(installed)


def test_the_wheel_holds_the_configs_and_the_mark_of_types(installed: Path) -> None:
    inside, outside = installed / "fer_zoo" / "configs", CHECKOUT / "configs"
    assert not inside.is_symlink()
    found = {str(path.relative_to(inside)) for path in inside.rglob("*.yaml")}
    assert found == {str(path.relative_to(outside)) for path in outside.rglob("*.yaml")}
    assert len(found) > 5
    assert (installed / "fer_zoo" / "py.typed").is_file()


def test_the_wheel_holds_the_weights_that_ship(installed: Path) -> None:
    inside, outside = installed / "fer_zoo" / "weights", CHECKOUT / "fer_zoo" / "weights"
    found = {str(path.relative_to(inside)): path.read_bytes() for path in inside.rglob("*.*") if path.suffix != ".pyc"}
    assert found == {
        str(path.relative_to(outside)): path.read_bytes() for path in outside.rglob("*.*") if path.suffix != ".pyc"
    }
    assert {"manifest.yaml", "pack.py"} <= set(found)


def test_the_wheel_holds_nothing_else(installed: Path) -> None:
    tops = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert tops <= {"fer_zoo", "bin"}
    (metadata,) = installed.glob("fer_zoo-*.dist-info")
    assert (metadata / "licenses" / "LICENSE").is_file()
