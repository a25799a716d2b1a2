"""What every test shares: no network, one thread, a cache of its own, reproducible examples."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Read by the libraries when they are first imported, which is after this file.
os.environ.update(
    HF_HUB_OFFLINE="1",
    WANDB_MODE="offline",
    NO_ALBUMENTATIONS_UPDATE="1",
    MPLBACKEND="Agg",
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

settings.register_profile("fer_zoo", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("fer_zoo")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user's cache is read or written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
