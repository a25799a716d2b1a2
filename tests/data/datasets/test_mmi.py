import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from fakes import mmi as fakes

from fer_zoo.core.errors import UserError
from fer_zoo.core.sample import subject_code
from fer_zoo.data.checks import check_dataset
from fer_zoo.data.datasets.mmi import CARD, NAME
from fer_zoo.data.image_sources import image_source
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fakes.write(tmp_path).root


def frames_of(index: Index, session: str, clip: str) -> dict[int, tuple[object, float]]:
    """frame -> emotion and mark of the peak."""
    rows = index.table[index.table["image"].str.startswith(f"Sessions/{session}/{clip}.avi#")]
    return {int(row["frame"]): (row["emotion"], row["peak"]) for _, row in rows.iterrows()}


def clips_of(index: Index) -> set[str]:
    return {image.split("/")[-1].partition(".")[0] for image in index.table["image"]}


def sentences(index: Index) -> dict[str, str]:
    return {note.kind: note.sentence for note in index.notes}


def test_neutral_first_and_three_in_the_middle(root: Path) -> None:
    index = open_dataset(NAME, root)
    neutral, happy = ("neutral", 0.0), ("happiness", 0.0)
    assert frames_of(index, "1", "S001-001") == {0: neutral, 3: happy, 4: ("happiness", 1.0), 5: happy}
    assert list(frames_of(index, "502", "S004-005")) == [0, 4, 5, 6]  # of twelve the earlier middle
    assert index.table["peak"].sum() == 8
    peaks = index.table.loc[index.table["peak"] == 1, "frame"]
    assert (peaks < 11).all() and 8 not in set(peaks)  # never the last
    six = open_dataset(NAME, root, label_space="emotion/mmi")
    assert list(frames_of(six, "1", "S001-001")) == [3, 4, 5] and len(six) == 24
    assert six.label_spaces["emotion"].name == "emotion/mmi"


def test_the_pictures_are_those_of_the_frames(root: Path) -> None:
    index = open_dataset(NAME, root)
    source = image_source(index)
    for row in (0, 2, len(index) - 1):
        image = index.table["image"][row]
        clip, frame = image.split("/")[-1].partition(".")[0], int(index.table["frame"][row])
        length = next(frames for _, name, _, _, frames in fakes.CLIPS if name == clip)
        wanted = [np.abs(source.read(row).astype(int) - p).mean() for p in fakes.pictures(clip, length)]
        assert np.argmin(wanted) == frame


def test_a_person_is_in_the_name_of_the_clip_and_not_the_session(root: Path) -> None:
    index = open_dataset(NAME, root)
    of_clip = {clip: subject_code(NAME, clip[:4]) for _, clip, *_ in fakes.CLIPS}
    for image, subject in zip(index.table["image"], index.table["subject"], strict=True):
        assert subject == of_clip[image.split("/")[-1].partition(".")[0]]
    splits = make_splits(index, "subject_kfold", {"folds": 7, "validation_share": 0.2}, "emotion")
    tested = [set(index.table["subject"].iloc[index.rows_of(split.test)]) for split in splits]
    assert tested == [{subject_code(NAME, f"S00{number}")} for number in range(1, 8)]
    assert "S00" not in index.table.drop(columns="image").to_csv()


def test_views_are_a_setting(root: Path) -> None:
    frontal = open_dataset(NAME, root)
    assert clips_of(frontal) == {clip for _, clip, *_ in fakes.CLIPS}
    assert sentences(frontal)["view"].startswith("2 clips are of another view")
    assert clips_of(open_dataset(NAME, root, view="dual")) == {"S001-020"}
    assert clips_of(open_dataset(NAME, root, view="profile")) == {"S002-021"}
    assert len(clips_of(open_dataset(NAME, root, view="all"))) == 10
    session = root / "Sessions/1/session.xml"
    fakes.write_xml(session, "<session><track/></session>")
    assert sentences(open_dataset(NAME, root))["view"].startswith("3 clips")


def test_clips_without_one_of_the_six_are_left_out_and_counted(root: Path) -> None:
    index = open_dataset(NAME, root)
    assert sentences(index)["unlabelled"].startswith("3 clips have none of the six emotions")
    assert index.found == {"sequences": 8, "people": 7}
    every = open_dataset(NAME, root, sequences="all")
    assert clips_of(every) == clips_of(index) | {"S003-022", "S004-023", "S005-024"}
    assert every.table["emotion"].isna().sum() == 12 and every.found == index.found
    assert make_splits(every, "subject_holdout", {}, "emotion") == make_splits(index, "subject_holdout", {}, "emotion")


def test_all_six_codes(root: Path) -> None:
    for value, emotion in fakes.EMOTIONS.items():
        fakes.write_emotion(root / "Sessions/1", "S001-001", value)
        assert frames_of(open_dataset(NAME, root), "1", "S001-001")[4] == (emotion, 1.0)


def test_the_apex_by_markers_where_units_are_coded(root: Path) -> None:
    index = open_dataset(NAME, root, apex="markers")
    # AU 12 is at its apex in frames 2 and 3 (from 0), AU 1 in 3 and 4: both are in 3
    assert frames_of(index, "1", "S001-001") == {
        0: ("neutral", 0.0), 2: ("happiness", 0.0), 3: ("happiness", 1.0), 4: ("happiness", 0.0),
    }  # fmt: skip
    assert list(frames_of(index, "2", "S001-002")) == [0, 3, 4, 5]  # nothing is coded
    for frame, places in ((1, [0, 1, 2, 3]), (9, [0, 6, 7, 8]), (40, [0, 3, 4, 5])):
        fakes.write_units(root / "Sessions/2", "S001-002", {"4": ((frame, 2), (frame + 1, 3))})
        assert list(frames_of(open_dataset(NAME, root, apex="markers"), "2", "S001-002")) == places


def test_units_of_coded_clips_with_letters_for_sides(root: Path) -> None:
    fakes.write_units(
        root / "Sessions/1",
        "S001-001",
        {"12": ((4, 1),), "1L": ((5, 2), (6, 0)), "1R": ((6, 2),), "R4": ((6, 3),), "2.5": ((1, 2),), "x": ((1, 2),)},
    )
    index = open_dataset(NAME, root, targets=["emotion", "au"])
    table = index.table.set_index("image")
    expected = {0: (0, 0, 0), 3: (0, 0, 1), 4: (1, 0, 1), 5: (1, 1, 1)}
    for frame, values in expected.items():
        row = table.loc[fakes.name("1", "S001-001", frame)]
        assert tuple(row[entry] for entry in ("AU01", "AU04", "AU12")) == values and row["AU02"] == 0
    assert index.is_labelled("au").sum() == 4
    every = open_dataset(NAME, root, targets=["au"], sequences="all")
    assert every.is_labelled("au").sum() == 8 and list(every.label_spaces) == ["au"]


def test_sessions_by_a_list(root: Path) -> None:
    (root / "mine.txt").write_text("501\n1 502\n")
    index = open_dataset(NAME, root, sessions="mine.txt")
    assert clips_of(index) == {"S002-004", "S001-001", "S004-005"}
    (root / "mine.txt").write_text("501,502")
    with pytest.raises(UserError, match=r"dataset\.sessions=mine\.txt holds '501,502'; numbers of sessions"):
        open_dataset(NAME, root, sessions="mine.txt")
    with pytest.raises(UserError, match=r"dataset\.sessions=your\.txt cannot be read"):
        open_dataset(NAME, root, sessions="your.txt")


def test_frontal_clips_without_coding_are_turned_if_asked(root: Path) -> None:
    plain, turned = open_dataset(NAME, root), open_dataset(NAME, root, sideways="turn")
    of_plain, of_turned = image_source(plain), image_source(turned)
    for row, image in enumerate(plain.table["image"]):
        is_coded = "S001-001" in image
        assert of_turned.size(row) == ((64, 48) if is_coded else (48, 64))
    assert np.array_equal(of_turned.read(0), of_plain.read(0))
    assert np.array_equal(of_turned.read(4), np.rot90(of_plain.read(4), -1))
    dual = open_dataset(NAME, root, sideways="turn", view="dual")
    assert image_source(dual).size(0) == (64, 48)


def test_short_and_broken_clips_stop_or_are_counted(root: Path) -> None:
    folder = root / "Sessions/504"
    shutil.rmtree(folder)
    fakes.write_clip(root, "504", "S006-007", "0", "4", 4)
    with pytest.raises(UserError, match=r"^Sessions/504/S006-007\.avi has 4 frames, and at least 5 are needed"):
        open_dataset(NAME, root)
    (root / "Sessions/501/S002-004.avi").write_bytes(b"cut off")
    with pytest.raises(UserError, match=r"^Video Sessions/501/S002-004\.avi is unreadable: .*short_sequences=skip"):
        open_dataset(NAME, root)
    index = open_dataset(NAME, root, short_sequences="skip")
    assert sentences(index)["short"].startswith("2 clips cannot be opened or have fewer than 5 frames")
    assert index.found == {"sequences": 6, "people": 5} and len(index) == 24


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("session.xml", "<session>", r"^Sessions/1/session\.xml cannot be read as XML"),
        ("S001-001.xml", "", r"^Sessions/1/S001-001\.xml cannot be read as XML"),
        (
            "S001-001.xml",
            '<a><Metatag Name="Emotion" Value="0"/></a>',
            r"^Label '0' in Sessions/1/S001-001\.xml is not",
        ),
        ("S001-001.xml", '<a><Metatag Name="Emotion" Value="4.5"/></a>', r"^Label '4\.5' in Sessions/1/S001"),
        (
            "S001-001-oao_aucs.xml",
            '<a><ActionUnit Number="1"><Marker Frame="x" Type="1"/></ActionUnit></a>',
            r"^Sessions/1/S001-001-oao_aucs\.xml has a marker with Frame='x' and Type='1'",
        ),
        (
            "S001-001-oao_aucs.xml",
            '<a><ActionUnit Number="1"><Marker Frame="1" Type="5"/></ActionUnit></a>',
            r"has a marker with Frame='1' and Type='5'",
        ),
    ],
)
def test_broken_files_are_told_with_their_path(root: Path, file: str, content: str, sentence: str) -> None:
    (root / "Sessions/1" / file).write_text(content)
    with pytest.raises(UserError, match=sentence):
        open_dataset(NAME, root)


def test_wrong_layouts(root: Path) -> None:
    (root / "Sessions/1/session.xml").unlink()
    with pytest.raises(UserError, match=r"^Sessions/1/session\.xml is not there, which says the view"):
        open_dataset(NAME, root)
    (root / "Sessions/1/S001-001.avi").rename(root / "Sessions/2/film.avi")
    with pytest.raises(UserError, match=r"^Sessions/2/film\.avi names nobody: the name of a clip begins as S001-001"):
        open_dataset(NAME, root)
    for video in root.rglob("*.avi"):
        video.unlink()
    with pytest.raises(UserError, match=r"^No clip of Sessions can be used: it holds no videos"):
        open_dataset(NAME, root)
    (root / "Sessions").rename(root / "sessions")
    with pytest.raises(UserError, match="is not a copy of mmi: Sessions is not there, a folder a session"):
        open_dataset(NAME, root)


def test_no_clip_of_the_kind_asked_for(root: Path) -> None:
    for _, clip, *_ in fakes.CLIPS:
        next(root.rglob(f"{clip}.xml")).unlink()
    with pytest.raises(UserError, match=r"No clip of Sessions can be used: .*11 clips have none of the six emotions"):
        open_dataset(NAME, root)


def test_the_folder_of_the_download_is_found_and_ids_stay(root: Path, tmp_path: Path) -> None:
    index = open_dataset(NAME, root)
    (tmp_path / "outer").mkdir()
    root.rename(tmp_path / "outer/mmi-facial-expression-database_download_2019-04-27")
    moved = open_dataset(NAME, tmp_path / "outer")
    assert moved.table.equals(index.table)
    assert image_source(moved).read(0).shape == (48, 64, 3)


def test_counts_that_differ_are_told_and_every_frame_is_read(root: Path) -> None:
    report = check_dataset(open_dataset(NAME, root), CARD)
    assert report.differences == {"sequences": (205, 8), "people": (30, 7)}
    assert report.formats == {"frames of videos": 32} and not report.unreadable
    assert Counter(report.classes["emotion"]) == {
        "neutral": 8, "happiness": 6, "fear": 6, "anger": 3, "surprise": 3, "disgust": 3, "sadness": 3,
    }  # fmt: skip


def test_nothing_to_learn_is_refused(root: Path) -> None:
    with pytest.raises(UserError, match=r"^dataset\.targets names nothing: say what is to be learned"):
        open_dataset(NAME, root, targets=[])
