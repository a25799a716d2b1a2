"""What a sheet shows is what training gets: compared with the data set that training reads, and with planted dots."""

from pathlib import Path

import numpy as np
import pytest
from fakes import facial_expressions
from fakes.pictures import drawn_face, noise, picture_index
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import Colour, InputSpec
from fer_zoo.core.landmarks import FIVE_POINTS
from fer_zoo.data.dataset import FaceDataset
from fer_zoo.data.image_sources import NO_FACE, NOT_DECODABLE, NOT_FOUND, POINT_COLUMNS
from fer_zoo.data.index import Index, Note
from fer_zoo.data.open import open_dataset
from fer_zoo.data.transforms import to_pixels
from fer_zoo.engine.sheet_faces import NUM_AUGMENTATIONS, SampleViews
from fer_zoo.evaluation.face_sheets import SheetFace

GREY = InputSpec(height=48, width=48, colour="grey", mean=(0.4,), std=(0.3,))
BOX = {"box_left": 20.0, "box_top": 10.0, "box_width": 40.0, "box_height": 40.0}


def views_of(index: Index, spec: InputSpec = GREY, augmentation: str = "standard", seed: int = 0) -> SampleViews:
    rows = list(range(len(index)))
    return SampleViews(index, rows, spec=spec, augmentation=augmentation, detector="haar", seed=seed)


def face_of(views: SampleViews, row: int) -> SheetFace:
    return views.face(row, label="happiness", caption="")


def with_columns(index: Index, **columns: object) -> Index:
    return Index(index.dataset, index.root, index.table.assign(**columns), index.label_spaces)


@pytest.mark.parametrize("colour", ["grey", "rgb", "bgr"])
@pytest.mark.parametrize("augmentation", ["standard", "strong"])
def test_the_pictures_are_those_that_training_gets(tmp_path: Path, colour: Colour, augmentation: str) -> None:
    index = picture_index(tmp_path, 4, is_cropped=False)
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"picture_{number}.png")
    index = with_columns(index, **BOX)
    levels = 1 if colour == "grey" else 3
    spec = InputSpec(height=40, width=32, colour=colour, mean=(0.2, 0.4, 0.6)[:levels], std=(0.5, 0.3, 0.1)[:levels])
    training = FaceDataset(index, index.ids, spec, {}, augmentation, seed=7)
    evaluation = FaceDataset(index, index.ids, spec, {}, "none")
    views = views_of(index, spec, augmentation, seed=7)
    for row in range(4):
        shown = face_of(views, row).views
        assert len(shown) == 1 + NUM_AUGMENTATIONS
        samples = [evaluation[0, row, 0], *(training[epoch, row, 0] for epoch in range(NUM_AUGMENTATIONS))]
        for view, sample in zip(shown, samples, strict=True):
            np.testing.assert_array_equal(view.pixels, to_pixels(sample["image"], spec))
    assert any("flipped" in view.note for row in range(4) for view in face_of(views, row).views)


def test_colours_are_red_green_blue_whatever_the_network_takes(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 1)
    Image.fromarray(np.full((24, 24, 3), (200, 100, 30), np.uint8)).save(tmp_path / "picture_0.png")
    face = face_of(views_of(index, InputSpec(height=24, width=24, colour="bgr"), "none"), 0)
    assert face.photograph is not None
    for pixels in (face.photograph, *(view.pixels for view in face.views)):
        np.testing.assert_array_equal(pixels, np.full((24, 24, 3), (200, 100, 30), np.uint8))


def dotted(folder: Path, dot: tuple[int, int]) -> Index:
    """A dark photograph with a bright dot, which is the tip of the nose of a face whose box is BOX."""
    index = picture_index(folder, 1, is_cropped=False)
    picture = np.full((80, 100), 60, np.uint8)
    picture[dot[1] - 2 : dot[1] + 3, dot[0] - 2 : dot[0] + 3] = 160
    Image.fromarray(picture).save(folder / "picture_0.png")
    points = dict(zip(FIVE_POINTS, [(33, 25), (47, 25), (dot[0] + 0.5, dot[1] + 0.5), (35, 42), (46, 43)], strict=True))
    columns = {f"{name}_{axis}": [float(point["xy".index(axis)])] for name, point in points.items() for axis in "xy"}
    return with_columns(index, **BOX, **columns)


def light(pixels: np.ndarray) -> np.ndarray:
    """(x, y) of what is brighter than the rest."""
    bright = np.clip(pixels[:, :, 0].astype(float) - np.median(pixels) - 15, 0, None)
    y, x = np.mgrid[: bright.shape[0], : bright.shape[1]] + 0.5
    return np.array([(bright * x).sum(), (bright * y).sum()]) / bright.sum()


def test_points_go_with_the_crop_and_with_every_augmentation(tmp_path: Path) -> None:
    index = dotted(tmp_path, (44, 30))
    flips = set()
    for seed in range(4):
        face = face_of(views_of(index, seed=seed), 0)
        for view in face.views:
            assert view.points is not None
            assert np.abs(view.points[2] - light(view.pixels)).max() < 0.2, (seed, view.note)
            assert view.points[0, 0] < view.points[1, 0]  # the subject's right is on the left, flipped or not
            flips.add("flipped" in view.note)
    assert flips == {True, False}


def test_the_crop_is_the_scaled_square_about_the_box(tmp_path: Path) -> None:
    face = face_of(views_of(dotted(tmp_path, (44, 30))), 0)
    assert face.box == (20, 10, 40, 40)
    assert face.crop is not None
    np.testing.assert_allclose(face.crop, [(15, 5), (65, 5), (65, 55), (15, 55)], atol=1e-9)
    assert face.notes[1].endswith("100 × 80 px, box 40 × 40 (the data set's)")
    assert face.views[0].note == "50×50 → 48×48"


def test_aligned_points_turn_the_crop(tmp_path: Path) -> None:
    spec = InputSpec(height=48, width=48, colour="grey", mean=(0.0,), std=(1.0,), alignment="five_points")
    index = dotted(tmp_path, (44, 30))
    face = face_of(views_of(index, spec), 0)
    assert face.crop is not None and face.box is None
    sides = np.linalg.norm(face.crop - np.roll(face.crop, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, sides[0])
    view = face.views[0]
    assert view.points is not None
    assert np.abs(view.points[2] - light(view.pixels)).max() < 0.3
    unknown = with_columns(index, **{name: [np.nan] for name in POINT_COLUMNS})
    assert face_of(views_of(unknown, spec), 0).problem.startswith("no five points")
    with pytest.raises(UserError, match="needs five points of every face"):
        views_of(picture_index(tmp_path, 1), spec)


def test_a_large_photograph_is_made_small_with_all_that_lies_on_it(tmp_path: Path) -> None:
    index = dotted(tmp_path, (44, 30))
    with Image.open(tmp_path / "picture_0.png") as small:
        small.resize((2000, 1600)).save(tmp_path / "picture_0.png")
    large = with_columns(index, **{name: 20 * index.table[name] for name in (*BOX, *POINT_COLUMNS)})
    face = face_of(views_of(large), 0)
    assert face.photograph is not None and face.box is not None and face.points is not None and face.crop is not None
    assert face.photograph.shape == (410, 512, 3)
    scale = 512 / 100
    np.testing.assert_allclose(face.box, np.array([20, 10, 40, 40]) * scale)
    np.testing.assert_allclose(face.crop[2], np.array([65, 55]) * scale)
    assert np.abs(face.points[2] - light(face.photograph)).max() < 2
    assert face.views[0].note == "1000×1000 → 48×48"


def test_faces_are_looked_for_in_photographs_held_upright(tmp_path: Path) -> None:
    scene = np.full((600, 900, 3), 150, np.uint8)
    scene[100:340, 500:740] = drawn_face(240)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise
    names = ("picture_0.png", "picture_1.png")
    index = picture_index(tmp_path, 2, is_cropped=False)
    Image.fromarray(np.rot90(scene).copy()).save(tmp_path / names[0], "JPEG", quality=95, exif=exif)
    Image.fromarray(np.full((300, 300), 99, np.uint8)).save(tmp_path / names[1])
    views = views_of(index)
    found, none = face_of(views, 0), face_of(views, 1)
    assert found.box is not None and found.crop is not None
    scale = 512 / 900
    middle = np.array(found.box[:2]) + np.array(found.box[2:]) / 2
    assert np.abs(middle / scale - (620, 220)).max() < 40
    assert found.notes[1].startswith("900 × 600 px, box ") and found.notes[1].endswith("(haar)")
    assert none.views == () and none.photograph is not None
    assert none.problem == f"{NO_FACE}\nleft out of training, without an output in evaluation"
    assert dict(views.problems) == {NO_FACE: 1}


def test_files_that_are_missing_or_cut_short_keep_their_place(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 3)
    (tmp_path / "picture_0.png").unlink()
    whole = (tmp_path / "picture_1.png").read_bytes()
    (tmp_path / "picture_1.png").write_bytes(whole[:60])
    views = views_of(index)
    faces = [face_of(views, row) for row in range(3)]
    stops = "stops a run, unless data.on_unreadable=skip"
    assert [face.problem for face in faces] == [f"{NOT_FOUND}\n{stops}", f"{NOT_DECODABLE}\n{stops}", ""]
    assert [face.photograph is None for face in faces] == [True, True, False]
    assert dict(views.problems) == {NOT_FOUND: 1, NOT_DECODABLE: 1}
    noted = Index("fake", tmp_path, index.table, index.label_spaces, True, (Note("missing", "", (index.ids[0],)),))
    assert "left out of training" in face_of(views_of(noted), 0).problem


def test_a_picture_that_is_stretched_or_enlarged_says_so(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 2)
    Image.fromarray(noise(0, 24, 96)).save(tmp_path / "picture_1.png")
    views = views_of(index)
    assert face_of(views, 0).views[0].note == "24×24 → 48×48, enlarged"
    assert face_of(views, 1).views[0].note == "96×24 → 48×48, enlarged, stretched"
    assert face_of(views, 0).notes[-1] == "24 × 24 px, whole image (cropped set)"


def test_people_and_files_have_no_names_on_a_sheet(tmp_path: Path) -> None:
    fake = facial_expressions.write(tmp_path)
    index = open_dataset("facial_expressions", fake.root)
    views = views_of(index)
    for row in range(len(index)):
        words = " ".join(face_of(views, row).notes)
        assert index.ids[row] in words
        assert [name for name in fake.hidden if name in words] == []
