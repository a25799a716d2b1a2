"""The same sample is the same picture, however it is asked for."""

import os
import pickle
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.drawn import make

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.registry import DATASETS
from fer_zoo.core.settings import build_settings
from fer_zoo.data.datamodule import DataSettings, FaceDataModule
from fer_zoo.data.image_sources import image_source
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import make_splits
from fer_zoo.data.synthesis.blocks import pictures_of
from fer_zoo.data.synthesis.images import Drawing, DrawnImages
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.engine.config import compose
from fer_zoo.engine.train import train

NAME = "synthetic_faces"
SETTINGS = {"num_samples": 40, "size": 24, "samples_per_person": 4}


def drawn(**others: Any) -> Index:
    return open_dataset(NAME, **{**SETTINGS, **others})


def built(**others: Any) -> SynthesisSettings:
    return build_settings(SynthesisSettings, {**SETTINGS, **others}, where="")


@pytest.mark.parametrize("expression", ["emotions", "sliders", "action_units"])
def test_neither_block_nor_order_nor_number_of_samples_matters(expression: str) -> None:
    settings = built(expression=expression, occluders={"probability": 0.7})
    whole = pictures_of(settings, np.arange(32))
    chosen = np.array([31, 2, 17, 5, 3])
    assert (pictures_of(settings, chosen) == whole[chosen]).all()
    assert (pictures_of(settings, np.array([9]))[0] == whole[9]).all()
    fewer = DrawnImages(Drawing(built(expression=expression, occluders={"probability": 0.7}, num_samples=3)))
    assert all((fewer.read(row) == whole[row]).all() for row in (2, 0))


def test_labels_do_not_depend_on_the_number_of_samples() -> None:
    few, many = drawn(num_samples=10).table, drawn(num_samples=30).table
    assert few.equals(many[:10])


@pytest.mark.parametrize("setting", ["seed", "pose", "expression", "face_model"])
def test_another_setting_is_another_data_set(setting: str) -> None:
    other = {"seed": 1, "pose": {"yaw": 13}, "expression": "sliders", "face_model": "ict"}[setting]
    assert built(**{setting: other}).key != built().key


@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")
def test_workers_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path))
    index = drawn()
    (split, *_) = make_splits(index, "subject_kfold", {"folds": 2, "validation_share": 0.25}, "emotion")
    spec = InputSpec(height=24, width=24, colour="rgb", mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    found = set()
    for workers, cache in ((0, False), (1, False), (4, False), (0, True)):
        settings = build_settings(
            DataSettings, {"workers": workers, "cache": cache, "batch_size": 5, "progress": False}, where=""
        )
        data = FaceDataModule(index, split, spec, dict(index.label_spaces), settings, 0, None)
        data.prepare_data()
        data.setup("test")
        found.add(sha256(b"".join(batch["image"].numpy().tobytes() for batch in data.test_dataloader())).hexdigest())
    assert len(found) == 1


DRAW = """
import sys, numpy as np
from fer_zoo.core.settings import build_settings
from fer_zoo.data.synthesis.blocks import pictures_of
from fer_zoo.data.synthesis.settings import SynthesisSettings
settings = build_settings(SynthesisSettings, {"num_samples": 64, "capture": {"jpeg": float(sys.argv[2])}}, where="")
np.save(sys.argv[1], pictures_of(settings, np.arange(64)))
"""


@pytest.mark.parametrize(("jpeg", "by_more"), [(0.0, 1e-5), (SynthesisSettings().capture.jpeg, 5e-4)])
def test_a_processor_with_other_instructions_draws_nearly_the_same(tmp_path: Path, jpeg: float, by_more: float) -> None:
    """One pixel in a thousand may differ by a level, one in 100,000 by more, and what JPEG makes of that one."""
    plain = {**os.environ, "ATEN_CPU_CAPABILITY": "default"}
    subprocess.run([sys.executable, "-c", DRAW, str(tmp_path / "plain.npy"), str(jpeg)], env=plain, check=True)
    here = pictures_of(built(num_samples=64, size=96, samples_per_person=8, capture={"jpeg": jpeg}), np.arange(64))
    differ = np.abs(np.load(tmp_path / "plain.npy").astype(int) - here.astype(int)).max(axis=-1)
    print(
        f"{(differ > 0).mean():.5%} differ, {(differ > 1).mean():.5%} by more than a level, at most by {differ.max()}"
    )
    assert (differ > 0).mean() < 1e-3 and (differ > 1).mean() < by_more


def test_colours_and_other_processes() -> None:
    images = image_source(drawn())
    rgb = images.read(3)
    assert (images.read(3, "bgr") == rgb[:, :, ::-1]).all() and images.read(3, "grey").shape == (24, 24, 1)
    copy = pickle.loads(pickle.dumps(images))
    assert (copy.read(3) == rgb).all()
    rgb[:] = 0
    assert images.read(3).any()  # what is given away is a copy


def test_files_and_faces_drawn_as_needed_are_the_same(tmp_path: Path) -> None:
    live, kept = drawn(), open_dataset(NAME, make(tmp_path / "faces", NAME, built()))
    assert live.ids == kept.ids and live.fingerprint() == kept.fingerprint()
    assert live.table.equals(kept.table) and live.label_spaces == kept.label_spaces
    one, other = image_source(live), image_source(kept)
    assert all((one.read(row) == other.read(row)).all() for row in range(len(live)))


@pytest.mark.usefixtures("blank_pictures")
def test_both_train_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = []
    for root in (None, make(tmp_path / "faces", NAME, built())):
        monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path / f"cache{len(weights)}"))
        words = {"dataset.root": str(root)} if root else {f"dataset.{key}": str(v) for key, v in SETTINGS.items()}
        words |= {
            "method": "timm_classifier", "method.backbone": "test_resnet", "method.image_size": "24",
            "dataset": NAME, "protocol.folds": "2", "data.workers": "0", "data.batch_size": "8",
            "data.progress": "false", "trainer": "cpu", "trainer.max_epochs": "1",
            "output": str(tmp_path / f"runs{len(weights)}"),
        }  # fmt: skip
        run = train(compose(list(words.items()), verb="train"), echo=lambda line: None)
        weights.append((run / "model" / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_nobody_is_in_training_and_test() -> None:
    index = drawn(num_samples=120)
    people = dict(zip(index.ids, index.table["subject"], strict=True))
    splits = make_splits(index, DATASETS[NAME].protocol, {}, "emotion")
    assert len(splits) > 1
    for split in splits:
        parts = [{people[entry] for entry in part} for part in (split.train, split.validation, split.test)]
        assert all(parts) and len(set.union(*parts)) == sum(map(len, parts))


def test_other_seeds_have_other_people() -> None:
    first, second = (set(drawn(seed=seed).table["subject"]) for seed in (0, 1))
    assert not first & second
