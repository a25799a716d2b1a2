"""Learning curves: which columns of a log become which panel, their ranges, and the mark of the best epoch."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_zoo.evaluation.learning_curves import learning_curves_figure
from fer_zoo.evaluation.pictures import save_figure


def test_a_table_with_gaps_becomes_one_panel_per_quantity(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "step": [10, 20, 30],
            "train/loss": [3.0, 1.0, 0.5],
            "val/loss": [3.0, np.nan, 2.0],
            "val/accuracy": [np.nan, np.nan, 0.75],
        }
    )
    figure = learning_curves_figure(table)
    panels = {axes.get_title("left"): axes for axes in figure.axes}
    assert list(panels) == ["loss", "accuracy"]
    curves = {line.get_label(): line.get_xydata().tolist() for line in panels["loss"].lines}
    assert curves == {"training": [[1, 3.0], [2, 1.0], [3, 0.5]], "validation": [[1, 3.0], [3, 2.0]]}
    save_figure(tmp_path / "curves.png", figure)


def test_an_empty_log_and_many_quantities_are_drawn(tmp_path: Path) -> None:
    save_figure(tmp_path / "empty.png", learning_curves_figure(pd.DataFrame({"epoch": []})))
    log = pd.DataFrame({"epoch": [0], "val/loss": [1.0], **{f"val/icc31/AU{i:02d}": [0.1] for i in range(12)}})
    assert len([axes for axes in learning_curves_figure(log).axes if axes.lines]) == 6


@pytest.mark.parametrize("epochs", [1, 2, 60])
def test_all_epochs_lie_inside_and_ranges_fit_the_quantity(epochs: int, tmp_path: Path) -> None:
    numbers = np.arange(1, epochs + 1)
    log = pd.DataFrame(
        {
            "epoch": numbers,
            "val/loss": 3.0 / numbers,
            "val/emotion/accuracy": 0.2 + numbers / 100,
            "val/emotion/expected_calibration_error": 0.05 / numbers,
        }
    )
    figure = learning_curves_figure(log)
    panels = {axes.get_title("left"): axes for axes in figure.axes if axes.lines}
    for axes in panels.values():
        left, right = axes.get_xlim()
        assert left < 1 and epochs < right and right - left < 1.1 * epochs + 1
    assert panels["accuracy"].get_ylim() == (0, 1.02)
    assert panels["loss"].get_ylim() == pytest.approx((0, 3.24))
    assert panels["expected calibration error"].get_ylim() == pytest.approx((0, 0.054))
    save_figure(tmp_path / "curves.png", figure)


def test_correlations_may_be_negative() -> None:
    log = pd.DataFrame({"epoch": [1, 2], "val/au/icc31": [-0.4, 0.3]})
    low, high = learning_curves_figure(log).axes[0].get_ylim()
    assert low < -0.4 and high == 1.0


def test_the_best_epoch_is_marked_with_its_value_and_its_panel_comes_after_the_loss() -> None:
    names = ["val/emotion/accuracy", "val/emotion/macro_f1", "val/emotion/mean_class_accuracy"]
    log = pd.DataFrame({"epoch": [1, 2, 3], "val/loss": [3.0, 2.0, 1.0], **{name: [0.1, 0.7, 0.2] for name in names}})
    figure = learning_curves_figure(log, best_epoch=2, monitor="val/emotion/mean_class_accuracy")
    assert [axes.get_title("left") for axes in figure.axes[:2]] == ["loss", "mean class accuracy"]
    assert [axes.get_title("right") for axes in figure.axes[:2]] == ["2.000 at epoch 2", "0.700 at epoch 2"]
    points = [line.get_xydata().tolist() for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert [[2.0, 0.7]] in points
    unmarked = learning_curves_figure(log, best_epoch=9)
    assert all(axes.get_title("right") == "" for axes in unmarked.axes)


def test_two_targets_keep_their_names() -> None:
    log = pd.DataFrame({"epoch": [1], "val/emotion/accuracy": [0.5], "val/au/mae": [0.2]})
    assert {axes.get_title("left") for axes in learning_curves_figure(log).axes} == {"emotion: accuracy", "au: mae"}
