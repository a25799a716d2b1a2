"""Data sets of drawn faces that never change: all is fixed but how many of their samples are taken.

Their names end in a version: other faces, or a change of what is drawn for given settings, make a new data set.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from fer_zoo.core.cards import DatasetCard
from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.settings import SynthesisSettings

WHOLE = 4000


@dataclass(kw_only=True)
class FrozenSettings:
    """How much of a frozen data set is taken."""

    num_samples: int = setting(WHOLE, "the first so many of 4,000", at_least=1, at_most=WHOLE)


def read_frozen(root: Path | None, card: DatasetCard, settings: SynthesisSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Args:
        root: the folder, if any.
        card: of the data set; the index has its targets, in its order.
        settings: of the faces.

    Raises:
        UserError: for a folder of other faces.
    """
    from fer_zoo.data.synthesis.folder import read_folder
    from fer_zoo.data.synthesis.labels import drawn_index

    if root is None:
        index = drawn_index(card.name, settings)
    else:
        index = read_folder(root, card.name, settings, frozen=replace(settings, num_samples=card.expected["samples"]))
    return replace(index, label_spaces={target: index.space(target) for target in card.targets})
