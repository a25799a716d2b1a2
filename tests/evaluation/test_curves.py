"""Curves: which columns of a log become which panel, and the bars of the reliability diagram."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_zoo.evaluation.curves import learning_curves_figure, reliability_figure
from fer_zoo.evaluation.pictures import save_figure


def test_a_log_with_gaps_becomes_one_panel_per_quantity(tmp_path: Path) -> None:
    log = pd.DataFrame(
        {
            "epoch": [0, 0, 0, 1, 1],
            "step": [1, 2, 3, 4, 5],
            "train/loss": [4.0, 2.0, np.nan, 1.0, np.nan],
            "val/loss": [np.nan, np.nan, 3.0, np.nan, 2.0],
            "val/accuracy": [np.nan, np.nan, 0.5, np.nan, 0.75],
            "lr-AdamW": [1e-3] * 5,
        }
    )
    figure = learning_curves_figure(log)
    panels = {axes.get_title("left"): axes for axes in figure.axes}
    assert list(panels) == ["loss", "accuracy"]
    curves = {line.get_label(): line.get_ydata().tolist() for line in panels["loss"].lines}
    assert curves == {"train": [3.0, 1.0], "val": [3.0, 2.0]}
    save_figure(tmp_path / "curves.png", figure)


def test_a_value_per_epoch_is_preferred_to_one_per_step() -> None:
    log = pd.DataFrame({"epoch": [0, 1], "train_loss_step": [9.0, 9.0], "train_loss_epoch": [2.0, 1.0]})
    assert learning_curves_figure(log).axes[0].lines[0].get_ydata().tolist() == [2.0, 1.0]


def test_an_empty_log_and_many_quantities_are_drawn(tmp_path: Path) -> None:
    save_figure(tmp_path / "empty.png", learning_curves_figure(pd.DataFrame({"epoch": []})))
    log = pd.DataFrame({"epoch": [0], "val/loss": [1.0], **{f"val/icc31/AU{i:02d}": [0.1] for i in range(12)}})
    assert len([axes for axes in learning_curves_figure(log).axes if axes.lines]) == 6


def test_bars_are_accuracies_of_the_bins() -> None:
    bins = np.zeros((4, 3))
    bins[1], bins[3] = [10, 4.0, 3], [30, 27.0, 24]
    figure = reliability_figure({"": bins})
    upper, lower = figure.axes
    assert [bar.get_height() for bar in upper.patches] == pytest.approx([0.3, 0.8])
    assert [bar.get_height() for bar in lower.patches] == [0, 10, 0, 30]
    assert upper.get_title("left") == f"calibration error {(1 + 3) / 40:.3f}"


def test_two_diagrams_stand_beside_each_other_on_the_same_scale() -> None:
    before, after = np.zeros((4, 3)), np.zeros((4, 3))
    before[3], after[2] = [50, 45.0, 30], [50, 30.0, 30]
    figure = reliability_figure({"as trained": before, "at temperature 2": after}, title="validation")
    titles = [axes.get_title("left") for axes in figure.axes[:2]]
    assert titles == ["as trained: calibration error 0.300", "at temperature 2: calibration error 0.000"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[2].get_ylim() == figure.axes[3].get_ylim()
    assert figure.get_suptitle() == "validation"
