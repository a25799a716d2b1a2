from pathlib import Path

import numpy as np
import pytest
from fakes import rafdb as fakes
from fakes.fake import write_image

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.sample import sample_id
from fer_zoo.data.datasets.rafdb import CARD, LISTS, NAME
from fer_zoo.data.image_sources import BOX_COLUMNS, POINT_COLUMNS, FaceImages
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fakes.write(tmp_path).root


def opened(root: Path, **settings: object) -> Index:
    return open_dataset(NAME, root, **settings)


def test_all_seven_codes_are_other_numbers_than_places_in_the_alphabet(root: Path) -> None:
    index = opened(root)
    # The table of the readme, written here a second time.
    codes = {"surprise": 1, "fear": 2, "disgust": 3, "happiness": 4, "sadness": 5, "anger": 6, "neutral": 7}
    found = dict(zip(index.table["image"], index.table["emotion"], strict=True))
    assert {codes[found[f"Image/aligned/{name}_aligned.jpg"]] for name, *_ in fakes.ROWS} == set(range(1, 8))
    assert [codes[found[f"Image/aligned/{name}_aligned.jpg"]] for name, *_ in fakes.ROWS] == [
        code for _, code, *_ in fakes.ROWS
    ]
    assert index.target_array("emotion").tolist() == [code - 1 for _, code, *_ in fakes.ROWS]


@pytest.mark.parametrize("spelling", LISTS)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_both_spellings_of_the_list_and_its_last_line(root: Path, spelling: str, end: bytes) -> None:
    (root / fakes.LIST).rename(root / spelling)
    (root / spelling).write_bytes((root / spelling).read_bytes() + end)
    index = opened(root)
    assert len(index) == len(fakes.ROWS)
    assert index.table["image"].iloc[-1] == "Image/aligned/test_3068_aligned.jpg"


def test_official_split_is_of_the_names_not_of_the_lines(root: Path) -> None:
    before = opened(root)
    lines = (root / fakes.LIST).read_text().splitlines()
    (root / fakes.LIST).write_text("\n".join(lines[::-1]))
    index = opened(root)
    assert index.fingerprint() == before.fingerprint()
    (split,) = make_splits(index, "official_split", {}, "emotion")
    assert set(split.test) == {sample_id(NAME, f"Image/aligned/test_{n}_aligned.jpg") for n in ("0001", "0002", "3068")}
    assert len(split.train) + len(split.validation) == 8
    assert CARD.protocol == "official_split" and index.found == {"images": 11, "train": 8, "test": 3}
    (root / fakes.LIST).write_text("\n".join([*lines, "valid_0001.jpg 3"]))
    with pytest.raises(UserError, match=r"txt row 12: valid_0001\.jpg begins with neither train_ nor test_"):
        opened(root)


def test_the_folder_above_is_a_root_too(root: Path) -> None:
    assert opened(root.parent).fingerprint() == opened(root).fingerprint()


def test_attributes_are_conditions(root: Path) -> None:
    table = opened(root).table.set_index("image")
    row = table.loc["Image/aligned/train_00003_aligned.jpg"]
    assert (row["condition_sex"], row["condition_race"], row["condition_age_group"]) == (
        "unsure", "African-American", "70+",
    )  # fmt: skip
    assert not set(POINT_COLUMNS) & set(table)  # they are of the other images
    (root / "Annotation/manual/test_0001_manu_attri.txt").unlink()
    index = opened(root, images="original")
    lost = index.table[index.table["image"] == "Image/original/test_0001.jpg"].iloc[0]
    assert lost["condition_sex"] == "" and np.isnan(lost[POINT_COLUMNS[0]])
    assert [note.sentence for note in index.notes] == ["1 images have no file in Annotation/manual."]
    (root / "Annotation/manual").rename(root / "Annotation/elsewhere")
    (note,) = opened(root).notes
    assert note.sentence.startswith("Annotation/manual is not there")


def test_points_of_the_photographs_have_the_subjects_right_eye_first(root: Path) -> None:
    index = opened(root, images="original")
    assert not index.is_cropped and index.variant == "original images"
    points = index.table.loc[0, list(POINT_COLUMNS)].to_numpy(float).reshape(5, 2)
    assert points.tolist() == [list(point) for point in fakes.POINTS]
    swapped = [fakes.POINTS[i] for i in (1, 0, 2, 4, 3)]
    lines = [f"{x}\t{y}" for x, y in swapped] + ["0", "0", "2"]
    (root / "Annotation/manual/train_00001_manu_attri.txt").write_text("\n".join(lines))
    again = opened(root, images="original").table.loc[0, list(POINT_COLUMNS)].to_numpy(float).reshape(5, 2)
    assert again.tolist() == points.tolist()


def test_boxes_and_points_reach_the_pixels(root: Path) -> None:
    write_image(root / "Image/original/train_00001.jpg", 5)
    index = opened(root, images="original", boxes=True)
    assert index.table.loc[0, list(BOX_COLUMNS)].tolist() == [10.0, 20.0, 100.0, 120.5]
    by_box = FaceImages(index, InputSpec(height=8, width=8))
    assert by_box.boxes is not None and by_box.boxes.shape == (11, 4)
    by_points = FaceImages(index, InputSpec(height=112, width=96, alignment="five_points")).matrix(0)
    nose = by_points @ np.array([*fakes.POINTS[2], 1.0])
    assert 40 < nose[0] < 56 and 50 < nose[1] < 80
    with pytest.raises(UserError, match=r"set dataset\.images=original, too"):
        opened(root, boxes=True)


def test_classes_narrow_the_space_alone(root: Path) -> None:
    index = opened(root, classes=["happiness", "neutral"])
    assert index.label_spaces["emotion"].name == "emotion/raf:happiness+neutral"
    assert index.table.equals(opened(root).table)


def test_missing_images_stop_unless_asked(root: Path) -> None:
    (root / "Image/aligned/train_00002_aligned.jpg").unlink()
    with pytest.raises(UserError, match=r"1 of 11 listed images are not there, e\.g\. Image/aligned/train_00002_al"):
        opened(root)
    index = opened(root, missing_images="skip")
    assert len(index) == 11
    assert index.noted("missing") == (sample_id(NAME, "Image/aligned/train_00002_aligned.jpg"),)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (fakes.LIST, "train_00001.jpg", "row 1 must be a name and a code, as 'train_00001.jpg 5'; found"),
        (fakes.LIST, "train_00001.jpg 5\n\ntrain_00002.jpg 5", "row 2 must be a name and a code"),
        (fakes.LIST, "train_00001.jpg 5\ntrain_00001.jpg 4", r"row 2 lists train_00001\.jpg for the second time"),
        (fakes.LIST, "train_00001.jpg 0", r"'0' in EmoLabel/list_patition_label\.txt row 1 is not one of emotion/raf"),
        ("Annotation/manual/test_0001_manu_attri.txt", "1\t2\n", "found 1"),
        ("Annotation/manual/test_0001_manu_attri.txt", "1\t2\n" * 5 + "3\n0\n0\n", "code '3', which is none of 0 male"),
        ("Annotation/manual/test_0001_manu_attri.txt", "1\tnan\n" * 5 + "0\n0\n0\n", "must have 2 numbers"),
        ("Annotation/boundingbox/test_0001_boundingbox.txt", "5 5 5 9", "left, top, right and bottom"),
        ("Annotation/boundingbox/test_0001_boundingbox.txt", "5 5 x 9", "must have 4 numbers"),
    ],
)
def test_broken_files_are_one_sentence(root: Path, file: str, text: str, said: str) -> None:
    (root / file).write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        opened(root, images="original", boxes=True)
    assert file.rpartition("/")[2] in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_not_there_is_named(root: Path) -> None:
    (root / "Image/aligned").rename(root / "Image/elsewhere")
    (root / "Image/aligned.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"Image/aligned is not there\. Unpack Image/aligned\.zip"):
        opened(root)
    (root / fakes.LIST).unlink()
    (root / "train" / "1").mkdir(parents=True)
    with pytest.raises(UserError, match=r"list_patition_label\.txt is not there\. Class folders 1 to 7 are read by"):
        opened(root)
    for code in "123":
        write_image(root / "train" / code / "x.jpg", int(code))
        write_image(root / "test" / code / "x.jpg", 10 + int(code))
    for folder in ("Image", "EmoLabel", "Annotation"):
        (root / folder).rename(root.parent / folder)
    repacked = open_dataset("image_folder", root, label_space="emotion/raf")  # the sentence is true
    assert sorted(repacked.table["emotion"]) == ["disgust", "disgust", "fear", "fear", "surprise", "surprise"]
