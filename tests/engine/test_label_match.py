"""A checkpoint of some action units on data with others: what is told, and what is scored."""

from pathlib import Path

import pytest
from fakes import patterns

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.checkpoint import save_method
from fer_zoo.engine.create import create_method
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.label_match import match_sentences

UNITS = "au/disfa12:AU01+AU04+AU12"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Pictures with AU04, AU12 (three of them labelled) and AU25; none with AU01."""
    root = patterns.write(tmp_path / "faces", people=("Ida",), seed=1)
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.png"))
    rows = [f"{path},{number % 3},{'' if number < 3 else 2},1" for number, path in enumerate(paths)]
    (root / "units.csv").write_text("\n".join(["path,AU04,AU12,AU25", *rows]) + "\n")
    return root


def opened(root: Path, columns: str) -> Index:
    return open_dataset("table", root, file="units.csv", au_columns=columns.split(","), cropped=True)


def test_units_of_one_side_alone_are_told(table: Path) -> None:
    index = opened(table, "AU04,AU12,AU25")
    assert match_sentences(index, index.ids, label_space(UNITS)) == [
        "in the data alone, not predicted, not scored: AU25 (6)",
        "in the checkpoint alone, predicted, not scored: AU01",
    ]
    assert match_sentences(index, index.ids, index.space("au")) == []
    with pytest.raises(UserError, match=r"predicts AU01, and table has labels of AU04, AU12, AU25: no name is shared"):
        match_sentences(index, index.ids, label_space("au/disfa12:AU01"))


def test_only_what_both_have_is_scored_and_each_unit_counts_its_own(table: Path, tmp_path: Path) -> None:
    spaces = {"au": UNITS}
    task = create_method("timm_regressor", label_spaces=spaces, backbone="resnet10t", image_size=32)
    training = {
        "dataset": {"name": "elsewhere"},
        "fingerprint": "0",
        "protocol": {"name": "subject_kfold"},
        "fold": 0,
        "subject_hashes": ["0"],
        "file_hashes": ["0"],
        "data": {"detector": "none", "on_unreadable": "stop"},
        "trainer": {"precision": "32"},
    }
    save_method(tmp_path / "model", task, training=training, validation={})
    settings = {
        "dataset": "table",
        "dataset.root": table,
        "dataset.file": "units.csv",
        "dataset.au_columns": "AU04,AU12,AU25",
        "dataset.cropped": "true",
        "data.workers": 0,
        "output": tmp_path / "out",
    }
    lines: list[str] = []
    report, _ = evaluate(tmp_path / "model", [(key, str(value)) for key, value in settings.items()], echo=lines.append)
    assert "in the checkpoint alone, predicted, not scored: AU01" in lines
    assert {entry.name: entry.support for entry in report.scores.entries} == {"AU01": 0, "AU04": 6, "AU12": 3}
