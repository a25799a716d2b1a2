"""Peak memory of `predict` and of a loader's epoch after 2,000 and after 20,000 images, each in a process of its own.

python benchmarks/memory.py [images …]      (facial_expressions below $FER_ZOO_DATA, its files again and again)
"""

import multiprocessing
import resource
import sys
from itertools import cycle, islice
from pathlib import Path

NUMBERS = (2_000, 20_000)


def predict(number: int) -> None:
    """Rows of so many face crops, which nobody keeps."""
    from fer_zoo.data.open import open_dataset
    from fer_zoo.engine.create import create_method
    from fer_zoo.engine.predict import Predictor

    index = open_dataset("facial_expressions")
    files = islice(cycle(str(index.root / image) for image in index.table["image"]), number)
    task = create_method("timm_classifier", backbone="resnet10t", image_size=64).eval()
    for _ in Predictor(task, detector_name="none").rows(files):
        pass


def load(number: int) -> None:
    """Batches of so many training samples, decoded anew in this process."""
    from fer_zoo.core.input_spec import InputSpec
    from fer_zoo.data.datamodule import DataSettings, FaceDataModule
    from fer_zoo.data.open import open_dataset
    from fer_zoo.data.protocols import Split

    index = open_dataset("facial_expressions")
    spec = InputSpec(height=64, width=64, colour="grey", mean=(0.5,), std=(0.25,))
    split = Split("all", tuple(index.ids), (), ())
    settings = DataSettings(cache=False, workers=0)
    data = FaceDataModule(index, split, spec, {"emotion": index.space("emotion")}, settings)
    data.setup("fit")
    seen = 0
    while seen < number:
        for batch in data.train_dataloader():
            seen += len(batch["row"])
            if seen >= number:
                break


def peak(work: str, number: int) -> float:
    """Megabytes at most of a process that does the work."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (work, number))


def _measured(work: str, number: int) -> float:
    globals()[work](number)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Prints the peaks and what the larger number adds."""
    numbers = [int(word) for word in sys.argv[1:]] or list(NUMBERS)
    print(f"{Path(sys.argv[0]).name}: peak memory in MB")
    for work in ("predict", "load"):
        peaks = [peak(work, number) for number in numbers]
        told = ", ".join(f"{number:,} images {value:,.0f}" for number, value in zip(numbers, peaks, strict=True))
        print(f"{work:8}: {told}; difference {peaks[-1] - peaks[0]:+.0f}")


if __name__ == "__main__":
    main()
