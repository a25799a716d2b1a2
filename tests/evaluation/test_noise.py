"""Noise over seeds and folds of planted tables, and the images that several tables share."""

import math

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.common_rows import common_rows
from fer_zoo.evaluation.noise import noise
from fer_zoo.evaluation.prediction_table import prediction_table
from fer_zoo.evaluation.scores import score_table

BASIC = label_space("emotion/basic6")


def table(right: dict[str, tuple[int, int]], silent: tuple[str, ...] = ()) -> pd.DataFrame:
    """Fold -> (right, images), without output for the ids of `silent`."""
    parts = []
    for fold, (hits, images) in right.items():
        ids = [f"{fold}{i:03d}" for i in range(images)]
        asked = pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": "", "emotion": "anger"})
        outputs = np.eye(6)[[0] * hits + [1] * (images - hits)]
        given = [i for i, name in enumerate(ids) if name not in silent]
        parts.append(prediction_table(asked, BASIC, [ids[i] for i in given], outputs[given], fold=fold))
    return pd.concat(parts, ignore_index=True)


def test_pooled_and_mean_over_folds_are_two_figures() -> None:
    tables = {0: table({"a": (9, 10), "b": (30, 90)}), 1: table({"a": (7, 10), "b": (36, 90)})}
    found = noise(tables, BASIC, "accuracy")
    assert found.pooled == {0: 0.39, 1: 0.43}
    assert found.folds[0] == {"a": 0.9, "b": pytest.approx(1 / 3)}
    assert found.pooled_mean == pytest.approx(0.41)
    assert found.fold_mean == pytest.approx(np.mean([(0.9 + 1 / 3) / 2, (0.7 + 0.4) / 2]))
    assert found.sd_over_seeds == pytest.approx(np.std([0.39, 0.43], ddof=1))
    spreads = [np.std([0.9, 1 / 3], ddof=1), np.std([0.7, 0.4], ddof=1)]
    assert found.sd_over_folds == pytest.approx(math.sqrt(np.mean(np.square(spreads))))


def test_one_seed_and_one_fold_have_no_noise() -> None:
    found = noise({0: table({"a": (9, 10)})}, BASIC, "accuracy")
    assert (found.pooled_mean, found.fold_mean) == (0.9, 0.9)
    assert math.isnan(found.sd_over_seeds)
    assert math.isnan(found.sd_over_folds)


def test_what_is_missing_can_count_as_wrong() -> None:
    tables = {0: table({"a": (8, 10)}, silent=("a000", "a001"))}
    assert noise(tables, BASIC, "accuracy").pooled[0] == 6 / 8
    assert noise(tables, BASIC, "accuracy", missing_is_wrong=True).pooled[0] == 6 / 10


def test_no_table_and_a_metric_of_other_spaces_are_refused() -> None:
    with pytest.raises(UserError, match="at least one seed"):
        noise({}, BASIC, "accuracy")
    with pytest.raises(UserError, match="does not fit"):
        noise({0: table({"a": (1, 2)})}, BASIC, "icc31")


def test_tables_are_cut_down_to_the_images_that_all_have_an_output_for() -> None:
    tables = {"one": table({"a": (8, 10)}, silent=("a000",)), "other": table({"a": (9, 10)}, silent=("a001", "a009"))}
    shared = common_rows(tables, BASIC)
    assert (shared.images, shared.asked) == (7, 10)
    assert shared.tables["one"]["id"].tolist() == shared.tables["other"]["id"].tolist()
    scores = {name: score_table(part, BASIC) for name, part in shared.tables.items()}
    assert scores["one"].coverage.with_output == scores["other"].coverage.with_output == 7
    assert scores["one"].values["accuracy"].value == 6 / 7
    assert scores["other"].values["accuracy"].value == 1.0


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(UserError, match="No image has an output in all of one, other"):
        common_rows(
            {"one": table({"a": (1, 2)}, silent=("a000",)), "other": table({"a": (1, 2)}, silent=("a001",))}, BASIC
        )
    with pytest.raises(UserError, match="at least one prediction table"):
        common_rows({}, BASIC)
