import os
import re
from collections import Counter
from pathlib import Path

import pytest
from fakes import facial_expressions as fakes

from fer_zoo.core.errors import UserError
from fer_zoo.core.sample import sample_id
from fer_zoo.data.checks import Report, check_dataset
from fer_zoo.data.datasets import facial_expressions
from fer_zoo.data.datasets.facial_expressions import CARD, NAME, FacialExpressionsSettings, read
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits


def code(image: str) -> str:
    return sample_id(NAME, f"images/{image}")


def rows(index: Index) -> dict[str, dict[str, object]]:
    return {str(row["id"]): row for row in index.table.to_dict("records")}


def test_second_annotator_source_and_annotator_are_columns(tmp_path: Path) -> None:
    index = open_dataset(NAME, fakes.write(tmp_path).root)
    by_id = rows(index)
    second = {entry: row["second_emotion"] for entry, row in by_id.items() if row["second_emotion"] is not None}
    expected = {image: "sadness" if label == "sad" else label for image, label in fakes.SECOND[:4]}
    assert second == {code(image): label for image, label in expected.items()}
    assert Counter(index.table["source"]) == {"press": 9, "film": 4, "other": 1}
    assert {entry: row["annotator"] for entry, row in by_id.items()} == {code(i): who for i, _, who in fakes.ROWS}
    assert index.is_cropped
    assert index.found == {"images": 17, "rows": 17, "second labels": 5}


def test_contradiction_is_dropped_aloud(tmp_path: Path) -> None:
    index = open_dataset(NAME, fakes.write(tmp_path).root)
    dropped = code(fakes.CONTRADICTION[0][0])
    assert index.contradictory == (dropped,)
    assert dropped not in index.ids
    (note,) = (note for note in index.notes if note.kind == "contradictory")
    assert dropped in note.sentence


def test_people_of_identical_files_are_one_subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = (code("Fff_0001.jpg"), code("Aaa_Bbb_0002.jpg"))
    monkeypatch.setattr(facial_expressions, "IDENTICAL_FILES", (pair, ("0" * 12, "1" * 12)))
    index = open_dataset(NAME, fakes.write(tmp_path).root)
    by_id = rows(index)
    images = ("Aaa_Bbb_0001.jpg", "Aaa_Bbb_0002.jpg", "Aaa_Bbb_0003.jpg", "Fff_0001.jpg")
    assert len({by_id[code(image)]["subject"] for image in images}) == 1
    assert index.table["subject"].nunique() == 8
    assert index.noted("identical") == pair


def test_label_space_and_annotators_are_settings(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    index = open_dataset(NAME, fake.root)
    assert {"fear", "contempt"} <= set(index.table["emotion"])
    assert (index.target_array("emotion") < 0).sum() == 2
    eight = open_dataset(NAME, fake.root, label_space="emotion/facial_expressions8")
    assert (eight.target_array("emotion") < 0).sum() == 0
    assert eight.fingerprint() == index.fingerprint()
    film = open_dataset(NAME, fake.root, annotators=["jhamski"])
    assert set(film.table["source"]) == {"film"}
    with pytest.raises(UserError, match=r"No annotator 'jhamsky'.* Did you mean 'jhamski'"):
        open_dataset(NAME, fake.root, annotators=["jhamsky"])
    two = open_dataset(NAME, fake.root, classes=["Sad", "anger"])
    assert two.label_spaces["emotion"].name == "emotion/facial_expressions6:anger+sadness"
    assert two.table.equals(index.table)
    with pytest.raises(UserError, match=r"'fear' in dataset\.classes is not one of emotion/facial_expressions6"):
        open_dataset(NAME, fake.root, classes=["fear"])
    with pytest.raises(UserError, match="describes 'au'"):
        open_dataset(NAME, fake.root, label_space="au/disfa12")


def test_people_with_enough_images_are_classes_when_asked(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    plain = open_dataset(NAME, fake.root)
    assert "identity" not in plain.label_spaces and "identity" not in plain.table
    index = open_dataset(NAME, fake.root, identity_images=2)
    images = Counter(fake.people.values())
    subjects = dict(zip(index.table["image"], index.table["subject"], strict=True))
    identities = dict(zip(index.table["image"], index.table["identity"], strict=True))
    assert identities == {i: subjects[i] if images[who] >= 2 else None for i, who in fake.people.items()}
    assert index.label_spaces["identity"].entries == tuple(sorted({code for code in identities.values() if code}))
    assert list(index.label_spaces) == ["emotion", "identity"]
    assert index.table.drop(columns="identity").equals(plain.table)
    (split,) = make_splits(index, "identity_holdout", {"validation_share": 0.3}, "identity")
    assert set(split.train + split.validation + split.test) == set(index.ids) - {
        entry for entry, code in zip(index.ids, index.table["identity"], strict=True) if code is None
    }
    with pytest.raises(UserError, match=r"Nobody in facial_expressions has dataset\.identity_images=4 images"):
        open_dataset(NAME, fake.root, identity_images=4)


def test_missing_images_stop_unless_asked(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    (fake.root / "images" / "Fff_0001.jpg").unlink()
    with pytest.raises(
        UserError, match=f"1 images listed in data/legend.csv are not there, e.g. {code('Fff_0001.jpg')}"
    ):
        open_dataset(NAME, fake.root)
    index = open_dataset(NAME, fake.root, missing_images="skip")
    assert index.noted("missing") == (code("Fff_0001.jpg"),)
    assert len(index) == len(fake.people)  # its row stays, so that what is scored counts it
    assert sum("are not there" in note.sentence for note in index.notes) == 1
    assert check_dataset(index, CARD).missing == (code("Fff_0001.jpg"),)


@pytest.mark.parametrize("part", ["images", "data/legend.csv", "data/500_picts_satz.csv"])
def test_missing_part_is_named(tmp_path: Path, part: str) -> None:
    fake = fakes.write(tmp_path)
    (fake.root / part).rename(fake.root / "elsewhere")
    with pytest.raises(UserError, match=f"{part} is not there"):
        open_dataset(NAME, fake.root)


def test_folder_of_the_public_archive_is_found(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    (tmp_path / "wrapped").mkdir()
    fake.root.rename(tmp_path / "wrapped" / "facial_expressions-master")
    assert set(open_dataset(NAME, tmp_path / "wrapped").table["image"]) == set(fake.people)


def test_broken_tables_are_one_sentence(tmp_path: Path) -> None:
    fake = fakes.write(tmp_path)
    second = fake.root / "data" / "500_picts_satz.csv"
    second.write_bytes(second.read_bytes() + b"\r906,only two")
    with pytest.raises(UserError, match=r"500_picts_satz\.csv row 6 must be annotator,image,label; found 2"):
        open_dataset(NAME, fake.root)
    second.write_bytes(b"906,Aaa_Bbb_0001.jpg,gloomy")
    with pytest.raises(UserError, match=r"'gloomy' in data/500_picts_satz\.csv row 1"):
        open_dataset(NAME, fake.root)
    (fake.root / "data" / "legend.csv").write_text("user,image,emotion\n")
    with pytest.raises(UserError, match=r"must have the columns user\.id,image,emotion"):
        open_dataset(NAME, fake.root)
    (fake.root / "data" / "legend.csv").write_bytes(b"")
    with pytest.raises(UserError, match=r"legend\.csv of facial_expressions cannot be read"):
        open_dataset(NAME, fake.root)


# Counted in the real copy; rows before doubles are merged.

ROWS_PER_CLASS = {
    "neutral": 6868, "happiness": 5696, "surprise": 368, "sadness": 268, "anger": 252, "disgust": 208, "fear": 21,
    "contempt": 9,
}  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Index:
    roots = [Path(entry) / NAME for entry in os.environ.get("FER_ZOO_DATA", "").split(os.pathsep) if entry]
    found = [root for root in roots if root.is_dir()]
    if not found:
        pytest.skip("the real photographs are not in $FER_ZOO_DATA")
    return read(found[0], FacialExpressionsSettings())


@pytest.fixture(scope="module")
def report(real: Index) -> Report:
    return check_dataset(real, CARD)


def test_real_counts(real: Index, report: Report) -> None:
    assert real.found == {"images": 13_718, "rows": 13_690, "second labels": 500}
    assert {kind: len(real.noted(kind)) for kind in ("unlabelled", "merged", "contradictory", "identical")} == {
        "unlabelled": 36, "merged": 7, "contradictory": 1, "identical": 4,
    }  # fmt: skip
    fewer = {name: count - report.classes["emotion"][name] for name, count in ROWS_PER_CLASS.items()}
    # Seven agreeing doubles count once; the contradiction is surprise against sadness.
    assert {name: n for name, n in fewer.items() if n} == {"neutral": 4, "happiness": 3, "surprise": 1, "sadness": 1}
    assert Counter(real.table["annotator"]) == {"dwdii": 6666, "302": 5598, "jhamski": 919, "JN721": 494, "628": 4}


def test_real_people_as_classes(real: Index) -> None:
    sizes = real.table["subject"].value_counts()
    for least, people, images in ((2, 1626, 9691), (10, 158, 5026)):
        index = read(real.root, FacialExpressionsSettings(identity_images=least))
        space = index.label_spaces["identity"]
        assert (len(space), int((index.target_array("identity") >= 0).sum())) == (people, images)
        assert min(sizes[code] for code in space.entries) == least
    assert (sizes == 1).sum() == 3_990


def test_real_near_duplicates(report: Report) -> None:
    near = report.near_duplicates
    assert (near.compared, len(near.groups), sum(map(len, near.groups)), near.mirrored) == (13_681, 26, 52, 0)
    assert (len(near.of_several_classes), len(near.of_several_subjects), near.flat) == (0, 7, ())
    assert (sum(map(len, near.tested_and_trained.values())), near.tested) == (14, 13_681)
    known = {frozenset(pair) for pair in facial_expressions.IDENTICAL_FILES}
    assert known <= {frozenset(group) for group in near.groups}


def test_real_sources_tell_much_of_the_label(real: Index, report: Report) -> None:
    film = report.label_by_source["film"]
    assert (film["disgust"], report.classes["emotion"]["disgust"]) == (195, 208)
    assert film["sadness"] == 144 - 1  # less the contradiction
    people = real.table.groupby("source")["subject"].nunique()
    assert people["film"] == 8
    assert real.table["subject"].nunique() == 5_616
    assert max(Counter(real.table["subject"]).values()) > 500


def test_real_files_are_whole_and_the_identical_pairs_are_known(report: Report) -> None:
    assert report.is_clean and not report.unreadable and not report.differences
    assert {frozenset(group) for group in report.duplicates} == {
        frozenset(pair) for pair in facial_expressions.IDENTICAL_FILES
    }


def test_real_annotators_agree_on_half(real: Index, report: Report) -> None:
    agreement = report.agreement
    assert agreement is not None
    assert (agreement.both, agreement.same) == (499, 247)
    assert {label: agreement.of_second[label] for label in ("anger", "fear", "sadness")} == {
        "anger": (4, 115), "fear": (2, 54), "sadness": (3, 50),
    }  # fmt: skip
    assert agreement.of_second["happiness"] == (174, 196)  # one of the 197 has no row in the legend
    assert set(real.table["annotator"][real.table["second_emotion"].notna()]) == {"dwdii"}


def test_real_names_stay_inside(real: Index, report: Report) -> None:
    shown = real.table.drop(columns="image").to_csv() + report.to_text() + str(report.to_dict()) + str(real.notes)
    words = set(re.findall(r"[A-Za-z]+", shown))
    people = {word for image in real.table["image"] for word in re.findall(r"[A-Z][a-z]{3,}", image)}
    assert len(people) > 5_000
    assert not people & words


def test_real_folds_hold_every_class(real: Index) -> None:
    for split in make_splits(real, "stratified_subject_kfold", {}, "emotion"):
        for part in (split.train, split.validation, split.test):
            counts = Counter(real.table["emotion"].iloc[real.rows_of(part)])
            assert all(counts[entry] >= 10 for entry in real.label_spaces["emotion"].entries)
