"""Which faces are on the sheet of values, and which of their entries."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.best_and_worst import best_and_worst, best_and_worst_figure
from fer_zoo.evaluation.pictures import save_figure
from fer_zoo.evaluation.prediction_table import prediction_table

SPACE = label_space("blendshapes/51")


def table(errors: list[float]) -> pd.DataFrame:
    """Predictions that are wrong by so much in every entry; the label of jawOpen is .5, all others are at rest."""
    ids = [f"{number:012x}" for number in range(len(errors))]
    labels = pd.DataFrame(0.0, index=range(len(ids)), columns=list(SPACE.entries)).assign(jawOpen=0.5)
    asked = pd.concat([pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": ""}), labels], axis=1)
    return prediction_table(asked, SPACE, ids, labels.to_numpy() + np.array(errors)[:, None])


def test_the_best_and_the_worst_in_their_order_and_no_face_twice() -> None:
    best, worst = best_and_worst(table([0.3, 0.1, 0.2, 0.4, 0.0]), SPACE, count=2)
    assert [int(face.id, 16) for face in best] == [4, 1] and [int(face.id, 16) for face in worst] == [3, 0]
    assert worst[0].error == pytest.approx(0.4) and worst[0].output[0] == pytest.approx(0.4)
    best, worst = best_and_worst(table([0.3, 0.1, 0.2]), SPACE)
    assert [int(face.id, 16) for face in best] == [1] and [int(face.id, 16) for face in worst] == [0]


def test_only_labelled_entries_and_predicted_faces_count() -> None:
    own = table([0.3, 0.1, 0.2, 0.4])
    own.loc[3, own.columns.str.startswith("target_") & (own.columns != "target_jawOpen")] = np.nan
    own.loc[3, "jawOpen"] = 0.5
    own.loc[1, list(SPACE.entries)] = np.nan
    best, worst = best_and_worst(own, SPACE)
    assert int(best[0].id, 16) == 3 and best[0].error == 0.0
    assert int(worst[0].id, 16) == 0
    assert best_and_worst(own.iloc[1:2], SPACE) == [[], []]


def test_the_entries_farthest_from_rest_are_drawn(tmp_path: Path) -> None:
    found = best_and_worst(table([0.1, 0.2, 0.3, 0.0]), SPACE)
    figure = best_and_worst_figure(found, {found[0][0].id: np.zeros((9, 9, 3), np.uint8)}, SPACE)
    save_figure(tmp_path / "sheet.png", figure)
    bars = [axes for axes in figure.get_axes() if len(axes.patches) > 1]
    assert len(bars) == 4 and all(axes.get_yticklabels()[0].get_text() == "jawOpen" for axes in bars)
    widths = [patch.get_width() for patch in bars[0].patches]
    assert len(widths) == 16 and widths[0] == pytest.approx(0.5)
    assert {text.get_text() for axes in figure.get_axes() for text in axes.texts} >= {"no image"}
