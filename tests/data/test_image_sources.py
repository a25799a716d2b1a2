"""Decoding by content: what a file is, not what its name says; and what is no image says so without its path."""

import base64
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fakes.pictures import noise, picture_index
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.alignment import FIVE_POINT_TEMPLATE
from fer_zoo.data.image_sources import (
    NO_FACE,
    NO_POINTS,
    NOT_DECODABLE,
    NOT_FOUND,
    POINT_COLUMNS,
    FaceImages,
    UnreadableImage,
    image_source,
    known_points,
    read_image,
)
from fer_zoo.data.index import Index

GREY = InputSpec(height=24, width=24, colour="grey", mean=(0.0,), std=(1.0,))


def ramp(height: int = 40, width: int = 60) -> np.ndarray:
    """Smooth colours, so that lossy formats keep them: red grows to the right, green downwards, blue is 200."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 4, y * 6, np.full_like(x, 200)], axis=2).astype(np.uint8)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_lossless_files_come_back_bit_for_bit_whatever_their_suffix(tmp_path: Path, form: str) -> None:
    Image.fromarray(ramp()).save(tmp_path / "file.jpg", form)
    np.testing.assert_array_equal(read_image(tmp_path / "file.jpg", name="x"), ramp())
    np.testing.assert_array_equal(read_image(tmp_path / "file.jpg", name="x", colour="bgr"), ramp()[:, :, ::-1])


def test_webp_named_jpg(tmp_path: Path) -> None:
    Image.fromarray(ramp()).save(tmp_path / "file.jpg", "WEBP", lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / "file.jpg", name="x"), ramp())


def test_grey_by_the_weights_of_bt601(tmp_path: Path) -> None:
    Image.fromarray(ramp()).save(tmp_path / "file.png")
    grey = read_image(tmp_path / "file.png", name="x", colour="grey")
    assert grey.shape == (40, 60, 1)
    assert np.abs(grey[:, :, 0] - ramp() @ (0.299, 0.587, 0.114)).max() <= 1


def test_a_grey_file_is_three_equal_channels_unless_grey_is_asked_for(tmp_path: Path) -> None:
    Image.fromarray(noise(0)).save(tmp_path / "file.png")
    np.testing.assert_array_equal(read_image(tmp_path / "file.png", name="x", colour="grey")[:, :, 0], noise(0))
    np.testing.assert_array_equal(read_image(tmp_path / "file.png", name="x"), np.repeat(noise(0)[:, :, None], 3, 2))


def test_16_bit_png_is_scaled_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(noise(0).astype(np.uint16) * 257).save(tmp_path / "file.png")
    np.testing.assert_array_equal(read_image(tmp_path / "file.png", name="x", colour="grey")[:, :, 0], noise(0))


def test_cmyk_jpeg(tmp_path: Path) -> None:
    Image.fromarray(ramp()).convert("CMYK").save(tmp_path / "file.jpg", quality=100)
    assert np.abs(read_image(tmp_path / "file.jpg", name="x").astype(int) - ramp()).max() <= 8


def test_transparent_pixels_of_a_palette_png_are_black(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([250, 10, 20, 30, 240, 50])
    picture.paste(1, (2, 0, 4, 4))
    picture.save(tmp_path / "file.png", transparency=0)
    pixels = read_image(tmp_path / "file.png", name="x")
    assert (pixels[:, :2] == 0).all()
    assert (pixels[:, 2:] == (30, 240, 50)).all()


@pytest.mark.parametrize(("orientation", "turn"), [(3, 2), (6, 3), (8, 1)])
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(ramp()).save(tmp_path / "file.jpg", exif=exif, quality=100, subsampling=0)
    pixels = read_image(tmp_path / "file.jpg", name="x")
    assert np.abs(pixels.astype(int) - np.rot90(ramp(), turn)).max() <= 6


def write_bad_files(folder: Path) -> dict[str, str]:
    """File name -> the reason that reading it must give."""
    Image.fromarray(noise(0, 100, 100)).save(folder / "whole.jpg")
    whole = (folder / "whole.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "header.jpg").write_bytes(whole[:40])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("no picture at all\n" * 20)
    (folder / "folder.jpg").mkdir()
    Image.fromarray(noise(0).astype(np.float32)).save(folder / "floats.jpg", "TIFF")
    bad = dict.fromkeys(
        ("truncated.jpg", "header.jpg", "empty.jpg", "text.jpg", "folder.jpg", "floats.jpg"), NOT_DECODABLE
    )
    return {**bad, "nowhere.jpg": NOT_FOUND}


def test_what_is_no_whole_image_is_named_by_its_id_and_never_by_its_path(tmp_path: Path) -> None:
    for name, reason in write_bad_files(tmp_path).items():
        with pytest.raises(UnreadableImage, match="abc123") as caught:
            read_image(tmp_path / name, name="abc123")
        assert caught.value.reason == reason, name
        assert name.split(".")[0] not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
        again = pickle.loads(pickle.dumps(caught.value))
        assert (str(again), again.name, again.reason) == (str(caught.value), "abc123", reason)


@given(cut=st.integers(0, 600), flips=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=4))
def test_damaged_files_give_pixels_or_an_unreadable_image(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flips: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "file.png"
    Image.fromarray(noise(1)).save(path)
    content = bytearray(path.read_bytes())
    for place, value in flips:
        content[place % len(content)] = value
    path.write_bytes(bytes(content[:cut]))
    try:
        pixels = read_image(path, name="x")
    except UnreadableImage:
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3


def test_files_are_found_below_the_root_and_stamped(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 3)
    source = image_source(index)
    np.testing.assert_array_equal(source.read(2, "grey")[:, :, 0], noise(2))
    before = source.stamps()
    Image.fromarray(noise(9, 30, 30)).save(tmp_path / "picture_1.png")
    (tmp_path / "picture_2.png").unlink()
    after = source.stamps()
    assert before[0] == after[0]
    assert before[1] != after[1]
    assert after[2] == "missing"


def test_a_cropped_set_keeps_its_whole_images_even_with_boxes(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 2)
    table = index.table.assign(box_left=5.0, box_top=5.0, box_width=8.0, box_height=8.0)
    cropped = Index("fake", tmp_path, table, index.label_spaces, is_cropped=True)
    np.testing.assert_array_equal(FaceImages(cropped, GREY).read(1)[:, :, 0], noise(1))


def test_the_box_of_a_row_is_cut_out_and_a_row_without_one_has_no_face(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 2)
    table = index.table.assign(box_left=[4.0, np.nan], box_top=6.0, box_width=12.0, box_height=12.0)
    images = FaceImages(
        Index("fake", tmp_path, table, index.label_spaces),
        InputSpec(height=12, width=12, crop_scale=1.0, colour="grey", mean=(0.0,), std=(1.0,)),
    )
    np.testing.assert_array_equal(images.read(0)[:, :, 0], noise(0)[6:18, 4:16])
    with pytest.raises(UnreadableImage) as caught:
        images.read(1)
    assert caught.value.reason == NO_FACE


def test_five_points_are_aligned_where_the_spec_asks_and_a_row_without_them_is_lacking(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 2)
    points = dict(zip(("right_eye", "left_eye", "nose_tip", "right_mouth_corner", "left_mouth_corner"),
                      FIVE_POINT_TEMPLATE * 24 / 112, strict=True))  # fmt: skip
    columns = {f"{point}_{axis}": [at["xy".index(axis)], np.nan] for point, at in points.items() for axis in "xy"}
    table = index.table.assign(**columns)
    aligned = InputSpec(height=24, width=24, alignment="five_points", colour="grey", mean=(0.0,), std=(1.0,))
    images = FaceImages(Index("fake", tmp_path, table, index.label_spaces, is_cropped=True), aligned)
    np.testing.assert_array_equal(images.read(0)[:, :, 0], noise(0))  # points stand where the template has them
    with pytest.raises(UnreadableImage) as caught:
        images.read(1)
    assert caught.value.reason == NO_POINTS
    with pytest.raises(UserError, match="needs five points of every face, which fake does not have"):
        FaceImages(index, aligned)


def test_the_map_of_a_row_takes_a_dot_to_where_it_is_in_the_input(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((60, 90), np.uint8)).save(tmp_path / "picture_0.png")
    table = picture_index(tmp_path, 1).table
    picture = np.zeros((60, 90), np.uint8)
    picture[30:34, 50:54] = 255  # its centre is (52, 32)
    Image.fromarray(picture).save(tmp_path / "picture_0.png")
    boxed = table.assign(box_left=40.0, box_top=20.0, box_width=24.0, box_height=20.0)
    images = FaceImages(Index("fake", tmp_path, boxed, {}), GREY)
    y, x = np.mgrid[:24, :24] + 0.5
    light = images.read(0)[:, :, 0] / images.read(0).sum()
    matrix = images.matrix(0, (90, 60))
    np.testing.assert_allclose(matrix @ (52, 32, 1), ((light * x).sum(), (light * y).sum()), atol=0.02)
    whole = FaceImages(Index("fake", tmp_path, table, {}), GREY)
    np.testing.assert_allclose(whole.matrix(0, (90, 60)) @ (90, 60, 1), (24, 24))


def test_68_landmarks_are_known_before_five_points_and_neither_is_none(tmp_path: Path) -> None:
    index = picture_index(tmp_path, 3)
    assert known_points(index) is None
    five = {name: [float(i), np.nan, 1.0] for i, name in enumerate(POINT_COLUMNS)}
    points = known_points(Index("fake", tmp_path, index.table.assign(**five), index.label_spaces))
    assert points is not None
    np.testing.assert_array_equal(points[0], [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]])
    assert np.isnan(points[1]).all()
    many = pd.DataFrame({f"landmark_{i}_{axis}": [10 * i + (axis == "y")] * 3 for i in range(68) for axis in "xy"})
    points = known_points(Index("fake", tmp_path, index.table.assign(**five).join(many), index.label_spaces))
    assert points is not None
    assert points.shape == (3, 68, 2)
    np.testing.assert_array_equal(points[2, [0, 67]], [[0, 1], [670, 671]])


# 64 x 32, red at the left and blue at the right, to be turned by a quarter clockwise; written by pillow-heif 1.8.1.
TURNED_HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRp"
    "bG9jAAAAAERAAAIAAQAAAAAB7AABAAAAAAAAAH4AAgAAAAACagABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABo"
    "dmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA"
    "/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMD"
    "IAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAIAAA"
    "AAEAAAAAAAAAAv///+AAAAACAAAAEHBpeGkAAAAAAwgICAAAAAlpcm90AwAAABlpcG1hAAAAAAAAAAEAAQaBAgMFhIYAAAAaaXJlZgAA"
    "AAAAAAAOY2RzYwACAAEAAQAAAKptZGF0AAAAeigBrwT4cWTTt/9ZH///1oj7L+3uW98g/pyrEv9ltT//zsC/aSrlkb0+lQ5FaTpP6ggf"
    "Y/AT2b+BibCYGyssaxKKsw2AxcdLcVWnjB7yiI0fobNt9DmVTa/U/kqhJ2nv5Xb/cR/mujmhln+eyTAx4V3RehslMzj5VmlOAAAABkV4"
    "aWYAAE1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAA"
)


def test_a_photograph_as_telephones_store_them_comes_upright(tmp_path: Path) -> None:
    (tmp_path / "IMG_0001.HEIC").write_bytes(TURNED_HEIC)
    pixels = read_image(tmp_path / "IMG_0001.HEIC", name="x")
    assert pixels.shape == (64, 32, 3)
    assert np.abs(pixels[4, 16].astype(int) - (220, 40, 40)).max() < 12  # what lay at the left is on top
    assert np.abs(pixels[-4, 16].astype(int) - (40, 60, 200)).max() < 12


@pytest.mark.parametrize("length", [100, 400, len(TURNED_HEIC) - 60])
def test_a_heic_file_cut_short_is_unreadable(tmp_path: Path, length: int) -> None:
    (tmp_path / "IMG_0001.HEIC").write_bytes(TURNED_HEIC[:length])
    with pytest.raises(UnreadableImage, match=NOT_DECODABLE):
        read_image(tmp_path / "IMG_0001.HEIC", name="x")
