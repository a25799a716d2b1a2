"""Speed of training on drawn faces without a cache: `python benchmarks/drawn_batches.py [faces]`, 96 px, one thread.

What a face of a shuffled batch of 64 takes, without augmentation: when each is read for itself, which draws a block for
every face; when the batch is fetched in one call; the same with mask, position map and shading; and by a GPU, where
there is one. Processor milliseconds, and faces a second by the clock, in which neighbours on the machine matter.
"""

import os
import sys
from collections.abc import Sequence
from time import perf_counter, process_time

import numpy as np
import torch

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.dataset import FaceDataset
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.synthesis.images import drawn_on

BATCH, SIZE = 64, 96
SPEC = InputSpec(height=SIZE, width=SIZE, colour="rgb", mean=(0.5,) * 3, std=(0.25,) * 3)
DENSE = ("mask", "position_map", "shading")


def main() -> None:
    """Prints the figures."""
    torch.set_num_threads(1)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    index = open_dataset("synthetic_faces", num_samples=20 * count, size=SIZE)
    shuffled = np.random.default_rng(0).permutation(len(index))
    chosen, few = shuffled[:count], shuffled[-2 * BATCH :]  # what was drawn for one line is not kept for the next
    alone = taken(index, few, (), at_once=False)
    show("each face for itself", alone)
    batched = taken(index, chosen, ())
    show("a batch at once", batched)
    print(f"ratio: {alone[0] / batched[0]:.1f} in the processor's time, {alone[1] / batched[1]:.1f} by the clock")
    show("a batch at once with mask, position map and shading", taken(index, chosen, DENSE))
    if torch.cuda.is_available():
        there = drawn_on(index, "cuda")
        show(f"{torch.cuda.get_device_name()}, a batch at once", taken(there, chosen, ()))
        show(f"{torch.cuda.get_device_name()}, the same with the targets", taken(there, chosen, DENSE))


def taken(index: Index, chosen: Sequence[int], targets: Sequence[str], *, at_once: bool = True) -> tuple[float, float]:
    """Seconds of the processor and by the clock that a face takes; the first batch, which builds, does not count."""
    data = FaceDataset(index, index.ids, SPEC, {target: index.space(target) for target in targets})
    draws = [(0, int(place), 0) for place in chosen]
    batches = [draws[start : start + BATCH] for start in range(0, len(draws), BATCH)]
    data.__getitems__(batches[0])
    start, clock = process_time(), perf_counter()
    for batch in batches[1:]:
        if at_once:
            data.__getitems__(batch)
        else:
            for draw in batch:
                data[draw]
    faces = sum(map(len, batches[1:]))
    return (process_time() - start) / faces, (perf_counter() - clock) / faces


def show(what: str, times: tuple[float, float]) -> None:
    """Prints a line."""
    print(f"{what}: {1e3 * times[0]:.1f} processor ms a face, {1 / times[1]:.0f} faces a second")


if __name__ == "__main__":
    main()
