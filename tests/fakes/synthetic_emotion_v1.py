"""A folder of the first drawn faces of seven emotions."""

from pathlib import Path

from fakes import drawn
from fakes.fake import Fake


def write(folder: Path) -> Fake:
    """Forty-eight samples of six people."""
    return drawn.write(folder, "synthetic_emotion_v1", num_samples=48)
