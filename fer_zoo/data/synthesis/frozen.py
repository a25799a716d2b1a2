"""Data sets of drawn faces that never change: all is fixed but how many of their samples are taken.

Their names end in a version: other faces, or a change of what is drawn for given settings, make a new data set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index
from fer_zoo.data.synthesis.settings import IDENTITY_DOC, SynthesisSettings

WHOLE = 4000
_TARGETS = {
    "au": "au/disfa12",
    "blendshapes": "blendshapes/51",
    "expression": "expression/29",
    "pose": "pose/3",
    "mask": "mask/11",
    "position_map": "position_map/procedural",
    "shading": "shading/frontal",
}
_NO_PHOTOGRAPH = "A face that is drawn is no photograph: scores on these say little of scores on those."


@dataclass(kw_only=True)
class FrozenSettings:
    """How much of a frozen data set is taken."""

    num_samples: int = setting(WHOLE, "the first so many of 4,000", at_least=1, at_most=WHOLE)
    identity: bool = setting(False, IDENTITY_DOC)


def frozen_card(
    name: str,
    summary: str,
    *,
    first: Mapping[str, str],
    protocol: str,
    subjects: int,
    traps: tuple[str, ...],
    samples: int = WHOLE,
    settings: type[Any] = FrozenSettings,
) -> DatasetCard:
    """The card of a frozen set, with what all of them share.

    Args:
        name, summary, protocol, traps, settings: as on every card.
        first: the target that the set is about, with its label space.
        samples, subjects: of the whole set.
    """
    return DatasetCard(
        name=name,
        summary=f"{summary}; the same for everybody",
        targets={**first, **{target: space for target, space in _TARGETS.items() if target not in first}},
        settings=settings,
        terms=Terms("Apache-2.0", "yes"),
        ask="made by code; `fer-zoo synthesize` keeps them as files",
        is_cropped=True,
        drawn=True,
        expected={"samples": samples, "subjects": subjects},
        protocol=protocol,
        traps=(*traps, _NO_PHOTOGRAPH),
    )


def read_frozen(root: Path | None, card: DatasetCard, settings: SynthesisSettings) -> Index:
    """The index, of faces that are drawn when they are read, or of a folder of `fer-zoo synthesize`.

    Args:
        root: the folder, if any.
        card: of the data set; the index has its targets, in its order, and identity where that is asked for.
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
    wanted = [*card.targets, *(target for target in ("identity",) if target in index.label_spaces)]
    spaces = {target: index.space(target) for target in wanted}
    return replace(index, label_spaces={target: space for target, space in spaces.items() if not space.is_dense})
