from pathlib import Path

import pytest
from fakes import image_folder as fakes
from fakes.fake import write_image

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits


def opened(root: Path, **settings: object) -> Index:
    return open_dataset("image_folder", root, **settings)


def test_classes_at_the_root_need_no_split(tmp_path: Path) -> None:
    for number, name in enumerate(("zorn", "happy", "FEAR")):
        write_image(tmp_path / name.replace("zorn", "anger") / "deep" / f"{number}.png", number, codec="PNG")
    index = opened(tmp_path)
    assert "split" not in index.table
    assert list(index.table["emotion"]) == ["fear", "anger", "happiness"]
    assert list(index.table["subject"]) == index.ids
    assert index.variant == "class folders"
    assert [note.kind for note in index.notes] == ["classes", "subjects"]
    assert not index.is_cropped and opened(tmp_path, cropped=True).is_cropped


def test_left_out_files_are_counted(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    (note,) = (note for note in opened(fake.root, **fake.settings).notes if note.kind == "ignored")
    assert note.sentence.startswith("3 files")


def test_order_of_folders_is_not_the_order_of_classes(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    index = opened(fake.root, **fake.settings, label_space="emotion/fer2013")
    codes = {"anger": 0, "happiness": 1, "sadness": 2, "surprise": 3, "neutral": 4}
    assert index.label_spaces["emotion"] == label_space("emotion/fer2013").only(codes)
    assert index.target_array("emotion").tolist() == [codes[name] for name in index.table["emotion"]]


def test_classes_are_those_that_have_a_folder_unless_they_are_named(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    index = opened(fake.root)
    assert index.label_spaces["emotion"].name == "emotion/basic7:anger+happiness+neutral+sadness+surprise"
    assert [note.sentence for note in index.notes if note.kind == "classes"] == [
        "Classes in the data: anger, happiness, neutral, sadness, surprise; emotion/basic7 also has disgust, fear."
    ]
    two = opened(fake.root, classes=["sad", "happy"])
    assert two.label_spaces["emotion"].entries == ("happiness", "sadness")
    assert two.table.equals(index.table)  # the others stay, apart
    assert (two.target_array("emotion") < 0).sum() == sum(label not in ("happiness", "sadness")
                                                           for label in fake.labels.values())  # fmt: skip
    assert two.fingerprint() == index.fingerprint()
    with pytest.raises(UserError, match=r"'hapy' in dataset\.classes is not one of .* Did you mean 'happy'"):
        opened(fake.root, classes=["hapy"])


def test_class_outside_the_space_lists_entries_and_the_nearest(tmp_path: Path) -> None:
    write_image(tmp_path / "surprize" / "1.jpg", 0)
    with pytest.raises(UserError, match=r"'surprize'.* not one of emotion/basic7: anger, .*Did you mean 'surprise'"):
        opened(tmp_path)
    fake = fakes.write(tmp_path)
    with pytest.raises(UserError, match=r"'neutral'.* not one of emotion/basic6"):
        opened(fake.root, label_space="emotion/basic6")


def test_split_folders_beside_classes_are_refused(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    write_image(fake.root / "fear" / "1.jpg", 0)
    with pytest.raises(UserError, match=r"holds split folders .* beside 'fear'"):
        opened(fake.root)
    (fake.root / "fear").rename(fake.root / "validation")
    with pytest.raises(UserError, match="two folders for one part"):
        opened(fake.root)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        (r"(\w+", "is not a regular expression"),
        (r"\w+", "has 0 groups"),
        (r"(\w)(\w)", "has 2 groups"),
        (r"^(Alba)_", "finds nobody in the names of 14 of 16 files"),
    ],
)
def test_bad_patterns_are_one_sentence(tmp_path: Path, pattern: str, sentence: str) -> None:
    fake = fakes.write(tmp_path)
    with pytest.raises(UserError, match=sentence) as caught:
        opened(fake.root, subject_pattern=pattern)
    assert not [word for word in fake.hidden[1:] if word in str(caught.value)]


def test_person_in_two_split_folders_is_refused_when_known(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    write_image(fake.root / "test" / "neutral" / "Alba_9.jpg", 77)
    with pytest.raises(UserError, match="1 subjects both in train and in test: s") as caught:
        make_splits(opened(fake.root, **fake.settings), "official_split", {}, "emotion")
    assert "Alba" not in str(caught.value)
    assert make_splits(opened(fake.root), "official_split", {}, "emotion")[0].name == "official"


def own_folders(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        write_image(root / name / "0.png", number, codec="PNG")
    return root


def test_folder_names_become_classes(tmp_path: Path) -> None:
    index = opened(own_folders(tmp_path, "Very calm", "bored", "happy"), label_space="own")
    space = index.label_spaces["emotion"]
    assert space.name == "emotion/own:bored+happy+very_calm"
    assert dict(zip(index.table["image"], index.table["emotion"], strict=True)) == {
        "Very calm/0.png": "very_calm",
        "bored/0.png": "bored",
        "happy/0.png": "happy",
    }
    assert opened(tmp_path, label_space="own", classes=["bored", "Very calm"]).label_spaces["emotion"].entries == (
        "bored",
        "very_calm",
    )


def test_own_classes_are_those_of_every_part_that_hold_images(tmp_path: Path) -> None:
    own_folders(tmp_path, "train/bored", "train/calm", "test/Calm")
    (tmp_path / "train" / "empty").mkdir()
    index = opened(tmp_path, label_space="own")
    assert index.label_spaces["emotion"].name == "emotion/own:bored+calm"
    assert sorted(index.table["emotion"]) == ["bored", "calm", "calm"]
    assert ["also has empty" in note.sentence for note in index.notes if note.kind == "classes"] == [True]


def test_own_folders_that_differ_in_capitals_or_blanks_alone_are_one_class_and_told(tmp_path: Path) -> None:
    index = opened(own_folders(tmp_path, "Very calm", "very_calm", "bored"), label_space="own")
    assert index.label_spaces["emotion"].entries == ("bored", "very_calm")
    (note,) = [note.sentence for note in index.notes if note.kind == "merged"]
    assert note == "Folders are taken together: Very calm, very_calm as very_calm."
    apart = opened(own_folders(tmp_path / "apart", "calm", "bored"), label_space="own")
    assert "merged" not in [note.kind for note in apart.notes]


def test_unknown_folder_is_told_of_own_classes(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"'bored' .* To make classes of the folder names, set dataset\.label_space=own"
    ):
        opened(own_folders(tmp_path, "bored", "happy"))


@pytest.mark.parametrize("name", ["a+b", "a,b", "what?", "a=b", "(calm)"])
def test_own_class_with_odd_signs_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot be the name of a class: rename it"):
        opened(own_folders(tmp_path, name, "calm"), label_space="own")


def test_own_classes_of_nothing_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No images below"):
        opened(tmp_path, label_space="own")
