"""synthetic_intensity_v1: the middles of the five fifths of strength, on the 20 people of the test grids."""

from pathlib import Path

from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import read_frozen
from fer_zoo.data.synthesis.grid_faces import GridSettings, grid_card, grid_faces
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.priors.grids import GridPrior

GRID = GridPrior(intensity=[0.1, 0.3, 0.5, 0.7, 0.9])

CARD = grid_card(
    "synthetic_intensity_v1",
    "expressions of five strengths: 20 drawn people with seven emotions each",
    GRID,
    "Neutral faces are in every cell, and there the same: a network that says neutral is right one time in seven.",
)


def synthesis(settings: GridSettings) -> SynthesisSettings:
    """What decides the faces: those of the test grids, in this grid's cells."""
    return grid_faces(GRID, settings.num_samples)


def read(root: Path | None, settings: GridSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
