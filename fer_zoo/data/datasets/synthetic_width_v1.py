"""synthetic_width_v1: six widths of the face, on the 20 people of the test grids."""

from dataclasses import dataclass
from pathlib import Path

from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import read_frozen
from fer_zoo.data.synthesis.grid_faces import FACES, grid_card, grid_faces
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.priors.grids import GridPrior

GRID = GridPrior(face_width=[16, 24, 32, 48, 64, 96])
WHOLE = FACES * GRID.cells
SIZE = 148  # pixels, in which every face is at least 96 wide


@dataclass(kw_only=True)
class WidthSettings:
    """How much of the grid is taken."""

    num_samples: int = setting(
        WHOLE, f"the first so many of {WHOLE:,}, {7 * GRID.cells} of each person", at_least=1, at_most=WHOLE
    )


CARD = grid_card(
    "synthetic_width_v1",
    "faces of 16 to 96 pixels: 20 drawn people with seven emotions each",
    GRID,
    WidthSettings,
    "Pictures have 148 pixels a side whatever the face's width: they are averaged down to it and brought up again.",
)


def synthesis(settings: WidthSettings) -> SynthesisSettings:
    """What decides the faces: those of the test grids, in this grid's cells."""
    return grid_faces(GRID, settings.num_samples, size=SIZE)


def read(root: Path | None, settings: WidthSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
