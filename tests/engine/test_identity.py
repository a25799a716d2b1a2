"""People as classes: a backbone learns them, few are scored as any classes, many by the scores of training alone."""

import json
from pathlib import Path

import pytest
from fakes import facial_expressions, patterns
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.engine import results
from fer_zoo.engine.config import compose
from fer_zoo.engine.crossvalidate import crossvalidate
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.run import open_run
from fer_zoo.engine.train import train
from fer_zoo.evaluation import prediction_table

pytestmark = pytest.mark.usefixtures("blank_pictures")
PEOPLE = tuple(f"{45 + 54 * number:07d}" for number in range(5))
IMAGES = 12


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five people, each with stripes of a direction."""
    root = tmp_path_factory.mktemp("webface")
    for number, person in enumerate(PEOPLE):
        (root / person).mkdir()
        for take in range(IMAGES):
            picture = Image.fromarray(patterns.stripes(number, seed=100 * number + take))
            picture.save(root / person / f"{take + 1:03d}.jpg", quality=95)
    return root


def words(root: Path, output: Path, **others: object) -> list[tuple[str, str]]:
    """A training on people."""
    plain = dict(patterns.settings(root, output, dataset="casia_webface"))
    for key in ("label_space", "subject_pattern"):
        del plain[f"dataset.{key}"]
    del plain["protocol.folds"]
    chosen = {"method.target": "identity", "protocol": "identity_holdout", "trainer.max_epochs": "30"}
    return list({**plain, **chosen, **{key.replace("__", "."): str(value) for key, value in others.items()}}.items())


@pytest.fixture(scope="module")
def learned(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A finished run, and what it said."""
    lines: list[str] = []
    return train(compose(words(faces, tmp_path_factory.mktemp("runs")), verb="train"), echo=lines.append), lines


def test_people_are_learned_and_their_numbers_stand_in_the_card(learned: tuple[Path, list[str]]) -> None:
    run, lines = learned
    card = json.loads((run / "model" / "card.json").read_text())
    assert card["label_spaces"]["identity"]["entries"] == list(PEOPLE)
    assert card["validation"]["val/identity/accuracy"] > 0.5  # a fifth by guessing
    assert card["training"]["licences"]["casia_webface"][1] == "no"
    assert any("keeps files apart, not people: 5 of 5 people" in line for line in lines)
    report, folder = evaluate(run, echo=lines.append)
    assert report.scores.values["accuracy"].value > 0.5 and report.scores.coverage.asked == 10
    assert (folder / "predictions.parquet").is_file()


def test_a_matrix_that_nobody_can_read_is_not_drawn(
    learned: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_MOST_CLASSES", 4)
    evaluate(learned[0], [("output", str(tmp_path / "test"))], echo=lambda line: None)
    assert {path.name for path in (tmp_path / "test").glob("*.png")} <= {"reliability.png", "confident_errors.png"}
    assert (tmp_path / "test" / "reliability.png").is_file()


def test_what_was_learned_starts_a_training_on_emotions(learned: tuple[Path, list[str]], tmp_path: Path) -> None:
    root, lines = patterns.write(tmp_path / "faces"), list[str]()
    start = [("checkpoint", str(learned[0])), ("method.target", "emotion")]
    train(compose([*patterns.settings(root, tmp_path / "runs"), *start], verb="train"), echo=lines.append)
    assert "head of emotion is new, with fresh weights for 6 entries" in lines
    assert "head of identity (5 entries) left behind: it is not trained here" in lines


def test_many_people_have_the_scores_of_training_alone(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_table, "MOST_CLASSES", 4)
    lines: list[str] = []
    settings = words(faces, tmp_path, trainer__max_epochs=1, logger="tensorboard")
    run = train(compose(settings, verb="train"), echo=lines.append)
    assert any(line.startswith("5 classes are more than") and "model/card.json" in line for line in lines)
    assert not (run / "validation").exists()
    card = json.loads((run / "model" / "card.json").read_text())
    assert 0 <= card["validation"]["val/identity/accuracy"] <= 1 and not card.get("temperature")
    for refused in (
        lambda: evaluate(run, echo=lines.append),
        lambda: crossvalidate(compose(words(faces, tmp_path / "other"), verb="crossvalidate"), echo=lines.append),
    ):
        with pytest.raises(UserError, match=r"'identity' has 5 classes here.* stand in the checkpoint's card\.json"):
            refused()
    assert not (tmp_path / "other").exists()  # nothing was trained before


def test_data_that_have_people_only_when_asked_say_how(tmp_path: Path) -> None:
    root = facial_expressions.write(tmp_path).root
    plain = dict(words(root, tmp_path / "runs", dataset="facial_expressions", dataset__identity_images=2))
    del plain["dataset.cropped"]
    run = open_run(compose(list(plain.items()), verb="train"), echo=lambda line: None)
    people = run.index.label_spaces["identity"].entries
    assert len(people) == 4  # of the fake's people those with two images and more
    assert {run.index.table["subject"][row] for row in run.index.rows_of(run.split.train)} == set(people)
    del plain["dataset.identity_images"]
    with pytest.raises(
        UserError,
        match=r"labels of: emotion\. Set dataset\.identity_images=10 protocol=identity_holdout to have 'identity'\.",
    ):
        open_run(compose(list(plain.items()), verb="train"), echo=lambda line: None)
