"""A run resolved: what it says aloud of its data, and which data are the same run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import facial_expressions, image_folder, patterns, table

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.data.index import Note
from fer_zoo.engine.config import RunConfig, compose
from fer_zoo.engine.crossvalidate import folds
from fer_zoo.engine.run import open_run

Configure = Callable[..., RunConfig]
SPLIT_NOTE = "note: The data hold an official split; protocol=official_split uses it."


def quiet(line: str) -> None:
    """Hears nothing."""


def notes_of(config: RunConfig) -> list[str]:
    lines: list[str] = []
    open_run(config, echo=lines.append)
    return [line for line in lines if line.startswith("note: ")]


def words(dataset: str, root: Path, **others: str) -> RunConfig:
    given = {"method": "timm_classifier", "dataset": dataset, "dataset.root": str(root)}
    return compose([*{**given, **{k.replace("__", "."): v for k, v in others.items()}}.items()], verb="train")


def test_every_note_of_the_reader_is_told_once(tmp_path: Path) -> None:
    config = words("facial_expressions", facial_expressions.write(tmp_path).root, protocol__folds="2")
    (doubled, contradictory, unlabelled) = (
        [line for line in notes_of(config) if word in line]
        for word in ("listed twice with one label", "two different labels", "have no row")
    )
    assert len(doubled) == len(contradictory) == len(unlabelled) == 1
    lines: list[str] = []
    assert len(folds(config, echo=lines.append)) == 2
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(("protocol", "notes"), [("subject_holdout", [SPLIT_NOTE]), ("official_split", [])])
def test_an_official_split_that_is_not_used_is_told(tmp_path: Path, protocol: str, notes: list[str]) -> None:
    fake = image_folder.write(tmp_path)
    config = words("image_folder", fake.root, dataset__subject_pattern=fake.settings["subject_pattern"],
                   protocol=protocol)  # fmt: skip
    assert [line for line in notes_of(config) if "official" in line] == notes


def test_no_official_split_no_note(configuration: Configure) -> None:
    assert [line for line in notes_of(configuration()) if "official" in line] == []


def test_a_method_learns_the_classes_of_the_data(tmp_path: Path) -> None:
    root = patterns.write(tmp_path / "faces", people=patterns.PEOPLE[:4])
    for name in ("anger", "fear", "disgust", "surprise"):
        for file in (root / name).iterdir():
            file.unlink()
        (root / name).rmdir()
    config = compose(patterns.settings(root, tmp_path / "runs"), verb="train")
    run = open_run(config, echo=quiet)
    task = run.new_task()
    assert task.spaces["emotion"] == label_space("emotion/basic6:happiness+sadness")
    data = run.data_module(task)
    data.setup("fit")
    assert data.class_counts("emotion").tolist() == [1, 1]
    assert notes_of(config) == [
        "note: Classes in the data: happiness, sadness; emotion/basic6 also has anger, disgust, fear, surprise."
    ]


def test_a_copy_that_lacks_images_is_another_run(configuration: Configure) -> None:
    run = open_run(configuration(), echo=quiet)
    lacks = replace(run, index=replace(run.index, notes=(Note("missing", "One is not there.", (run.index.ids[0],)),)))
    assert lacks.index.fingerprint() == run.index.fingerprint()
    assert lacks.id != run.id
    assert replace(run, index=replace(run.index, notes=())).id == run.id


def test_a_target_that_the_data_lack_is_one_sentence(tmp_path: Path) -> None:
    fake = table.write(tmp_path)
    config = words("table", fake.root, dataset__file="labels.csv", dataset__path_column="photo",
                   dataset__au_columns="AU12_r")  # fmt: skip
    with pytest.raises(UserError, match="timm_classifier learns 'emotion', but table has labels of: au"):
        open_run(config, echo=quiet)
