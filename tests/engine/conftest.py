"""A small data set of faces that are none, and a run trained on it once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import patterns

from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.train import train


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of 48 pictures of eight people, six emotions."""
    return patterns.write(tmp_path_factory.mktemp("patterns") / "faces")


@pytest.fixture
def configuration(faces: Path, tmp_path: Path) -> Callable[..., RunConfig]:
    """A run on `faces` below `tmp_path`; keywords as in `patterns.settings`."""

    def compose_run(**others: Any) -> RunConfig:
        verb = others.pop("verb", "train")
        root, output = others.pop("root", faces), others.pop("output", tmp_path / "runs")
        return compose(patterns.settings(root, output, **others), verb=verb)

    return compose_run


@pytest.fixture(scope="session")
def trained(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of two epochs, for tests that only read it; it has learned something."""
    settings = patterns.settings(faces, tmp_path_factory.mktemp("trained"), method__backbone="resnet10t")
    return train(compose(settings, verb="train"), echo=lambda line: None)
