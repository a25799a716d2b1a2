"""What is slow to import is imported where it is used: no clock needed to see that."""

import subprocess
import sys
from pathlib import Path

import pytest

CORE = sorted((Path(__file__).parents[2] / "fer_zoo" / "core").glob("*.py"))
SLOW = ("torch", "torchvision", "pytorch_lightning", "timm", "torchmetrics", "albumentations", "matplotlib", "sklearn")

LIST_ALL = "from fer_zoo.core.registry import METHODS, DATASETS; assert METHODS.names() and DATASETS.names()"
RUN_LIST = "from fer_zoo.cli.main import main; assert main(['list']) == 0"
RUN_INFO = "from fer_zoo.cli.main import main; assert main(['info', 'timm_classifier']) == 0"
RUN_HELP = "from fer_zoo.cli.main import main; assert main(['train', '--help']) == 0"
EACH_OF_CORE = "; ".join(f"import fer_zoo.core.{path.stem}" for path in CORE if path.stem != "__init__")


@pytest.mark.parametrize(
    "statement",
    ["import fer_zoo; dir(fer_zoo)", LIST_ALL, EACH_OF_CORE, RUN_LIST, RUN_INFO, RUN_HELP],
    ids=["import", "registries", "core", "list", "info", "help"],
)
def test_nothing_slow_is_imported(statement: str) -> None:
    loaded = f"{statement}\nimport sys\nprint('loaded:', *(name for name in {SLOW} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]
