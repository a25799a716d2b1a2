"""Images a second of the training loader over those of torchvision's ImageFolder with the same transforms.

python benchmarks/loading.py [augmentation] [images] [repeats]      (standard; facial_expressions below $FER_ZOO_DATA)

Grey images of 64 px in batches of 64, two workers for each loader, which stay between epochs. ImageFolder decodes,
turns grey, scales, flips, moves, turns, changes brightness and contrast and normalises by torchvision's transforms, the
zoo by its own; the loaders are measured in turn.
"""

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.datamodule import DataSettings, FaceDataModule
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import Split

SPEC = InputSpec(height=64, width=64, colour="grey", mean=(0.5,), std=(0.25,))
BATCH, WORKERS = 64, 2


def image_folder(index: Index, ids: list[str], folder: Path, augmentation: str) -> DataLoader[Any]:
    """The loader that everybody writes."""
    table = index.table.iloc[index.rows_of(ids)]
    for name, label, image in zip(table["id"], table["emotion"], table["image"], strict=True):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        (folder / str(label) / f"{name}.jpg").symlink_to((Path(index.root) / image).resolve())
    changes: list[Any] = [
        transforms.RandomHorizontalFlip(),
        transforms.RandomAffine(
            10, translate=(0.04, 0.04), scale=(0.9, 1.1), interpolation=transforms.InterpolationMode.BILINEAR
        ),
        transforms.ColorJitter(brightness=0.2, contrast=0.2),
    ]
    steps = [
        transforms.Grayscale(),
        transforms.Resize((SPEC.height, SPEC.width)),
        *(changes if augmentation == "standard" else []),
        transforms.ToTensor(),
        transforms.Normalize(SPEC.mean, SPEC.std),
    ]
    data = ImageFolder(folder, transforms.Compose(steps))
    return DataLoader(data, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True, persistent_workers=True)


def of_zoo(index: Index, ids: list[str], augmentation: str, *, cache: bool) -> DataLoader[Any]:
    """The loader of the data module."""
    settings = DataSettings(cache=cache, workers=WORKERS, augmentation=augmentation, progress=False)
    split = Split("benchmark", tuple(ids), (), ())
    data = FaceDataModule(index, split, SPEC, {"emotion": index.space("emotion")}, settings)
    data.setup("fit")
    return data.train_dataloader()


def images_per_second(loader: DataLoader[Any], number: int) -> float:
    """From the first batch on."""
    batches = iter(loader)
    next(batches)
    start = time.perf_counter()
    count = sum(1 for _ in islice(batches, number // BATCH - 1))
    return count * BATCH / (time.perf_counter() - start)


def measured(loaders: Mapping[str, DataLoader[Any]], number: int, repeats: int) -> dict[str, list[float]]:
    """Images a second of each, in turn."""
    found: dict[str, list[float]] = {name: [] for name in loaders}
    for _ in range(repeats):
        for name, loader in loaders.items():
            found[name].append(images_per_second(loader, number))
    return found


def main() -> None:
    """Prints the speeds and their ratios to torchvision's."""
    augmentation = sys.argv[1] if len(sys.argv) > 1 else "standard"
    number, repeats = (int(sys.argv[place]) if len(sys.argv) > place else least for place, least in ((2, 4096), (3, 5)))
    index = open_dataset("facial_expressions")
    usable = index.table.loc[index.table["emotion"].notna(), "id"].to_numpy()
    ids = np.random.default_rng(0).choice(usable, min(number, len(usable)), replace=False).tolist()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_ZOO_CACHE"] = folder
        plain = image_folder(index, ids, Path(folder) / "classes", augmentation)
        zoo, cached = (of_zoo(index, ids, augmentation, cache=cache) for cache in (False, True))
        loaders = {"ImageFolder": plain, "fer_zoo": zoo, "fer_zoo, cached": cached}
        found = measured(loaders, number, repeats)
    print(f"{number} images, grey, 64 px, batches of {BATCH}, {WORKERS} workers, augmentation {augmentation}")
    for name, speeds in found.items():
        ratio = median(own / other for own, other in zip(speeds, found["ImageFolder"], strict=True))
        print(f"{name:<16} {median(speeds):7.0f} images a second; over ImageFolder {ratio:.2f}")


if __name__ == "__main__":
    main()
