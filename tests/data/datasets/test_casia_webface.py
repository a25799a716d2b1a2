from pathlib import Path

import numpy as np
import pytest
from fakes import casia_webface as fakes

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.datasets import casia_webface
from fer_zoo.data.datasets.casia_webface import CARD, NAME
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits
from fer_zoo.engine.checkpoint import load_method, save_method
from fer_zoo.engine.create import create_method

EVERYBODY = CARD.expected["people"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fakes.write(tmp_path).root


def space_of(index: Index) -> LabelSpace:
    return index.label_spaces["identity"]


def test_classes_are_the_places_of_the_sorted_folders(root: Path) -> None:
    index = open_dataset(NAME, root)
    assert space_of(index).entries == ("0000045", "0000099", "0000117", "0000204", "0001000")
    classes = dict(zip(index.table["image"], index.target_array("identity").tolist(), strict=True))
    assert classes["0000045/001.jpg"] == 0 and classes["0001000/001.jpg"] == 4 and classes["0000204/003.jpg"] == 3
    assert index.found == {"images": 15, "people": 5} and index.is_cropped
    assert not open_dataset(NAME, root, cropped=False).is_cropped


def test_people_with_few_images_and_empty_folders_are_no_classes(root: Path) -> None:
    (root / "0000500").mkdir()
    (root / "0000500" / "notes.txt").touch()
    index = open_dataset(NAME, root)
    assert len(space_of(index)) == 5 and [note.kind for note in index.notes] == ["empty"]
    index = open_dataset(NAME, root, identity_images=4)
    assert space_of(index).entries == ("0000045", "0000117") and len(index) == 8
    assert index.found == {"images": 15, "people": 5}  # of the copy, whatever is used of it
    (few,) = (note for note in index.notes if note.kind == "few")
    assert few.sentence == "3 people with fewer than 4 images are left out, 7 images." and len(few.ids) == 7
    with pytest.raises(UserError, match=r"holds nobody with dataset\.identity_images=5 images, of 6 folders"):
        open_dataset(NAME, root, identity_images=5)


def test_each_person_is_trained_and_tested_on_other_images(root: Path) -> None:
    index = open_dataset(NAME, root)
    (split,) = make_splits(index, CARD.protocol, {}, "identity")
    of = dict(zip(index.ids, index.table["identity"], strict=True))
    trained, tested = ({of[entry] for entry in part} for part in (split.train, split.test))
    assert trained == set(space_of(index).entries) and tested == trained - {"0001000"}
    assert not set(split.train) & set(split.test)


def test_folders_of_the_archives_are_found(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    root.rename(tmp_path / "other" / "CASIA-maxpy-clean")
    index = open_dataset(NAME, tmp_path / "other")
    assert len(index) == 15 and index.variant == "cleaned, folders of images"


def test_record_files_and_strangers_are_one_sentence(root: Path, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    for name in ("train.rec", "train.idx", "property"):
        (tmp_path / "records" / name).touch()
    with pytest.raises(UserError, match=r"as record files \(train\.rec, train\.idx\), which are not read: unpack them"):
        open_dataset(NAME, tmp_path / "records")
    (root / "Jane_Doe").mkdir()
    with pytest.raises(UserError, match="and one without a number is among them") as caught:
        open_dataset(NAME, root)
    assert "Jane" not in str(caught.value)


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """As many people as the set has, two images each, of folders that need not be made."""
    folders = [f"{45 + 54 * number:07d}" for number in range(EVERYBODY)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(casia_webface, "_people", lambda root: folders)
        patch.setattr(casia_webface, "_images", lambda folder: ["001.jpg", "002.jpg"])
        return open_dataset(NAME, tmp_path_factory.mktemp("casia"))


def test_ten_thousand_people_have_a_space_with_a_short_name(complete: Index) -> None:
    space = space_of(complete)
    assert len(space) == EVERYBODY and len(space.name) < 40
    assert np.array_equal(complete.target_array("identity"), np.arange(EVERYBODY).repeat(2))
    assert complete.table["subject"].nunique() >= EVERYBODY - 1  # codes have 32 bits
    fewer = space.only(space.entries[1:])
    assert len(fewer) == EVERYBODY - 1 and fewer.name != space.name and len(fewer.name) < 40
    with pytest.raises(UserError) as caught:
        space.index("0000046")
    assert len(str(caught.value)) < 1_000 and f"and {EVERYBODY - 60:,} more" in str(caught.value)


def test_the_map_of_people_is_stored_with_the_weights(complete: Index, tmp_path: Path) -> None:
    settings = {"target": "identity", "backbone": "test_resnet", "image_size": 32}
    task = create_method("timm_classifier", label_spaces=complete.label_spaces, **settings)
    save_method(tmp_path / "model", task, training={"licences": {NAME: ["research only", "no"]}}, validation={})
    loaded = load_method(tmp_path / "model")
    assert loaded.spaces["identity"] == space_of(complete)
    assert loaded.network.get_submodule("head").weight.shape[0] == EVERYBODY
