"""Time of what is computed from stored predictions, 130,000 images: `python benchmarks/scoring.py`.

Ten thousand resamples of people (12 action units), and a report with intervals from a file.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch

from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.evaluation.bootstrap import bootstrap_error, resampled_sums
from fer_zoo.evaluation.prediction_table import prediction_table, read_predictions, write_predictions
from fer_zoo.evaluation.report import evaluate_table
from fer_zoo.evaluation.scores import table_sums
from fer_zoo.metrics import mean_over_names, metric

IMAGES, RESAMPLES, REPEATS = 130_000, 10_000, 7
PEOPLE = (27, 5_000)  # as in DISFA, and as in a collection of photographs
SPACES = ("emotion/basic7", "au/disfa12")


def main() -> None:
    """Prints median and range of the seconds."""
    print(f"{IMAGES:,} images, {torch.get_num_threads()} threads, median [fastest, slowest] of {REPEATS}")
    for people in PEOPLE:
        for name in SPACES:
            space = label_space(name)
            table, training = stored_table(space, people)
            if space.kind == "values":
                resampling = seconds(lambda table=table, space=space: resampled(table, space))
                print(f"{RESAMPLES:,} resamples of {people:,} people x {len(space)} values, ICC(3,1): {resampling}")
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "predictions.parquet"
                write_predictions(path, table, space)
                alone = seconds(lambda path=path: evaluated(path, None))
                beside = seconds(lambda path=path, training=training: evaluated(path, training))
            print(f"report of {space.name} ({len(space)} entries), {people:,} people: {alone}")
            print(f"  with the rows of guesses beside it: {beside}")


def stored_table(space: LabelSpace, people: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of random predictions, and labels as those of a training part."""
    rng = np.random.default_rng(0)
    ids = [f"{i:012x}" for i in range(IMAGES)]
    subjects = np.char.mod("s%04d", rng.integers(0, people, IMAGES)).astype(object)
    asked = pd.DataFrame({"id": ids, "subject": subjects, "clip": "", "source": "camera"})
    if space.kind == "classes":
        asked[space.target] = np.array(space.entries, dtype=object)[rng.integers(0, len(space), IMAGES)]
        outputs = rng.dirichlet(np.ones(len(space)), IMAGES)
    else:
        labels = rng.integers(0, 6, (IMAGES, len(space))).astype(np.float64)
        asked[list(space.entries)] = labels
        outputs = np.clip(labels + rng.normal(size=labels.shape), 0, 5)
    outputs[rng.random(IMAGES) < 0.01] = np.nan
    return prediction_table(asked, space, ids, outputs), asked


def resampled(table: pd.DataFrame, space: LabelSpace) -> None:
    """From a table to the bootstrap error of the mean ICC."""
    sums = table_sums(table, space)
    drawn = resampled_sums(sums.sums["moments"].flatten(1), resamples=RESAMPLES)
    values = mean_over_names(metric("icc31").value(drawn.reshape(RESAMPLES, -1, len(space))))
    bootstrap_error(values, sums.num_subjects)


def evaluated(path: Path, training: pd.DataFrame | None) -> None:
    """From a file to the text of its report."""
    table, meta = read_predictions(path)
    evaluate_table(table, meta.space, training=training).to_text()


def seconds(work: Callable[[], None]) -> str:
    """Median, fastest and slowest of several runs, after one that does not count."""
    work()
    taken = []
    for _ in range(REPEATS):
        start = perf_counter()
        work()
        taken.append(perf_counter() - start)
    return f"{np.median(taken):.2f} s [{min(taken):.2f}, {max(taken):.2f}]"


if __name__ == "__main__":
    main()
