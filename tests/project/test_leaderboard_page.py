"""The recorded leaderboards: the page is that of the records, and a score follows from them without this package."""

from pathlib import Path

import pytest
from fakes import pages

from fer_zoo.leaderboard.records import read_records
from fer_zoo.leaderboard.standings import Board, standings_of
from fer_zoo.leaderboard.views import as_markdown

RECORDS = pages.PROJECT / "results" / "leaderboard"
TRACK = "facial_expressions"
REMAKE = (
    f"fer-zoo leaderboard show track={TRACK} records=results/leaderboard --markdown > results/leaderboard/{TRACK}.md"
)


@pytest.fixture(scope="module")
def board() -> Board:
    return standings_of(RECORDS, TRACK)


def test_the_page_is_made_from_the_records(board: Board) -> None:
    page = (RECORDS / f"{TRACK}.md").read_text(encoding="utf-8")
    assert page == as_markdown(board), f"the page is stale; make it again: {REMAKE}"


def test_at_least_three_backbones_with_three_seeds_stand_in_it(board: Board) -> None:
    assert len(board.standings) >= 3
    assert all(standing.seeds == 3 for standing in board.standings)
    assert not board.failed and not board.apart and not board.damaged
    assert {"majority", "prior_random", "pixel_probe"} <= {row.name for row in board.sanity}


def test_the_score_follows_from_the_tables_with_pandas(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = [b for b in pages.blocks("docs/leaderboard.md") if b.kind == "python"]
    assert len([line for line in block.text.splitlines() if line and "import" not in line]) <= 10
    monkeypatch.chdir(pages.PROJECT)
    names: dict[str, float] = {}
    exec(block.text, names)  # the page is ours
    (standing,) = [standing for standing in board.standings if "resnet10t" in standing.name]
    assert names["score"] == pytest.approx(standing.values["mean_class_accuracy"].value, abs=1e-12)


def test_records_are_small_and_name_nobody() -> None:
    files = [path for path in RECORDS.rglob("*") if path.is_file()]
    assert all(path.stat().st_size <= 500_000 for path in files)
    for record in read_records(RECORDS, TRACK)[0]:
        table, _ = record.table()
        assert table["subject"].str.fullmatch(r"s[0-9a-f]{8}").all()
        assert "image" not in table and str(Path.home()) not in (record.folder / "record.json").read_text()
