"""synthetic_occluders_v1: nothing, and four things in front of the face, on the 20 people of the test grids."""

from pathlib import Path

from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import read_frozen
from fer_zoo.data.synthesis.grid_faces import GridSettings, grid_card, grid_faces
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.priors.grids import GridPrior

GRID = GridPrior(occluder=["none", "eye", "mouth", "sunglasses", "hair"])

CARD = grid_card(
    "synthetic_occluders_v1",
    "faces behind five things: 20 drawn people with seven emotions each",
    GRID,
    "Things are flat shapes of one colour. What they hide stays in the labels of action units and landmarks.",
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
