"""How numbers and tables look."""

import math

import pytest

from fer_zoo.evaluation.bootstrap import Interval
from fer_zoo.evaluation.report_text import ReportTable, as_markdown, as_text, short, with_interval
from fer_zoo.evaluation.subject_sums import Estimate


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0.8849, 3, ".885"), (1.0, 3, "1.000"), (-0.25, 2, "-.25"), (10.05, 1, "10.1"), (-0.001, 2, ".00"), (0, 2, ".00")],
)
def test_numbers_lose_the_zero_before_the_point(value: float, decimals: int, text: str) -> None:
    assert short(value, decimals) == text


def test_a_score_that_does_not_exist_is_a_dash_and_one_without_interval_stands_alone() -> None:
    assert with_interval(Estimate(math.nan)) == "–"
    assert with_interval(Estimate(0.5)) == ".500"
    assert with_interval(Estimate(0.5, Interval(0.4, 1.0))) == ".500 [.40, 1.00]"


def test_cells_cannot_break_a_table() -> None:
    table = ReportTable(title="T", header=["", "images"], rows=[["a|b [bold]", "3"]])
    assert "| a/b [bold] | 3 |" in as_markdown([table], ["Said."])
    text = as_text([table], ["See [red]x."], width=60)
    assert "a|b [bold]" in text
    assert "See [red]x." in text


@pytest.mark.parametrize("width", [10, 40, 80, 120, 200])
@pytest.mark.parametrize("columns", [1, 7])
def test_nothing_is_ever_shortened(width: int, columns: int) -> None:
    cells = [f"-{i}.117 [-{i}.97, {i}.26]" for i in range(columns)]
    names = ["AU01", "a very long name of a model, no output is wrong"]
    header = ["", "images", *(f"expected calibration error {i}" for i in range(columns))]
    table = ReportTable(title="T", header=header, rows=[[name, "1,234", *cells] for name in names])
    text = as_text([table], ["One sentence of several words."], width=width)
    assert "…" not in text
    assert all(name in text for name in names)
    for part in (part for cell in cells for part in cell.split(" ", 1)):
        assert text.count(part) >= len(names), part
    if columns == 7 and width == 120:
        assert max(map(len, text.splitlines())) < 48 + 7 * len(cells[0])  # intervals stand below
    if columns == 1 and width >= 120:
        assert all(cell in text for cell in cells)
