"""Samples with a label of a second target alone: who of them is trained on, and what they add."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fer_zoo.data.datamodule import DataSettings, FaceDataModule
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits
from fer_zoo.data.protocols.partly import with_partly_labelled
from fer_zoo.engine.create import create_method


@pytest.fixture(scope="module")
def index() -> Index:
    """Twelve faces of each of eight people, of which every second has no emotion and every third no blendshapes."""
    whole = open_dataset("synthetic_faces", num_samples=96, samples_per_person=12, size=32)
    table = whole.table.copy()
    number = np.arange(len(table))
    table.loc[number % 2 == 1, "emotion"] = None
    table.loc[number % 3 == 1, list(whole.space("blendshapes").entries)] = np.nan
    return replace(whole, table=table)


def test_those_of_people_who_are_trained_on_join_and_no_others(index: Index) -> None:
    (split, *_) = make_splits(index, "subject_kfold", {"folds": 4, "validation_share": 0.2}, "emotion")
    joined = with_partly_labelled(index, split, "subject", "emotion", ["blendshapes"])
    assert (joined.validation, joined.test) == (split.validation, split.test)
    number = {name: place for place, name in enumerate(index.ids)}
    person = dict(zip(index.ids, index.table["subject"], strict=True))
    learned = {person[name] for name in split.train}
    new = {number[name] for name in set(joined.train) - set(split.train)}
    expected = {n for n in range(96) if n % 2 == 1 and n % 3 != 1 and person[index.ids[n]] in learned}
    assert new == expected and new
    assert with_partly_labelled(index, split, "subject", "emotion", []) is split


def test_what_was_cut_away_stays_away(index: Index) -> None:
    cut = {"folds": 4, "validation_share": 0.2, "train_samples": 10}
    (split, *_) = make_splits(index, "subject_kfold", cut, "emotion")
    assert len(split.train) == 10
    new = set(with_partly_labelled(index, split, "subject", "emotion", ["blendshapes"]).train) - set(split.train)
    assert new and not index.is_labelled("emotion")[index.rows_of(new)].any()


def test_they_add_to_the_loss_that_they_have_a_label_of(index: Index) -> None:
    (split, *_) = make_splits(index, "subject_kfold", {"folds": 4, "validation_share": 0.2}, "emotion")
    joined = with_partly_labelled(index, split, "subject", "emotion", ["blendshapes"])
    small = {"image_width": 32, "image_height": 32, "width_mult": 0.125, "second_weight": 1.0}
    task = create_method(
        "blendshape_fernet", label_spaces={t: s for t, s in index.spaces.items() if not s.is_dense}, **small
    )
    data = FaceDataModule(index, joined, task.input_spec, task.spaces, DataSettings(workers=0, batch_size=64), seed=0)
    data.setup("fit")
    (batch,) = data.train_dataloader()
    assert len(batch["row"]) == len(joined.train)
    assert int((batch["emotion"] >= 0).sum()) == len(split.train)
    assert int(batch["blendshapes"].isfinite().any(dim=1).sum()) > 0
    task.log = lambda *args, **kwargs: None  # type: ignore[method-assign,assignment]
    task.eval()
    loss = task.training_step(batch, 0)
    only = {name: values[batch["emotion"] >= 0] for name, values in batch.items()}
    assert loss.isfinite() and not torch.isclose(loss, task.training_step(only, 0))
