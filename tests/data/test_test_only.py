"""Data that are for testing alone: one part, which nothing trains on."""

from pathlib import Path

import pytest
import yaml

from fer_zoo.core.errors import UserError
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import PROTOCOLS, WHOLE, make_splits
from fer_zoo.engine.config import compose
from fer_zoo.engine.track_files import read_track
from fer_zoo.engine.train import train
from fer_zoo.leaderboard.grid import plan_grid

NAME = "synthetic_intensity_v1"


def test_everything_is_tested() -> None:
    index = open_dataset(NAME, num_samples=35)
    (split,) = make_splits(index, "test_only", {"train_samples": 3}, "emotion")
    assert (split.name, split.train, split.validation) == (WHOLE, (), ())
    assert split.test == tuple(sorted(index.ids))
    assert [name for name, protocol in PROTOCOLS.items() if not protocol.trains] == ["test_only"]


def test_training_on_it_is_refused(tmp_path: Path) -> None:
    words = [("method", "timm_classifier"), ("dataset", NAME), ("dataset.num_samples", "35"), ("output", str(tmp_path))]
    with pytest.raises(UserError, match=f"test_only has no training part: train on other data than {NAME}"):
        train(compose(words, verb="train"), echo=lambda line: None)


def test_a_leaderboard_of_it_is_refused(tmp_path: Path) -> None:
    track = tmp_path / "mine.yaml"
    track.write_text(yaml.safe_dump({"dataset": {"name": NAME}, "protocol": {"name": "test_only"}}))
    with pytest.raises(
        UserError, match="The track mine is for testing alone: `fer-zoo evaluate CHECKPOINT track=mine`"
    ):
        plan_grid(read_track(str(track)), ["timm_classifier"], 1, [], echo=lambda line: None)
