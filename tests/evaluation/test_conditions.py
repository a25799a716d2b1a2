"""Scores at conditions against planted truths, and the curves over those that are numbers."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.condition_curves import curves_figure
from fer_zoo.evaluation.conditions import FIFTHS, MOST_LEVELS, ConditionScore, condition_scores, curves_of
from fer_zoo.evaluation.prediction_table import describe_columns, prediction_table
from fer_zoo.evaluation.report import evaluate_table
from fer_zoo.evaluation.scores import score_table
from fer_zoo.evaluation.subject_sums import NO_INTERVALS, Bootstrap

SPACE = label_space("emotion/basic7").only(["anger", "fear", "happiness"])
PEOPLE = 6
FEW = Bootstrap(resamples=100)


def table_of(right: Callable[[pd.DataFrame], np.ndarray], **conditions: list[object]) -> pd.DataFrame:
    """Every person with every class in every cell of conditions; `right` says where the answer is."""
    cells = pd.MultiIndex.from_product(
        [range(PEOPLE), SPACE.entries, *conditions.values()], names=["person", "emotion", *conditions]
    ).to_frame(index=False)
    asked = pd.DataFrame({"id": [f"{i:012x}" for i in range(len(cells))], "clip": "", "source": ""})
    asked["subject"] = [f"s{person}" for person in cells["person"]]
    asked["emotion"] = cells["emotion"]
    for name in conditions:
        asked[f"condition_{name}"] = cells[name]
    truth = np.array([SPACE.entries.index(label) for label in cells["emotion"]])
    answer = np.where(right(cells), truth, (truth + 1) % len(SPACE))
    return prediction_table(asked, SPACE, asked["id"].tolist(), np.eye(len(SPACE))[answer])


def accuracies(scores: list[ConditionScore]) -> dict[str, float]:
    return {f"{score.condition} {score.label}": score.values["accuracy"].value for score in scores}


def test_scores_are_those_of_the_rows_at_a_level() -> None:
    """Right below 40 degrees, but where it is dark never beyond 15."""

    def right(cells: pd.DataFrame) -> np.ndarray:
        return ((cells["yaw"] < 40) & ((cells["light"] == "frontal") | (cells["yaw"] <= 15))).to_numpy()

    table = table_of(right, yaw=[0.0, 15.0, 30.0, 45.0], light=["frontal", "dark"])
    found = condition_scores(table, SPACE, ["accuracy"], NO_INTERVALS)
    names = [f"{score.condition} {score.label}" for score in found]
    single = ["light frontal", "light dark", "yaw 0", "yaw 15", "yaw 30", "yaw 45"]
    assert names[:6] == single
    wanted = dict(zip(single, [0.75, 0.5, 1.0, 1.0, 0.5, 0.0], strict=True))
    cells = accuracies(found)
    assert {name: cells[name] for name in single} == wanted
    assert cells["light × yaw dark, 30"] == 0.0 and cells["light × yaw frontal, 30"] == 1.0
    assert len(found) == 6 + 8
    assert {(s.images, s.people, s.classes) for s in found if len(s.at) == 2} == {(18, 6, 3)}
    direct = score_table(table[table["condition_yaw"] == 30], SPACE, ["accuracy"], FEW).values["accuracy"]
    (same,) = [s for s in condition_scores(table, SPACE, ["accuracy"], FEW) if s.at == {"yaw": 30.0}]
    assert same.values["accuracy"] == direct


def test_people_are_groups_that_nothing_is_crossed_with() -> None:
    table = table_of(lambda cells: (cells["sex"] == "male").to_numpy(), sex=["male", "female"], yaw=[0.0, 30.0, 60.0])
    found = condition_scores(table, SPACE, ["accuracy"], NO_INTERVALS)
    assert accuracies(found) == {"yaw 0": 0.5, "yaw 30": 0.5, "yaw 60": 0.5, "sex female": 0.0, "sex male": 1.0}


def test_many_numbers_are_cut_at_their_fifths() -> None:
    table = table_of(lambda cells: np.ones(len(cells), bool))
    strength = np.random.default_rng(0).permutation(len(table)) / len(table)
    strong = np.flatnonzero(strength >= 0.8)
    table["condition_intensity"] = strength
    table.loc[strong, "emotion"] = None
    table.loc[strong, [f"prob_{entry}" for entry in SPACE.entries]] = np.nan
    found = condition_scores(table, SPACE, ["accuracy"], NO_INTERVALS)
    assert len(found) == FIFTHS and len(table) > MOST_LEVELS
    assert [score.images for score in found][-1] <= 1 and sum(s.images for s in found) == len(table) - len(strong)
    places = [float(score.at["intensity"]) for score in found]
    assert places == sorted(places) and places[0] == pytest.approx(0.1, abs=0.05)


def test_what_is_not_known_or_always_the_same_is_no_condition() -> None:
    table = table_of(lambda cells: np.ones(len(cells), bool), light=["dark"])
    assert condition_scores(table, SPACE, ["accuracy"], NO_INTERVALS) == []
    table["condition_light"] = ["" if i % 3 else "dark" if i % 2 else "frontal" for i in range(len(table))]
    table["condition_yaw"] = np.nan
    found = condition_scores(table, SPACE, ["accuracy"], NO_INTERVALS)
    assert [score.label for score in found] == ["frontal", "dark"]
    assert sum(score.images for score in found) == (table["condition_light"] != "").sum()


def test_values_have_conditions_too() -> None:
    space = label_space("pose/3")
    asked = pd.DataFrame({"id": [f"{i:012x}" for i in range(24)], "clip": "", "source": ""})
    asked["subject"] = [f"s{i % 4}" for i in range(24)]
    asked["condition_yaw"] = np.repeat([0.0, 20.0, 40.0], 8)
    truth = np.random.default_rng(1).normal(size=(24, 3)) * 0.1
    asked[list(space.entries)] = truth
    wrong = asked["condition_yaw"].to_numpy()[:, None] / 100
    table = prediction_table(asked, space, asked["id"].tolist(), truth + wrong)
    found = condition_scores(table, space, ["mae"], NO_INTERVALS)
    assert [s.values["mae"].value for s in found] == pytest.approx([0.0, 0.2, 0.4])
    assert {s.classes for s in found} == {0}


def test_curves_follow_the_numbers_within_each_level() -> None:
    table = table_of(
        lambda cells: ((cells["yaw"] < 40) == (cells["light"] == "frontal")).to_numpy(),
        light=["frontal", "dark"],
        yaw=[45.0, 0.0, 15.0],
    )
    curves = curves_of(condition_scores(table, SPACE, ["accuracy"], FEW))
    assert list(curves) == ["yaw"] and set(curves["yaw"]) == {"", "light frontal", "light dark"}
    heights = {line: [p.values["accuracy"].value for p in points] for line, points in curves["yaw"].items()}
    assert heights == {"": [0.5] * 3, "light frontal": [1, 1, 0], "light dark": [0, 0, 1]}
    (axes,) = curves_figure(curves, "accuracy", chance=1 / 3).axes
    drawn = {str(line.get_label()): [list(map(float, side)) for side in line.get_data()] for line in axes.lines}
    assert drawn["light dark"] == [[0, 15, 45], [0, 0, 1]]
    assert drawn["guessing"][1] == [1 / 3, 1 / 3]
    assert axes.get_xlabel() == "yaw, degrees"
    whole = axes.containers[0].lines[0].get_data()
    assert [list(map(float, side)) for side in whole] == [[0, 15, 45], [0.5, 0.5, 0.5]]


def test_bars_of_a_curve_are_the_intervals() -> None:
    table = table_of(lambda cells: (cells["person"] < cells["yaw"] / 10).to_numpy(), yaw=[10.0, 20.0, 50.0])
    scores = condition_scores(table, SPACE, ["accuracy"], FEW)
    (axes,) = curves_figure(curves_of(scores), "accuracy").axes
    ends = axes.containers[0].lines[2][0].get_segments()
    for score, segment in zip(scores, ends, strict=True):
        interval = score.values["accuracy"].interval
        assert [segment[0][1], segment[1][1]] == pytest.approx([interval.low, interval.high])
        assert interval.low < score.values["accuracy"].value < interval.high


def test_two_levels_or_texts_make_no_curve() -> None:
    table = table_of(lambda cells: np.ones(len(cells), bool), yaw=[0.0, 10.0], light=["side", "dark", "frontal"])
    assert curves_of(condition_scores(table, SPACE, ["accuracy"], NO_INTERVALS)) == {}


def test_a_report_has_them_as_tables_and_as_values() -> None:
    table = table_of(lambda cells: (cells["yaw"] < 40).to_numpy(), light=["frontal", "dark"], yaw=[0.0, 45.0])
    report = evaluate_table(table, SPACE, bootstrap=FEW)
    text, values = report.to_text(200), json.loads(json.dumps(report.to_dict()))
    assert "At each level of each condition" in text and "In each cell of light × yaw" in text
    assert "yaw 45" in text and "frontal, 45" in text
    (one,) = [row for row in values["per_condition"] if row["at"] == {"light": "dark", "yaw": 45.0}]
    assert one["values"]["accuracy"]["value"] == 0.0 and one["images"] == 18


def test_columns_are_described() -> None:
    table = table_of(lambda cells: np.ones(len(cells), bool), yaw=[0.0, 10.0], zoom=["near", "far"])
    described = describe_columns(table, SPACE)
    assert described["condition_yaw"]["unit"] == "degrees"
    assert "condition_zoom" not in described and "condition_zoom" in table
