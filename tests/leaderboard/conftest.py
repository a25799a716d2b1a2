"""A track on patterns that are no faces, and its leaderboard, run once."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from fakes import patterns

from fer_zoo.leaderboard.run import LeaderboardRun, run_leaderboard

NETWORK = "timm_classifier:backbone=test_resnet:image_size=32"
SMALL = {
    "trainer": "cpu",
    "trainer.precision": "32",
    "trainer.max_epochs": "2",
    "data.workers": "0",
    "data.batch_size": "12",
    "data.progress": "false",
}


@dataclass(frozen=True)
class Place:
    """A folder with data and a track's file, in which leaderboards are run."""

    folder: Path
    track: Path

    @property
    def records(self) -> Path:
        return self.folder / "records"

    def plan(self, methods: str = NETWORK, **own: str) -> LeaderboardRun:
        """The run; keywords are settings of a leaderboard or, with __ for the dot, of its jobs."""
        given = {key.replace("__", "."): text for key, text in own.items()}
        jobs = {"dataset.root": str(self.folder / "faces"), "output": str(self.folder / "runs"), **SMALL}
        names = ("seeds", "seed", "fold", "processes", "records")
        chosen = {"track": str(self.track), "methods": methods, "records": str(self.records)}
        chosen |= {key: text for key, text in given.items() if key in names}
        jobs |= {key: text for key, text in given.items() if key not in names}
        return LeaderboardRun.from_texts(chosen, list(jobs.items()), echo=lambda line: None)

    def run(self, methods: str = NETWORK, **own: str) -> list[str]:
        """What was said."""
        lines: list[str] = []
        run_leaderboard(self.plan(methods, **own), echo=lines.append)
        return lines


def write_place(folder: Path) -> Place:
    patterns.write(folder / "faces")
    track = {
        "dataset": {
            "name": "image_folder",
            "label_space": patterns.SPACE,
            "cropped": True,
            "subject_pattern": patterns.SUBJECT_PATTERN,
        },
        "protocol": {"name": "subject_kfold", "folds": 2, "validation_share": 0.25},
        "metrics": ["mean_class_accuracy", "accuracy", "expected_calibration_error"],
    }
    (folder / "patterns.yaml").write_text(yaml.safe_dump(track))
    return Place(folder, folder / "patterns.yaml")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return write_place(tmp_path)


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A leaderboard of one network with two seeds, for tests that only read it or add records elsewhere."""
    place = write_place(tmp_path_factory.mktemp("leaderboard"))
    place.run(seeds="2")
    return place
