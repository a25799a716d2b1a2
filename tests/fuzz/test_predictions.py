"""Damaged prediction tables: a table that can be scored, or one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes.damage import EXAMPLES, damaged_bytes, damaged_json, examine
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.prediction_table import (
    classes_of,
    has_output,
    outputs_of,
    prediction_table,
    read_predictions,
    values_of,
    write_predictions,
)

many = pytest.mark.parametrize("examples", EXAMPLES)
KEY = b"fer_zoo.predictions"
COLUMNS: dict[str, Callable[[int], pa.Array]] = {
    "text": lambda n: pa.array(["x"] * n),
    "numbers as text": lambda n: pa.array(["1.5"] * n),
    "whole numbers": lambda n: pa.array(list(range(n))),
    "flags": lambda n: pa.array([True] * n),
    "nothing": lambda n: pa.nulls(n),
    "numbers that are none": lambda n: pa.array([float("nan")] * n),
    "infinite": lambda n: pa.array([float("inf")] * n),
    "lists": lambda n: pa.array([[1.0]] * n),
    "records": lambda n: pa.array([{"a": 1}] * n),
    "bytes": lambda n: pa.array([b"\xff"] * n),
    "times": lambda n: pa.array([0] * n, pa.timestamp("ns")),
    "late times": lambda n: pa.array([2**52] * n, pa.timestamp("ms")),
    "categories": lambda n: pa.array(["x"] * n).dictionary_encode(),
    "decimals": lambda n: pa.array([None] * n, pa.decimal128(38, 10)),
    "half precision": lambda n: pa.array(np.zeros(n, np.float16)),
}


@pytest.fixture(params=["emotion/basic6", "au/fera2015"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    space, n = label_space(request.param), 40
    ids = [f"{i:012x}" for i in range(n)]
    asked = pd.DataFrame({"id": ids, "subject": [f"s{i // 4}" for i in range(n)], "clip": "", "source": "a"})
    asked["emotion"] = [("anger", "fear", None)[i % 3] for i in range(n)]
    outputs = np.random.default_rng(0).dirichlet(np.ones(len(space)), n - 2)
    write_predictions(tmp_path / "p.parquet", prediction_table(asked, space, ids[2:], outputs), space, {"method": "m"})
    return tmp_path / "p.parquet"


def use(path: Path) -> None:
    """Reads a table and asks of it what scoring asks."""
    table, meta = read_predictions(path)
    outputs = outputs_of(table, meta.space)
    assert outputs.shape == (len(table), len(meta.space))
    has_output(table, meta.space)
    (classes_of if meta.space.kind == "classes" else values_of)(table, meta.space)


@many
def test_files(stored: Path, examples: int) -> None:
    whole = stored.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    cases = damaged_bytes(whole) | damaged_bytes(whole[footer:]).map(lambda end: whole[:footer] + end)

    def read(content: bytes) -> None:
        stored.write_bytes(content)
        use(stored)

    assert examine(cases, read, examples, "prediction files")["sentence"] > examples / 4


def test_every_changed_number_is_told(stored: Path) -> None:
    """A flipped bit in a page of data must not become another probability."""
    whole, table, told = stored.read_bytes(), read_predictions(stored)[0], 0
    chunk = pq.read_metadata(stored).row_group(0).column(len(table.columns) - 1)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    for place in range(start, start + chunk.total_compressed_size):
        content = bytearray(whole)
        content[place] ^= 1
        stored.write_bytes(content)
        try:
            pd.testing.assert_frame_equal(table, read_predictions(stored)[0])
        except UserError:
            told += 1
    assert told > 0.9 * chunk.total_compressed_size  # the others are hints of a page's header


@many
def test_headers(stored: Path, examples: int) -> None:
    table = pq.read_table(stored)
    header = json.loads(table.schema.metadata[KEY])
    pandas = json.loads(table.schema.metadata[b"pandas"])
    cases = st.tuples(st.just(KEY), damaged_json(header)) | st.tuples(st.just(b"pandas"), damaged_json(pandas))

    def read(case: tuple[bytes, bytes]) -> None:
        key, text = case
        pq.write_table(table.replace_schema_metadata({**table.schema.metadata, key: text}), stored)
        use(stored)

    examine(cases, read, examples, "prediction headers")


@many
def test_columns(stored: Path, examples: int) -> None:
    table = pq.read_table(stored)
    names = st.sampled_from(table.column_names)
    kinds = st.sampled_from([*COLUMNS, "missing", "twice", "one value missing"])
    cases = st.lists(st.tuples(names, kinds), min_size=1, max_size=3)

    def read(case: list[tuple[str, str]]) -> None:
        changed = table
        for name, kind in case:
            changed = _changed(changed, name, kind)
        pq.write_table(changed, stored)
        use(stored)

    assert examine(cases, read, examples, "prediction columns")["sentence"] > examples / 8


def _changed(table: pa.Table, name: str, kind: str) -> pa.Table:
    places: list[Any] = [i for i, own in enumerate(table.column_names) if own == name]
    if not places:
        return table
    if kind == "missing":
        return table.remove_column(places[0])
    if kind == "twice":
        return table.append_column(name, table.column(places[0]))
    if kind == "one value missing":
        column = table.column(places[0])
        return table.set_column(places[0], name, pa.chunked_array([pa.nulls(1, column.type), *column[1:].chunks]))
    return table.set_column(places[0], name, COLUMNS[kind](len(table)))
