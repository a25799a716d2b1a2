"""Features of images as a parquet file: a column of ids, and a column of equally long vectors for each feature set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_atomically


@dataclass(frozen=True, kw_only=True)
class FeatureTable:
    """What a network saw last of some images.

    Attributes:
        ids: of the images that had an output, each once.
        sets: name -> features of each of them.
    """

    ids: tuple[str, ...]
    sets: Mapping[str, Float[np.ndarray, "n _"]]

    def rows_of(self, ids: list[str]) -> "FeatureTable":
        """The features of some of the images, in that order."""
        places = {name: place for place, name in enumerate(self.ids)}
        rows = [places[name] for name in ids]
        return FeatureTable(ids=tuple(ids), sets={name: features[rows] for name, features in self.sets.items()})


def write_features(path: Path, table: FeatureTable) -> None:
    """Writes features in single precision, wholly or not at all.

    Raises:
        UserError: if the folder cannot be written to.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"id": pa.array(table.ids, pa.string())}
    for name, features in table.sets.items():
        flat = pa.array(np.ascontiguousarray(features, dtype=np.float32).ravel())
        columns[name] = pa.FixedSizeListArray.from_arrays(flat, features.shape[1])
    with write_atomically(path) as temporary:
        pq.write_table(pa.table(columns), temporary, write_page_checksum=True)


def read_features(path: Path) -> FeatureTable:
    """The features of a file that `write_features` wrote.

    Raises:
        UserError: if there is no such file, it is cut short or none of features.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise UserError(f"There are no features {path}; evaluate a method that offers some.")
    try:
        arrow = pq.read_table(path, page_checksum_verification=True).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is no parquet file or was cut short. Evaluate again to write it.") from error
    names = [name for name in arrow.column_names if name != "id"]
    if "id" not in arrow.column_names or not all(pa.types.is_fixed_size_list(arrow[name].type) for name in names):
        raise UserError(f"{path} is a parquet file but none of features.")
    sets = {}
    for name in names:
        width = arrow[name].type.list_size
        flat = arrow[name].combine_chunks().flatten() if len(arrow) else pa.array([], pa.float32())
        sets[name] = flat.to_numpy(zero_copy_only=False).reshape(-1, width)
    return FeatureTable(ids=tuple(arrow["id"].to_pylist()), sets=sets)
