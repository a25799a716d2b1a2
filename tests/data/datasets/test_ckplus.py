import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import ckplus as fakes

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.core.sample import sample_id, subject_code
from fer_zoo.data.checks import check_dataset
from fer_zoo.data.datasets.ckplus import CARD, NAME, PER_CLASS
from fer_zoo.data.image_sources import known_points
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import PROTOCOLS, make_splits

LABELLED = (
    *(5, 10, 11, 14, 22, 26, 28, 29, 32, 34, 35, 37, 42, *range(44, 47), *range(50, 103), *range(105, 118), 119, 122),
    *(*range(124, 140), *range(147, 150), 151, *range(154, 159), 160, *range(501, 507), 895, 999),
)
OTHERS = (1, 103, 104, 118, 900)  # people without a label between and behind them
EMOTION = "Emotion_labels/Emotion"
FACS = "FACS_labels/FACS"


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many people, sequences and labels as a complete copy has, six frames each that are empty files."""
    root = tmp_path_factory.mktemp("whole") / NAME
    labels = [name for name, count in PER_CLASS.items() for _ in range(count)]
    places = [(f"S{LABELLED[i % 118]:03d}", f"{1 + i // 118:03d}", label) for i, label in enumerate(labels)]
    people = sorted({*LABELLED, *OTHERS})
    places += [(f"S{people[i % 123]:03d}", f"{11 + i // 123:03d}", "") for i in range(266)]
    for person, sequence, label in places:
        folder = root / "cohn-kanade-images" / person / sequence
        folder.mkdir(parents=True)
        for number in range(1, 7):
            (root / fakes.frame(person, sequence, number)).touch()
        if label:
            code = [fakes.notation(fakes.CODES[label])]
            fakes.write_label(root, "Emotion", person, sequence, 6, "emotion", code)
    return root


def folds_of(index: Index) -> list[set[str]]:
    splits = make_splits(index, "subject_kfold", {}, "emotion")
    return [set(index.table["subject"].iloc[index.rows_of(split.test)]) for split in splits]


def codes(numbers: tuple[int, ...]) -> set[str]:
    return {subject_code(NAME, f"S{number:03d}") for number in numbers}


def images(index: Index) -> list[str]:
    return sorted(index.table["image"])


def test_a_complete_copy_has_the_published_numbers(skeleton: Path) -> None:
    eight = open_dataset(NAME, skeleton)
    assert eight.found == CARD.expected
    assert (len(eight), eight.table["subject"].nunique()) == (1308, 118)
    assert Counter(eight.table["emotion"]) == {"neutral": 327, **{name: 3 * n for name, n in PER_CLASS.items()}}
    seven = open_dataset(NAME, skeleton, label_space="emotion/ckplus7")
    assert (len(seven), set(seven.table["emotion"])) == (981, set(PER_CLASS))
    peaks = open_dataset(NAME, skeleton, label_space="emotion/ckplus7", expression="last_1")
    assert (len(peaks), set(peaks.table["frame"]), set(peaks.table["peak"])) == (327, {6}, {1.0})
    six = open_dataset(NAME, skeleton, label_space="emotion/basic6")
    assert (six.target_array("emotion") >= 0).sum() == 3 * (327 - 18)
    every = open_dataset(NAME, skeleton, sequences="all")
    assert (len(every), every.table["emotion"].isna().sum()) == (1308 + 266, 266)


def test_folds_are_those_of_the_published_list(skeleton: Path, tmp_path: Path) -> None:
    index = open_dataset(NAME, skeleton)
    expected = [codes(LABELLED[k::10]) for k in range(10)]
    assert folds_of(index) == expected
    assert [len(fold) for fold in expected] == [12] * 8 + [11] * 2
    assert folds_of(open_dataset(NAME, skeleton, sequences="all")) == expected
    root = Path(shutil.copytree(skeleton, tmp_path / "more"))
    for number in range(6, 10):  # in front of all others but one
        (root / f"cohn-kanade-images/S{number:03d}/001").mkdir(parents=True)
        (root / fakes.frame(f"S{number:03d}", "001", 1)).touch()
    more = open_dataset(NAME, root)
    assert more.found["people"] == 127 and folds_of(more) == expected
    fakes.write_label(root, "Emotion", "S006", "001", 1, "emotion", [fakes.notation(5)])
    assert folds_of(open_dataset(NAME, root, expression="last_1", label_space="emotion/ckplus7")) != expected


def test_codes_in_exponents_are_emotions_and_frames_are_counted_by_name(tmp_path: Path) -> None:
    index = open_dataset(NAME, fakes.write(tmp_path).root)
    table = index.table.set_index("image")
    assert table.loc[fakes.frame("S005", "001", 5), "emotion"] == "disgust"
    assert table.loc[fakes.frame("S501", "006", 4), "emotion"] == "contempt"
    gaps = table[table["clip"] == table.loc[fakes.frame("S010", "002", 12), "clip"]]
    assert list(gaps["frame"]) == [1, 3, 9, 12] and list(gaps["peak"]) == [0, 0, 0, 1]
    assert list(gaps["emotion"]) == ["neutral", "anger", "anger", "anger"]
    late = table[table["clip"] == table.loc[fakes.frame("S010", "004", 6), "clip"]]
    assert list(late["frame"]) == [3, 4, 5, 6]
    assert "S001" not in {image.split("/")[1] for image in table.index}
    assert [note.sentence[:7] for note in index.notes] == ["2 files"]
    shown = index.table.drop(columns="image").to_csv() + str(index.notes) + repr(index)
    assert not any(person in shown for person in ("S005", "S010", "S999"))


def test_frames_are_a_setting(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    peaks = open_dataset(NAME, root, label_space="emotion/ckplus7", expression="last_1")
    assert images(peaks) == sorted(fakes.frame(p, s, numbers[-1]) for p, s, numbers, *_ in fakes.SEQUENCES)
    with pytest.raises(UserError, match=r"5 of 8 sequences .* fewer than the 5 frames .* cohn-kanade-images/S010/004"):
        open_dataset(NAME, root, label_space="emotion/ckplus7", expression="end_1+end_3+end_5")
    odd = open_dataset(
        NAME, root, label_space="emotion/ckplus7", expression="end_1+end_3+end_5", short_sequences="skip"
    )
    assert set(odd.table["frame"][odd.table["emotion"] == "sadness"]) == {2, 4, 6}
    assert len(odd) == 9 and [note.sentence[:1] for note in odd.notes if note.kind == "short"] == ["5"]
    with pytest.raises(UserError, match=r"dataset\.expression=first asks for 'first'; it is last_N"):
        open_dataset(NAME, root, expression="first")


def test_label_spaces_are_eight_seven_seven_and_six(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    found = {}
    for space in ("ckplus8", "ckplus7", "ckplus7_neutral", "basic6"):
        index = open_dataset(NAME, root, label_space=f"emotion/{space}")
        assert index.label_spaces["emotion"] == label_space(f"emotion/{space}")
        kinds = [note.kind for note in index.notes if note.kind != "ignored"]
        found[space] = (len(index), int((index.target_array("emotion") < 0).sum()), kinds)
    assert found == {
        "ckplus8": (32, 0, []),
        "ckplus7": (24, 0, []),
        "ckplus7_neutral": (32, 3, ["classes"]),
        "basic6": (24, 3, ["classes"]),
    }
    with pytest.raises(UserError, match="must be one of emotion/ckplus8"):
        open_dataset(NAME, root, label_space="emotion/raf")


def test_action_units_stand_at_the_last_frame_and_level_0_is_present_of_unknown_level(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    index = open_dataset(NAME, root, targets=["emotion", "au"])
    table = index.table.set_index("image")
    assert list(index.label_spaces) == ["emotion", "au"]
    first = table.loc[fakes.frame("S005", "001", 5)]
    assert [first[name] for name in ("AU09", "AU17", "AU12")] == [4, 2, 0]
    assert np.isnan(first["AU04"]) and np.isnan(table.loc[fakes.frame("S005", "001", 4), "AU09"])
    assert np.isnan(table.loc[fakes.frame("S132", "001", 4), list(index.space("au").entries)].astype(float)).all()
    assert index.is_labelled("au").sum() == 7  # not the sequence whose file is empty
    present = open_dataset(NAME, root, targets=["au"], au_space="au/bp4d12").table.set_index("image")
    assert [present.loc[fakes.frame("S005", "001", 5), name] for name in ("AU04", "AU17", "AU12")] == [1, 1, 0]
    every = open_dataset(NAME, root, targets=["au"], sequences="all")
    assert every.is_labelled("au").sum() == 8 and list(every.label_spaces) == ["au"]
    last = every.table.set_index("image").loc[fakes.frame("S001", "001", 3)]
    assert (last["AU12"], last["AU01"], last["emotion"]) == (2, 0, None)


def test_points_of_each_frame(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    (root / "Landmarks/S011/001/S011_001_00000002_landmarks.txt").unlink()
    index = open_dataset(NAME, root, targets=["emotion", "landmarks"])
    found = index.table.set_index("image")[list(LANDMARK_COLUMNS)]
    assert np.array_equal(found.loc[fakes.frame("S005", "001", 4)].to_numpy(float), fakes.points(4).ravel())
    lacking = sample_id(NAME, fakes.frame("S011", "001", 2))
    assert index.noted("no points") == (lacking,)
    points = known_points(index)
    assert points is not None and np.flatnonzero(np.isnan(points).any(axis=(1, 2))).tolist() == [
        index.ids.index(lacking)
    ]
    assert index.table["nose_tip_x"].notna().sum() == 31
    plain = open_dataset(NAME, root)
    assert plain.fingerprint() == replace(index, label_spaces=plain.label_spaces).fingerprint()


def test_archives_may_lie_in_folders_of_their_own_and_ids_stay(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    index = open_dataset(NAME, root)
    (root / "extended-cohn-kanade-images").mkdir()
    (root / "cohn-kanade-images").rename(root / "extended-cohn-kanade-images/cohn-kanade-images")
    (root / EMOTION).rename(root / "Emotion")
    moved = open_dataset(NAME, root)
    assert moved.table.equals(index.table) and moved.root != index.root
    assert all((moved.root / image).is_file() for image in moved.table["image"])
    (root / "a/Emotion").mkdir(parents=True)
    (root / "Emotion").rename(root / "Emotion_labels/Emotion")
    with pytest.raises(UserError, match="holds Emotion more than once, as Emotion_labels/Emotion and a/Emotion"):
        open_dataset(NAME, root)


def test_what_is_broken_or_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    label = f"{EMOTION}/S005/001/S005_001_00000005_emotion.txt"
    for content, sentence in (
        ("x", f"^{label} is damaged: lines of one number are expected"),
        ("", f"^{label} holds 0 numbers; the code of one emotion is expected"),
        ("   0.0000000e+00", rf"^Label '0' in {label} is not one of emotion/ckplus7"),
        ("   2.5000000e+00", rf"^Label '2\.5' in {label} is not one of emotion/ckplus7"),
    ):
        (root / label).write_text(content)
        with pytest.raises(UserError, match=sentence):
            open_dataset(NAME, root)
    fakes.write_label(root, EMOTION, "S005", "001", 5, "emotion", [fakes.notation(3)])
    fakes.write_label(root, EMOTION, "S005", "001", 4, "emotion", [fakes.notation(3)])
    with pytest.raises(UserError, match=rf"{EMOTION}/S005/001 holds 2 files \*_emotion\.txt"):
        open_dataset(NAME, root)
    (root / label).unlink()
    assert len(open_dataset(NAME, root)) == 32  # it need not be named after the last frame
    facs = fakes.write_label(root, FACS, "S005", "001", 5, "facs", [f"{fakes.notation(1.2)}{fakes.notation(1)}"])
    with pytest.raises(UserError, match=f"^{FACS}/S005/001/S005_001_00000005_facs.txt is damaged: action units"):
        open_dataset(NAME, root, targets=["au"])
    facs.write_text(f"{fakes.notation(1)}{fakes.notation(6)}")
    with pytest.raises(UserError, match="intensities from 0 to 5"):
        open_dataset(NAME, root, targets=["au"])
    points = root / "Landmarks/S005/001/S005_001_00000005_landmarks.txt"
    points.write_text("1 2\n")
    with pytest.raises(UserError, match=r"^Landmarks/S005/001/\S* holds 1 points; 68 are expected"):
        open_dataset(NAME, root, targets=["landmarks"])
    shutil.rmtree(root / "cohn-kanade-images/S022/003")
    with pytest.raises(UserError, match=r"1 of 8 sequences .* e\.g\. cohn-kanade-images/S022/003 with 0"):
        open_dataset(NAME, root)
    assert open_dataset(NAME, root, short_sequences="skip").found["labelled sequences"] == 7


@pytest.mark.parametrize(
    ("part", "settings", "sentence"),
    [
        ("cohn-kanade-images", {}, "it holds neither cohn-kanade-images beside Emotion nor CK\\+48"),
        (EMOTION, {}, "Emotion is not there .*unpack Emotion_labels.zip"),
        (FACS, {"targets": ["au"]}, "dataset.targets has au, but FACS is not in"),
        ("Landmarks", {"targets": ["landmarks"]}, "dataset.targets has landmarks, but Landmarks is not in"),
    ],
)
def test_missing_parts(tmp_path: Path, part: str, settings: dict[str, object], sentence: str) -> None:
    root = fakes.write(tmp_path).root
    shutil.rmtree(root / part)
    with pytest.raises(UserError, match=sentence):
        open_dataset(NAME, root, **settings)


def test_wrong_layouts(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    for person in list((root / "cohn-kanade-images").iterdir()):
        person.rename(person.with_name("P" + person.name[1:]))
    with pytest.raises(UserError, match="cohn-kanade-images holds no folders S005/001"):
        open_dataset(NAME, root)
    shutil.rmtree(root / EMOTION)
    (root / EMOTION).mkdir()
    for person in list((root / "cohn-kanade-images").iterdir()):
        person.rename(person.with_name("S" + person.name[1:]))
    with pytest.raises(UserError, match="No sequence of ckplus has an emotion"):
        open_dataset(NAME, root)


def test_ck48_is_told_apart_and_read_as_a_variant(tmp_path: Path) -> None:
    fake = fakes.write_repack(tmp_path)
    index = open_dataset(NAME, fake.root)
    assert (index.variant, index.is_cropped, len(index)) == ("CK+48", True, 24)
    assert dict(zip(index.table["image"], index.table["emotion"], strict=True)) == fake.labels
    assert dict(zip(index.table["image"], index.table["subject"], strict=True)) == {
        path: subject_code(NAME, person) for path, person in fake.people.items()
    }
    assert index.label_spaces["emotion"].entries == label_space("emotion/ckplus7").entries
    original = open_dataset(NAME, fakes.write(tmp_path).root, label_space="emotion/ckplus7")
    keys = ["subject", "clip", "frame", "emotion"]
    assert set(map(tuple, index.table[keys].to_numpy())) == set(map(tuple, original.table[keys].to_numpy()))
    assert index.root == fake.root / "CK+48"
    (fake.root / "CK+48").rename(fake.root / "images")  # by its class folders
    assert open_dataset(NAME, fake.root / "images").table.equals(index.table)
    report = check_dataset(open_dataset(NAME, fake.root / "images"), CARD)
    assert report.differences["images"] == (981, 24) and report.differences["images of contempt"] == (54, 3)
    assert "sequences" not in report.differences and not report.missing


def test_ck48_keeps_people_apart_only_by_names(tmp_path: Path) -> None:
    fake = fakes.write_repack(tmp_path)
    folds = {"folds": 3, "validation_share": 0.25}
    assert len(make_splits(open_dataset(NAME, fake.root), "subject_kfold", folds, "emotion")) == 3
    one = fake.root / "CK+48/happy/S011_001_00000002.png"
    one.rename(one.with_name("image_00000002.png"))
    index = open_dataset(NAME, fake.root)
    assert index.table["subject"].nunique() == 8
    for protocol in PROTOCOLS.values():
        if protocol.unit == "subject" and protocol.trains:
            with pytest.raises(UserError, match=r"keeps people apart, and 1 of 24 files of CK\+48 do not say in their"):
                make_splits(index, protocol.name, {}, "emotion")
    assert len(make_splits(index, "test_only", {}, "emotion")[0].test) == 24


def test_ck48_has_no_more_than_it_has(tmp_path: Path) -> None:
    fake = fakes.write_repack(tmp_path)
    with pytest.raises(UserError, match="holds neither FACS nor points"):
        open_dataset(NAME, fake.root, targets=["emotion", "au"])
    with pytest.raises(UserError, match="choose among them by frames=last_1"):
        open_dataset(NAME, fake.root, expression="last_1")
    fake.spoil_label()
    with pytest.raises(UserError, match=r"Label 'hapy' in the folder names of CK\+48"):
        open_dataset(NAME, fake.root)
    both = fakes.write(tmp_path).root
    (fake.root / "CK+48").rename(both / "CK+48")
    with pytest.raises(UserError, match=r"holds cohn-kanade-images and CK\+48: give the folder of one of them"):
        open_dataset(NAME, both)


def test_counts_that_differ_are_told_by_name(tmp_path: Path) -> None:
    report = check_dataset(open_dataset(NAME, fakes.write(tmp_path).root), CARD)
    assert report.differences == {
        "sequences": (593, 11), "people": (123, 8), "labelled sequences": (327, 8), "labelled people": (118, 7),
        "sequences of anger": (45, 1), "sequences of contempt": (18, 1), "sequences of disgust": (59, 1),
        "sequences of fear": (25, 1), "sequences of happiness": (69, 2), "sequences of sadness": (28, 1),
        "sequences of surprise": (83, 1),
    }  # fmt: skip
    assert not report.is_clean and "differs: sequences of fear is 1, expected 25" in report.to_text()


def test_nothing_to_learn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^dataset\.targets names nothing: say what is to be learned"):
        open_dataset(NAME, fakes.write(tmp_path).root, targets=[])
