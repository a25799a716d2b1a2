"""Images a second that the training loader gives to one process, with and without the cache, in one run.

python benchmarks/data.py [dataset]      (facial_expressions below $FER_ZOO_DATA, 64 px, grey, batches of 64)
"""

import os
import sys
import tempfile
import time

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.datamodule import DataSettings, FaceDataModule
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import Split

SPEC = InputSpec(height=64, width=64, colour="grey", mean=(0.5,), std=(0.25,))


def images_per_second(index: Index, *, cache: bool, workers: int, augmentation: str) -> float:
    """Speed of one epoch, or 5 seconds of it, after the first batch; training on everything that has a label."""
    settings = DataSettings(cache=cache, workers=workers, augmentation=augmentation, on_unreadable="skip")
    split = Split("all", tuple(index.ids), (), ())
    data = FaceDataModule(index, split, SPEC, {"emotion": index.space("emotion")}, settings)
    data.setup("fit")
    batches = iter(data.train_dataloader())
    next(batches)
    start, images = time.perf_counter(), 0
    for batch in batches:
        images += len(batch["row"])
        if time.perf_counter() - start > 5:
            break
    return images / (time.perf_counter() - start)


def main() -> None:
    """Prints the speeds, their ratio, and the time to fill the cache."""
    index = open_dataset(sys.argv[1] if len(sys.argv) > 1 else "facial_expressions")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_ZOO_CACHE"] = folder
        start = time.perf_counter()
        images_per_second(index, cache=True, workers=0, augmentation="none")
        print(f"{len(index)} images; first epoch with filling the cache: {time.perf_counter() - start:.1f} s")
        for augmentation in ("none", "standard", "strong"):
            for workers in (0, 1, 2):
                with_cache, without = (
                    images_per_second(index, cache=cache, workers=workers, augmentation=augmentation)
                    for cache in (True, False)
                )
                ratio = with_cache / without
                print(f"{augmentation:9} workers {workers}: {with_cache:6.0f} cached, {without:6.0f} not, {ratio:.1f}x")


if __name__ == "__main__":
    main()
