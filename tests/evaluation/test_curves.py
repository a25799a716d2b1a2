"""Curves: which columns of a log become which panel, and the bars of the reliability diagram."""

import numpy as np
import pytest

from fer_zoo.evaluation.curves import reliability_figure


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
