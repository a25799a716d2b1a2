"""The protocol of data that are for testing alone."""

import numpy as np

from fer_zoo.data.index import Index
from fer_zoo.data.protocols.settings import OnlyTest
from fer_zoo.data.protocols.splits import WHOLE, Split


def test_only(index: Index, settings: OnlyTest, target: str) -> list[Split]:
    """One split, whose test part is everything that has a label; nothing trains."""
    ids = np.array(index.ids, dtype=object)[index.is_labelled(target)]
    return [Split(WHOLE, (), (), tuple(sorted(ids.tolist())))]
