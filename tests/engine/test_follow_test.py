"""The test part scored after each epoch, and the rules by which weights are kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file

from fer_zoo.core.errors import UserError
from fer_zoo.engine.config import RunConfig
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.follow_test import optimism
from fer_zoo.engine.train import train

pytestmark = pytest.mark.usefixtures("blank_pictures")
Configure = Callable[..., RunConfig]
COLUMN = "test/emotion/mean_class_accuracy"


def quiet(line: str) -> None:
    """Hears nothing."""


def result_of(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "result.json").read_text())
    return found


def test_following_changes_no_weights(configuration: Configure) -> None:
    plain = train(configuration(trainer__max_epochs=3), echo=quiet)
    followed = train(configuration(trainer__max_epochs=3, trainer__follow_test="true"), echo=quiet)
    assert plain != followed
    one, two = (load_file(folder / "model" / "model.safetensors") for folder in (plain, followed))
    assert all((one[name] == two[name]).all() for name in one)
    assert result_of(plain)["on_test"] == {}
    rows = pd.read_csv(followed / "metrics.csv")
    assert result_of(followed)["on_test"]["values"] == pytest.approx(rows[COLUMN].tolist())  # type: ignore[index]


def test_the_kept_epoch_scores_as_evaluation_says(configuration: Configure) -> None:
    folder = train(configuration(trainer__max_epochs=3, trainer__follow_test="true"), echo=quiet)
    report, _ = evaluate(folder, echo=quiet)
    on_test = result_of(folder)["on_test"]
    assert on_test["kept"] == pytest.approx(report.scores.values["mean_class_accuracy"].value, abs=1e-6)  # type: ignore[index]


@pytest.mark.parametrize("selection", ["val", "last", "test_peek"])
def test_rules_keep_the_epoch_they_name(configuration: Configure, selection: str) -> None:
    lines: list[str] = []
    words = {"trainer__max_epochs": 4, "trainer__follow_test": "true", "trainer__selection": selection}
    folder = train(configuration(**words, method__learning_rate=0.01), echo=lines.append)
    rows = pd.read_csv(folder / "metrics.csv")
    column = {"val": "val/emotion/mean_class_accuracy", "test_peek": COLUMN}.get(selection)
    best = 4 if column is None else int(rows["epoch"][rows[column].idxmax()])
    result = result_of(folder)
    assert result["validation"]["epoch"] == best  # type: ignore[index]
    assert result["selection"] == selection
    # who peeks would have kept what validation chooses
    chosen = int(rows["epoch"][rows["val/emotion/mean_class_accuracy"].idxmax()]) if selection == "test_peek" else best
    on_test = result["on_test"]
    assert on_test["gap"] == pytest.approx(rows[COLUMN].max() - rows[COLUMN][chosen - 1])  # type: ignore[index]
    (told,) = [line for line in lines if line.startswith("kept: ")]
    assert {"val": "validation images", "last": "last epoch, 4", "test_peek": "no score for new people"}[
        selection
    ] in told


def test_peeking_needs_a_metric(configuration: Configure) -> None:
    with pytest.raises(UserError, match="there is none for val/loss"):
        train(configuration(trainer__selection="test_peek", trainer__monitor="val/loss"), echo=quiet)


def test_optimism_in_closed_form() -> None:
    rows = [{"epoch": 1, "m": 0.5}, {"epoch": 2, "m": 0.75}, {"epoch": 3, "m": 0.75}, {"epoch": 4, "m": float("nan")}]
    assert optimism(rows, "m", 1, higher_is_better=True) == {
        "kept": 0.5,
        "best_on_test": 0.75,
        "best_epoch": 2,
        "gap": 0.25,
    }
    assert optimism(rows, "m", 2, higher_is_better=False)["gap"] == 0.25
    assert optimism(rows, "m", 4, higher_is_better=True)["gap"] is None
