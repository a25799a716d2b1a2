"""Face boxes of a data set whose images are not cropped: found once, kept as a table in the cache."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import pandas as pd

from fer_zoo.core.files import write_atomically
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.paths import cache_folder
from fer_zoo.core.progress import progress as with_bar
from fer_zoo.data.detection import DETECTORS, Detector, detector
from fer_zoo.data.image_sources import BOX_COLUMNS, ImageSource, UnreadableImage, image_source
from fer_zoo.data.index import Index


def rows_without_face(index: Index) -> npt.NDArray[np.int64]:
    """Positions of the rows in whose images somebody looked for a face and found none."""
    if index.is_cropped or not set(BOX_COLUMNS) <= set(index.table):
        return np.zeros(0, np.int64)
    return np.flatnonzero(index.table[list(BOX_COLUMNS)].isna().any(axis=1)).astype(np.int64)


def needs_boxes(index: Index, spec: InputSpec, name: str) -> bool:
    """Whether faces are looked for: not in a cropped set, not where points are aligned, not by the detector "none"."""
    return name != "none" and not index.is_cropped and spec.alignment != "five_points"


def index_with_boxes(index: Index, name: str = "haar", *, progress: bool = True) -> tuple[Index, float]:
    """The index with a face box in each row, and the share of its images in which no face was found.

    Boxes that the index has already stay. Where an image holds several faces the largest is taken. An image that cannot
    be read, or holds no face, has a box of NaN; only the latter counts as a miss.

    Args:
        index: a data set that is not cropped.
        name: the detector.
        progress: show a bar on a terminal.

    Raises:
        UserError: for an unknown detector, or a cache folder that cannot be written to.
    """
    if set(BOX_COLUMNS) <= set(index.table):
        return index, len(rows_without_face(index)) / len(index)
    table = _boxes(index, name, progress=progress).set_index("id").loc[index.ids].reset_index(drop=True)
    misses = float(table["is_missed"].sum() / max(1, table["is_readable"].sum()))
    return replace(index, table=index.table.join(table[list(BOX_COLUMNS)])), misses


def _boxes(index: Index, name: str, *, progress: bool) -> pd.DataFrame:
    """Columns id, the box, is_readable, is_missed; from the cache if the images are still the same."""
    detector(name)  # an unknown name fails before any work
    source = image_source(index)
    words = [name, index.dataset, str(index.root.resolve()), *index.ids, *source.stamps()]
    path = cache_folder() / "boxes" / f"{sha256(chr(10).join(words).encode()).hexdigest()[:16]}.parquet"
    with suppress(OSError, ValueError):  # none yet, or damaged: looked for again
        return pd.read_parquet(path)
    table = pd.DataFrame(_detect_all(source, index.ids, name, progress=progress))
    with write_atomically(path) as temporary:
        table.to_parquet(temporary, index=False)
    return table


def _detect_all(source: ImageSource, ids: list[str], name: str, *, progress: bool) -> list[dict[str, object]]:
    threads = min(8, os.cpu_count() or 1)
    finders = [DETECTORS[name]() for _ in range(threads)]  # a cascade is not safe to share between threads
    block = 16
    rows: list[dict[str, object]] = []

    def look(finder: Detector, positions: range) -> list[dict[str, object]]:
        return [_row(source, finder, position, ids[position]) for position in positions]

    with ThreadPoolExecutor(threads) as pool:
        starts = range(0, len(ids), block * threads)
        each = block * threads
        for first in with_bar(starts, "looking for faces", total=len(ids), unit="images", each=each, show=progress):
            shares = [
                range(start, min(start + block, len(ids))) for start in range(first, first + block * threads, block)
            ]
            for part in pool.map(look, finders, shares):
                rows += part
    return rows


def _row(source: ImageSource, finder: Detector, position: int, name: str) -> dict[str, object]:
    try:
        faces = finder.detect(source.read(position))
    except UnreadableImage:
        return {"id": name, **dict.fromkeys(BOX_COLUMNS, np.nan), "is_readable": False, "is_missed": False}
    if not faces:
        return {"id": name, **dict.fromkeys(BOX_COLUMNS, np.nan), "is_readable": True, "is_missed": True}
    largest = max(faces, key=lambda face: (face.width * face.height, face.score))
    box = dict(zip(BOX_COLUMNS, largest[:4], strict=True))
    return {"id": name, **box, "is_readable": True, "is_missed": False}
