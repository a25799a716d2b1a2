"""A configuration to be damaged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import patterns

from fer_zoo.engine.config import RunConfig, compose


@pytest.fixture
def configuration(tmp_path: Path) -> Callable[..., RunConfig]:
    """A run below `tmp_path`; keywords as in `patterns.settings`."""

    def compose_run(**others: Any) -> RunConfig:
        return compose(patterns.settings(tmp_path / "faces", tmp_path / "runs", **others), verb="train")

    return compose_run
