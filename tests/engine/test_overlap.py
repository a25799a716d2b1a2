"""Images a checkpoint has seen, found again by their content under whatever name."""

import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fakes import patterns

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.config import compose
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.overlap import file_hashes, refuse_training_data
from fer_zoo.engine.run import open_run

SETTINGS = {"label_space": patterns.SPACE, "cropped": True, "subject_pattern": patterns.SUBJECT_PATTERN}


def words(root: Path, output: Path, **others: Any) -> list[tuple[str, str]]:
    plain = {"dataset.root": root, "output": output, "data.workers": 0, "data.progress": "false", "trainer": "cpu"}
    return [(key.replace("__", "."), str(value)) for key, value in {**plain, **others}.items()]


def test_files_are_hashed_by_content(tmp_path: Path) -> None:
    root = patterns.write(tmp_path / "faces", people=("Ida",))
    index = open_dataset("image_folder", root, **SETTINGS)
    paths = dict(zip(index.table["id"], index.table["image"], strict=True))
    empty, gone, *others = index.ids
    (root / paths[empty]).write_bytes(b"")
    (root / paths[gone]).unlink()
    found = file_hashes(index, index.ids)
    assert found == {name: sha256((root / paths[name]).read_bytes()).hexdigest()[:12] for name in others}


def test_card_holds_the_files_of_training_and_validation(trained: Path, faces: Path) -> None:
    stored = read_json(trained / "model" / "card.json")["training"]["file_hashes"]
    everything = {sha256(path.read_bytes()).hexdigest()[:12] for path in faces.rglob("*.png")}
    assert stored == sorted(set(stored))
    assert len(stored) == len(everything) // 2
    assert set(stored) < everything


@pytest.mark.parametrize("pattern", [r"_(\d+)\.", r"^(\w)\w+_\d+\."])
def test_other_subject_codes_hide_nothing(trained: Path, faces: Path, tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UserError, match=r"24 of 48 test images are files.*own fold 0"):
        evaluate(trained, words(faces, tmp_path, dataset__subject_pattern=pattern), echo=lambda line: None)
    assert not any(tmp_path.iterdir())


def test_another_reader_and_other_names_hide_nothing(trained: Path, faces: Path, tmp_path: Path) -> None:
    lines = ["image,emotion,subject"]
    (tmp_path / "copies").mkdir()
    for number, path in enumerate(sorted(faces.rglob("*.png"))):
        shutil.copy(path, tmp_path / "copies" / f"{number}.png")
        lines.append(f"copies/{number}.png,{path.parent.name},s{number}")
    (tmp_path / "faces.csv").write_text("\n".join(lines) + "\n")
    columns = {"file": "faces.csv", "path_column": "image", "label_column": "emotion", "subject_column": "subject"}
    named = {f"dataset__{key}": value for key, value in {**columns, "cropped": "true"}.items()}
    settings = words(tmp_path, tmp_path / "out", dataset="table", **named)
    with pytest.raises(UserError, match="24 of 48 test images are files") as error:
        evaluate(trained, settings, echo=lambda line: None)
    assert "copies/" not in str(error.value)


def test_a_single_copy_is_named(trained: Path, faces: Path, tmp_path: Path) -> None:
    stored = set(read_json(trained / "model" / "card.json")["training"]["file_hashes"])
    seen = next(p for p in sorted(faces.rglob("*.png")) if sha256(p.read_bytes()).hexdigest()[:12] in stored)
    root = patterns.write(tmp_path / "others", people=("Ida",), seed=1)
    copy = root / seen.parent.name / "Jan_0.png"
    shutil.copy(seen, copy)
    index = open_dataset("image_folder", root, **SETTINGS)
    (name,) = [n for n, image in zip(index.table["id"], index.table["image"], strict=True) if image.endswith(copy.name)]
    with pytest.raises(
        UserError, match=rf"1 of 7 test images are files that this checkpoint was trained on \({name}\)"
    ):
        evaluate(trained, words(root, tmp_path / "out"), echo=lambda line: None)


def test_people_of_another_data_set_under_other_codes_are_told(faces: Path, tmp_path: Path) -> None:
    run = open_run(compose(patterns.settings(faces, tmp_path), verb="train"), echo=lambda line: None)
    photographs = replace(run, index=replace(run.index, dataset="facial_expressions"))
    lines: list[str] = []
    for name in ("casia_webface", "rafdb"):
        training = {"dataset": {"name": name}, "file_hashes": ["0123456789ab"], "subject_hashes": []}
        refuse_training_data({"training": {**training, "earlier": [training]}}, photographs, echo=lines.append)
    assert lines == [
        "warning: casia_webface and facial_expressions show some of the same people, of whom identical files alone"
        " are found"
    ]
    training = {"dataset": {"name": "facial_expressions"}, "file_hashes": ["0123456789ab"], "subject_hashes": []}
    people = replace(run, index=replace(run.index, dataset="casia_webface"))
    refuse_training_data({"training": training}, people, echo=lines.append)
    assert lines[1].startswith("warning: facial_expressions and casia_webface show some of the same people")


def test_drawn_people_are_met_again_under_another_name() -> None:
    words = {"method": "timm_classifier", "dataset": "synthetic_emotion_v1", "dataset.num_samples": "64"}
    run = open_run(
        compose([*words.items(), ("protocol", "subject_kfold"), ("protocol.folds", "2")], verb="train"),
        echo=lambda line: None,
    )
    training: dict[str, Any] = {"fold": 0, "protocol": {"name": "subject_holdout"}, "subject_hashes": []}
    same, other = ({**training, "dataset": {"name": "synthetic_faces", "seed": seed}} for seed in (0, 1))
    refuse_training_data({"training": other}, run, echo=lambda line: None)
    with pytest.raises(UserError, match=r"^synthetic_faces, on which .* the test \(seed 0 of procedural\), so a score"):
        refuse_training_data({"training": same}, run, echo=lambda line: None)
    with pytest.raises(UserError, match=r"\(seed 0 of procedural\), in a training before its last"):
        refuse_training_data({"training": {**other, "earlier": [same]}}, run, echo=lambda line: None)
