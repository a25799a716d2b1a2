"""Prediction tables: a row for every image asked for, a header that says what the columns mean, whole files only."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space, own_space
from fer_zoo.evaluation.prediction_table import (
    MOST_CLASSES,
    best_entries,
    classes_of,
    has_output,
    is_tabulated,
    outputs_of,
    prediction_table,
    read_predictions,
    require_tabulated,
    values_of,
    write_predictions,
)

BASIC = label_space("emotion/basic6")
AU = label_space("au/fera2015")


def asked_for(labels: list[str | None]) -> pd.DataFrame:
    ids = [f"{i:012x}" for i in range(len(labels))]
    people = [f"s{i // 2:08x}" for i in range(len(labels))]
    return pd.DataFrame({"id": ids, "subject": people, "clip": "", "source": "a", "emotion": labels, "image": "secret"})


def small_table() -> pd.DataFrame:
    asked = asked_for(["anger", "fear", None, "contempt"])
    outputs = np.eye(6, dtype=np.float32)[[1, 0]]
    return prediction_table(asked, BASIC, [asked["id"][2], asked["id"][0]], outputs, fold="fold_1")


def test_every_image_asked_for_has_a_row_and_outputs_are_joined_by_id() -> None:
    table = small_table()
    assert table["id"].to_list() == [f"{i:012x}" for i in range(4)]
    assert [value if isinstance(value, str) else None for value in table["emotion"]] == ["anger", None, "disgust", None]
    assert table["prob_disgust"].isna().to_list() == [False, True, False, True]
    assert table["prob_anger"][0] == 1.0
    assert set(table["fold"]) == {"fold_1"}
    assert "image" not in table  # paths may hold names of people


def test_targets_outside_the_space_keep_their_name_and_have_no_number() -> None:
    table = small_table()
    assert table["target_emotion"][3] == "contempt"
    assert classes_of(table, BASIC).tolist() == [0, 2, -1, -1]
    assert has_output(table, BASIC).tolist() == [True, False, True, False]


def test_a_second_label_is_of_emotions_alone() -> None:
    asked = asked_for(["anger", "fear"]).assign(second_emotion=["fear", "fear"])
    people = own_space("identity", ["p1", "p2"], where="here")
    asked["identity"] = ["p1", None]
    outputs = np.full((2, len(BASIC)), 1 / len(BASIC))
    assert "second_emotion" in prediction_table(asked, BASIC, list(asked["id"]), outputs)
    table = prediction_table(asked, people, list(asked["id"]), np.full((2, 2), 0.5))
    assert "second_emotion" not in table and table["target_identity"].tolist()[0] == "p1"


def test_very_many_classes_are_refused_before_they_are_tabulated() -> None:
    many = own_space("identity", [f"p{number}" for number in range(MOST_CLASSES + 1)], where="here")
    assert is_tabulated(many.only(many.entries[1:])) and is_tabulated(label_space("landmarks/68"))
    with pytest.raises(UserError, match="'identity' has 201 classes here, and tables of predictions are made of at"):
        require_tabulated(many)


def test_values_have_a_target_and_an_output_column_per_entry() -> None:
    asked = asked_for([None, None]).assign(AU06=[1.0, np.nan], AU12=[2.0, 5.0])
    table = prediction_table(asked, AU, [asked["id"][1]], np.arange(5.0)[None])
    assert table["target_AU12"].to_list() == [2.0, 5.0]
    assert np.isnan(values_of(table, AU)).tolist() == [
        [False, True, False, True, True],
        [True, True, False, True, True],
    ]
    assert outputs_of(table, AU)[1].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert np.isnan(outputs_of(table, AU)[0]).all()


def test_a_gap_in_the_probabilities_makes_the_whole_output_missing() -> None:
    table = small_table()
    table.loc[0, "prob_fear"] = np.nan
    table.loc[2, "prob_fear"] = np.inf
    assert not has_output(table, BASIC).any()
    assert np.isnan(outputs_of(table, BASIC)).all()


def test_the_first_of_equal_probabilities_is_the_answer() -> None:
    assert best_entries(np.full((1, 6), 1 / 6), BASIC) == ["anger"]


@pytest.mark.parametrize(
    ("ids", "shape", "message"),
    [
        (["000000000000", "000000000000"], (2, 6), "given an output twice"),
        (["ffffffffffff"], (1, 6), "not asked for, the first is ffffffffffff"),
        (["000000000000"], (1, 5), "do not fit 1 ids and 6 entries"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(ids: list[str], shape: tuple[int, int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        prediction_table(asked_for(["anger"]), BASIC, ids, np.zeros(shape))


def test_a_stored_table_comes_back_equal_with_its_space_and_extras(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "predictions.parquet"
    write_predictions(path, small_table(), BASIC, {"method": "timm_classifier"})
    table, meta = read_predictions(path)
    np.testing.assert_array_equal(outputs_of(table, BASIC), outputs_of(small_table(), BASIC))
    assert classes_of(table, BASIC).tolist() == classes_of(small_table(), BASIC).tolist()
    assert table["emotion"].isna().tolist() == [False, True, False, True]
    assert meta.space == BASIC
    assert meta.extra == {"method": "timm_classifier"}
    assert meta.columns["prob_fear"] == {
        "unit": "probability",
        "minimum": 0.0,
        "maximum": 1.0,
        "meaning": "probability of fear",
    }


def test_columns_of_values_say_unit_and_range(tmp_path: Path) -> None:
    table = prediction_table(asked_for([None]), AU, [], np.zeros((0, 5)))
    meta = write_predictions(tmp_path / "p.parquet", table, AU)
    assert meta.columns["AU12"]["unit"] == "FACS intensity"
    assert meta.columns["AU12"]["maximum"] == 5.0
    assert read_predictions(tmp_path / "p.parquet")[1] == meta


def test_files_that_are_no_whole_table_are_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    write_predictions(whole, small_table(), BASIC)
    content = whole.read_bytes()
    for name, bad in {"cut": content[:-40], "short": content[:3], "empty": b"", "other": b"no parquet " * 20}.items():
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(bad)
        with pytest.raises(UserError, match="is no parquet file or was cut short"):
            read_predictions(path)
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "plain.parquet")
    with pytest.raises(UserError, match="no prediction table"):
        read_predictions(tmp_path / "plain.parquet")
    with pytest.raises(UserError, match="There is no prediction table"):
        read_predictions(tmp_path / "absent.parquet")


def test_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, small_table(), BASIC)
    arrow = pq.read_table(path)
    header = json.loads(arrow.schema.metadata[b"fer_zoo.predictions"]) | {"schema": 2}
    pq.write_table(arrow.replace_schema_metadata({b"fer_zoo.predictions": json.dumps(header).encode()}), path)
    with pytest.raises(UserError, match="has column schema 2, this version reads 1"):
        read_predictions(path)


def test_tables_without_their_columns_or_with_an_image_twice_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    with pytest.raises(UserError, match="lacks prob_fear, which emotion/basic6 needs"):
        write_predictions(path, small_table().drop(columns="prob_fear"), BASIC)
    with pytest.raises(UserError, match="4 images stand twice in a fold, the first is 000000000000"):
        write_predictions(path, pd.concat([small_table(), small_table()]), BASIC)
    assert not path.exists()


@given(st.data(), st.sampled_from([BASIC, AU]))
def test_any_subset_of_outputs_in_any_order_lands_on_its_rows(data: st.DataObject, space: LabelSpace) -> None:
    asked = asked_for([None] * 6)
    ids = data.draw(st.lists(st.sampled_from(asked["id"].to_list()), unique=True))
    outputs = np.arange(len(ids) * len(space), dtype=np.float64).reshape(len(ids), len(space))
    table = prediction_table(asked, space, ids, outputs)
    found = outputs_of(table, space)
    for row, image in enumerate(asked["id"]):
        expected = outputs[ids.index(image)] if image in ids else np.full(len(space), np.nan)
        np.testing.assert_array_equal(found[row], expected)
