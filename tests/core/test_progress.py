from collections.abc import Iterator

import pytest
from rich.console import Console

from fer_zoo.core.progress import progress


def test_items_pass_in_order_and_no_sooner_than_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    taken = []

    def items() -> Iterator[int]:
        for i in range(3):
            taken.append(i)
            yield i

    passing = progress(items(), "counting")
    assert next(passing) == 0 and taken == [0]
    assert list(passing) == [1, 2]
    assert capsys.readouterr().err == ""  # no terminal, no bar


def test_a_terminal_sees_work_count_and_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    assert list(progress(range(40), "reading", total=80, unit="images", each=2)) == list(range(40))
    shown = capsys.readouterr().err
    assert "reading" in shown and "80/80" in shown and "images/s" in shown


def test_no_bar_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    assert list(progress(range(3), "reading", show=False)) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_units_of_each_item_may_be_told_by_a_function(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    assert list(progress(["a", "bb", "ccc"], "reading", total=6, unit="letters", each=len)) == ["a", "bb", "ccc"]
    assert "6/6" in capsys.readouterr().err


def test_lines_that_are_printed_meanwhile_stay_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of `fer-zoo … > log` only the bar is seen on the terminal; the lines reach the file."""
    monkeypatch.setattr(Console, "is_terminal", True)
    for item in progress(range(2), "reading", total=2):
        print(f"line {item}")
    told = capsys.readouterr()
    assert told.out == "line 0\nline 1\n"
    assert "line" not in told.err
