"""The table of a leaderboard: recomputed from what is stored, other tracks apart, damage named."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from fer_zoo.cli.main import main
from fer_zoo.core.errors import UserError
from fer_zoo.leaderboard.grid import PROBE
from fer_zoo.leaderboard.records import read_records
from fer_zoo.leaderboard.standings import standings_of
from fer_zoo.leaderboard.views import as_csv, as_markdown, as_text

from .conftest import NETWORK, Place, write_place

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture
def copy(done: Place, tmp_path: Path) -> Place:
    """The records in a folder of one's own, to be damaged."""
    shutil.copytree(done.records, tmp_path / "records")
    return Place(tmp_path, done.track)


def test_scores_are_those_of_the_stored_tables(done: Place) -> None:
    board = standings_of(done.records, str(done.track))
    (standing,) = board.standings
    tables = [pd.read_parquet(path) for path in sorted(done.records.rglob("timm*/predictions.parquet"))]
    right = [table["emotion"] == table["target_emotion"] for table in tables]
    recalls = [r.groupby(table["target_emotion"]).mean().mean() for r, table in zip(right, tables, strict=True)]
    assert standing.values["mean_class_accuracy"].value == pytest.approx(np.mean(recalls))
    assert standing.values["accuracy"].value == pytest.approx(np.mean(right))
    assert standing.noise.sd_over_seeds == pytest.approx(np.std(recalls, ddof=1))
    assert (standing.asked, standing.scored, standing.seeds, standing.rank) == (48, 48, 2, 1)
    interval = standing.values["accuracy"].interval
    assert interval.low <= standing.values["accuracy"].value <= interval.high
    assert {row.name for row in board.sanity} == {"majority", "prior_random", "label_by_source", PROBE}
    assert board.people == 8 and board.common_images == 48


def test_stored_outputs_have_three_decimals_and_answers_follow_them(done: Place) -> None:
    for path in done.records.rglob("predictions.parquet"):
        table = pd.read_parquet(path)
        outputs = table.filter(like="prob_").to_numpy(dtype=np.float64)
        np.testing.assert_allclose(outputs, outputs.round(3), atol=1e-6)
        names = [name.removeprefix("prob_") for name in table.filter(like="prob_")]
        assert [names[i] for i in outputs.argmax(axis=1)] == table["emotion"].tolist()


def test_missing_outputs_count_as_the_track_says(copy: Place) -> None:
    """An image without an output is wrong in the ranking, left out beside it."""
    from fer_zoo.core.files import file_sha256
    from fer_zoo.evaluation.prediction_table import read_predictions, write_predictions

    for record in read_records(copy.records, "patterns")[0]:
        if record.entry != NETWORK:
            continue
        table, space = record.table()
        table.loc[:11, ["emotion", *table.filter(like="prob_")]] = None
        write_predictions(record.folder / "predictions.parquet", table, space)
        facts = json.loads((record.folder / "record.json").read_text())
        facts["predictions_sha256"] = file_sha256(record.folder / "predictions.parquet")
        (record.folder / "record.json").write_text(json.dumps(facts))
        assert read_predictions(record.folder / "predictions.parquet")[0]["emotion"].isna().sum() == 12
    board = standings_of(copy.records, str(copy.track))
    (standing,) = board.standings
    assert (standing.scored, standing.asked, board.common_images) == (36, 48, 36)
    assert standing.all_asked == standing.values["mean_class_accuracy"].value < standing.answered
    assert standing.common == standing.answered


def test_a_second_record_of_a_seed_is_named_and_changes_nothing(copy: Place) -> None:
    before = standings_of(copy.records, str(copy.track)).standings[0]
    (first, *_) = sorted(copy.records.glob("*/timm*seed0*"))
    shutil.copytree(first, first.with_name(f"{first.name}-again"))
    board = standings_of(copy.records, str(copy.track))
    assert board.standings[0].values == before.values and board.standings[0].seeds == before.seeds == 2
    assert "second record of seed 0" in board.damaged[0] and "again" in board.damaged[0]


def test_where_files_lie_is_no_difference(copy: Place) -> None:
    """One seed was made with data here, the other with the same data elsewhere."""
    for path in copy.records.glob("*/timm*seed1*/record.json"):
        facts = json.loads(path.read_text())
        facts["command"] = facts["command"].replace("dataset.root=", "dataset.root=/elsewhere")
        path.write_text(json.dumps(facts))
    (standing,) = standings_of(copy.records, str(copy.track)).standings
    assert (standing.name, standing.seeds) == (NETWORK, 2)


def test_other_tracks_are_apart_and_their_difference_named(copy: Place, tmp_path: Path) -> None:
    place = write_place(tmp_path / "other")
    track = yaml.safe_load(place.track.read_text())
    track["protocol"]["folds"] = 3
    place.track.write_text(yaml.safe_dump(track))
    place.run(PROBE)
    shutil.copytree(place.records, copy.records, dirs_exist_ok=True)
    board = standings_of(copy.records, str(copy.track))
    assert [standing.name for standing in board.standings] == [NETWORK]
    (apart,) = board.apart
    assert apart["differs"] == {"protocol.folds": (2, 3)}
    assert "protocol.folds 3 instead of 2" in as_text(board) and "not ranked" in as_text(board)
    assert [s.name for s in standings_of(copy.records, str(place.track)).standings] == [PROBE]


@pytest.mark.parametrize("file", ["record.json", "predictions.parquet"])
def test_damage_is_named_and_left_out(copy: Place, file: str) -> None:
    path = sorted(copy.records.rglob(f"timm*seed1*/{file}"))[0]
    path.write_bytes(path.read_bytes()[:-200])
    board = standings_of(copy.records, str(copy.track))
    assert board.standings[0].seeds == 1
    (told,) = board.damaged
    assert str(path) in told and f"Left out: {told}"[:60] in as_markdown(board)


def test_changed_track_of_a_record_is_damage(copy: Place) -> None:
    path = sorted(copy.records.rglob("timm*seed1*/record.json"))[0]
    facts = json.loads(path.read_text())
    facts["track"]["metrics"] = ["accuracy"]
    path.write_text(json.dumps(facts))
    assert "its track has the hash" in standings_of(copy.records, str(copy.track)).damaged[0]


def test_no_record_is_one_sentence(tmp_path: Path, done: Place) -> None:
    with pytest.raises(UserError, match="no record of the track patterns"):
        standings_of(tmp_path, str(done.track))
    with pytest.raises(UserError, match="No track is named"):
        standings_of(tmp_path, "facial_expresions")


def test_views_hold_the_same_figures(done: Place, capsys: pytest.CaptureFixture[str]) -> None:
    board = standings_of(done.records, str(done.track))
    rows = pd.read_csv(io.StringIO(as_csv(board)))
    assert rows["name"].tolist() == [NETWORK, *(row.name for row in board.sanity)]
    assert rows["accuracy"][0] == pytest.approx(board.standings[0].values["accuracy"].value)
    text = as_markdown(board)
    assert board.track.hash in text and "seeds=2" in text and f"{rows['parameters'][0]:,.0f}" in text
    for flag in ("--csv", "--markdown", "--json"):
        words = ["leaderboard", "show", f"track={done.track}", f"records={done.records}", flag]
        assert main(words) == 0
        assert NETWORK in capsys.readouterr().out
