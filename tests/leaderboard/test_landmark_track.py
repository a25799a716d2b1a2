"""A track whose target are landmarks: ranked by their error, the least first, the probe beside it."""

from pathlib import Path

import pytest
import yaml
from fakes import constellations

from fer_zoo.leaderboard.grid import PROBE
from fer_zoo.leaderboard.standings import standings_of
from fer_zoo.leaderboard.views import as_csv, as_markdown, as_text

from .conftest import Place

pytestmark = pytest.mark.usefixtures("blank_pictures")
_WORDS = ":target=landmarks:backbone=test_resnet:image_size=32:learning_rate="
GOOD, BAD = (f"timm_regressor{_WORDS}{rate}" for rate in ("0.003", "0.0"))


def test_landmarks_are_ranked_by_their_error(tmp_path: Path) -> None:
    constellations.write(tmp_path / "faces", 48)
    track = {
        "dataset": {
            "name": "table",
            "file": "faces.csv",
            "path_column": "file",
            "subject_column": "who",
            "faces": True,
        },
        "protocol": {"name": "subject_kfold", "folds": 2, "validation_share": 0.25},
        "target": "landmarks",
    }
    (tmp_path / "points.yaml").write_text(yaml.safe_dump(track))
    place = Place(tmp_path, tmp_path / "points.yaml")
    place.run(f"{BAD},{GOOD}", trainer__max_epochs="12", data__augmentation="none")
    board = standings_of(place.records, str(place.track))
    assert [standing.name for standing in board.standings] == [GOOD, BAD]
    good, bad = (standing.values["nme"] for standing in board.standings)
    assert good.interval.low <= good.value < bad.value
    assert {row.name for row in board.sanity} == {"train_mean", PROBE}
    for shown in (as_text(board), as_markdown(board), as_csv(board)):
        assert "nme" in shown and GOOD in shown
