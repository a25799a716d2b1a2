import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from fakes.server import serving

from fer_zoo.cli import download as verb
from fer_zoo.cli.main import main
from fer_zoo.core.cards import DatasetCard, FaceModelCard, Terms


class OneModel(dict[str, FaceModelCard]):
    """A registry of face models."""

    def names(self) -> list[str]:
        return list(self)


@dataclass
class NoSettings:
    """A data set without settings."""


def card(downloads: dict[str, tuple[str, str]]) -> DatasetCard:
    return DatasetCard(
        name="faces",
        summary="",
        targets={},
        settings=NoSettings,
        terms=Terms("research only", "no"),
        ask="the owners, owners@example.org",
        downloads=downloads,
    )


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which its files are had."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as address:
        yield folder, address


def know(monkeypatch: pytest.MonkeyPatch, downloads: dict[str, tuple[str, str]]) -> None:
    monkeypatch.setattr(verb, "DATASETS", {"faces": card(downloads)})


def test_an_archive_is_fetched_and_unpacked_where_every_verb_looks(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, address = served
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        archive.writestr("images/a.txt", "a")
    checksum = sha256((folder / "faces.zip").read_bytes()).hexdigest()
    know(monkeypatch, {"faces.zip": (f"{address}/faces.zip", checksum)})
    monkeypatch.setenv("FER_ZOO_DATA", f"{tmp_path / 'data'}:{tmp_path / 'second'}")
    assert main(["download", "faces"]) == 0
    assert (tmp_path / "data/faces/images/a.txt").read_text() == "a"
    told = capsys.readouterr().out
    assert told.startswith("faces: licence research only; commercial use: no\n")
    assert told.endswith(f"faces lies in {tmp_path / 'data/faces'}\n")

    (folder / "faces.zip").unlink()
    assert main(["download", "faces"]) == 0
    assert "holds files already; nothing was downloaded" in capsys.readouterr().out


def test_a_plain_file_goes_to_the_folder_that_was_named(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = served
    (folder / "labels.csv").write_text("a,b\n")
    know(monkeypatch, {"labels.csv": (f"{address}/labels.csv", "")})
    assert main(["download", "faces", f"output={tmp_path / 'there'}"]) == 0
    assert (tmp_path / "there/labels.csv").read_text() == "a,b\n"


@pytest.mark.parametrize("name", ["head", "head_files"])
def test_the_files_of_a_face_model_come_without_the_folder_around_them(
    name: str,
    served: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, address = served
    with zipfile.ZipFile(folder / "master.zip", "w") as archive:
        archive.writestr("head-master/shapes/a.obj", "v 0 0 0")
    checksum = sha256((folder / "master.zip").read_bytes()).hexdigest()
    own = FaceModelCard(
        name="head",
        summary="",
        build="nowhere:build",
        terms=Terms("MIT", "yes"),
        ask="example.org",
        downloads={"head_files.zip": (f"{address}/master.zip", checksum)},
    )
    monkeypatch.setattr("fer_zoo.faces.open.FACE_MODELS", OneModel(head=own))
    monkeypatch.setenv("FER_ZOO_DATA", str(tmp_path / "data"))
    assert main(["download", name]) == 0
    assert (tmp_path / "data/head_files/shapes/a.obj").read_text() == "v 0 0 0"
    told = capsys.readouterr().out
    assert told.startswith("head: licence MIT; commercial use: yes\n")
    assert told.endswith(f"head lies in {tmp_path / 'data/head_files'}\n")
    assert main(["download", name]) == 0
    assert "holds files already; nothing was downloaded. `fer-zoo info head`" in capsys.readouterr().out


def test_another_file_than_expected_is_refused(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, address = served
    (folder / "faces.zip").write_bytes(b"something else")
    know(monkeypatch, {"faces.zip": (f"{address}/faces.zip", "0" * 64)})
    assert main(["download", "faces", f"output={tmp_path / 'there'}"]) == 2
    assert "it is not the file expected" in capsys.readouterr().err
    assert not (tmp_path / "there").exists()


def test_a_data_set_that_must_be_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    know(monkeypatch, {})
    assert main(["download", "faces"]) == 2
    sentence = "fer-zoo: faces cannot be downloaded, it must be asked for: the owners, owners@example.org.\n"
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "`fer-zoo download` needs one data set, found none."),
        (["facial_expresions"], "No data set is named 'facial_expresions'. Did you mean 'facial_expressions'?"),
        (["image_folder"], "image_folder reads files of your own, so there is nothing to download"),
        (["procedural"], "procedural is made by code alone, so there is nothing to download."),
        (["facial_expressions", "to=x"], "`fer-zoo download` has no setting to. It knows: output."),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["download", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")


def test_weights_of_the_manifest(
    no_weights: Path,
    served: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path / "cache"))
    folder, address = served
    with zipfile.ZipFile(folder / "large.zip", "w") as archive:
        archive.writestr("card.json", "{}")
    entry = {"url": f"{address}/large.zip", "bytes": 100, "num_parameters": 5, "targets": ["au"]}
    checksum = sha256((folder / "large.zip").read_bytes()).hexdigest()
    (no_weights / "manifest.yaml").write_text(json.dumps({"large": {**entry, "sha256": checksum}}))
    assert main(["download", "large"]) == 0
    place = Path(capsys.readouterr().out.strip().removeprefix("large lies in "))
    assert (place / "card.json").is_file() and place.is_relative_to(tmp_path / "cache")
    assert main(["download", "large", "output=x"]) == 2
    assert "Weights go into the cache folder, $FER_ZOO_CACHE; leave output out." in capsys.readouterr().err
