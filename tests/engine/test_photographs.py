"""Which files a command means, and the pictures drawn on them."""

from pathlib import Path

import numpy as np
import pytest
from fakes.pictures import drawn_face
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.engine.create import create_method
from fer_zoo.engine.photographs import annotate, expand_files, make_folder, picture_path
from fer_zoo.engine.predict import Predictor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.PNG", "below/c.jpeg", "below/notes.txt", "odd [1].jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "photos"


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_folder_stands_for_the_images_below_it(folder: Path) -> None:
    assert names(expand_files([str(folder)]), folder) == ["a.PNG", "b.jpg", "below/c.jpeg", "odd [1].jpg"]


def test_list_file_is_relative_to_itself(folder: Path) -> None:
    (folder / "list.txt").write_text("b.jpg\n\n  below/c.jpeg  \nmissing.jpg\n")
    assert names(expand_files([str(folder / "list.txt")]), folder) == ["b.jpg", "below/c.jpeg", "missing.jpg"]


def test_list_file_may_hold_whole_paths(folder: Path) -> None:
    (folder / "list.txt").write_text(f"{folder / 'b.jpg'}\n")
    assert expand_files([str(folder / "list.txt")]) == [folder / "b.jpg"]


def test_patterns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(expand_files([f"{folder}/*.jpg"]), folder) == ["b.jpg", "odd [1].jpg"]
    assert names(expand_files([f"{folder}/**/*.jpeg"]), folder) == ["below/c.jpeg"]
    assert names(expand_files([f"{folder.parent}/ph*"]), folder) == ["a.PNG", "b.jpg", "below/c.jpeg", "odd [1].jpg"]
    monkeypatch.chdir(folder)
    assert expand_files(["*.jpg"]) == [Path("b.jpg"), Path("odd [1].jpg")]


def test_name_with_signs_of_a_pattern_is_a_file_first(folder: Path) -> None:
    assert expand_files([str(folder / "odd [1].jpg")]) == [folder / "odd [1].jpg"]


def test_each_once_in_order(folder: Path) -> None:
    given = [str(folder / "b.jpg"), str(folder), str(folder / "b.jpg")]
    assert names(expand_files(given), folder)[:2] == ["b.jpg", "a.PNG"]
    assert len(expand_files(given)) == 4


@pytest.mark.parametrize("given", ["none.jpg", "*.xyz", "no/such/*"])
def test_what_is_not_there_is_told(given: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match="no file, folder or match"):
        expand_files([given])


def test_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No photographs in nothing"):
        expand_files([])
    with pytest.raises(UserError, match="No photographs"):
        expand_files([str(tmp_path)])


@pytest.mark.parametrize("side", [60, 400])
def test_boxes_are_drawn_where_the_faces_are(tmp_path: Path, side: int) -> None:
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32)
    image = drawn_face(side)
    found, rows = next(Predictor(task, device="cpu").rows([image]))
    annotate(found, rows, tmp_path / "out.png")
    drawn = np.asarray(Image.open(tmp_path / "out.png")).astype(int)
    assert min(drawn.shape[:2]) >= min(320, 6 * side)
    scale, face = drawn.shape[1] / side, found.faces[0]
    assert face is not None
    yellow = (drawn[:, :, 0] > 200) & (drawn[:, :, 1] > 200) & (drawn[:, :, 2] < 80)
    column = round((face.left + face.width) * scale) - 2
    rows_of_box = slice(round((face.top + face.height / 3) * scale), round((face.top + face.height * 0.9) * scale))
    assert yellow[rows_of_box, column - 2 : column + 3].any(axis=1).all()


def test_unreadable_photographs_get_no_picture(tmp_path: Path) -> None:
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32)
    (tmp_path / "bad.jpg").write_bytes(b"")
    found, rows = next(Predictor(task, device="cpu").rows([tmp_path / "bad.jpg"]))
    annotate(found, rows, tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_pictures_of_one_name_stay_apart() -> None:
    first, second = (picture_path(Path("out"), n, Path(f"{n}/face.jpg")) for n in (0, 1))
    assert first != second
    assert first.suffix == ".png"


def test_list_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.jpg\n")
    with pytest.raises(UserError, match=r"list\.txt is no text in UTF-8 \(byte 4\)"):
        expand_files([str(tmp_path / "list.txt")])


def test_folder_of_pictures_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(UserError, match="for the pictures cannot be made"):
            make_folder(folder)
