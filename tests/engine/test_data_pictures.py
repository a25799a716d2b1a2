from pathlib import Path

import numpy as np
import pytest
from fakes import patterns
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.data_pictures import draw_pictures, plan_pictures

SPACE = label_space(patterns.SPACE)
WORDS = (("method", "timm_classifier"), ("method.backbone", "resnet10t"), ("method.image_size", "32"), ("samples", "2"))


@pytest.fixture(scope="module")
def index(faces: Path) -> Index:
    return open_dataset("image_folder", faces, label_space=patterns.SPACE, cropped=True)


@pytest.fixture(scope="module")
def units(faces: Path) -> Index:
    """Two action units of four pictures, of which one has a value of the second."""
    images = sorted(path.relative_to(faces).as_posix() for path in faces.rglob("*.png"))[:4]
    table = index_table("fake", images, AU01=[0.0, 1.0, 5.0, 3.0], AU12=[np.nan, np.nan, 2.0, np.nan])
    return Index("fake", faces, table, {"au": label_space("au/disfa12").only(["AU01", "AU12"])}, is_cropped=True)


def drawn(index: Index, folder: Path, *words: tuple[str, str]) -> tuple[list[Path], list[str]]:
    lines: list[str] = []
    plan = plan_pictures(index, list({**dict(WORDS), "output": str(folder), **dict(words)}.items()))
    return draw_pictures(index, plan, echo=lines.append).paths, lines


def test_a_sheet_a_class_and_an_overview(index: Index, tmp_path: Path) -> None:
    paths, lines = drawn(index, tmp_path / "sheets")
    assert [path.name for path in paths] == ["overview.png", *(f"emotion_{entry}.png" for entry in SPACE.entries)]
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {path.name for path in paths}
    assert lines[0].startswith("pictures: input of timm_classifier (backbone=resnet10t, image_size=32): 32 × 32 px")
    assert lines[0].endswith("whole images")
    assert lines[1] == "pictures: augmentation standard, seed 0"
    assert lines[-1] == f"pictures: {tmp_path / 'sheets'} (overview.png and 6 sheets)"
    with Image.open(paths[1]) as sheet, Image.open(paths[0]) as overview:
        assert sheet.width > 1000 and overview.height > 600


def test_the_same_words_give_the_same_pixels_and_another_seed_others(index: Index, tmp_path: Path) -> None:
    table = index.table[index.table["emotion"].isin(SPACE.entries[:2])]
    index = Index("fake", index.root, table, index.label_spaces, is_cropped=True)
    first, _ = drawn(index, tmp_path / "first")
    again, _ = drawn(index, tmp_path / "again")
    other, _ = drawn(index, tmp_path / "other", ("seed", "1"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert all(one.read_bytes() != two.read_bytes() for one, two in zip(first, other, strict=True))


def test_values_have_a_sheet_an_entry(units: Index, tmp_path: Path) -> None:
    paths, lines = drawn(units, tmp_path, ("method", "timm_regressor"), ("samples", "3"))
    assert [path.name for path in paths] == ["overview.png", "au_AU01.png", "au_AU12.png"]
    assert len(lines) == 3


def test_entries_without_a_sample_are_told(index: Index, tmp_path: Path) -> None:
    table = index.table[index.table["emotion"] != "fear"]
    _, lines = drawn(Index("fake", index.root, table, index.label_spaces, is_cropped=True), tmp_path)
    assert "pictures: no sample, hence no sheet: fear" in lines
    unlabelled = table.assign(emotion=None)
    with pytest.raises(UserError, match="No sample of fake has a label in its label spaces"):
        drawn(Index("fake", index.root, unlabelled, index.label_spaces, is_cropped=True), tmp_path)


def test_what_cannot_be_shown_is_counted(index: Index, tmp_path: Path) -> None:
    moved = Index("fake", tmp_path / "nowhere", index.table, index.label_spaces, is_cropped=True)
    _, lines = drawn(moved, tmp_path)
    assert "pictures: file not found: 12 of 12 samples drawn" in lines


def test_names_of_classes_become_names_of_files(faces: Path, tmp_path: Path) -> None:
    images = sorted(path.relative_to(faces).as_posix() for path in faces.rglob("*.png"))[:4]
    entries = ("so/so la la", "so so la la", "Überrascht", "überrascht")
    space = LabelSpace(name="emotion/own", target="emotion", entries=entries)
    table = index_table("fake", images, emotion=list(entries))
    paths, _ = drawn(Index("fake", faces, table, {"emotion": space}, is_cropped=True), tmp_path)
    names = [path.name for path in paths[1:]]
    assert names == ["emotion_so_so_la_la.png", "emotion_so_so_la_la_1.png", "emotion_Überrascht.png",
                     "emotion_überrascht_3.png"]  # fmt: skip


def test_the_plan_without_words_is_that_of_a_baseline(index: Index, units: Index) -> None:
    plan = plan_pictures(index)
    assert (plan.origin, plan.spec.height, plan.augmentation, plan.detector, plan.sheets.samples) == (
        "timm_classifier (defaults)", 96, "standard", "haar", 6
    )  # fmt: skip
    assert plan_pictures(units).origin == "timm_regressor (defaults)"


def test_a_checkpoint_brings_its_input_and_how_it_was_trained(index: Index, trained: Path) -> None:
    plan = plan_pictures(index, [("checkpoint", str(trained))])
    assert (plan.spec.height, plan.origin, plan.augmentation) == (32, "the checkpoint (timm_classifier)", "standard")
    plan = plan_pictures(index, [("checkpoint", str(trained)), ("data.augmentation", "strong")])
    assert (plan.augmentation, plan.detector) == ("strong", "haar")


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("method", "timm_clasifier", "Did you mean 'timm_classifier'"),
        ("method.backbon", "resnet18", "There is no setting method.backbon. Did you mean 'backbone'"),
        ("method.image_size", "big", "method.image_size must be int, got 'big'"),
        ("data.augmentation", "stron", "data.augmentation is 'stron'. Did you mean 'strong'"),
        ("data.detector", "har", "data.detector is 'har'. Did you mean 'haar'"),
        ("data.batch_size", "3", "data.augmentation and data.detector only, found data.batch_size"),
        ("data", "3", "data.augmentation and data.detector only, found data."),
        ("samples", "0", "samples is 0; it must be at least 1"),
        ("seed", "-1", "seed is -1; it must be at least 0"),
        ("seed.x", "1", "seed is one value and has no parts"),
        ("checkpoint", "nowhere", "The checkpoint nowhere does not exist"),
        ("checkpoint.x", "nowhere", "There is no setting checkpoint"),
    ],
)
def test_wrong_words_are_told_in_one_sentence(index: Index, key: str, text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        plan_pictures(index, [(key, text)])
    assert sentence in str(caught.value)


def test_checkpoint_and_method_exclude_each_other(index: Index, trained: Path) -> None:
    with pytest.raises(UserError, match="give either checkpoint or method"):
        plan_pictures(index, [("checkpoint", str(trained)), ("method", "timm_classifier")])
