"""synthetic_pose_light_v1: five turns to a side in four lights, on the 20 people of the test grids."""

from pathlib import Path

from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.frozen import read_frozen
from fer_zoo.data.synthesis.grid_faces import GridSettings, grid_card, grid_faces
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.priors.grids import GridPrior

GRID = GridPrior(light=["frontal", "side", "dark", "cast_shadow"], yaw=[0.0, 15.0, 30.0, 45.0, 60.0])

CARD = grid_card(
    "synthetic_pose_light_v1",
    "yaw of 0 to 60 degrees in four lights: 20 drawn people with seven emotions each",
    GRID,
    "The lamp and the turn have sides of their own: a turned face looks into the light or away from it.",
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
