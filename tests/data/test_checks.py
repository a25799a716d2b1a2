import json
from pathlib import Path

import pytest
from fakes import facial_expressions as fakes
from PIL import Image
from rich.console import Console

from fer_zoo.data.checks import Report, check_dataset
from fer_zoo.data.datasets.facial_expressions import CARD
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return open_dataset("facial_expressions", fakes.write(tmp_path).root)


@pytest.fixture
def report(index: Index) -> Report:
    return check_dataset(index, CARD)


def test_agreement_is_counted_both_ways(report: Report) -> None:
    agreement = report.agreement
    assert agreement is not None
    assert (agreement.both, agreement.same) == (4, 2)
    assert agreement.of_second == {"anger": (0, 1), "happiness": (1, 1), "sadness": (0, 1), "surprise": (1, 1)}
    assert agreement.of_first == {"happiness": (1, 1), "neutral": (0, 2), "surprise": (1, 1)}


def test_labels_are_crossed_with_sources(report: Report) -> None:
    press, film, other = (report.label_by_source[source] for source in ("press", "film", "other"))
    assert (film["disgust"], press["disgust"], other["anger"], press["anger"]) == (2, 0, 1, 1)
    assert sum(map(sum, (counts.values() for counts in report.label_by_source.values()))) == report.samples
    assert report.outside == ("contempt", "fear")


def test_content_and_not_the_suffix_is_the_format(report: Report) -> None:
    assert report.formats == {"JPEG": 13, "WEBP": 1}
    assert report.colours == {"L": 9, "RGB": 5}
    assert report.sizes == (16, 16, 16)


def test_differences_and_text_name_the_class(report: Report) -> None:
    assert report.differences["emotion=fear"] == (21, 1)
    assert report.differences["images"] == (13_718, 17)
    text = report.to_text()
    assert "differs: emotion=fear is 1, expected 21" in text
    assert "two annotators agree on 2 of 4 images (50%)" in text
    assert any(line.startswith("fear") and line.endswith("(outside the label space)") for line in text.splitlines())
    assert report.fingerprint in text


def test_report_is_json(report: Report) -> None:
    loaded = json.loads(json.dumps(report.to_dict()))
    assert loaded["commercial_use"] == "ask"
    assert loaded["agreement"]["same"] == 2
    assert loaded["differences"]["subjects"] == [5_616, 9]


def test_every_kind_of_unreadable_file_is_told(index: Index) -> None:
    paths = [index.root / image for image in index.table["image"]]
    paths[0].write_bytes(b"")
    paths[1].write_text("no image at all")
    paths[2].write_bytes(paths[2].read_bytes()[:200])
    Image.new("RGB", (8, 8)).save(paths[3], format="PNG")
    paths[3].write_bytes(paths[3].read_bytes()[:45])
    report = check_dataset(index, CARD)
    assert list(report.unreadable) == index.ids[:4]
    assert report.unreadable[index.ids[0]] == "empty file"
    assert report.unreadable[index.ids[1]] == "no image"
    assert not report.is_clean


def test_a_terminal_sees_how_many_files_are_read(
    index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check_dataset(index, CARD)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(Console, "is_terminal", True)
    check_dataset(index, CARD)
    assert "14/14" in capsys.readouterr().err
    check_dataset(index, CARD, progress=False)
    assert capsys.readouterr().err == ""
