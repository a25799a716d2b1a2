"""Frozen test grids: 20 people, each with seven emotions, in every cell of conditions; the same people in all of them.

Nothing trains on them: their people are those of a seed that no other frozen set has, the first after theirs in which
both sexes are equally many and no third of skin tone, age or build has fewer than five people.
"""

from dataclasses import dataclass, make_dataclass

from fer_zoo.core.cards import DatasetCard
from fer_zoo.core.settings import setting
from fer_zoo.data.synthesis.frozen import frozen_card
from fer_zoo.data.synthesis.settings import EMOTION_SPACE, SynthesisSettings
from fer_zoo.faces.priors.expressions import BASIC_7, EmotionPrior
from fer_zoo.faces.priors.grids import GridPrior
from fer_zoo.faces.priors.settings import CameraPrior, CapturePrior, OccluderPrior, PosePrior

PEOPLE, SEED = 20, 23
FACES = PEOPLE * len(BASIC_7)


@dataclass(kw_only=True)
class GridSettings:
    """How much of a test grid is taken."""

    num_samples: int


def grid_settings(grid: GridPrior) -> type[GridSettings]:
    """The same with the limits of a grid: all of it, or the first samples."""
    whole = FACES * grid.cells
    said = f"the first so many of {whole:,}, {len(BASIC_7) * grid.cells} of each person"
    own = ("num_samples", int, setting(whole, said, at_least=1, at_most=whole))
    kept = {"__doc__": GridSettings.__doc__, "__module__": __name__}
    return make_dataclass(GridSettings.__name__, [own], bases=(GridSettings,), namespace=kept, kw_only=True)


def grid_faces(grid: GridPrior, num_samples: int, *, size: int = 96) -> SynthesisSettings:
    """What decides the faces of a test grid of the face model procedural: what the grid does not set is mild.

    Args:
        grid: the conditions.
        num_samples: the first so many; the cells of a face follow each other, and so do the faces of a person.
        size: sides of the pictures, pixels.
    """
    return SynthesisSettings(
        num_samples=num_samples,
        seed=SEED,
        size=size,
        samples_per_person=len(BASIC_7),
        emotions=EmotionPrior(classes=list(BASIC_7)),
        pose=PosePrior(yaw=4.0, pitch=3.0, roll=3.0),
        camera=CameraPrior(zoom=0.03, shift=0.01),
        occluders=OccluderPrior(probability=0.0),
        capture=CapturePrior(contrast=0.1, brightness=0.03, patches=0.02, blur=0.004, noise=0.015, worst=70, grey=0.0),
        grid=grid,
    )


def grid_card(name: str, summary: str, grid: GridPrior, *traps: str) -> DatasetCard:
    """The card of a test grid, with what all of them share."""
    return frozen_card(
        name,
        summary,
        first={"emotion": EMOTION_SPACE},
        protocol="test_only",
        samples=FACES * grid.cells,
        subjects=PEOPLE,
        settings=grid_settings(grid),
        traps=(
            *traps,
            f"It is for testing alone. Who trains on synthetic_faces with seed={SEED} has seen these people.",
            "20 people tell an accuracy to some hundredths; cells differ by less than that, as they share the people.",
        ),
    )
