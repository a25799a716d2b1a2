"""Test grids: every face in every cell of crossed conditions, the same people with the same expressions throughout.

Plain settings, which import no torch. Faces are numbered person by person, and the cells of a face follow each other,
so that the first samples of a grid are whole people in all cells.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from fer_zoo.core.conditions import LIGHTS, OCCLUDERS
from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import setting


@dataclass(kw_only=True)
class GridPrior:
    """Levels of the conditions that are crossed; what has none is drawn as in other sets."""

    light: list[str] = setting([], "lights to cross", choices=LIGHTS)
    occluder: list[str] = setting([], "things in front of the face to cross", choices=OCCLUDERS)
    yaw: list[float] = setting([], "turns to one side to cross, degrees", at_least=0.0, at_most=90.0)
    intensity: list[float] = setting([], "strengths of the expression to cross", at_least=0.0, at_most=1.0)
    face_width: list[int] = setting(
        [], "widths of the face to cross, pixels: averaged down to them and up again", at_least=4, at_most=512
    )

    @property
    def conditions(self) -> Mapping[str, list[str] | list[float] | list[int]]:
        """Those that are crossed; the last one changes from cell to cell."""
        return {name: levels for name, levels in vars(self).items() if levels}

    @property
    def shape(self) -> tuple[int, ...]:
        """How many levels each has; () where there is no grid."""
        return tuple(len(levels) for levels in self.conditions.values())

    @property
    def cells(self) -> int:
        """How many samples of each face there are; 1 where there is no grid."""
        return math.prod(self.shape)

    def faces(self, numbers: Int[np.ndarray, " b"]) -> Int[np.ndarray, " b"]:
        """The number of each sample's face: the sample's own where there is no grid."""
        return numbers // self.cells

    def levels(self, numbers: Int[np.ndarray, " b"]) -> dict[str, np.ndarray]:
        """Condition -> level of each sample."""
        places = np.unravel_index(numbers % self.cells, self.shape) if self.shape else ()
        return {
            name: np.array(levels, dtype=object if isinstance(levels[0], str) else np.float64)[place]
            for (name, levels), place in zip(self.conditions.items(), places, strict=True)
        }

    def check(self) -> None:
        """Refuses levels that are named twice, of which one cell would be another one's copy.

        Raises:
            UserError: naming it.
        """
        for name, levels in self.conditions.items():
            twice = [level for place, level in enumerate(levels) if level in levels[:place]]
            if twice:
                raise UserError(f"grid.{name} names {twice[0]} twice; name each level once.")
