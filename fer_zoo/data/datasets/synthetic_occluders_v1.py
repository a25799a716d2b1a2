"""synthetic_occluders_v1: nothing, and four things in front of the face, on the 20 people of the test grids."""

from dataclasses import dataclass
from pathlib import Path

from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import read_frozen
from fer_zoo.data.synthesis.grid_faces import FACES, grid_card, grid_faces
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.priors.grids import GridPrior

GRID = GridPrior(occluder=["none", "eye", "mouth", "sunglasses", "hair"])
WHOLE = FACES * GRID.cells


@dataclass(kw_only=True)
class OccludersSettings:
    """How much of the grid is taken."""

    num_samples: int = setting(
        WHOLE, f"the first so many of {WHOLE:,}, {7 * GRID.cells} of each person", at_least=1, at_most=WHOLE
    )


CARD = grid_card(
    "synthetic_occluders_v1",
    "faces behind five things: 20 drawn people with seven emotions each",
    GRID,
    OccludersSettings,
    "Things are flat patches of one colour. What they hide stays in the labels of action units and landmarks.",
)


def synthesis(settings: OccludersSettings) -> SynthesisSettings:
    """What decides the faces: those of the test grids, in this grid's cells."""
    return grid_faces(GRID, settings.num_samples)


def read(root: Path | None, settings: OccludersSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Raises:
        UserError: for a folder of other faces.
    """
    return read_frozen(root, CARD, synthesis(settings))
