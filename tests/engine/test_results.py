"""What a scored part leaves behind: whose faces are on the sheet of errors."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import patterns
from fakes.pictures import drawn_face
from PIL import Image

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.engine import results
from fer_zoo.engine.config import RunConfig
from fer_zoo.engine.results import write_pictures
from fer_zoo.engine.run import open_run
from fer_zoo.evaluation.prediction_table import prediction_table
from fer_zoo.evaluation.scores import score_table

SPEC = InputSpec(height=32, width=32, colour="grey", mean=(0.5,), std=(0.5,))
GROUND = (0, 80, 200)


def shown(
    configuration: Callable[..., RunConfig], folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> Mapping[str, np.ndarray]:
    """The images on the sheet when all answers are wrong."""
    root = patterns.write(folder / "faces")
    for path in root.rglob("*.png"):
        picture = Image.new("RGB", (400, 300), GROUND)
        picture.paste(Image.fromarray(drawn_face(120)), (250, 120))
        picture.save(path)
    run = open_run(configuration(root=root, **settings), echo=lambda line: None)
    space, asked = run.index.space("emotion"), run.index.table
    wrong = np.roll(np.eye(len(space)), 1, axis=1)[[space.entries.index(name) for name in asked["emotion"]]]
    table = prediction_table(asked, space, run.index.ids, wrong)
    given: dict[str, np.ndarray] = {}
    figure = results.errors_figure

    def noting(errors: Any, images: Mapping[str, np.ndarray], **others: Any) -> Any:
        given.update(images)
        return figure(errors, images, **others)

    monkeypatch.setattr(results, "errors_figure", noting)
    scores = score_table(table, space)
    write_pictures(folder / "out", scores, {"": np.asarray(scores.calibration)}, table, run, SPEC)
    return given


def test_errors_in_whole_photographs_are_shown_as_they_are_cut_out(
    configuration: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = shown(configuration, tmp_path, monkeypatch, dataset__cropped="false", data__detector="haar")
    assert len(images) == 24
    for image in images.values():
        assert image.shape == (192, 192, 3)
        assert (np.abs(image.astype(int) - GROUND) < 9).all(axis=2).mean() < 0.5


def test_errors_of_cropped_sets_are_shown_whole(
    configuration: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = shown(configuration, tmp_path, monkeypatch, dataset__cropped="true")
    assert {image.shape for image in images.values()} == {(300, 400, 3)}
