"""What every test shares: no network, one thread, a cache of its own, reproducible examples."""

import os
from collections.abc import Iterator
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from jaxtyping import _import_hook
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

# Read by the libraries when they are first imported, which is after this file.
os.environ.update(
    HF_HUB_OFFLINE="1",
    WANDB_MODE="offline",
    NO_ALBUMENTATIONS_UPDATE="1",
    MPLBACKEND="Agg",
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

PACKAGE = str(Path(find_spec("fer_zoo").origin).parent)  # type: ignore[union-attr, arg-type]  # installed
NAME_OF_CHECKED = getattr(_import_hook, "_optimized_cache_from_source", None)


def name_of_bytecode(checker: str, /, path: str, debug_override: bool | None = None) -> str:
    """Libraries keep the name of their compiled files.

    While the hook runs a module of ours it would have every library that is imported there compiled anew, under the
    name of checked ones: ten seconds for each process.
    """
    if NAME_OF_CHECKED is None or not str(path).startswith(PACKAGE):
        return cache_from_source(path, debug_override)
    return str(NAME_OF_CHECKED(checker, path, debug_override))


if NAME_OF_CHECKED is not None:
    vars(_import_hook)["_optimized_cache_from_source"] = name_of_bytecode

settings.register_profile("fer_zoo", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("fer_zoo")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user's cache is read or written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def blank_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are saved in their size, but unpainted: painting takes longer than a training of two small epochs.

    For tests of other things. What is painted is shown by tests/evaluation, and by the runs that are trained once for
    many tests, which no such fixture reaches.
    """

    def save(canvas: "FigureCanvasAgg", path: Path) -> None:
        Image.new("RGB", canvas.get_width_height()).save(path, format="png")

    monkeypatch.setattr("matplotlib.backends.backend_agg.FigureCanvasAgg.print_png", save)


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the one whose weights ship; nothing lies in it."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr("fer_zoo.engine.named_weights.FOLDER", folder)
    return folder
