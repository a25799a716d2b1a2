"""A run trained once on a miniature data set, for the verbs that need one."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.pictures import EMOTIONS, noise
from PIL import Image

from fer_zoo.cli.main import main


@dataclass(frozen=True)
class Trained:
    """Where a miniature lies, the words that train on it, and the run's folder."""

    photographs: Path
    output: Path
    words: tuple[str, ...]
    run: Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """48 pictures of noise of 24 people in six classes; one epoch of the smallest network, by the verb `train`."""
    folder = tmp_path_factory.mktemp("verbs")
    photographs = folder / "faces"
    for number, emotion in enumerate(sorted({*EMOTIONS} - {"neutral"} | {"fear"})):
        (photographs / emotion).mkdir(parents=True)
        for image in range(8):
            Image.fromarray(noise(10 * number + image)).save(photographs / emotion / f"p{image}_{number}.png")
    words = (
        *("method=timm_classifier", "method.backbone=resnet10t", "method.image_size=32", "dataset=image_folder"),
        *(f"dataset.root={photographs}", "dataset.label_space=emotion/basic6", "dataset.cropped=true"),
        *(r"dataset.subject_pattern=(p\d)_", "protocol=subject_kfold", "protocol.folds=2", "data.workers=0"),
        *("data.cache=false", "data.batch_size=8", "trainer=cpu", "trainer.precision=32", "trainer.max_epochs=1"),
        f"output={folder / 'runs'}",
    )
    assert main(["train", *words]) == 0
    (result,) = (folder / "runs").glob("*/*/result.json")
    return Trained(photographs, folder / "runs", words, result.parent)
