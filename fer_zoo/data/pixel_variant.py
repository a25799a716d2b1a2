"""What the image files of a copy are like: codec and size, which a fingerprint of labels does not know."""

from collections import Counter

import numpy as np
from PIL import Image, UnidentifiedImageError

from fer_zoo.data.index import Index

_LOOKED_AT = 200


def pixel_variant(index: Index) -> str:
    """Codecs and largest size of up to 200 files, spread evenly over the ids, e.g. "JPEG, at most 128 px"."""
    table = index.table.sort_values("id")
    rows = np.unique(np.linspace(0, len(table) - 1, min(_LOOKED_AT, len(table))).astype(np.int64))
    codecs, sides = Counter[str](), list[int]()
    for image in table["image"].iloc[rows]:
        try:
            with Image.open(index.root / image) as file:  # reads the header alone
                codecs[file.format or "unknown"] += 1
                sides.append(max(file.size))
        except (OSError, UnidentifiedImageError, ValueError):
            codecs["unknown"] += 1
    names = ", ".join(name for name, _ in codecs.most_common())
    return f"{names}, at most {max(sides)} px" if sides else names
