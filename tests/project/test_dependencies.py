"""What the package imports is what it declares, and what it declares it imports."""

import ast
import re
import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
DECLARED = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Imported name -> distribution, where they differ.
DISTRIBUTION = {
    "PIL": "pillow", "cv2": "opencv_python_headless", "sklearn": "scikit_learn", "hydra": "hydra_core",
    "lightning_fabric": "pytorch_lightning", "yaml": "pyyaml",
}  # fmt: skip
# Declared -> why no file imports it.
NOT_IMPORTED = {
    "tensorboard": "Lightning's TensorBoard logger writes through it",
    "torchvision": "timm imports it; its version must fit torch's",
}


def plain(requirement: str) -> str:
    return re.split(r"[\s<>=!~;\[]", requirement)[0].replace("-", "_").lower()


def imported() -> set[str]:
    found: set[str] = set()
    for path in (CHECKOUT / "fer_zoo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    return {DISTRIBUTION.get(name, name).lower() for name in found - sys.stdlib_module_names - {"fer_zoo"}}


def test_imports_are_declared() -> None:
    assert imported() - {plain(requirement) for requirement in DECLARED["dependencies"]} == set()


def test_declared_is_used() -> None:
    declared = {plain(requirement) for requirement in DECLARED["dependencies"]}
    assert declared - imported() - set(NOT_IMPORTED) == set()
    assert set(NOT_IMPORTED) <= declared


def test_what_is_declared_is_pinned() -> None:
    pins = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    versions = {plain(line) for line in pins}
    groups = [DECLARED["dependencies"], *DECLARED["optional-dependencies"].values()]
    assert {plain(r) for group in groups for r in group} - versions - {"fer_zoo"} == set()
    assert len(versions) == len(pins)
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pins)
