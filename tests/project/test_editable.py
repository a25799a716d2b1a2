"""An editable install sees the files of the checkout, configs too, as they are now."""

import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SHOW = "import fer_zoo.engine.config_files as c; print(c.configs_folder().resolve(), *c.options('trainer'))"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that a file may be added to it."""
    folder = tmp_path_factory.mktemp("editable") / "checkout"
    folder.mkdir()
    for name in ("fer_zoo", "configs"):
        shutil.copytree(CHECKOUT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, folder)
    return folder


@pytest.fixture(scope="module")
def python(copy: Path) -> Path:
    """An interpreter into which the copy is installed; what it depends on is borrowed from this one."""
    environment = copy.parent / "venv"
    run([sys.executable, "-m", "venv", "--without-pip", str(environment)], copy.parent)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    borrowed = environment / "lib" / version / "site-packages" / "borrowed.pth"
    borrowed.write_text("\n".join(site.getsitepackages()) + "\n")
    made = environment / "bin" / "python"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--editable", str(copy)]
    run([str(made), "-m", "pip", *install], copy.parent)
    return made


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_configs_are_those_of_the_checkout_as_they_are_now(copy: Path, python: Path, tmp_path: Path) -> None:
    folder, *trainers = run([str(python), "-c", SHOW], tmp_path).split()
    assert Path(folder) == (copy / "configs").resolve()
    assert {"auto", "cpu", "gpu"} <= set(trainers)
    (copy / "configs" / "trainer" / "made_later.yaml").write_text("{}\n")
    assert set(run([str(python), "-c", SHOW], tmp_path).split()) == {folder, "made_later", *trainers}


def test_the_command_is_installed(copy: Path, python: Path, tmp_path: Path) -> None:
    assert "timm_classifier" in run([str(python.parent / "fer-zoo"), "list", "methods"], tmp_path)
