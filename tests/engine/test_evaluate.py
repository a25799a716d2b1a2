"""Evaluation of a checkpoint: which people are scored, and what becomes of images that cannot be."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes import patterns
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.sample import sample_id
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.evaluate import _merged, evaluate
from fer_zoo.engine.train import train
from fer_zoo.evaluation.prediction_table import read_predictions

pytestmark = pytest.mark.usefixtures("blank_pictures")
Configure = Callable[..., RunConfig]


def quiet(line: str) -> None:
    """Hears nothing."""


def words(root: Path, **others: Any) -> list[tuple[str, str]]:
    """How a user evaluates on the pictures of a folder."""
    plain = {"dataset.root": root, "data.workers": 0, "data.progress": "false", "trainer": "cpu", **others}
    return [(key.replace("__", "."), str(value)) for key, value in plain.items()]


def table_of(folder: Path) -> pd.DataFrame:
    return read_predictions(folder / "predictions.parquet")[0]


@pytest.fixture(scope="session")
def evaluated(trained: Path, faces: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The evaluation of the trained run on its own fold."""
    output = tmp_path_factory.mktemp("evaluated")
    return evaluate(trained, words(faces, output=output), echo=quiet)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"training": None}, "it lacks 'training'"),
        ({"training.protocol": {}}, "it lacks 'training.protocol'"),
        ({"training.subject_hashes": "all"}, "it lacks 'training.subject_hashes'"),
        ({"training.earlier": 3}, "its 'training' is no such thing"),
    ],
)
def test_a_card_that_does_not_say_how_it_was_trained(
    trained: Path, faces: Path, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    model = shutil.copytree(trained / "model", tmp_path / "model")
    card = json.loads((model / "card.json").read_text())
    for key, value in change.items():
        part, _, entry = key.partition(".")
        card[part] = {**card[part], entry: value} if entry else value
    (model / "card.json").write_text(json.dumps(card))
    with pytest.raises(UserError, match=sentence):
        evaluate(model, words(faces, output=tmp_path / "test"), echo=quiet)
    assert not (tmp_path / "test").exists()


def test_own_fold_is_scored_with_every_test_id_once(evaluated: tuple[Any, Path], faces: Path) -> None:
    _, folder = evaluated
    settings = {"label_space": patterns.SPACE, "cropped": True, "subject_pattern": patterns.SUBJECT_PATTERN}
    index = open_dataset("image_folder", faces, **settings)
    split = make_splits(index, "subject_kfold", {"folds": 2, "validation_share": 0.25}, "emotion")[0]
    table = table_of(folder)
    assert sorted(table["id"]) == sorted(split.test)
    assert table["emotion"].notna().all()
    assert set(table["fold"]) == {split.name}
    truth = dict(zip(index.table["id"], index.table["emotion"], strict=True))
    assert table["target_emotion"].tolist() == [truth[name] for name in table["id"]]


def test_report_and_pictures_agree_with_the_table(evaluated: tuple[Any, Path]) -> None:
    _, folder = evaluated
    table = table_of(folder)
    report = json.loads((folder / "report.json").read_text())
    accuracy = (table["emotion"] == table["target_emotion"]).mean()
    assert f"{accuracy:.4f}"[1:4] in (folder / "report.md").read_text()
    assert report
    for name in ("confusion_matrix.png", "reliability.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 100
    assert not any(person in (folder / "report.json").read_text() for person in patterns.PEOPLE)


def test_report_lies_with_the_run_unless_told(trained: Path, faces: Path) -> None:
    _, folder = evaluate(trained, words(faces), echo=quiet)
    assert folder == trained / "test"


def test_a_model_folder_is_as_good_as_its_run(trained: Path, faces: Path, tmp_path: Path) -> None:
    first, _ = evaluate(trained / "model", words(faces, output=tmp_path / "a"), echo=quiet)
    second, _ = evaluate(trained, words(faces, output=tmp_path / "b"), echo=quiet)
    assert first.to_dict() == second.to_dict()


@pytest.mark.parametrize(
    "others", [{"fold": 1}, {"protocol__folds": 3}, {"protocol": "subject_holdout", "protocol__seed": 3}]
)
def test_people_of_the_training_are_refused(trained: Path, faces: Path, tmp_path: Path, others: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"test subjects were in the training.*own fold 0") as error:
        evaluate(trained, words(faces, output=tmp_path, **others), echo=quiet)
    assert not any(person in str(error.value) for person in patterns.PEOPLE)
    assert not (tmp_path / "report.json").exists()


def test_root_is_remembered_by_the_run(configuration: Configure, faces: Path, tmp_path: Path) -> None:
    """Without a root, the data are looked for where the run had them; bare checkpoints must be told."""
    folder = train(configuration(root=faces, trainer__max_epochs=1), echo=quiet)
    settings = [pair for pair in words(faces, output=tmp_path / "out") if pair[0] != "dataset.root"]
    report, _ = evaluate(folder, settings, echo=quiet)
    again, _ = evaluate(folder / "model", settings, echo=quiet)
    assert report.to_dict() == again.to_dict()
    (folder / "model").rename(tmp_path / "model")
    with pytest.raises(UserError, match="root="):
        evaluate(tmp_path / "model", settings, echo=quiet)


def test_settings_of_the_training_may_be_named_again(
    trained: Path, faces: Path, evaluated: tuple[Any, Path], tmp_path: Path
) -> None:
    """The same data set keeps how it was read, and what is named once more is not there twice."""
    again = {"dataset": "image_folder", "dataset__cropped": "true", "data__detector": "haar"}
    report, _ = evaluate(trained, words(faces, output=tmp_path, **again), echo=quiet)
    assert report.to_dict() == evaluated[0].to_dict()


def test_other_data_is_scored_whole(trained: Path, tmp_path: Path) -> None:
    """Other people below another root; some carry a label that the method does not know."""
    root = patterns.write(tmp_path / "others", people=("Ida", "Jan"), seed=1)
    (root / "neutral").mkdir()
    Image.fromarray(patterns.stripes(3, seed=9)).save(root / "neutral" / "Ida_0.png")
    lines: list[str] = []
    settings = words(root, output=tmp_path / "out", dataset__label_space="emotion/basic7")
    report, folder = evaluate(trained, settings, echo=lines.append)
    table = table_of(folder)
    assert len(table) == 13
    assert any("other than in training, so all of it: test 13 of 2 subjects" in line for line in lines)
    assert (table["target_emotion"] == "neutral").sum() == 1
    assert [row.name for row in report.references] == ["majority", "prior_random", "label_by_source"]
    assert report.references[1].values["mean_class_accuracy"].value == pytest.approx(1 / 6)  # of the training
    assert report.scores.coverage.asked == 13
    assert report.scores.coverage.scored == 12
    assert report.scores.coverage.apart == 1
    assert "neutral" not in set(table["emotion"])


def test_other_data_leave_the_test_part_of_the_run_as_it_is(trained: Path, tmp_path: Path) -> None:
    root = patterns.write(tmp_path / "others", people=("Ida", "Jan"), seed=1)
    shutil.copytree(trained, tmp_path / "run", ignore=shutil.ignore_patterns("test"))
    _, folder = evaluate(tmp_path / "run", words(root), echo=quiet)
    assert folder == tmp_path / "run" / "test_image_folder"
    assert not (tmp_path / "run" / "test").exists()


def test_people_of_the_training_are_found_in_other_data(trained: Path, tmp_path: Path) -> None:
    root = patterns.write(tmp_path / "more", people=(*patterns.PEOPLE, "Ida"))
    with pytest.raises(UserError, match="were in the training"):
        evaluate(trained, words(root, output=tmp_path / "out"), echo=quiet)


def test_unreadable_images_keep_their_row(configuration: Configure, tmp_path: Path) -> None:
    """A picture that breaks after training: told by its id, skipped when asked to, and counted."""
    root = patterns.write(tmp_path / "faces")
    folder = train(configuration(root=root, trainer__max_epochs=1), echo=quiet)
    _, before = evaluate(folder, words(root, output=tmp_path / "before"), echo=quiet)
    victim = table_of(before)["id"].iloc[3]
    path = next(p for p in root.rglob("*.png") if sample_id("image_folder", p.relative_to(root).as_posix()) == victim)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=rf"{victim}.*on_unreadable=skip") as error:
        evaluate(folder, words(root, output=tmp_path / "stop", data__cache="false"), echo=quiet)
    assert path.name not in str(error.value)
    lines: list[str] = []
    settings = words(root, output=tmp_path / "skip", data__cache="false", data__on_unreadable="skip")
    report, after = evaluate(folder, settings, echo=lines.append)
    table = table_of(after).set_index("id")
    assert len(table) == len(table_of(before))
    assert table["emotion"].isna().sum() == 1
    assert pd.isna(table.loc[victim, "emotion"])
    assert any(line.startswith("without an output: 1 ") for line in lines)
    assert "23 of 24" in report.to_text()


def test_nothing_readable_is_told(trained: Path, tmp_path: Path) -> None:
    root = patterns.write(tmp_path / "others", people=("Ida",), seed=1)
    for path in root.rglob("*.png"):
        path.write_bytes(b"")
    settings = words(root, output=tmp_path / "out", data__on_unreadable="skip")
    with pytest.raises(UserError, match="Not one of the 6 test images"):
        evaluate(trained, settings, echo=quiet)


def test_training_pictures_that_broke_do_not_count(configuration: Configure, tmp_path: Path) -> None:
    """Of the skipped, only test samples are without an output."""
    root = patterns.write(tmp_path / "faces")
    folder = train(configuration(root=root, trainer__max_epochs=1), echo=quiet)
    _, before = evaluate(folder, words(root, output=tmp_path / "before"), echo=quiet)
    tested = set(table_of(before)["id"])
    for path in root.rglob("*.png"):
        if sample_id("image_folder", path.relative_to(root).as_posix()) not in tested:
            path.write_bytes(b"")
    lines: list[str] = []
    settings = words(root, output=tmp_path / "after", data__on_unreadable="skip")
    evaluate(folder, settings, echo=lines.append)
    assert not any("without an output" in line for line in lines)


def test_detector_of_the_training_is_used(configuration: Configure, tmp_path: Path) -> None:
    """Pictures that are no faces, trained whole: their evaluation looks for no faces, either."""
    root = patterns.write(tmp_path / "faces")
    config = configuration(root=root, trainer__max_epochs=1, dataset__cropped="false", data__detector="none")
    _, folder = evaluate(train(config, echo=quiet), words(root, output=tmp_path / "out"), echo=quiet)
    assert table_of(folder)["emotion"].notna().all()


def test_data_without_the_target_is_told(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text("image,AU12\npicture.png,1\n")
    Image.fromarray(patterns.stripes(3, seed=9)).save(tmp_path / "picture.png")
    settings = [
        ("dataset", "table"),
        ("dataset.root", str(tmp_path)),
        ("dataset.file", "faces.csv"),
        ("dataset.path_column", "image"),
        ("dataset.au_columns", "AU12"),
        ("output", str(tmp_path / "out")),
    ]
    with pytest.raises(UserError, match="learns 'emotion', but table has labels of: au"):
        evaluate(trained, settings, echo=quiet)


def test_a_card_names_no_folder_and_the_run_finds_its_files(faces: Path, tmp_path: Path) -> None:
    """The labels lie elsewhere than the pictures; the card, which travels with the weights, does not say where."""
    labels = tmp_path / "of_alba" / "labels.csv"
    labels.parent.mkdir()
    rows = [f"{path.relative_to(faces)},{path.parent.name},{path.stem[:4]}" for path in sorted(faces.rglob("*.png"))]
    labels.write_text("\n".join(["path,mood,who", *rows]) + "\n")
    own = {"label_space": None, "subject_pattern": None}
    given = {"dataset": "table", "file": labels, "label_column": "mood", "subject_column": "who"}
    settings = patterns.settings(faces, tmp_path / "runs", trainer__max_epochs=1, dataset=given.pop("dataset"))
    plain = [pair for pair in settings if pair[0].removeprefix("dataset.") not in own]
    run = train(
        compose([*plain, *((f"dataset.{key}", str(value)) for key, value in given.items())], verb="train"), echo=quiet
    )
    card = (run / "model" / "card.json").read_text()
    assert json.loads(card)["training"]["dataset"]["file"] == "labels.csv"
    assert "of_alba" not in card and str(faces) not in card
    report, _ = evaluate(run, [("output", str(tmp_path / "test"))], echo=quiet)
    assert report.scores.values["accuracy"].value >= 0
    moved = shutil.copytree(run / "model", tmp_path / "moved")
    with pytest.raises(UserError, match=r"labels\.csv"):
        evaluate(moved, [("dataset.root", str(faces)), ("output", str(tmp_path / "none"))], echo=quiet)
    where = [("dataset.root", str(faces)), ("dataset.file", str(labels)), ("output", str(tmp_path / "again"))]
    again, _ = evaluate(moved, where, echo=quiet)
    assert again.scores.values["accuracy"].value == report.scores.values["accuracy"].value


def test_settings_inside_groups_are_as_in_training_but_for_those_that_are_named() -> None:
    trained = {"seed": 1, "pose": {"yaw": 25, "roll": 3}, "grid": {}}
    now = {"seed": 91, "pose": {"yaw": 15, "roll": 6}, "grid": {"yaw": [0, 60], "light": []}}
    merged = _merged(trained, now, [["seed"], ["pose", "roll"], ["grid", "yaw"]])
    assert merged == {"seed": 91, "pose": {"yaw": 25, "roll": 6}, "grid": {"yaw": [0, 60]}}
    assert trained["pose"] == {"yaw": 25, "roll": 3}
