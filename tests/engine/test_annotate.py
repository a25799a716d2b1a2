"""Landmarks of files and of data sets: written whole, read again as the same points, missing where no face is."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import constellations, small_weights
from fakes.full_disk import full_disk
from fakes.pictures import drawn_face
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.data.alignment import five_point_matrix
from fer_zoo.data.detection import HaarDetector
from fer_zoo.data.face_tables import five_points, index_with_points
from fer_zoo.data.image_sources import POINT_COLUMNS, FaceImages, read_image
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.annotate import AnnotateSettings, annotate_dataset, annotate_files
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import compose
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.predict_files import predict_files
from fer_zoo.engine.predict_settings import PredictSettings
from fer_zoo.engine.run import open_run
from fer_zoo.engine.train import train

SHAPE = (constellations.shape() * 0.7).astype(np.float16).astype(np.float64)  # as weights that ship hold them
FACES = ("anger/one.png", "anger/two.png", "sadness/three.png")
NO_FACE = "sadness/black.png"


def quiet(line: str) -> None:
    """Hears nothing."""


@pytest.fixture
def points(no_weights: Path, tmp_path: Path) -> Path:
    """The default landmark weights: they answer one constellation, wherever a face is."""
    return small_weights.ship("points", small_weights.network("landmarks", relative=SHAPE), tmp_path, default=True)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Class folders of three faces of three sizes, a black picture, and one that is none."""
    root = tmp_path / "photographs"
    for number, name in enumerate((*FACES, NO_FACE)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        side = 100 + 20 * number
        pixels = (
            np.zeros((side, side, 3), np.uint8)
            if name == NO_FACE
            else np.pad(drawn_face(side), ((0, 20), (10 * number, 0), (0, 0)), mode="edge")
        )
        Image.fromarray(pixels).save(root / name)
    (root / "sadness" / "cut.png").write_bytes(b"no image")
    return root


def points_in(table: pd.DataFrame) -> np.ndarray:
    return table[list(LANDMARK_COLUMNS)].to_numpy(np.float64).reshape(len(table), 68, 2)


def expected(path: Path) -> np.ndarray:
    """Where the constellation lies in a crop of 1.25 times the largest box that the detector finds."""
    face = max(HaarDetector().detect(np.array(Image.open(path))), key=lambda face: face.width)
    middle = np.array([face.left + face.width / 2, face.top + face.height / 2])
    return middle + SHAPE * 1.25 * face.width / 2


def annotated(root: Path, output: Path, *words: tuple[str, str], **others: Any) -> pd.DataFrame:
    settings = AnnotateSettings(output=str(output), device="cpu", **others)
    said = (("dataset", "image_folder"), ("dataset.root", str(root)), *words)
    annotate_dataset(said, settings, echo=quiet)
    return pd.read_csv(output) if output.suffix == ".csv" else pd.read_parquet(output)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_each_image_of_a_data_set_is_a_row(points: Path, photographs: Path, tmp_path: Path, suffix: str) -> None:
    table = annotated(photographs, tmp_path / f"points{suffix}")
    index = open_dataset("image_folder", photographs)
    assert table["id"].tolist() == index.ids
    rows = table.set_index(index.table["image"])
    assert rows["face_found"].to_dict() == {**dict.fromkeys(FACES, True), NO_FACE: False, "sadness/cut.png": False}
    problems = rows["problem"].fillna("")
    assert problems[NO_FACE] == "no face found" and problems["sadness/cut.png"] == "not an image or cut short"
    assert not problems[list(FACES)].any()
    assert rows.loc[[NO_FACE, "sadness/cut.png"], list(LANDMARK_COLUMNS)].isna().all(axis=None)
    for name in FACES:
        np.testing.assert_allclose(points_in(rows.loc[[name]])[0], expected(photographs / name), atol=0.02)
    assert "file" not in table  # paths may hold names of people


def test_crops_are_taken_whole(points: Path, photographs: Path, tmp_path: Path) -> None:
    table = annotated(photographs, tmp_path / "points.csv", ("dataset.cropped", "true"))
    index = open_dataset("image_folder", photographs, cropped=True)
    for name in (*FACES, NO_FACE):
        size = np.array(read_image(photographs / name, name=name).shape[1::-1])
        (found,) = points_in(table[index.table["image"] == name])
        np.testing.assert_allclose(found, (SHAPE + 1) * size / 2, atol=1e-3)
    assert table["face_x"].isna().all()


def test_labels_and_alignment_of_a_data_set_read_the_same_points(
    points: Path, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = annotated(photographs, tmp_path / "points.parquet")
    labelled = open_dataset("image_folder", photographs, landmarks=str(tmp_path / "points.parquet"))
    np.testing.assert_allclose(labelled.table[list(LANDMARK_COLUMNS)], table[list(LANDMARK_COLUMNS)])
    plain = open_dataset("image_folder", photographs)
    monkeypatch.setenv("HOME", str(tmp_path))
    aligned = index_with_points(plain, "~/points.parquet")
    np.testing.assert_allclose(aligned.table[list(POINT_COLUMNS)], labelled.table[list(POINT_COLUMNS)])
    assert aligned.fingerprint() == plain.fingerprint() != labelled.fingerprint()
    assert list(aligned.label_spaces) == ["emotion"]
    spec = small_weights.network("emotion", alignment="five_points").input_spec
    row = aligned.table["image"].tolist().index(FACES[2])
    five = five_points(expected(photographs / FACES[2]))
    np.testing.assert_allclose(FaceImages(aligned, spec).matrix(row), five_point_matrix(five, spec), atol=0.02)


def aligned_run(root: Path, tmp_path: Path, **others: str) -> list[tuple[str, str]]:
    words = {
        "method": "timm_classifier", "method.backbone": "test_resnet", "method.image_size": "32",
        "method.alignment": "five_points", "dataset": "image_folder", "dataset.root": str(root),
        "dataset.classes": "anger,sadness", "protocol": "subject_kfold", "protocol.folds": "2", "data.workers": "0",
        "data.batch_size": "4", "data.on_unreadable": "skip", "data.cache": "false", "trainer": "cpu",
        "trainer.precision": "32", "trainer.max_epochs": "1", "output": str(tmp_path / "runs"), **others,
    }  # fmt: skip
    return [*words.items()]


@pytest.mark.usefixtures("blank_pictures")
def test_a_method_that_aligns_trains_and_is_scored_on_photographs(points: Path, tmp_path: Path) -> None:
    root = tmp_path / "many"
    for number in range(16):
        path = root / ("anger", "sadness")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn_face(90 + number)).save(path)
    annotated(root, tmp_path / "points.csv")
    words = aligned_run(root, tmp_path)
    with pytest.raises(UserError, match="alignment=five_points needs five points of every face"):
        train(compose(words, verb="train"), echo=quiet)
    run = train(compose([*words, ("data.landmarks", str(tmp_path / "points.csv"))], verb="train"), echo=quiet)
    card = load_method(run).card
    assert card["training"]["data"]["landmarks"] == "points.csv"
    report, _ = evaluate(run, [("data.workers", "0")], echo=quiet)
    assert report.scores.coverage.scored == 8


def test_the_content_of_the_points_makes_the_run_not_their_place(
    points: Path, photographs: Path, tmp_path: Path
) -> None:
    annotated(photographs, tmp_path / "points.csv")
    moved = tmp_path / "elsewhere.csv"
    moved.write_bytes((tmp_path / "points.csv").read_bytes())
    other = tmp_path / "other.csv"
    other.write_text((tmp_path / "points.csv").read_text().replace(".1", ".2"))
    ids = [
        open_run(
            compose([*aligned_run(photographs, tmp_path), ("data.landmarks", str(file))], verb="train"), echo=quiet
        ).id
        for file in (tmp_path / "points.csv", moved, other)
    ]
    assert ids[0] == ids[1] != ids[2]
    words = [*aligned_run(photographs, tmp_path, **{"method.alignment": "none"}), ("data.landmarks", str(moved))]
    with pytest.raises(UserError, match=r"this method aligns none; set method\.alignment=five_points"):
        open_run(compose(words, verb="train"), echo=quiet)


def test_files_are_annotated_as_predict_writes_them(points: Path, photographs: Path, tmp_path: Path) -> None:
    files = [photographs / name for name in (*FACES, NO_FACE)]
    lines: list[str] = []
    settings = AnnotateSettings(output=str(tmp_path / "points.csv"), device="cpu")
    annotate_files(files, settings, pictures=True, left_out=0, echo=lines.append)
    table = pd.read_csv(tmp_path / "points.csv")
    assert table["file"].tolist() == [str(file) for file in files]
    for file, found in zip(files[:3], points_in(table), strict=False):
        np.testing.assert_allclose(found, expected(file), atol=1e-3)
    assert lines[0].startswith("checkpoint: points, which ships with fer_zoo (random landmarks); never scored")
    assert len(list((tmp_path / "points_pictures").iterdir())) >= 3
    index = index_with_points(open_dataset("image_folder", photographs), str(tmp_path / "points.csv"))
    assert index.table[POINT_COLUMNS[0]].notna().sum() == 3  # files meet a data set by name


def test_a_network_behind_the_detector_aligns_as_its_table_does(
    points: Path, photographs: Path, tmp_path: Path
) -> None:
    files = [photographs / name for name in (*FACES, NO_FACE)]
    aligned = small_weights.run_of(tmp_path / "aligned", small_weights.network("emotion", alignment="five_points"))
    annotate_files(
        files,
        AnnotateSettings(output=str(tmp_path / "points.csv"), device="cpu"),
        pictures=False,
        left_out=0,
        echo=quiet,
    )
    lines: list[str] = []
    given = {"boxes": {"boxes": str(tmp_path / "points.csv")}, "landmarks": {"landmarks": "points"}}
    tables = {}
    for name, said in given.items():
        settings = PredictSettings(checkpoint=str(aligned), output=str(tmp_path / f"{name}.csv"), device="cpu", **said)
        predict_files(files, settings, pictures=False, echo=lines.append)
        tables[name] = pd.read_csv(tmp_path / f"{name}.csv")
    assert tables["boxes"]["emotion"].equals(tables["landmarks"]["emotion"])
    both = [table.filter(like="prob_").to_numpy() for table in tables.values()]
    np.testing.assert_allclose(*both, atol=2e-3)
    assert tables["landmarks"]["face_found"].tolist() == [True, True, True, False]
    assert "device: cpu; detector: haar; landmarks: points; photographs: 4" in lines


def test_points_behind_boxes_of_ones_own(points: Path, photographs: Path, tmp_path: Path) -> None:
    aligned = small_weights.run_of(tmp_path / "aligned", small_weights.network("emotion", alignment="five_points"))
    boxes = pd.DataFrame({"file": ["one.png"], "face_x": 20, "face_y": 20, "face_width": 60, "face_height": 60})
    boxes.to_csv(tmp_path / "boxes.csv", index=False)
    settings = PredictSettings(
        checkpoint=str(aligned), boxes=str(tmp_path / "boxes.csv"), landmarks="points", device="cpu"
    )
    rows, _ = predict_files([photographs / FACES[0]], settings, pictures=False, echo=quiet)
    assert rows[0]["face_found"] and rows[0]["face_x"] == 20 and rows[0]["emotion"]


def test_points_that_coincide_are_a_problem_of_the_face(no_weights: Path, photographs: Path, tmp_path: Path) -> None:
    small_weights.ship("points", small_weights.network("landmarks", relative=np.zeros((68, 2))), tmp_path)
    aligned = small_weights.run_of(tmp_path / "aligned", small_weights.network("emotion", alignment="five_points"))
    settings = PredictSettings(checkpoint=str(aligned), landmarks="points", device="cpu")
    rows, _ = predict_files([photographs / FACES[0]], settings, pictures=False, echo=quiet)
    assert [(row["face_found"], row["problem"]) for row in rows] == [(False, "the points of the face coincide")]


def test_a_full_disk_leaves_no_table(points: Path, photographs: Path, tmp_path: Path) -> None:
    with full_disk(2000), pytest.raises(UserError, match=r"Cannot write .*points\.csv: File too large"):
        annotated(photographs, tmp_path / "points.csv", ("dataset.cropped", "true"))
    assert not (tmp_path / "points.csv").exists() and not list(tmp_path.glob(".*points.csv"))


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        (
            {"landmarks": "emotions"},
            "emotions predicts emotion and no landmarks; `fer-zoo list weights target=landmarks`",
        ),
        ({"landmarks": "pont"}, r"The checkpoint pont does not exist; .* Did you mean 'points'\?"),
        ({"landmarks": "points", "checkpoint": "emotions"}, "This checkpoint aligns no faces, so it has no use for"),
    ],
)
def test_sources_that_are_none(
    points: Path, photographs: Path, tmp_path: Path, others: dict[str, str], sentence: str
) -> None:
    small_weights.ship("emotions", small_weights.network("emotion"), tmp_path)
    aligned = small_weights.run_of(tmp_path / "aligned", small_weights.network("emotion", alignment="five_points"))
    settings = PredictSettings(**{"checkpoint": str(aligned), "device": "cpu", **others})
    with pytest.raises(UserError, match=sentence):
        predict_files([photographs / FACES[0]], settings, pictures=False, echo=quiet)
