import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import table as fakes
from fakes.fake import write_image
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.data.image_sources import BOX_COLUMNS, POINT_COLUMNS, FaceImages, UnreadableImage, known_points
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset


def opened(root: Path, **settings: Any) -> Index:
    return open_dataset("table", root, **settings)


def sheet_of(root: Path, text: str, *, images: int = 2) -> Path:
    """A table of text beside that many images 0.jpg, 1.jpg …"""
    for number in range(images):
        write_image(root / f"{number}.jpg", number)
    (root / "t.csv").write_text(text)
    return root


def test_parquet_and_tsv_give_what_csv_gives(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    expected = opened(fake.root, **fake.settings)
    typed = pd.read_csv(fake.root / "labels.csv")
    typed.to_parquet(fake.root / "labels.parquet")
    typed.to_csv(fake.root / "labels.tsv", sep="\t", index=False)
    for file in ("labels.parquet", "labels.tsv", str(fake.root / "labels.csv")):
        index = opened(fake.root, **{**fake.settings, "file": file})
        assert index.fingerprint() == expected.fingerprint()
        pd.testing.assert_frame_equal(index.table, expected.table)


def test_frames_and_clips_are_kept_as_codes(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    table = opened(fake.root, **fake.settings).table
    assert list(table["frame"]) == [row[3] for row in fakes.ROWS]
    named = [(row[2] and row[1], row[2]) for row in fakes.ROWS]  # a clip is one of a person
    assert len(set(zip(table["clip"], named, strict=True))) == len(set(named)) == table["clip"].nunique()
    assert [clip == "" for clip in table["clip"]] == [name == ("", "") for name in named]
    assert not table["clip"].str.contains("smile").any()


def test_clips_of_two_people_with_one_name_are_two_clips(tmp_path: Path) -> None:
    root = sheet_of(tmp_path, "path,label,who,clip\n0.jpg,1,a,001\n1.jpg,7,b,001\n")
    columns = {"label_column": "label", "subject_column": "who", "clip_column": "clip", "label_space": "emotion/raf"}
    assert opened(root, file="t.csv", **columns).table["clip"].nunique() == 2


def test_numbers_of_a_native_code_are_labels(tmp_path: Path) -> None:
    root = sheet_of(tmp_path, "path,label\n0.jpg,1\n1.jpg,7\n")
    index = opened(root, file="t.csv", label_column="label", label_space="emotion/raf")
    assert list(index.table["emotion"]) == ["surprise", "neutral"]
    frame = pd.DataFrame({"path": ["0.jpg", "1.jpg"], "label": [np.nan, 7.0]})
    frame.to_parquet(root / "t.parquet")
    index = opened(root, file="t.parquet", label_column="label", label_space="emotion/raf")
    assert list(index.table["emotion"]) == [None, "neutral"]


@pytest.mark.parametrize("column", ["AU12", "AU12_r", "au12", "12", "AU 12"])
def test_action_unit_names(tmp_path: Path, column: str) -> None:
    root = sheet_of(tmp_path, f"path,{column}\n0.jpg,2.5\n1.jpg,\n")
    index = opened(root, file="t.csv", au_columns=[column])
    assert list(index.label_spaces) == ["au"]
    assert index.table["AU12"][0] == 2.5 and math.isnan(index.table["AU12"][1])
    assert index.label_spaces["au"].name == "au/disfa12:AU12"
    assert "AU04" not in index.table
    assert index.is_labelled("au").tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "settings", "sentence"),
    [
        ("path,label\n0.jpg,fear\n", {}, "needs dataset.label_column or dataset.au_columns"),
        ("path,label\n0.jpg,fear\n", {"label_column": "lable"}, r"no column 'lable' .*Did you mean 'label'"),
        ("path,label\n0.jpg,fear\n1.jpg,glad\n", {"label_column": "label"}, "row 3: Label 'glad' in column label"),
        ("path,label\n0.jpg,\n,fear\n", {"label_column": "label"}, "t.csv row 3: the image path is empty"),
        ("path,label\n../0.jpg,fear\n", {"label_column": "label"}, "row 2: the image path is outside the root"),
        ("path,label\n/etc/0.jpg,fear\n", {"label_column": "label"}, "row 2: the image path is outside the root"),
        ("path,label\n0.jpg,fear\n0.jpg,fear\n", {"label_column": "label"}, "lists 1 samples twice"),
        ("path,label\n9.jpg,fear\n", {"label_column": "label"}, "1 of 1 images in the table are not there"),
        ("path,label,label\n0.jpg,fear,a\n", {"label_column": "label.2"}, "no column 'label.2'"),
        ("path,AU12\n0.jpg,2\n1.jpg,x\n", {"au_columns": ["AU12"]}, "row 3: AU12 is 'x', which is not a number"),
        ("path,AU12\n0.jpg,9\n", {"au_columns": ["AU12"]}, "row 2: AU12 is 9; au/disfa12 goes from 0 to 5"),
        ("path,AU12\n0.jpg,inf\n", {"au_columns": ["AU12"]}, "row 2: AU12 is inf"),
        ("path,AU13\n0.jpg,1\n", {"au_columns": ["AU13"]}, "'AU13', which is not in au/disfa12"),
        ("path,AU12,12\n0.jpg,1,1\n", {"au_columns": ["AU12", "12"]}, "names AU12 twice: AU12 and 12"),
        ("path,l,n\n0.jpg,fear,x\n", {"label_column": "l", "frame_column": "n"}, "row 2: frame 'x' is not a whole"),
        ("path,l,s\n0.jpg,fear,tset\n", {"label_column": "l", "split_column": "s"}, "row 2: split 'tset'.*'test'"),
        ("", {"label_column": "label"}, "cannot be read as csv: No columns"),
        ("path,label\n", {"label_column": "label"}, "holds no samples"),
    ],
)  # fmt: skip
def test_bad_cells_are_one_sentence_with_their_row(
    tmp_path: Path, text: str, settings: dict[str, Any], sentence: str
) -> None:
    root = sheet_of(tmp_path, text)
    with pytest.raises(UserError, match=sentence) as caught:
        opened(root, file="t.csv", **settings)
    assert "\n" not in str(caught.value)


def test_bad_files_are_one_sentence(tmp_path: Path) -> None:
    sheet_of(tmp_path, "path\n")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    for file, sentence in {
        "": "needs dataset.file=PATH",
        "t.xlsx": "must end in .csv, .tsv or .parquet",
        "u.csv": "dataset.file=u.csv is not there",
        "t.parquet": "cannot be read as parquet",
        "binary.csv": "cannot be read as csv",
    }.items():
        with pytest.raises(UserError, match=sentence):
            opened(tmp_path, file=file, label_column="label")


def test_missing_images_stay_to_be_counted_when_asked(tmp_path: Path) -> None:
    root = sheet_of(tmp_path, "path,label\n0.jpg,fear\n9.jpg,fear\n")
    index = opened(root, file="t.csv", label_column="label", missing_images="skip")
    assert list(index.table["image"]) == ["0.jpg", "9.jpg"]
    assert index.noted("missing") == (index.ids[1],)


def test_units_without_a_value_are_no_outputs(tmp_path: Path) -> None:
    root = sheet_of(tmp_path, "path,AU12,AU01,AU04\n0.jpg,2.5,0,\n1.jpg,,1,\n")
    index = opened(root, file="t.csv", au_columns=["AU12", "AU01", "AU04"])
    assert index.label_spaces["au"] == label_space("au/disfa12:AU01+AU12")
    assert index.target_array("au").shape == (2, 2)
    (note,) = (note for note in index.notes if note.kind == "units")
    assert note.sentence.startswith("Units in the data: AU01, AU12; au/disfa12 also has AU02, AU04, AU05")
    nothing = opened(root, file="t.csv", au_columns=["AU04"])
    assert nothing.label_spaces["au"].entries == ("AU04",)


def test_classes_are_those_of_the_column_or_those_named(tmp_path: Path) -> None:
    root = sheet_of(tmp_path, "path,label\n0.jpg,sad\n1.jpg,fear\n2.jpg,\n", images=3)
    index = opened(root, file="t.csv", label_column="label")
    assert index.label_spaces["emotion"].name == "emotion/basic7:fear+sadness"
    named = opened(root, file="t.csv", label_column="label", classes=["fear", "anger"])
    assert named.target_array("emotion").tolist() == [-1, 1, -1]
    assert named.table["emotion"].tolist() == ["sadness", "fear", None]
    assert [note.sentence for note in named.notes if note.kind == "classes"] == [
        "Neither trained nor scored, as dataset.classes leaves them out: sadness."
    ]


def test_full_paths_below_the_root_and_backslashes_are_the_same_sample(tmp_path: Path) -> None:
    write_image(tmp_path / "a" / "0.jpg", 0)
    ids = set()
    for path in ("a/0.jpg", "a\\0.jpg", "./a/0.jpg", str(tmp_path / "a" / "0.jpg")):
        (tmp_path / "t.csv").write_text(f"path,label\n{path},fear\n", encoding="utf-8-sig")
        ids |= set(opened(tmp_path, file="t.csv", label_column="label").ids)
    assert len(ids) == 1


def test_labels_become_classes(tmp_path: Path) -> None:
    root = sheet_of(tmp_path, "path,label\n0.jpg,Very calm \n1.jpg,bored\n2.jpg,\n3.jpg,BORED\n", images=4)
    index = opened(root, file="t.csv", label_column="label", label_space="own")
    assert index.label_spaces["emotion"].name == "emotion/own:bored+very_calm"
    assert list(index.table["emotion"]) == ["very_calm", "bored", None, "bored"]
    with pytest.raises(UserError, match=r"row 2: Label 'Very calm' .* set dataset\.label_space=own"):
        opened(root, file="t.csv", label_column="label")


def test_own_labels_that_are_none_are_told(tmp_path: Path) -> None:
    root = sheet_of(tmp_path, "path,label,empty\n0.jpg,a+b,\n1.jpg,bored,\n")
    with pytest.raises(UserError, match=r"'a\+b' in column label cannot be the name of a class"):
        opened(root, file="t.csv", label_column="label", label_space="own")
    with pytest.raises(UserError, match="There is no class in column empty"):
        opened(root, file="t.csv", label_column="empty", label_space="own")


BOX_CELLS = "face_x,face_y,face_width,face_height"


def test_boxes_and_points_of_the_table_are_those_of_the_index(tmp_path: Path) -> None:
    """68 points as OpenFace writes them also give the five that are aligned; an empty row has no face."""
    points = np.arange(136.0).reshape(68, 2)
    names = [f"{axis}_{number}" for number in range(68) for axis in "xy"]
    cells = ",".join(f"{value:g}" for value in points.ravel())
    text = f"path,label,{BOX_CELLS},{','.join(names)}\n0.jpg,happy,10,20,30.5,40,{cells}\n1.jpg,sad{',' * 140}\n"
    root = sheet_of(tmp_path, text)
    index = opened(root, file="t.csv", label_column="label", faces=True)
    assert index.table.loc[0, list(BOX_COLUMNS)].tolist() == [10, 20, 30.5, 40]
    np.testing.assert_array_equal(known_points(index)[0], points)
    five = index.table.loc[0, list(POINT_COLUMNS)].to_numpy(float).reshape(5, 2)
    np.testing.assert_allclose(five[0], points[36:42].mean(axis=0))  # the eye at the left of the picture
    np.testing.assert_allclose(five[2:], points[[30, 48, 54]])
    assert index.table.loc[1, [*BOX_COLUMNS, *POINT_COLUMNS]].isna().all()
    assert list(index.label_spaces) == ["emotion", "landmarks"]
    assert index.is_labelled("landmarks").tolist() == [True, False]
    np.testing.assert_array_equal(index.target_array("landmarks")[0], points.ravel())
    without = opened(root, file="t.csv", label_column="label")
    assert without.fingerprint() != index.fingerprint()  # points are labels
    assert list(without.label_spaces) == ["emotion"] and not set(BOX_COLUMNS) & set(without.table)


def test_points_alone_are_something_to_learn_and_boxes_alone_are_not(tmp_path: Path) -> None:
    cells = ",".join(str(number) for number in range(136))
    root = sheet_of(
        tmp_path, f"path,{','.join(LANDMARK_COLUMNS)},{BOX_CELLS}\n0.jpg,{cells},1,2,3,4\n1.jpg{',' * 140}\n"
    )
    index = opened(root, file="t.csv", faces=True)
    assert list(index.label_spaces) == ["landmarks"]
    frame = pd.read_csv(root / "t.csv").drop(columns="landmark_67_y")
    frame.to_csv(root / "boxes.csv", index=False)
    with pytest.raises(UserError, match=r"or all 68 points by dataset\.faces=true"):
        opened(root, file="boxes.csv", faces=True)


def test_a_network_gets_the_box_that_the_table_says(tmp_path: Path) -> None:
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[10:30, 40:60] = 255
    root = sheet_of(tmp_path, f"path,label,{BOX_CELLS}\n0.jpg,happy,40,10,20,20\n1.jpg,sad,,,,\n")
    Image.fromarray(pixels).save(root / "0.jpg", "PNG")
    index = opened(root, file="t.csv", label_column="label", faces=True)
    spec = InputSpec(height=16, width=16, crop_scale=0.9, colour="grey", mean=(0.0,), std=(1.0,))
    assert FaceImages(index, spec).read(0).min() == 255
    with pytest.raises(UnreadableImage, match="no face found"):
        FaceImages(index, spec).read(1)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ("1,2,x,4", "t.csv row 2: face_width is 'x', which is not a number"),
        ("1,2,0,4", "t.csv row 2: face_width is 0; pixels are expected"),
        ("1,2,3,-4", "t.csv row 2: face_height is -4; pixels are expected"),
        ("inf,2,3,4", "t.csv row 2: face_x is inf; pixels are expected"),
    ],
)
def test_a_box_that_is_none_is_refused_with_its_row(tmp_path: Path, cells: str, says: str) -> None:
    root = sheet_of(tmp_path, f"path,label,{BOX_CELLS}\n0.jpg,happy,{cells}\n1.jpg,sad,1,2,3,4\n")
    with pytest.raises(UserError, match=says):
        opened(root, file="t.csv", label_column="label", faces=True)


def test_a_table_without_a_whole_set_of_face_columns_is_refused(tmp_path: Path) -> None:
    root = sheet_of(tmp_path, "path,label,face_x\n0.jpg,happy,1\n1.jpg,sad,2\n")
    with pytest.raises(UserError, match="no whole set of columns of boxes"):
        opened(root, file="t.csv", label_column="label", faces=True)
