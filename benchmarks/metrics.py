"""Time of ICC(3,1) over 130,814 frames of 12 action units (all of DISFA): `python benchmarks/metrics.py`."""

from time import perf_counter

import torch

from fer_zoo.core.label_spaces import label_space
from fer_zoo.metrics import mean_over_names, metric, sums_of

FRAMES, REPEATS = 130_814, 21


def main() -> None:
    """Prints the median and the range of the seconds from float32 predictions and labels to the mean ICC."""
    space = label_space("au/disfa12")
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(0, 6, (FRAMES, len(space)), generator=generator).float()
    prediction = target + torch.randn(FRAMES, len(space), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.01] = torch.nan
    seconds = []
    for _ in range(REPEATS):
        start = perf_counter()
        score = mean_over_names(metric("icc31").value(sums_of("moments", prediction, target, space))).item()
        seconds.append(perf_counter() - start)
    seconds.sort()
    median = seconds[REPEATS // 2]
    print(f"ICC(3,1) {score:.6f} over {FRAMES:,} x {len(space)} values, {torch.get_num_threads()} threads")
    print(f"median {median:.4f} s, fastest {seconds[0]:.4f} s, slowest {seconds[-1]:.4f} s of {REPEATS}")


if __name__ == "__main__":
    main()
