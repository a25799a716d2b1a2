"""A folder of the first drawn faces of expression coefficients."""

from pathlib import Path

from fakes import drawn
from fakes.fake import Fake


def write(folder: Path) -> Fake:
    """Forty-eight samples of six people."""
    return drawn.write(folder, "synthetic_expression_v1", num_samples=48)
