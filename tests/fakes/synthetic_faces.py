"""A folder of drawn faces of emotions, small ones."""

from pathlib import Path

from fakes import drawn
from fakes.fake import Fake


def write(folder: Path) -> Fake:
    """Sixteen samples of eight people."""
    return drawn.write(folder, "synthetic_faces", num_samples=16, samples_per_person=2, size=16, seed=3)
