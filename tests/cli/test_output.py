import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.cli.output import cell, print_facts, print_json, print_rows, table
from fer_zoo.core.files import plain


@given(
    values=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_strict_and_says_the_same(values: object) -> None:
    text = json.dumps(plain(values), allow_nan=False)
    assert json.loads(text) == plain(values)


def test_numbers_that_are_not_finite_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [float("nan"), 1.5, float("inf")], "b": "ä"})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5, None], "b": "ä"}


def test_columns_are_aligned_and_the_last_is_wrapped() -> None:
    words = "one two three four five six seven eight"
    lines = table([["a", words], ["long_name", "x"]], ["name", "text"], width=36).splitlines()
    starts = [line[:11] for line in lines]
    assert starts == ["name       ", "a          ", " " * 11, "long_name  "]
    assert " ".join(line[11:] for line in lines[1:3]) == words
    assert max(map(len, lines)) <= 36


@given(
    rows=st.lists(st.lists(st.text(st.characters(codec="ascii", categories=["L"]), max_size=9), min_size=3, max_size=3))
)
def test_no_cell_is_lost(rows: list[list[str]]) -> None:
    lines = table(rows, ["a", "b", "c"], width=None).split("\n")
    assert [line.split() for line in lines[1:]] == [[text for text in row if text] for row in rows]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (True, "true"),
        (0.001, "0.001"),
        (12345, "12,345"),
        (["a", 1], "a, 1"),
        ("x", "x"),
    ],
)
def test_a_cell(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_rows_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "a", "size": 3, "more": [1]}]
    print_rows(rows, ("name", "size"), as_json=False)
    assert capsys.readouterr().out == "name  size\na     3\n"
    print_rows(rows, ("name", "size"), as_json=True)
    assert json.loads(capsys.readouterr().out) == rows


def test_empty_facts_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts({"a": "1", "b": ""})
    assert capsys.readouterr().out == "a  1\n"
    print_facts({"b": ""})
    assert capsys.readouterr().out == ""
