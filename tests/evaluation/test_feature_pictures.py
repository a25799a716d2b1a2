"""Features in the plane: planted clusters stay together, every class is in the legend, texts stay apart."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.feature_pictures import features_figure, in_the_plane
from fer_zoo.evaluation.pictures import save_figure

SPACE = label_space("emotion/basic8")


def test_clusters_stay_clusters_and_the_same_seed_gives_the_same() -> None:
    classes = np.arange(120) % 4
    noise = np.random.default_rng(0).normal(size=(120, 10))
    features = torch.from_numpy(noise + 20 * np.eye(10)[classes])
    points = in_the_plane(features, seed=3)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (classes[distances.argmin(axis=1)] == classes).all()
    np.testing.assert_array_equal(points, in_the_plane(features, seed=3))
    assert in_the_plane(features[:5]).shape == (5, 2)


def boxes(figure: Figure) -> list[tuple[float, float, float, float]]:
    legend = figure.legends[0]
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts), *legend.get_texts()]
    return [text.get_window_extent().extents for text in texts if text.get_text()]


def test_texts_stay_inside_the_picture_and_apart(tmp_path: Path) -> None:
    classes = np.arange(40) % 8
    points = np.random.default_rng(0).normal(size=(40, 2))
    said = "silhouette -.12 [-.23, -.02]   scatter ratio 1.02 [1.01, 1.03]\n" * 2
    for number in (1, 3):
        panels = {f"set {n}": (points, said.strip()) for n in range(number)}
        figure = features_figure(
            panels, classes, SPACE.entries, title="blendshape_fernet on synthetic_emotion_v1, fold1"
        )
        save_figure(tmp_path / f"{number}.png", figure)
        width, height = figure.canvas.get_width_height()
        found = boxes(figure)
        assert len(found) == 1 + 2 * number + 8
        assert all(a[0] >= 0 and a[1] >= 0 and a[2] <= width and a[3] <= height for a in found)
        apart = [
            a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1] for i, a in enumerate(found) for b in found[:i]
        ]
        assert all(apart)


def test_classes_that_are_not_there_are_not_in_the_legend() -> None:
    points = np.zeros((3, 2))
    figure = features_figure({"x": (points, "")}, np.array([0, 0, 5]), SPACE.entries)
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == [SPACE.entries[0], SPACE.entries[5]]
