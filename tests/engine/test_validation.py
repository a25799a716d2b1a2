"""The validation part after training: its files, the temperature in the card, and that a stopped run catches up."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import patterns
from PIL import Image

import fer_zoo.engine.train as train_module
import fer_zoo.engine.validation as validation_module
from fer_zoo.cli.main import main
from fer_zoo.core.errors import UserError
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.jobs import status
from fer_zoo.engine.predict import Predictor
from fer_zoo.engine.run import open_run
from fer_zoo.engine.train import train
from fer_zoo.evaluation.prediction_table import classes_of, outputs_of, read_predictions
from fer_zoo.evaluation.temperature import at_temperature, fit_temperature, log_probabilities_of

pytestmark = pytest.mark.usefixtures("blank_pictures")
Configure = Callable[..., RunConfig]
PICTURES = ("confusion_matrix.png", "confident_errors.png", "reliability.png", "predicted_classes.png")
# Few epochs, so that there are errors; an average of weights, so that the kept ones are not the last ones.
BRIEF = {"trainer__max_epochs": 3, "trainer__ema_decay": 0.5}


def quiet(line: str) -> None:
    """Hears nothing."""


def card_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "model" / "card.json").read_text())


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures enough for a temperature: four of each emotion of each person."""
    return patterns.write(tmp_path_factory.mktemp("many") / "faces", takes=4)


@pytest.fixture(scope="session")
def fitted(many: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A finished run with a temperature, and what it said."""
    lines: list[str] = []
    config = compose(patterns.settings(many, tmp_path_factory.mktemp("fitted"), **BRIEF), verb="train")
    run = train(config, echo=lines.append)
    assert card_of(run)["temperature"].get("emotion"), "a network that says nothing has no temperature to test"
    return run, lines


def test_table_holds_the_validation_part_by_the_kept_weights(fitted: tuple[Path, list[str]], many: Path) -> None:
    """Its accuracy is that of the card, which KeepBest measured on the averaged weights."""
    run, _ = fitted
    table, meta = read_predictions(run / "validation" / "predictions.parquet")
    config = compose(patterns.settings(many, run.parents[1], **BRIEF), verb="train")
    opened = open_run(config, echo=quiet)
    assert opened.folder == run
    assert table["id"].tolist() == list(opened.split.validation)
    assert meta.extra["part"] == "validation"
    card = card_of(run)
    accuracy = (table["emotion"] == table["target_emotion"]).mean()
    assert accuracy == pytest.approx(card["validation"]["val/emotion/accuracy"])
    assert 0 < accuracy < 1
    names = {path.name for path in (run / "validation").iterdir()}
    assert names == {"predictions.parquet", *PICTURES}
    for name in PICTURES:
        with Image.open(run / "validation" / name) as picture:
            assert min(picture.size) > 100


def test_temperature_of_the_card_is_that_of_the_table(fitted: tuple[Path, list[str]]) -> None:
    run, lines = fitted
    table, meta = read_predictions(run / "validation" / "predictions.parquet")
    again = fit_temperature(log_probabilities_of(outputs_of(table, meta.space)), classes_of(table, meta.space))
    card = card_of(run)
    assert card["temperature"] == {"emotion": again.value}
    how = card["temperature_fit"]["emotion"]
    assert how["samples"] == 24
    assert how["loss_after"] <= how["loss_before"]
    assert how["part"] == "validation"
    assert json.loads((run / "result.json").read_text())["temperature"] == card["temperature"]
    assert any(line.startswith(f"temperature {again.value:.3f}, fitted on 24 validation images") for line in lines)


def test_temperature_is_used_only_where_asked(fitted: tuple[Path, list[str]]) -> None:
    run, _ = fitted
    faces = [np.stack([patterns.stripes(i % 6, seed=70 + i)] * 3, axis=2) for i in range(20)]
    value = card_of(run)["temperature"]["emotion"]
    assert load_method(run).temperatures == {}
    tables = [
        Predictor(load_method(run, calibrated=asked), detector_name="none", device="cpu").table(faces)
        for asked in (False, True)
    ]
    names = [name for name in tables[0] if name.startswith("prob_")]
    plain, calibrated = (table[names].to_numpy(float) for table in tables)
    assert tables[0]["emotion"].tolist() == tables[1]["emotion"].tolist()
    assert np.abs(plain - calibrated).max() > 1e-3
    np.testing.assert_allclose(calibrated, at_temperature(plain, value), atol=2e-5)  # tables have 6 digits


def test_predict_and_evaluate_take_calibrated_on_the_command_line(
    fitted: tuple[Path, list[str]], many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(patterns.stripes(2, seed=5)).save(tmp_path / "one.png")
    tables = []
    for asked in ("false", "true"):
        words = [f"checkpoint={fitted[0]}", "detector=none", "device=cpu", f"calibrated={asked}"]
        assert main(["predict", str(tmp_path / "one.png"), *words, f"output={tmp_path / asked}.csv"]) == 0
        tables.append(pd.read_csv(tmp_path / f"{asked}.csv"))
    assert tables[0]["emotion"].tolist() == tables[1]["emotion"].tolist()
    assert abs(tables[0]["prob_fear"] - tables[1]["prob_fear"]).max() > 1e-4
    words = [f"dataset.root={many}", "data.workers=0", "trainer=cpu", f"output={tmp_path / 'scores'}"]
    assert main(["evaluate", str(fitted[0]), *words, "calibrated=true"]) == 0
    shown = capsys.readouterr().out
    assert "timm_classifier, calibrated" in shown
    assert "Calibrated: probabilities at temperature" in shown


def test_calibrated_evaluation_stands_beside_the_plain_one(
    fitted: tuple[Path, list[str]], many: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(fitted[0], tmp_path / "run"))
    value = card_of(run)["temperature"]["emotion"]
    words = [("dataset.root", str(many)), ("data.workers", "0"), ("data.progress", "false"), ("trainer", "cpu")]
    lines: list[str] = []
    plain, first = evaluate(run, words, echo=lines.append)
    assert not any("calibrated" in line for line in lines)
    assert any(line.endswith("precision: 32-true") for line in lines)  # that of the training, which set it
    calibrated, second = evaluate(run, [*words, ("calibrated", "true")], echo=lines.append)
    assert (first, second) == (run / "test", run / "test_calibrated")
    assert sum(line.startswith(f"calibrated: probabilities at temperature {value:.3f}") for line in lines) == 1
    one, other = (read_predictions(folder / "predictions.parquet")[0] for folder in (first, second))
    assert one["emotion"].tolist() == other["emotion"].tolist()
    assert calibrated.name == "timm_classifier, calibrated"
    stored = json.loads((second / "report.json").read_text())
    assert stored["temperature"] == value
    np.testing.assert_allclose(stored["calibration_before"], plain.to_dict()["calibration"], rtol=1e-4)
    assert stored["calibration"] != stored["calibration_before"]
    assert plain.to_dict()["temperature"] is None
    assert "Calibrated: probabilities at temperature" in (second / "report.md").read_text()
    assert (second / "reliability.png").is_file()
    assert "Calibrated" not in (first / "report.md").read_text()


@pytest.mark.parametrize(("key", "text"), [("calibrate", "true"), ("calibrated", "perhaps"), ("calibrated.x", "1")])
def test_calibrated_is_yes_or_no(trained: Path, key: str, text: str) -> None:
    with pytest.raises(UserError, match="calibrated"):
        evaluate(trained, [(key, text)], echo=quiet)


def test_word_of_the_user_wins_over_the_precision_of_the_training(trained: Path, faces: Path, tmp_path: Path) -> None:
    words = {"dataset.root": faces, "data.workers": 0, "trainer": "cpu", "trainer.precision": "bf16-mixed"}
    lines: list[str] = []
    settings = [(key, str(value)) for key, value in {**words, "output": tmp_path}.items()]
    evaluate(trained, settings, echo=lines.append)
    assert any(line.endswith("precision: bf16-mixed") for line in lines)


def test_half_precision_of_a_gpu_is_not_taken_to_a_processor(trained: Path, faces: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(trained / "model", tmp_path / "model"))
    card = json.loads((copy / "card.json").read_text())
    card["training"]["trainer"]["precision"] = "16-mixed"
    (copy / "card.json").write_text(json.dumps(card))
    lines: list[str] = []
    words = {"dataset.root": faces, "data.workers": 0, "trainer": "cpu", "output": tmp_path / "out"}
    evaluate(copy, [(key, str(value)) for key, value in words.items()], echo=lines.append)
    assert not any("precision: 16-mixed" in line for line in lines)


def test_too_few_images_give_no_temperature_and_a_reason(trained: Path) -> None:
    """The validation part of the small run has six pictures."""
    card = card_of(trained)
    assert card["temperature"] == {}
    assert card["temperature_fit"]["emotion"]["value"] is None
    with pytest.raises(UserError, match=r"calibrated=true needs the temperature .* \(only 6 images") as error:
        evaluate(trained, [("calibrated", "true")], echo=quiet)
    assert str(error.value).count(". ") == 0
    assert {path.name for path in (trained / "validation").iterdir()} >= {"predictions.parquet", "reliability.png"}


def test_run_stopped_before_validation_catches_up(
    configuration: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped once between training and validation, once between table and card: the same command finishes it."""
    words = {"trainer__max_epochs": 9, "trainer__early_stopping_patience": 1, "method__learning_rate": 0.0}
    whole = train(configuration(output=tmp_path / "whole", **words), echo=quiet)

    def stop(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    config = configuration(output=tmp_path / "stopped", **words)
    folder = tmp_path / "stopped" / whole.relative_to(tmp_path / "whole")
    for module, name in ((train_module, "validate_run"), (validation_module, "fit_temperature")):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(module, name, stop)
            train(config, echo=quiet)
        assert status(folder) == "resumable"
        assert "temperature" not in card_of(folder)
    lines: list[str] = []
    train(config, echo=lines.append)
    assert status(folder) == "done"
    assert card_of(folder) == card_of(whole)
    assert not any(line.startswith("epoch") for line in lines)
    assert (folder / "result.json").read_text() == (whole / "result.json").read_text()
    tables = [pd.read_parquet(run / "validation" / "predictions.parquet") for run in (whole, folder)]
    pd.testing.assert_frame_equal(*tables)


def test_model_that_gives_one_class_is_told(configuration: Configure, many: Path) -> None:
    """A network that learned nothing, whose head has a favourite."""
    lines: list[str] = []
    words = {"trainer__max_epochs": 1, "method__learning_rate": 0.0}
    folder = train(configuration(root=many, **words), echo=lines.append)
    table = read_predictions(folder / "validation" / "predictions.parquet")[0]
    assert table["emotion"].value_counts().iloc[0] >= 0.9 * len(table)
    (line,) = [line for line in lines if line.startswith("warning: ")]
    assert " of the 24 predictions are " in line
    assert "but only 16 % of the labels" in line
    assert line.endswith("(validation part)")


def test_values_have_predictions_and_no_temperature(configuration: Configure, tmp_path: Path) -> None:
    rows = ["image,person,AU12,AU04"]
    for number in range(24):
        name = f"{number}.png"
        Image.fromarray(patterns.stripes(number % 6, seed=number)).save(tmp_path / name)
        rows.append(f"{name},p{number // 3},{number % 6},{(number * 7) % 5}")
    (tmp_path / "faces.csv").write_text("\n".join(rows) + "\n")
    plain = patterns.settings(tmp_path, tmp_path / "runs", trainer__max_epochs=1)
    kept = [("method", "timm_regressor"), *(p for p in plain[1:] if not p[0].startswith("dataset"))]
    table = {"root": tmp_path, "file": "faces.csv", "path_column": "image", "subject_column": "person",
             "au_columns": "AU12,AU04", "cropped": "true"}  # fmt: skip
    words = [*kept, ("dataset", "table")]
    lines: list[str] = []
    run = train(
        compose([*words, *((f"dataset.{k}", str(v)) for k, v in table.items())], verb="train"), echo=lines.append
    )
    assert [path.name for path in (run / "validation").iterdir()] == ["predictions.parquet"]
    assert "temperature" not in card_of(run)
    assert not any("temperature" in line for line in lines)
    with pytest.raises(UserError, match="gives values only"):
        load_method(run, calibrated=True)
