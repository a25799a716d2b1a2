"""Gains over the first of several ways, on the same images."""

import math

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.against_first import gain_table, gains
from fer_zoo.evaluation.prediction_table import prediction_table
from fer_zoo.evaluation.scores import table_sums
from fer_zoo.evaluation.subject_sums import SubjectSums

SPACE = label_space("emotion/basic6")


def sums_of(right: list[bool], people: int = 11) -> SubjectSums:
    """Of images of people in turn, of which these are recognised."""
    number = len(right)
    ids = [f"i{n}" for n in range(number)]
    truth = np.arange(number) % len(SPACE)
    asked = pd.DataFrame({"id": ids, "subject": [f"s{n % people}" for n in range(number)], "clip": "", "source": ""})
    asked["emotion"] = [SPACE.entries[i] for i in truth]
    answers = np.where(right, truth, (truth + 1) % len(SPACE))
    return table_sums(prediction_table(asked, SPACE, ids, np.eye(len(SPACE))[answers]), SPACE)


def test_gains_are_differences_and_the_first_has_none() -> None:
    first = [n % 2 == 0 for n in range(240)]
    better = [n % 2 == 0 or n % 3 == 0 for n in range(240)]
    found = {g.name: g for g in gains({"first": sums_of(first), "better": sums_of(better)}, ("accuracy",))}
    assert found["first"].score.value == pytest.approx(0.5) and math.isnan(found["first"].p)
    assert found["better"].gain.value == pytest.approx(1 / 6)
    assert found["better"].gain.interval.low < 1 / 6 < found["better"].gain.interval.high
    assert found["better"].p == pytest.approx(2 / 2**11, abs=0.005)
    assert found["first"].to_dict()["gain"] == 0


def test_of_two_others_the_p_values_are_corrected() -> None:
    first = [n % 2 == 0 for n in range(240)]
    better = [n % 2 == 0 or n % 3 == 0 for n in range(240)]
    alone = gains({"first": sums_of(first), "better": sums_of(better)}, ("accuracy",))[-1].p
    sums = {"first": sums_of(first), "better": sums_of(better), "same": sums_of(first)}
    both = {g.name: g for g in gains(sums, ("accuracy",))}
    assert both["better"].p == pytest.approx(2 * alone)
    assert both["same"].p == 1


def test_the_table_has_a_row_a_way_and_three_cells_a_metric() -> None:
    sums = {"first": sums_of([True, False] * 60), "other": sums_of([True, True] * 60)}
    table = gain_table(gains(sums, ("accuracy", "macro_f1")), "mine")
    assert table.header == ["", "accuracy", "gain", "p", "macro f1", "gain", "p"]
    assert [row[0] for row in table.rows] == ["first", "other"]
    assert table.rows[0][2:4] == ["–", "–"] and table.rows[1][2].startswith(".500")


def test_other_images_are_refused() -> None:
    with pytest.raises(UserError, match="cannot be compared"):
        gains({"first": sums_of([True] * 24), "other": sums_of([True] * 12)}, ("accuracy",))
