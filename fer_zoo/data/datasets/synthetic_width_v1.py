"""synthetic_width_v1: six widths of the face, on the 20 people of the test grids."""

from pathlib import Path

from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import read_frozen
from fer_zoo.data.synthesis.grid_faces import GridSettings, grid_card, grid_faces
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.priors.grids import GridPrior

GRID = GridPrior(face_width=[16, 24, 32, 48, 64, 96])
SIZE = 148  # pixels, in which every face is at least 96 wide


CARD = grid_card(
    "synthetic_width_v1",
    "faces of 16 to 96 pixels: 20 drawn people with seven emotions each",
    GRID,
    "Pictures have 148 pixels a side whatever the face's width: they are averaged down to it and brought up again.",
)


def synthesis(settings: GridSettings) -> SynthesisSettings:
    """What decides the faces: those of the test grids, in this grid's cells."""
    return grid_faces(GRID, settings.num_samples, size=SIZE)


def read(root: Path | None, settings: GridSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
