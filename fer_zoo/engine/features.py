"""What a method's last layer sees of the test part: kept beside the predictions, with how far apart the classes lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_json, write_text
from fer_zoo.core.label_spaces import MISSING_CLASS, LabelSpace
from fer_zoo.data.index import Index
from fer_zoo.engine.run import Echo
from fer_zoo.evaluation.class_separation import (
    NEIGHBOURS,
    Separation,
    class_separations,
    in_equal_dimension,
    separation_table,
    separation_words,
)
from fer_zoo.evaluation.feature_pictures import MOST_POINTS, features_figure, in_the_plane
from fer_zoo.evaluation.feature_table import FeatureTable, write_features
from fer_zoo.evaluation.pictures import save_figure
from fer_zoo.evaluation.prediction_table import classes_of
from fer_zoo.evaluation.report_text import as_markdown

FEATURES = "features.parquet"
MOST_IMAGES = 2_000  # of the numbers: all distances between them are held in memory, 32 MB
_MOST_CLASSES = 20  # a legend can be read, and every class has neighbours
_FEWEST_IMAGES = 4  # of a picture


def has_picture(space: LabelSpace) -> bool:
    """Whether features are worth keeping for a target: for a handful of classes that are no people."""
    return space.kind == "classes" and space.target != "identity" and len(space) <= _MOST_CLASSES


class FeatureCollector(pl.Callback):
    """Keeps the features of every batch that is predicted; nothing of methods that offer none."""

    def __init__(self) -> None:
        self._rows: list[Tensor] = []
        self._sets: dict[str, list[Tensor]] = {}

    def on_predict_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Mapping[str, Tensor], *_: Any
    ) -> None:
        """One more pass through the network, in the precision of the first, on images that are loaded already."""
        with trainer.precision_plugin.predict_step_context():
            features = pl_module.features(batch["image"])
        for name, values in features.items():
            self._sets.setdefault(name, []).append(values.float().cpu())
        self._rows.append(batch["row"].cpu())

    def table(self, index: Index) -> FeatureTable | None:
        """All of them with the ids of their images; None where there are none."""
        if not self._sets:
            return None
        ids = index.table["id"].to_numpy()[torch.cat(self._rows).numpy()].tolist()
        return FeatureTable(ids=tuple(ids), sets={name: torch.cat(own).numpy() for name, own in self._sets.items()})


def write_class_features(
    folder: Path, features: FeatureTable | None, table: pd.DataFrame, space: LabelSpace, *, title: str, echo: Echo
) -> None:
    """Write the features, how far apart the classes lie in each set, and a picture; nothing where there are none.

    Leaves features.parquet, and where two classes and two people are there, features.json, .md and .png.

    Args:
        folder: of the evaluation.
        features: of the images that have an output.
        table: the predictions, with labels and people.
        space: of the classes.
        title: of the picture.
        echo: told the numbers, or why there are none.
    """
    if features is None:
        return
    write_features(folder / FEATURES, features)
    try:
        images = LabelledFeatures(features.sets, features.ids, table, space)
        found = class_separations(images.sets, images.classes, images.subjects)
    except UserError as error:
        echo(f"no class separation: {error}")
        return
    write_separations(folder, found, images.sentences())
    draw_features(folder / "features.png", images, found, title=title)
    for one in found:
        echo(f"class separation, {one.name}: {separation_words(one)}".replace("\n", "   "))


class LabelledFeatures:
    """The features of images with a label, at most 2,000 of them, drawn by their ids.

    Args:
        sets: name -> features.
        ids: of their images.
        table: predictions of these images and perhaps others.
        space: of the classes.

    Attributes:
        sets: name -> features of the images that are used.
        classes, subjects: of these images.
        known: how many have a label.

    Raises:
        UserError: if no image has a label.
    """

    def __init__(
        self, sets: Mapping[str, Float[np.ndarray, "n _"]], ids: Sequence[str], table: pd.DataFrame, space: LabelSpace
    ) -> None:
        own = table.set_index("id").loc[list(ids)].reset_index()
        classes = classes_of(own, space)
        finite = np.all([np.isfinite(features).all(axis=1) for features in sets.values()], axis=0)
        rows = np.flatnonzero((classes != MISSING_CLASS) & finite)
        self.known, self.space = len(rows), space
        if self.known < _FEWEST_IMAGES:
            raise UserError(f"{self.known} test images have a label and features.")
        rows = rows[np.argsort(own["id"].to_numpy()[rows], kind="stable")][:MOST_IMAGES]  # ids are hashes
        self.sets = {name: np.asarray(features)[rows] for name, features in sets.items()}
        self.classes: Int[np.ndarray, " n"] = classes[rows]
        self.subjects: list[str] = own["subject"].to_numpy()[rows].tolist()

    def sentences(self) -> list[str]:
        """On what the numbers rest."""
        number, people = len(self.classes), len(set(self.subjects))
        drawn = "" if number == self.known else f", drawn from {self.known:,},"
        return [
            f"{number:,} test images{drawn} of {people:,} people; features standardised and brought to"
            " equally many numbers (principal components), intervals of 95 % over people.",
            "Scatter ratio: between classes over within; distance ratio: of class means over images of a class;"
            f" neighbour accuracy: mean recall of a vote of the {NEIGHBOURS} nearest images of other people.",
        ]


def write_separations(folder: Path, found: Sequence[Separation], sentences: Sequence[str]) -> None:
    """features.json and features.md."""
    write_json(folder / "features.json", {"sets": [one.to_dict() for one in found], "notes": list(sentences)})
    write_text(folder / "features.md", as_markdown([separation_table(found, "features")], sentences))


def draw_features(path: Path, images: LabelledFeatures, found: Sequence[Separation], *, title: str) -> None:
    """A t-SNE of each set, at most 1,000 points, with its numbers above it."""
    reduced = in_equal_dimension(images.sets)
    panels = {one.name: (in_the_plane(reduced[one.name][:MOST_POINTS]), separation_words(one)) for one in found}
    classes = images.classes[:MOST_POINTS]
    shown = f"{len(classes):,} of {images.known:,}" if len(classes) < images.known else f"{len(classes):,}"
    figure = features_figure(panels, classes, images.space.entries, title=f"{title}: features of {shown} test images")
    save_figure(path, figure)
