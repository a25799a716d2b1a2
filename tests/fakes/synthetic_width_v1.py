"""A folder of the first people of the test grid of widths, whose pictures are noise."""

from pathlib import Path

from fakes import drawn
from fakes.fake import Fake


def write(folder: Path) -> Fake:
    """Five people in all cells."""
    return drawn.write(folder, "synthetic_width_v1", is_painted=False, num_samples=5 * 42)
