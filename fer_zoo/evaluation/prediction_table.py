"""Prediction tables: one row for every image asked for, kept as parquet whose header says what each column means.

Columns: `id, subject, clip, fold, source`, perhaps `frame`, `second_emotion`, `reason` and conditions; for classes
`target_emotion`, `emotion` and `prob_<entry>`; for values `target_AU12` and `AU12` per entry. An image without an
output keeps its row, and its outputs are missing, never zero.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from fer_zoo.core.conditions import CONDITIONS, PREFIX, condition_columns
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_atomically
from fer_zoo.core.label_spaces import MISSING_CLASS, LabelSpace

SCHEMA = 1
MOST_CLASSES = 200  # a table has a column, and each person a matrix, of as many classes
FACTS = ("id", "subject", "clip", "fold", "source")
FRAME = "frame"
SECOND_LABEL = "second_emotion"
REASON = "reason"
_METADATA_KEY = b"fer_zoo.predictions"
_MEANINGS = {
    "id": "image, 12 hex digits",
    "subject": "code of the person",
    "clip": "clip that the image is a frame of",
    "fold": "split whose test part holds the image",
    FRAME: "number of the frame in its clip",
    "source": "where the image or its label comes from",
    SECOND_LABEL: "class that a second annotator gave",
    REASON: "why there is no output, such as no face found; empty where there is one",
}


@dataclass(frozen=True, kw_only=True)
class TableMeta:
    """What a stored table says of itself: its label space, unit, range and meaning per column, the writer's extras."""

    space: LabelSpace
    columns: Mapping[str, Mapping[str, Any]]
    extra: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA


def target_columns(space: LabelSpace) -> list[str]:
    """The columns with the truth: `target_emotion`, or one per entry of a space of values."""
    return [f"target_{name}" for name in ((space.target,) if space.kind == "classes" else space.entries)]


def output_columns(space: LabelSpace) -> list[str]:
    """The columns with numbers from the model, in the order of the space: `prob_<entry>`, or the entries themselves."""
    return [f"prob_{entry}" for entry in space.entries] if space.kind == "classes" else list(space.entries)


def prediction_table(
    asked: pd.DataFrame,
    space: LabelSpace,
    ids: Sequence[str],
    outputs: Float[np.ndarray, "m k"],
    *,
    fold: str = "0",
    reasons: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The table of one split: the rows of `asked`, in its order, with the outputs joined to them by id.

    Args:
        asked: rows of an index: `id`, `subject`, `clip`, `source`, where there are clips `frame`, conditions, the
            columns of the target where it is known.
        space: the entries of the outputs.
        ids: the images that got an output.
        outputs: probabilities, or values in the unit of the space.
        fold: name of the split.
        reasons: id -> why it has no output; None where nobody knows, which leaves the column out.

    Raises:
        UserError: if outputs and space differ in length, an id is there twice or was not asked for.
    """
    if outputs.shape != (len(ids), len(space)):
        raise UserError(
            f"Outputs of shape {outputs.shape} do not fit {len(ids)} ids and {len(space)} entries of {space.name}."
        )
    _check_ids(asked["id"], ids)
    table = pd.DataFrame({name: asked[name].to_numpy() for name in FACTS if name != "fold"})
    table.insert(FACTS.index("fold"), "fold", fold)
    if FRAME in asked and (asked["clip"] != "").any():
        table[FRAME] = asked[FRAME].to_numpy()
    if SECOND_LABEL in asked and space.target == "emotion":
        table[SECOND_LABEL] = asked[SECOND_LABEL].to_numpy()
    for column in condition_columns(asked):
        table[column] = asked[column].to_numpy()
    if reasons is not None:
        table[REASON] = [reasons.get(name, "") for name in asked["id"]]
    native = [column.removeprefix("target_") for column in target_columns(space)]
    truth = asked.reindex(columns=native).set_axis(target_columns(space), axis=1).reset_index(drop=True)
    if space.kind == "classes" and space.target not in asked:
        truth[target_columns(space)[0]] = None
    table = pd.concat([table, truth], axis=1)
    joined = pd.DataFrame(outputs, index=list(ids), columns=output_columns(space)).reindex(asked["id"].to_list())
    if space.kind == "classes":
        table[space.target] = best_entries(joined.to_numpy(), space)
    return pd.concat([table, joined.reset_index(drop=True)], axis=1)


def is_tabulated(space: LabelSpace) -> bool:
    """Whether there are few enough classes for a table of their probabilities, and for scores of each."""
    return space.kind == "values" or len(space) <= MOST_CLASSES


def require_tabulated(space: LabelSpace) -> None:
    """Refuses to score very many classes, such as the people of a data set of faces.

    Raises:
        UserError: saying how many there are, and where their scores stand.
    """
    if not is_tabulated(space):
        raise UserError(
            f"Target {space.target!r} has {len(space):,} classes here, and tables of predictions are made of at most"
            f" {MOST_CLASSES}; the scores of training on the validation part stand in the checkpoint's card.json."
        )


def best_entries(probabilities: Float[np.ndarray, "n k"], space: LabelSpace) -> list[str | None]:
    """The most probable entry of each row, the first of equals; None where a probability is missing."""
    known = np.isfinite(probabilities).all(axis=1)
    best = np.where(known[:, None], probabilities, 0.0).argmax(axis=1)
    return [space.entries[i] if ok else None for i, ok in zip(best, known, strict=True)]


def outputs_of(table: pd.DataFrame, space: LabelSpace) -> Float[np.ndarray, "n k"]:
    """The model's numbers as float64; a row of probabilities with a gap is NaN throughout.

    Raises:
        UserError: if columns of the space are missing.
    """
    outputs = _numbers(table, output_columns(space), space)
    if space.kind == "classes":
        outputs[~np.isfinite(outputs).all(axis=1)] = np.nan
    return outputs


def classes_of(table: pd.DataFrame, space: LabelSpace) -> Int[np.ndarray, "n"]:
    """The true class numbers; -1 where the label is missing or none of the space.

    Raises:
        UserError: if the table has no such column.
    """
    (column,) = target_columns(space)
    _require(table, [column], space)
    return class_numbers(table[column], space)


def class_numbers(labels: "pd.Series[Any]", space: LabelSpace) -> Int[np.ndarray, "n"]:
    """Positions of entry names in the space, -1 for anything else."""
    positions = {entry: i for i, entry in enumerate(space.entries)}
    numbers = labels.astype(object).map(positions).fillna(MISSING_CLASS)
    return numbers.to_numpy(dtype=np.int64)


def values_of(table: pd.DataFrame, space: LabelSpace) -> Float[np.ndarray, "n k"]:
    """The true values as float64, NaN where missing.

    Raises:
        UserError: if columns of the space are missing.
    """
    return _numbers(table, target_columns(space), space)


def has_output(table: pd.DataFrame, space: LabelSpace) -> Bool[np.ndarray, "n"]:
    """Whether a row has an output (of values: at least one)."""
    return np.isfinite(outputs_of(table, space)).any(axis=1)


def write_predictions(
    path: Path, table: pd.DataFrame, space: LabelSpace, extra: Mapping[str, Any] | None = None
) -> TableMeta:
    """Writes a table as parquet, wholly or not at all, and gives what its header says.

    Args:
        path: the file; folders are made.
        table: with the columns of the space; further columns are kept.
        space: the entries of the outputs.
        extra: plain values that belong to the table, such as method, data set and split.

    Raises:
        UserError: if columns are missing, an image stands twice in a fold, or the folder cannot be written to.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_table(table, space)
    meta = TableMeta(space=space, columns=describe_columns(table, space), extra=dict(extra or {}))
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    header = {**(arrow.schema.metadata or {}), _METADATA_KEY: json.dumps(asdict(meta)).encode()}
    with write_atomically(path) as temporary:
        pq.write_table(arrow.replace_schema_metadata(header), temporary, write_page_checksum=True)
    return meta


def read_predictions(path: Path) -> tuple[pd.DataFrame, TableMeta]:
    """A stored table and what its header says.

    Raises:
        UserError: if there is no such file, it is cut short, no prediction table, or of another schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise UserError(f"There is no prediction table {path}.")
    try:
        arrow = pq.read_table(path, page_checksum_verification=True)
        header = (arrow.schema.metadata or {}).get(_METADATA_KEY)
        table = arrow.replace_schema_metadata(None).to_pandas()  # what pandas noted there is nothing we need
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise UserError(
            f"{path} ({path.stat().st_size} bytes) is no parquet file or was cut short. Evaluate again to write it."
        ) from error
    if header is None:
        raise UserError(f"{path} is a parquet file but no prediction table: its header names no label space.")
    meta = _parse_meta(header, path)
    check_table(table, meta.space, where=f" in {path}")
    return table, meta


def check_table(table: pd.DataFrame, space: LabelSpace, *, where: str = "") -> None:
    """Checks that a table has its columns, text and numbers where they belong, and no image twice in a fold.

    Raises:
        UserError: if it does not.
    """
    needed = [*FACTS, *target_columns(space), *output_columns(space)]
    _require(table, needed if space.kind == "values" else [*needed, space.target], space, where=where)
    _require_kinds(table, space, where)
    twice = table.loc[table.duplicated(["id", "fold"]), "id"]
    if len(twice):
        raise UserError(f"{len(twice)} images stand twice in a fold{where}, the first is {twice.iloc[0]}.")


def _require_kinds(table: pd.DataFrame, space: LabelSpace, where: str) -> None:
    """Text where names stand, numbers where numbers do; id, subject and fold have no gap."""
    if table.columns.has_duplicates:
        raise UserError(f"Two columns have the name {table.columns[table.columns.duplicated()][0]}{where}.")
    names = [*FACTS, *([SECOND_LABEL] if SECOND_LABEL in table else [])]
    numbers = [*output_columns(space), *([FRAME] if FRAME in table else [])]
    if space.kind == "classes":
        names += [*target_columns(space), space.target]
    else:
        numbers += target_columns(space)
    for column in (*names, *numbers):
        known, values = ("id", "subject", "fold"), table[column]
        found = pd.api.types.infer_dtype(values, skipna=True)
        allowed = ("string",) if column in names else ("floating", "integer", "mixed-integer-float")
        if found not in allowed and not values.isna().all():
            raise UserError(f"Column {column}{where} holds {found}, where {allowed[0]} is expected.")
        if column in known and values.isna().any():
            raise UserError(f"Column {column}{where} has gaps: {int(values.isna().sum())} of {len(values)} rows.")


def describe_columns(table: pd.DataFrame, space: LabelSpace) -> dict[str, dict[str, Any]]:
    """Unit, range and meaning of every column that this module knows."""
    columns: dict[str, dict[str, Any]] = {name: {"meaning": text} for name, text in _MEANINGS.items() if name in table}
    for name in (column.removeprefix(PREFIX) for column in condition_columns(table)):
        if name in CONDITIONS:
            columns[f"{PREFIX}{name}"] = {"meaning": CONDITIONS[name].meaning, "unit": CONDITIONS[name].unit}
    if space.kind == "classes":
        columns[f"target_{space.target}"] = {"meaning": f"true class, by name; {space.name} where the model knows it"}
        columns[space.target] = {"meaning": f"most probable class of {space.name}; missing without an output"}
        for name, entry in zip(output_columns(space), space.entries, strict=True):
            meaning = f"probability of {entry}"
            columns[name] = {"unit": "probability", "minimum": 0.0, "maximum": 1.0, "meaning": meaning}
        return columns
    for entry in space.entries:
        scale = {"unit": space.unit, "minimum": space.minimum, "maximum": space.maximum}
        columns[f"target_{entry}"] = {**scale, "meaning": f"true {entry}"}
        columns[entry] = {**scale, "meaning": f"predicted {entry}; missing without an output"}
    return columns


def _parse_meta(header: bytes, path: Path) -> TableMeta:
    try:
        stored = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise UserError(f"The header of {path} is damaged: it is no JSON. Evaluate again to write it.") from error
    kinds = {"space": dict, "columns": dict, "extra": dict}
    if not isinstance(stored, dict) or "schema" not in stored:
        raise UserError(f"The header of {path} is damaged: it names no schema. Evaluate again to write it.")
    if stored["schema"] != SCHEMA:
        raise UserError(
            f"{path} has column schema {stored['schema']!r}, this version reads {SCHEMA}. "
            "Read it with the version of fer_zoo that wrote it, or evaluate again."
        )
    wrong = [key for key, kind in kinds.items() if not isinstance(stored.get(key), kind)]
    if not wrong and not all(isinstance(column, dict) for column in stored["columns"].values()):
        wrong = ["columns"]
    if wrong:
        raise UserError(f"The header of {path} is damaged: it lacks {wrong[0]!r}. Evaluate again to write it.")
    try:
        space = LabelSpace.from_dict(stored["space"])
    except UserError as error:
        raise UserError(f"The header of {path} is damaged. {error}") from error
    return TableMeta(space=space, columns=stored["columns"], extra=stored["extra"])


def _check_ids(asked: "pd.Series[str]", ids: Sequence[str]) -> None:
    for name, series in (("asked for", asked), ("given an output", pd.Series(list(ids), dtype=object))):
        if series.duplicated().any():
            raise UserError(f"Image {series[series.duplicated()].iloc[0]} was {name} twice.")
    strays = sorted(set(ids) - set(asked))
    if strays:
        raise UserError(f"{len(strays)} outputs are of images that were not asked for, the first is {strays[0]}.")


def _numbers(table: pd.DataFrame, columns: list[str], space: LabelSpace) -> Float[np.ndarray, "n k"]:
    _require(table, columns, space)
    numbers = table[columns].to_numpy(dtype=np.float64, na_value=np.nan).copy()
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _require(table: pd.DataFrame, columns: Sequence[str], space: LabelSpace, *, where: str = "") -> None:
    lacking = [column for column in columns if column not in table]
    if lacking:
        raise UserError(
            f"The prediction table{where} lacks {', '.join(lacking[:5])}{' …' if len(lacking) > 5 else ''}, "
            f"which {space.name} needs. It has {', '.join(map(str, table.columns[:20]))}."
        )
