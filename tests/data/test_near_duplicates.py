"""Groups of planted copies: what differs in them, and which splits part them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.portraits import Picture, portrait
from PIL import Image

from fer_zoo.core.label_spaces import label_space
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.near_duplicates import NearDuplicates, near_duplicate_report, near_duplicates
from fer_zoo.data.protocols import Split

SPACE = label_space("emotion/basic7")


def darker(person: int, factor: float = 0.8) -> Picture:
    return (portrait(person) * factor).astype(np.uint8)


# name -> picture, subject, emotion; pa is "the photograph a"
SAMPLES: dict[str, tuple[Picture, str, str | None]] = {
    "a": (portrait(1), "s1", "anger"),
    "a dark": (darker(1), "s1", "anger"),
    "b": (portrait(2), "s2", "fear"),
    "b dark": (darker(2), "s2", "surprise"),
    "b darker": (darker(2, 0.6), "s3", None),
    "c": (portrait(3), "s4", "anger"),
    "c mirrored": (np.ascontiguousarray(darker(3)[:, ::-1]), "s5", "anger"),
    "alone": (portrait(4), "s6", "anger"),
    "black": (np.zeros((40, 40), np.uint8), "s7", "anger"),
    "black, too": (np.zeros((60, 40), np.uint8), "s8", "fear"),
}


def index_of(folder: Path, **columns: Any) -> Index:
    for name, (pixels, *_) in SAMPLES.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    facts = {"subject": [s for _, s, _ in SAMPLES.values()], "emotion": [e for *_, e in SAMPLES.values()]}
    table = index_table("fake", [f"{name}.png" for name in SAMPLES], **facts | columns)
    return Index("fake", folder, table, {"emotion": SPACE}, is_cropped=True)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> NearDuplicates:
    return near_duplicates(index_of(tmp_path_factory.mktemp("near")), show=False)


def ids(found: NearDuplicates, *names: str) -> tuple[str, ...]:
    return tuple(found.index.ids[list(SAMPLES).index(name)] for name in names)


def test_groups_of_several_classes_and_subjects_come_first(found: NearDuplicates) -> None:
    a, b, c = ids(found, "a", "a dark"), ids(found, "b", "b dark", "b darker"), ids(found, "c", "c mirrored")
    assert found.groups == (b, c, a)
    assert found.of_several_classes == (b,)
    assert found.of_several_subjects == (b, c)


def test_black_images_are_no_group(found: NearDuplicates) -> None:
    assert found.flat == ids(found, "black", "black, too")
    assert found.compared == len(SAMPLES) - 2


def test_only_a_twin_in_training_counts(found: NearDuplicates) -> None:
    split = Split("s", ids(found, "b", "c", "alone"), ids(found, "a dark"), ids(found, "b darker", "a", "c mirrored"))
    assert found.tested_and_trained(split) == ids(found, "b darker", "c mirrored")
    assert found.tested_and_trained(Split("s", ids(found, "alone"), (), ids(found, "a", "a dark"))) == ()


def test_frames_of_a_clip_are_not_paired(tmp_path: Path) -> None:
    clips = ["one" if name.startswith(("a", "b")) else "" for name in SAMPLES]
    clips[1] = "two"
    found = near_duplicates(index_of(tmp_path, clip=clips), show=False)
    assert found.groups == (ids(found, "c", "c mirrored"), ids(found, "a", "a dark"))


def test_a_larger_threshold_finds_more(found: NearDuplicates) -> None:
    assert near_duplicates(found.index, threshold=0, show=False).pairs.first.size < found.pairs.first.size
    assert near_duplicates(found.index, threshold=255, show=False).groups == (
        tuple(name for name in found.index.ids if name not in found.flat),
    )


def test_the_report_in_lines_and_as_json(found: NearDuplicates) -> None:
    split = Split("s", ids(found, "b", "alone"), (), ids(found, "b darker", "a"))
    other = Split("t", ids(found, "b", "alone"), (), ids(found, "c"))
    report = near_duplicate_report(found, [split, other], protocol="subject_kfold")
    b, c = " ~ ".join(ids(found, "b", "b dark", "b darker")), " ~ ".join(ids(found, "c", "c mirrored"))
    assert report.to_lines() == [
        "near-duplicates: 3 groups of 7 images, 1 pairs mirrored",
        f"  of several classes: 1: {b}",
        f"  of several subjects: 2: {b}, {c}",
        "  across splits: 1 of 3 test images of 2 splits of subject_kfold have a near-duplicate in training: "
        + ids(found, "b darker")[0],
        f"too flat to compare: 2: {', '.join(found.flat)}",
    ]
    loaded = json.loads(json.dumps(asdict(report)))
    assert loaded["tested_and_trained"] == {"s": list(ids(found, "b darker"))}


def test_a_protocol_that_makes_no_splits_is_told(found: NearDuplicates) -> None:
    report = near_duplicate_report(found, [], protocol="official_split", problem="There is none.")
    assert report.to_lines()[3] == "  across splits: official_split makes none: There is none."


def test_nothing_alike_is_one_line(tmp_path: Path) -> None:
    Image.fromarray(portrait(1)).save(tmp_path / "a.png")
    index = Index("fake", tmp_path, index_table("fake", ["a.png"]), {}, is_cropped=True)
    report = near_duplicate_report(near_duplicates(index, show=False), [], protocol="subject_kfold")
    assert report.to_lines() == ["near-duplicates: 0 groups of 0 images"]
