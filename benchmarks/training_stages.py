"""Images a second that each stage of BlendshapeFERNet learns from, at full size and as the quick recipes have it.

python benchmarks/training_stages.py [steps]

A step is forward, loss, backward and optimiser on a batch that is in memory, in float32 and in bfloat16; batches of 32,
the median of the steps. The last column is how many times as fast as the full trunk in the same precision.
"""

import statistics
import sys
import time

import torch

from fer_zoo.core.label_spaces import own_space
from fer_zoo.engine.create import create_method
from fer_zoo.tasks.face_task import FaceTask

BATCH, WARM = 32, 2
SIZES = {"full": {}, "quick": {"width_mult": 0.5, "image_width": 48, "image_height": 56, "colour": "grey"}}
STAGES = ("fernet_identity", "image_fernet", "blendshape_net", "au_net", "blendshape_fernet")
PEOPLE = own_space("identity", map(str, range(200)), where="200 people")


def main() -> None:
    """Measures and prints a table."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"{torch.get_num_threads()} threads")
    print("| stage | size | precision | images/s | over full |\n|---|---|---|---|---|")
    for stage in STAGES:
        full: dict[str, float] = {}
        for size, settings in SIZES.items():
            for precision in ("32", "bf16-mixed"):
                spaces = {"identity": PEOPLE} if stage == "fernet_identity" else {}
                rate = images_a_second(create_method(stage, label_spaces=spaces, **settings), steps, precision)
                ratio = rate / full.setdefault(precision, rate)
                print(f"| {stage} | {size} | {precision} | {rate:.0f} | {ratio:.1f} |")


def images_a_second(task: FaceTask, steps: int, precision: str) -> float:
    """Of a training step on one batch, the median of some."""
    (target,) = task.spaces
    space, spec = task.spaces[target], task.input_spec
    task.log = lambda *args, **kwargs: None  # type: ignore[method-assign,assignment]
    task.train().network.to(memory_format=torch.channels_last)
    image = torch.randn(BATCH, spec.channels, spec.height, spec.width).to(memory_format=torch.channels_last)
    labels = torch.arange(BATCH) % len(space) if space.kind == "classes" else torch.rand(BATCH, len(space))
    batch = {"image": image, "row": torch.arange(BATCH), target: labels}
    optimizer = torch.optim.Adam(task.network.parameters(), lr=1e-4)
    seconds = []
    for _ in range(WARM + steps):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision != "32"):
            loss = task.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return BATCH / statistics.median(seconds[WARM:])


if __name__ == "__main__":
    main()
