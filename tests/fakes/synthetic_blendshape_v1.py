"""A folder of the first drawn recordings."""

from pathlib import Path

from fakes import drawn
from fakes.fake import Fake


def write(folder: Path) -> Fake:
    """All recordings of three people, and the beginning of the first of a fourth."""
    return drawn.write(folder, "synthetic_blendshape_v1", num_samples=3 * 102 + 2)
