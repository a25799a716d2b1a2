import shutil
from collections import Counter
from pathlib import Path

import pytest
from fakes import oulu_casia as fakes

from fer_zoo.core.errors import UserError
from fer_zoo.core.sample import subject_code
from fer_zoo.data.checks import check_dataset
from fer_zoo.data.datasets.oulu_casia import CARD, NAME
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits


def frames_of(index: Index, path: str) -> list[int]:
    """Numbers of the frames of the sequence that an image is of."""
    clip = index.table.set_index("image").loc[path, "clip"]
    return sorted(index.table["frame"][index.table["clip"] == clip])


def test_a_complete_copy_has_the_published_numbers(tmp_path: Path) -> None:
    for number in range(1, 81):
        for emotion in fakes.EMOTIONS:
            folder = tmp_path / f"VL/Strong/P{number:03d}/{emotion}"
            folder.mkdir(parents=True)
            for frame in range(5):
                (folder / f"{frame:03d}.jpeg").touch()
    index = open_dataset(NAME, tmp_path)
    assert index.found == CARD.expected and index.expected is None
    assert len(index) == 1440 and set(Counter(index.table["emotion"]).values()) == {240}
    assert (index.table["peak"].sum(), set(index.table["frame"])) == (480, {2, 3, 4})
    splits = make_splits(index, "subject_kfold", {}, "emotion")
    for k, split in enumerate(splits):
        people = [subject_code(NAME, f"P{number:03d}") for number in range(1 + k, 81, 10)]
        assert set(index.table["subject"].iloc[index.rows_of(split.test)]) == set(people)
        assert len(people) == 8
    neutral = open_dataset(NAME, tmp_path, label_space="emotion/basic7")
    assert len(neutral) == 1920 and Counter(neutral.table["emotion"])["neutral"] == 480


def test_only_visible_light_and_strong_illumination_unless_asked(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    index = open_dataset(NAME, root)
    assert {image.rpartition("/P")[0] for image in index.table["image"]} == {"VL/Strong"}
    assert (index.variant, [c for c in index.table if c.startswith("condition")]) == ("VL/Strong", [])
    weak = open_dataset(NAME, root, illuminations=["Weak"])
    assert {image.rpartition("/P")[0] for image in weak.table["image"]} == {"VL/Weak"}
    infrared = open_dataset(NAME, root, cameras=["NI"])
    assert {image.rpartition("/P")[0] for image in infrared.table["image"]} == {"NI/Strong"}
    assert frames_of(infrared, fakes.frame("NI/Strong", "P001", "Anger", 8)) == [6, 7, 8]  # longer than VL's
    both = open_dataset(NAME, root, cameras=["VL", "NI"])
    assert Counter(both.table["condition_camera"]) == {"VL": 36, "NI": 36}
    assert both.table["subject"].nunique() == 6 and both.table["clip"].nunique() == 24
    assert "condition_illumination" not in both.table
    lights = open_dataset(NAME, root, illuminations=["Strong", "Weak", "Dark"])
    assert Counter(lights.table["condition_illumination"]) == {"Strong": 36, "Weak": 36, "Dark": 36}
    differences = check_dataset(lights, CARD).differences
    assert differences["sequences"] == (1440, 36) and differences["sequences of fear"] == (240, 6)
    with pytest.raises(UserError, match=r"dataset\.cameras is 'VIS'.*must be one of VL, NI"):
        open_dataset(NAME, root, cameras=["VIS"])
    with pytest.raises(UserError, match="must name at least one each"):
        open_dataset(NAME, root, illuminations=[])


def test_frame_picks_are_separate_settings(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    last = fakes.frame("VL/Strong", "P001", "Anger", 5)
    assert frames_of(open_dataset(NAME, root), last) == [3, 4, 5]
    odd = open_dataset(NAME, root, expression="end_1+end_3+end_5")
    assert frames_of(odd, last) == [1, 3, 5] and set(odd.table["emotion"]) == {e.lower() for e in fakes.EMOTIONS}
    neutral = open_dataset(NAME, root, label_space="emotion/basic7")
    assert frames_of(neutral, last) == [0, 3, 4, 5]
    rows = neutral.table[neutral.table["emotion"] == "neutral"]
    assert len(rows) == 12 and set(rows["frame"]) == {0} and set(rows["peak"]) == {0.0}
    assert neutral.label_spaces["emotion"].name == "emotion/basic7"


@pytest.mark.parametrize(
    ("settings", "least"),
    [({}, 3), ({"expression": "end_1+end_3+end_5"}, 5), ({"label_space": "emotion/basic7"}, 4)],
)
def test_short_sequences_stop_or_are_counted(tmp_path: Path, settings: dict[str, object], least: int) -> None:
    root = fakes.write(tmp_path).root
    folder = root / fakes.FOLDER / "VL/Strong/P003/Fear"
    for number in range(least - 1, 6):
        (folder / f"{number:03d}.jpeg").unlink()
    with pytest.raises(
        UserError,
        match=rf"^1 of 12 sequences .* fewer than the {least} frames .* \S*/VL/Strong/P003/Fear with {least - 1}:",
    ):
        open_dataset(NAME, root, **settings)
    index = open_dataset(NAME, root, short_sequences="skip", **settings)
    assert index.table["clip"].nunique() == 11
    assert [n.sentence for n in index.notes if n.kind == "short"] == [
        f"1 sequences with an emotion have fewer than {least} frames and are left out."
    ]


@pytest.mark.parametrize("wrapper", ["", "Oulu_CASIA_NIR_VIS", "B_OriginalImg", "a/OriginalImg"])
def test_folders_around_change_nothing(tmp_path: Path, wrapper: str) -> None:
    root = fakes.write(tmp_path).root
    expected = open_dataset(NAME, root)
    other = tmp_path / "other"
    shutil.copytree(root / fakes.FOLDER, other / wrapper)
    index = open_dataset(NAME, other)
    assert index.table.equals(expected.table)
    assert all((index.root / image).is_file() for image in index.table["image"])


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    with pytest.raises(UserError, match=f"^{fakes.FOLDER}/NI/Dark is not there: it is expected as in"):
        open_dataset(NAME, root, cameras=["NI"], illuminations=["Dark"])
    shutil.rmtree(root / fakes.FOLDER / "VL/Dark")
    (root / fakes.FOLDER / "VL/Dark/p1").mkdir(parents=True)
    with pytest.raises(UserError, match=f"^{fakes.FOLDER}/VL/Dark holds no folders P001 to P080"):
        open_dataset(NAME, root, illuminations=["Dark"])
    shutil.move(root / fakes.FOLDER / "NI", root / "elsewhere/NI")
    with pytest.raises(UserError, match="VL and NI lie in different folders"):
        open_dataset(NAME, root, cameras=["VL", "NI"])
    shutil.rmtree(root / "elsewhere")
    with pytest.raises(UserError, match="is not a copy of oulu_casia: NI is not there"):
        open_dataset(NAME, root, cameras=["NI"])


def test_an_unknown_folder_is_told_with_its_path(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    word = fake.spoil_label()
    with pytest.raises(UserError, match=rf"^Label '{word}' in the folders of {fakes.FOLDER}/VL/Strong/P002 is not one"):
        open_dataset(NAME, fake.root)


def test_counts_that_differ_are_told_by_name_and_crops_are_a_setting(tmp_path: Path) -> None:
    root = fakes.write(tmp_path).root
    index = open_dataset(NAME, root, cropped=True)
    assert index.is_cropped and not open_dataset(NAME, root).is_cropped
    assert check_dataset(index, CARD).differences == {
        "sequences": (480, 12), "people": (80, 6), **{f"sequences of {e.lower()}": (80, 2) for e in fakes.EMOTIONS},
    }  # fmt: skip
