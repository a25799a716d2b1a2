import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from fakes import disfa as fakes

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.sample import sample_id, subject_code
from fer_zoo.data.checks import check_dataset
from fer_zoo.data.datasets.disfa import BAD_FRAMES, CARD, NAME, SUBJECTS, is_bad
from fer_zoo.data.image_sources import image_source
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits
from fer_zoo.engine.config_files import protocol_file

# Of the table of the set's landmark error log, person by person.
MARKED = {
    "SN001": 77, "SN002": 27, "SN004": 15, "SN006": 57, "SN009": 108, "SN011": 21, "SN021": 3052, "SN023": 422,
    "SN025": 87, "SN027": 82, "SN028": 131, "SN029": 454, "SN030": 137,
}  # fmt: skip
AUS = list(label_space("au/disfa12").entries)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fakes.write(tmp_path).root


@pytest.fixture
def films(root: Path) -> Path:
    """The same labels beside videos, of which one is longer and one shorter than they."""
    shutil.rmtree(root / "img")
    fakes.write_videos(root, {"SN001": 5, "SN004": 7, "SN010": 4, "SN021": 3})
    return root


def frames(root: Path, **settings: object) -> Index:
    return open_dataset(NAME, root, images="frames", **settings)


def of(index: Index, subject: str) -> "dict[int, list[float]]":
    """Frame -> its 12 values, of one person."""
    table = index.table[index.table["subject"] == subject_code(NAME, subject)]
    return dict(zip(table["frame"], table[AUS].to_numpy().tolist(), strict=True))


def truth(subject: str, frame: int) -> list[float]:
    return [float(fakes.intensity(subject, unit, frame + 1)) for unit in fakes.UNITS]


def test_row_one_is_image_zero_and_columns_are_in_the_order_of_numbers(root: Path) -> None:
    index = frames(root)
    assert AUS == ["AU01", "AU02", "AU04", "AU05", "AU06", "AU09", "AU12", "AU15", "AU17", "AU20", "AU25", "AU26"]
    assert of(index, "SN001") == {frame: truth("SN001", frame) for frame in range(5)}
    file = root / fakes.LABELS / "SN001" / "SN001_au2.txt"
    file.write_text(file.read_text().replace(f"1,{fakes.intensity('SN001', 2, 1)}", "1,3", 1))
    changed = frames(root).table
    row = changed[changed["image"] == "img/SN001/0.png"].iloc[0]
    assert row["AU02"] == 3.0 and row["AU12"] == fakes.intensity("SN001", 12, 1)


def test_a_missing_file_is_unknown_and_said_once(root: Path) -> None:
    index = frames(root)
    values = np.array(list(of(index, "SN004").values()))
    assert np.isnan(values[:, AUS.index("AU05")]).all() and np.isfinite(np.delete(values, AUS.index("AU05"), 1)).all()
    assert [note.sentence for note in index.notes if note.kind == "units"] == [
        "Without a file, so unknown and not 0: AU05 of SN004."
    ]


def test_occurrence_is_an_intensity_of_two_and_more(root: Path) -> None:
    index = frames(root, label_space="au/disfa8")
    assert list(index.label_spaces["au"].entries) == ["AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU25", "AU26"]
    assert not {"AU05", "AU15"} & set(index.table)
    found = index.table[index.table["subject"] == subject_code(NAME, "SN021")]
    expected = [float(fakes.intensity("SN021", 25, row) >= 2) for row in range(1, 6)]
    assert found["AU25"].tolist() == expected and set(expected) == {0.0, 1.0}
    file = root / fakes.LABELS / "SN021" / "SN021_au1.txt"
    file.unlink()
    table = frames(root, label_space="au/disfa8").table
    assert table["AU01"][table["subject"] == subject_code(NAME, "SN021")].isna().all()


def test_videos_are_read_frame_by_frame(films: Path) -> None:
    index = open_dataset(NAME, films, camera="both")
    source = image_source(index)
    for row in (0, 3, 6, len(index) - 1):
        at = index.table.iloc[row]
        subject = next(s for s in fakes.PEOPLE if subject_code(NAME, s) == at["subject"])
        drawn = fakes.pixels(subject, at["source"].capitalize(), 8)[at["frame"]]
        others = [
            fakes.pixels(subject, at["source"].capitalize(), 8)[other] for other in range(8) if other != at["frame"]
        ]
        read = source.read(row).astype(float)
        assert np.abs(read - drawn).mean() < 0.5 * min(np.abs(read - other).mean() for other in others)
        assert at[AUS].dropna().tolist() == [
            value for value, unit in zip(truth(subject, at["frame"]), fakes.UNITS, strict=True)
            if (subject, unit) != fakes.WITHOUT
        ]  # fmt: skip
    assert index.variant == "videos" and index.found == {"label rows": 19}


def test_the_shorter_of_video_and_labels_counts_with_one_warning(films: Path) -> None:
    index = open_dataset(NAME, films)
    lengths = {subject: len(of(index, subject)) for subject in fakes.PEOPLE}
    assert lengths == {"SN001": 5, "SN004": 5, "SN010": 4, "SN021": 3}
    assert of(index, "SN021") == {frame: truth("SN021", frame) for frame in range(3)}  # nothing is shifted
    (note,) = (note for note in index.notes if note.kind == "lengths")
    assert note.sentence.startswith("2 of 4 recordings have not as many frames as labels, e.g. Video_LeftCamera/Left")
    assert "7 frames and 5 labels" in note.sentence


def test_both_cameras_are_one_persons_and_capitals_do_not_matter(films: Path) -> None:
    index = open_dataset(NAME, films, camera="both")
    assert index.table["clip"].nunique() == 8 and index.table["subject"].nunique() == 4
    assert set(index.table["source"]) == {"left", "right"}
    assert any("SN004_Comp.avi#" in image for image in index.table["image"])
    for split in make_splits(index, "subject_kfold", {"folds": 2, "validation_share": 0.5}, "au"):
        people = [set(index.table["subject"].iloc[index.rows_of(ids)]) for ids in (split.train, split.test)]
        assert not people[0] & people[1]
        assert set(index.table["source"].iloc[index.rows_of(split.test)]) == {"left", "right"}
    assert len(open_dataset(NAME, films, camera="right")) == len(index) / 2
    (films / "Video_RightCamera").rename(films / "Videos_RightCamera")
    (films / fakes.LABELS).rename(films / "ActionUnits_Labels")
    assert len(open_dataset(NAME, films, camera="both")) == len(index)


def test_three_lists_are_disjoint_complete_and_those_of_the_literature() -> None:
    section = protocol_file(CARD.protocol)
    lists = [set(entry.split()) for entry in section["lists"]]
    assert section["name"] == "subject_lists" and [len(entry) for entry in lists] == [9, 9, 9]
    assert not any(first & second for first, second in combinations(lists, 2))
    assert set.union(*lists) == set(SUBJECTS) and len(SUBJECTS) == 27
    assert [sorted(int(name[2:]) for name in entry) for entry in lists] == [
        [1, 2, 9, 10, 16, 26, 27, 30, 32], [6, 11, 12, 13, 18, 21, 24, 28, 31], [3, 4, 5, 7, 8, 17, 23, 25, 29],
    ]  # fmt: skip


@pytest.fixture
def everybody(tmp_path: Path) -> Path:
    """A frame of each of the 27."""
    fakes.write_labels(tmp_path, dict.fromkeys(SUBJECTS, 1))
    for subject in SUBJECTS:
        (tmp_path / "img" / subject).mkdir(parents=True)
        (tmp_path / "img" / subject / "0.png").touch()
    return tmp_path


def test_folds_and_the_draw_of_24_and_3(everybody: Path) -> None:
    index = frames(everybody)
    section = protocol_file(CARD.protocol)
    splits = make_splits(index, section.pop("name"), section, "au")
    tested = [{sample_id(NAME, f"img/{name}/0.png") for name in entry.split()} for entry in section["lists"]]
    assert [set(split.test) for split in splits] == tested
    assert [len(split.train) + len(split.validation) for split in splits] == [18, 18, 18]
    drawn = [make_splits(index, "subject_holdout", {"test_share": 0.11, "seed": s}, "au")[0] for s in (0, 0, 1)]
    assert [(len(split.test), len(split.train) + len(split.validation)) for split in drawn] == [(3, 24)] * 3
    assert drawn[0] == drawn[1] and drawn[0].test != drawn[2].test


def test_bad_frames_are_4670_person_by_person() -> None:
    frames = np.arange(4845)
    assert {subject: int(is_bad(subject, frames).sum()) for subject in SUBJECTS if subject in BAD_FRAMES} == MARKED
    assert sum(int(is_bad(subject, frames).sum()) for subject in SUBJECTS) == 4670
    assert is_bad("SN009", np.array([1734, 1735, 1807, 1808, 1850])).tolist() == [False, True, True, False, True]
    rows = 27 * 4845 - 1
    assert rows == CARD.expected["label rows"] and rows - 4670 == 126_144


def test_bad_frames_are_left_out_where_asked_and_labels_stay_with_theirs(tmp_path: Path) -> None:
    fakes.write_labels(tmp_path, {"SN001": 421})
    (tmp_path / "img" / "SN001").mkdir(parents=True)
    for frame in range(421):
        (tmp_path / "img" / "SN001" / f"{frame}.png").touch()
    kept = of(frames(tmp_path, bad_frames="leave_out"), "SN001")
    assert sorted(set(range(421)) - set(kept)) == list(range(397, 420))
    assert kept[420] == truth("SN001", 420)
    tenth = of(frames(tmp_path, every=10), "SN001")
    assert sorted(tenth) == list(range(0, 421, 10)) and tenth[410] == truth("SN001", 410)


def test_extracted_frames_may_count_from_one_when_told(root: Path) -> None:
    folder = root / "img" / "SN001"
    for frame in reversed(range(5)):
        (folder / f"{frame}.png").rename(folder / f"{frame + 1:05d}.jpg")
    for subject in ("SN004", "SN010", "SN021"):
        shutil.rmtree(root / fakes.LABELS / subject)
    with pytest.raises(
        UserError, match=r"img/SN001 has no image 0, but 5, so it counts from 1: set dataset\.first_fra"
    ):
        frames(root)
    index = frames(root, first_frame=1)
    assert index.table["image"].tolist() == [f"img/SN001/{number:05d}.jpg" for number in range(1, 6)]
    assert of(index, "SN001") == {frame: truth("SN001", frame) for frame in range(5)}


def test_what_is_not_there_stops_unless_asked(root: Path) -> None:
    (root / "img/SN001/2.png").unlink()
    with pytest.raises(UserError, match=r"1 images of img/SN001 are not there, e\.g\. img/SN001/2\.png"):
        frames(root)
    index = frames(root, missing_images="skip")
    assert index.noted("missing") == (sample_id(NAME, "img/SN001/2.png"),) and len(index) == 19
    assert len(frames(root, every=3)) == 8  # of frames that are not used nothing is said
    (root / "img/SN001/2.png").touch()
    shutil.rmtree(root / "img" / "SN010")
    with pytest.raises(UserError, match="img/SN010 holds no images"):
        frames(root)
    assert len(frames(root, missing_images="skip").noted("missing")) == 4
    with pytest.raises(UserError, match="the folder Video_LeftCamera is not there"):
        open_dataset(NAME, root)
    fakes.write_videos(root, {"SN001": 5, "SN004": 5, "SN021": 5})
    with pytest.raises(UserError, match=r"Video_LeftCamera/LeftVideoSN010_comp\.avi is not there"):
        open_dataset(NAME, root)
    skipped = open_dataset(NAME, root, missing_images="skip")
    assert len(skipped.noted("missing")) == 4 and len(skipped) == 19
    (root / "Video_LeftCamera/LeftVideoSN001_comp.avi").write_bytes(b"RIFF")
    with pytest.raises(UserError, match=r"Video_LeftCamera/LeftVideoSN001_comp\.avi is not a video"):
        open_dataset(NAME, root, missing_images="skip")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,0\n3,0\n", "row 2 must be 2 and an intensity from 0 to 5; found '3' and '0'"),
        ("0,0\n1,0\n", "row 1 must be 1 and an intensity from 0 to 5; found '0' and '0'"),
        ("1,0\n2,6\n", "found '2' and '6'"),
        ("1,0\n2,1.5\n", "found '2' and '1.5'"),
        ("1,0\n2,\n", "found '2' and ''"),
        ("1,0\n2;1\n", "row 2 must be 2 and an intensity from 0 to 5; found '2;1'"),
        ("1,0\n2,nan\n", "found '2' and 'nan'"),
        ("", "row 1 must be 1 and an intensity from 0 to 5; found nothing"),
        ("1,0\n2,0\n", "differ in their numbers of rows"),
    ],
)
def test_broken_label_files_are_one_sentence(root: Path, text: str, said: str) -> None:
    (root / fakes.LABELS / "SN010" / "SN010_au1.txt").write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        frames(root)
    assert "SN010_au1.txt" in str(caught.value) and "\n" not in str(caught.value)


def test_strangers_are_refused(root: Path) -> None:
    (root / fakes.LABELS / "SN001" / "SN001_au7.txt").write_text("1,0\n")
    with pytest.raises(UserError, match=r"SN001/SN001_au7\.txt must be of one of the action units 1, 2, 4, 5, 6, 9"):
        frames(root)
    (root / fakes.LABELS / "SN001" / "SN001_au7.txt").unlink()
    (root / fakes.LABELS / "SN014").mkdir()
    with pytest.raises(UserError, match="ActionUnit_Labels/SN014 is none of the 27 people"):
        frames(root)
    (root / fakes.LABELS / "SN014").rename(root / fakes.LABELS / "SN003")
    with pytest.raises(UserError, match=r"SN003 holds no label file, as SN003_au1\.txt"):
        frames(root)
    (root / "img/SN001/00.png").touch()
    shutil.rmtree(root / fakes.LABELS / "SN003")
    with pytest.raises(UserError, match="img/SN001 holds image 0 twice"):
        frames(root)


def test_check_of_videos_says_what_they_are(films: Path) -> None:
    report = check_dataset(open_dataset(NAME, films), CARD)
    assert "frames of videos" in report.to_text()
    assert report.differences == {"label rows": (130_814, 19), "subjects": (27, 4)}
