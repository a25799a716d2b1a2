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
