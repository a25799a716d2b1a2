"""Class folders of pictures that a small network learns within seconds: each emotion is a direction of stripes."""

from pathlib import Path

import numpy as np
from PIL import Image

from fer_zoo.core.label_spaces import label_space

SPACE = "emotion/basic6"
SUBJECT_PATTERN = r"^(\w+)_\d+\."
PEOPLE = ("Alba", "Boris", "Cleo", "Dora", "Emil", "Fran", "Gita", "Hugo")


def write(root: Path, *, takes: int = 1, people: tuple[str, ...] = PEOPLE, side: int = 32, seed: int = 0) -> Path:
    """`takes` pictures of every emotion of `SPACE` for every person, named PERSON_NUMBER.png; others with each seed."""
    for number, emotion in enumerate(label_space(SPACE).entries):
        (root / emotion).mkdir(parents=True, exist_ok=True)
        for position, person in enumerate(people):
            for take in range(takes):
                pixels = stripes(number, seed=10_000 * seed + 1000 * number + 10 * position + take, side=side)
                Image.fromarray(pixels).save(root / emotion / f"{person}_{take}.png")
    return root


def stripes(number: int, *, seed: int, side: int = 32) -> np.ndarray:
    """Grey stripes, whose direction and brightness tell the class, with some noise."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    angle = np.pi * number / 6
    phase = generator.uniform(0, 2 * np.pi)
    wave = np.sin((np.cos(angle) * columns + np.sin(angle) * rows) * 0.8 + phase)
    pixels = 70 + 20 * number + 50 * wave + generator.normal(0, 10, (side, side))
    return pixels.clip(0, 255).astype(np.uint8)


def settings(root: Path, output: Path, **others: object) -> list[tuple[str, str]]:
    """A run of less than a second, as a user would type it; `others` are written with __ for the dot."""
    words: dict[str, object] = {
        "method": "timm_classifier",
        "method.backbone": "test_resnet",
        "method.image_size": 32,
        "method.learning_rate": 0.003,
        "dataset": "image_folder",
        "dataset.root": root,
        "dataset.label_space": SPACE,
        "dataset.cropped": "true",
        "dataset.subject_pattern": SUBJECT_PATTERN,
        "protocol": "subject_kfold",
        "protocol.folds": 2,
        "protocol.validation_share": 0.25,
        "data.workers": 0,
        "data.batch_size": 12,
        "data.progress": "false",
        "trainer": "cpu",
        "trainer.precision": "32",
        "trainer.max_epochs": 2,
        "output": output,
    }
    words.update({key.replace("__", "."): value for key, value in others.items()})
    return [(key, str(value)) for key, value in words.items()]
