"""How steady outputs are over the frames of clips, on tables whose steps are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.evaluation.frame_steps import StepScore, step_scores
from fer_zoo.evaluation.prediction_table import check_table, prediction_table, read_predictions, write_predictions
from fer_zoo.evaluation.report import evaluate_table
from fer_zoo.evaluation.subject_sums import NO_INTERVALS, Bootstrap

SPACE = label_space("au/disfa12")
POINTS = label_space("landmarks/68")
EMOTIONS = label_space("emotion/basic6")
CLIPS, FRAMES = 3, 5


def values_table(space: LabelSpace, labels: np.ndarray, outputs: np.ndarray) -> pd.DataFrame:
    """Clips a, b, c of a person each, the frames of each from the last to the first."""
    number = np.arange(CLIPS * FRAMES)
    asked = pd.DataFrame({"id": [f"i{n}" for n in number], "clip": np.repeat(list("abc"), FRAMES)})
    asked["frame"] = FRAMES - number % FRAMES
    asked["subject"], asked["source"] = "s" + asked["clip"], ""
    asked = pd.concat([asked, pd.DataFrame(labels, columns=list(space.entries))], axis=1)
    return prediction_table(asked, space, asked["id"].tolist(), outputs)


def random_values(space: LabelSpace, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 5, (CLIPS * FRAMES, len(space)))


def scored(table: pd.DataFrame, space: LabelSpace, metric: str) -> list[StepScore]:
    return step_scores(table, space, [metric], NO_INTERVALS)


def steps_of(values: np.ndarray) -> np.ndarray:
    """From the earlier to the later frame, by a loop over clips."""
    return np.concatenate([-np.diff(own, axis=0) for own in values.reshape(CLIPS, FRAMES, -1)])


def test_steps_are_differences_within_clips() -> None:
    labels, outputs = random_values(SPACE), random_values(SPACE, 1)
    own, still = scored(values_table(SPACE, labels, outputs), SPACE, "mae")
    assert (own.name, own.pairs, still.name, still.pairs) == ("model", 12, "never moves", 12)
    assert own.values["mae"].value == pytest.approx(np.abs(steps_of(outputs) - steps_of(labels)).mean())
    assert still.values["mae"].value == pytest.approx(np.abs(steps_of(labels)).mean())


def test_what_is_wrong_by_the_same_in_every_frame_is_steady_and_what_trembles_is_not() -> None:
    labels = random_values(SPACE)
    shifted = labels + np.repeat([0.5, -1.0, 2.0], FRAMES)[:, None]
    trembling = labels + np.where(np.arange(len(labels)) % 2, 0.5, -0.5)[:, None]
    assert scored(values_table(SPACE, labels, shifted), SPACE, "mae")[0].values["mae"].value == pytest.approx(0)
    found = scored(values_table(SPACE, labels, trembling), SPACE, "mae")[0].values["mae"].value
    assert found == pytest.approx(1)  # from half above to half below


def test_the_order_of_rows_does_not_matter() -> None:
    table = values_table(SPACE, random_values(SPACE), random_values(SPACE, 1))
    mixed = table.sample(frac=1, random_state=0).reset_index(drop=True)
    (whole, _), (again, _) = scored(table, SPACE, "icc31"), scored(mixed, SPACE, "icc31")
    assert whole.values["icc31"].value == pytest.approx(again.values["icc31"].value)


def test_frames_without_an_output_or_a_label_make_no_steps_and_part_nothing() -> None:
    labels, outputs = random_values(SPACE), random_values(SPACE, 1)
    outputs[2] = np.nan  # the frame in the middle of the first clip
    labels[7] = np.nan  # that of the second
    labels[12, 1:] = np.nan
    own = scored(values_table(SPACE, labels, outputs), SPACE, "mae")[0]
    assert own.pairs == 10
    clips = np.split(np.delete(outputs - labels, [2, 7], axis=0), [FRAMES - 1, 2 * (FRAMES - 1)])
    by_name = np.nanmean(np.abs(np.concatenate([np.diff(clip, axis=0) for clip in clips])), axis=0)
    assert own.values["mae"].value == pytest.approx(by_name.mean())


def test_clips_whose_frames_have_no_numbers_of_their_own_have_no_steps() -> None:
    table = values_table(SPACE, random_values(SPACE), random_values(SPACE, 1))
    table.loc[table["clip"] == "b", "frame"] = 0
    assert scored(table, SPACE, "mae")[0].pairs == 8
    assert scored(table.assign(frame=0), SPACE, "mae") == []


def test_folds_are_apart_and_people_give_intervals() -> None:
    table = values_table(SPACE, random_values(SPACE), random_values(SPACE, 1))
    both = pd.concat([table, table.assign(fold="other")], ignore_index=True)
    one, two = (step_scores(own, SPACE, ["mae"], Bootstrap())[0] for own in (table, both))
    assert (one.pairs, two.pairs) == (12, 24)
    for found in (one.values["mae"], two.values["mae"]):
        assert found.interval.low < found.value < found.interval.high


def test_a_stored_table_keeps_its_frames(tmp_path: Path) -> None:
    table = values_table(SPACE, random_values(SPACE), random_values(SPACE, 1))
    write_predictions(tmp_path / "kept.parquet", table, SPACE)
    assert scored(read_predictions(tmp_path / "kept.parquet")[0], SPACE, "mae") == scored(table, SPACE, "mae")
    with pytest.raises(UserError, match="Column frame holds string"):
        check_table(table.assign(frame="first"), SPACE)


def test_points_are_measured_on_the_labelled_eyes() -> None:
    labels = np.tile(np.random.default_rng(0).uniform(20, 80, len(POINTS)), (CLIPS * FRAMES, 1))
    aside = np.zeros_like(labels)
    aside[::2, ::2] = 3.0  # every other frame lies three pixels to the right
    own, still = scored(values_table(POINTS, labels, labels + aside), POINTS, "nme")
    places = labels[0].reshape(68, 2)
    eyes = np.linalg.norm(places[36] - places[45])
    assert own.values["nme"].value == pytest.approx(3 / eyes)
    assert still.values["nme"].value == pytest.approx(0)


def emotions_table(labels: list[str | None], answers: list[str | None]) -> pd.DataFrame:
    asked = pd.DataFrame({"id": [f"i{n}" for n in range(len(labels))], "clip": "a", "subject": "s", "source": ""})
    asked["frame"], asked["emotion"] = np.arange(len(labels)), labels
    outputs = np.full((len(labels), len(EMOTIONS)), np.nan)
    for n, answer in enumerate(answers):
        if answer:
            outputs[n] = np.eye(len(EMOTIONS))[EMOTIONS.index(answer)]
    return prediction_table(asked, EMOTIONS, asked["id"].tolist(), outputs)


def test_answers_stay_while_the_label_does() -> None:
    labels = ["fear", "fear", "fear", "anger", "anger", None, None, "contempt", "contempt"]
    answers = ["anger", "anger", "fear", "sadness", None, "fear", "anger", "fear", "fear"]
    (own,) = step_scores(emotions_table(labels, answers), EMOTIONS, (), NO_INTERVALS)
    assert own.pairs == 2  # both of fear; the second anger has no answer, and what the last four show is no class
    assert own.values["answer_stays"].value == 0.5


def test_without_clips_or_numbers_of_frames_there_is_none() -> None:
    table = emotions_table(["fear"] * 3, ["fear"] * 3)
    assert step_scores(table.drop(columns="frame"), EMOTIONS, (), NO_INTERVALS) == []
    assert step_scores(table.assign(clip=["a", "b", "c"]), EMOTIONS, (), NO_INTERVALS) == []
    assert step_scores(table.assign(clip=""), EMOTIONS, (), NO_INTERVALS) == []
    unlabelled = values_table(SPACE, np.full((CLIPS * FRAMES, len(SPACE)), np.nan), random_values(SPACE))
    assert scored(unlabelled, SPACE, "mae") == []


def test_reports_have_a_table_of_steps() -> None:
    labels, outputs = random_values(SPACE), random_values(SPACE, 1)
    table = values_table(SPACE, labels, outputs)
    report = evaluate_table(table, SPACE, bootstrap=Bootstrap(resamples=0), metrics=["mae"], name="mine")
    assert [row["name"] for row in report.to_dict()["from_frame_to_frame"]] == ["mine", "never moves"]
    assert "Steps from frame to frame of a clip" in report.to_text(200)


def test_tables_of_photographs_have_no_frames() -> None:
    asked = pd.DataFrame({"id": ["i"], "subject": "s", "clip": "", "source": "", "frame": 0})
    assert "frame" not in prediction_table(asked, SPACE, [], np.zeros((0, len(SPACE))))
