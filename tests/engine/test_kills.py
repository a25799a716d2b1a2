"""Trainings that are killed at any moment end as if nothing had happened, bit for bit."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import kills, patterns
from safetensors.torch import load_file, save_file

from fer_zoo.core.errors import UserError
from fer_zoo.engine.callbacks import EpochTable
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import compose
from fer_zoo.engine.jobs import status
from fer_zoo.engine.train import train

pytestmark = pytest.mark.usefixtures("blank_pictures")
MODEL, END = "model/model.safetensors", "end.safetensors"
# Three batches an epoch, of which two make a step; drawn samples, averaged weights, everything that draws.
WORDS = {
    "trainer__max_epochs": 4, "trainer__accumulate": 2, "trainer__ema_decay": 0.5, "data__batch_size": 6,
    "trainer__monitor": "val/loss", "method__learning_rate": 0.01,
    "data__augmentation": "strong", "data__sampling": "class_balanced", "method__dropout": 0.3,
}  # fmt: skip


@pytest.fixture
def training(faces: Path) -> Callable[..., Callable[[Path], None]]:
    """Work for a process of its own: a training, whose last weights are kept beside the best."""

    def training_of(workers: int, **others: str) -> Callable[[Path], None]:
        def work(folder: Path) -> None:
            os.environ["FER_ZOO_CACHE"] = str(folder / "cache")
            _keep_last_weights(folder / END)
            words = patterns.settings(faces, folder / "runs", data__workers=workers, **{**WORDS, **others})
            train(compose(words, verb="train"), echo=print)

        return work

    return training_of


def _keep_last_weights(path: Path) -> None:
    """Those at the end of each epoch, before its resume file is written; in a process that ends with its training."""
    original = EpochTable.on_train_epoch_end

    def write_and_keep(table: EpochTable, trainer: Any, task: Any) -> None:
        original(table, trainer, task)
        save_file({name: tensor.contiguous() for name, tensor in task.network.state_dict().items()}, path)

    EpochTable.on_train_epoch_end = write_and_keep  # type: ignore[method-assign]


def run_of(folder: Path) -> Path:
    (run,) = folder.glob("runs/*/*")
    return run


def assert_same(first: Path, second: Path) -> None:
    """The last weights, the best ones, every row of the table and the result."""
    one, two = run_of(first), run_of(second)
    for a, b in ((first / END, second / END), (one / MODEL, two / MODEL)):
        left, right = load_file(a), load_file(b)
        assert list(left) == list(right)
        assert [name for name in left if not torch.equal(left[name], right[name])] == []
    for file in ("metrics.csv", "result.json"):
        assert (one / file).read_text() == (two / file).read_text(), file
    assert status(two) == "done"
    assert not (two / "resume.ckpt").exists()
    load_method(two)


@pytest.mark.parametrize(
    ("workers", "number"),
    [
        pytest.param(2, 3, id="3 kills, 2 workers"),
        pytest.param(0, 20, id="20 kills, no workers", marks=pytest.mark.slow),
        pytest.param(2, 20, id="20 kills, 2 workers", marks=pytest.mark.slow),
    ],
)
def test_a_training_killed_at_random_moments_equals_an_unbroken_one(
    training: Callable[..., Callable[[Path], None]], tmp_path: Path, workers: int, number: int
) -> None:
    start, work = time.perf_counter(), training(workers)
    seconds = kills.seconds_of(work, tmp_path / "unbroken")
    rounds = kills.rounds_of_kills(work, tmp_path, kills=number, seconds=seconds, seed=number + workers)
    assert sum(len(one.moments) for one in rounds) == number
    for one in rounds:
        assert_same(tmp_path / "unbroken", one.folder)
    print(
        f"\n{number} kills in {len(rounds)} trainings of {seconds:.1f} s with {workers} data workers:"
        f" {len(rounds)} of {len(rounds)} equal the unbroken one, {time.perf_counter() - start:.0f} s"
    )


def test_a_kill_between_weights_and_card_is_told_and_mended(
    training: Callable[..., Callable[[Path], None]], tmp_path: Path
) -> None:
    work, seen = training(0, trainer__selection="last"), list[Path]()  # other weights after each epoch

    def second_card(path: Path) -> bool:
        seen.append(path)
        return path.name == "card.json" and [p.name for p in seen].count("card.json") == 2

    kills.seconds_of(work, tmp_path / "unbroken")
    (tmp_path / "killed").mkdir()
    assert kills.is_killed(work, tmp_path / "killed", before_rename=second_card)
    run = run_of(tmp_path / "killed")
    assert status(run) == "resumable"
    with pytest.raises(UserError, match="is not whole"):
        load_method(run)
    assert not kills.is_killed(work, tmp_path / "killed")
    assert_same(tmp_path / "unbroken", tmp_path / "killed")


def test_a_killed_training_of_so_many_steps_starts_anew_and_is_the_same(
    training: Callable[..., Callable[[Path], None]], tmp_path: Path
) -> None:
    work, seen = training(0, trainer__max_steps="5"), list[Path]()

    def in_the_second_epoch(path: Path) -> bool:
        seen.append(path)
        return [p.name for p in seen].count("metrics.csv") == 2

    kills.seconds_of(work, tmp_path / "unbroken")
    (tmp_path / "killed").mkdir()
    assert kills.is_killed(work, tmp_path / "killed", before_rename=in_the_second_epoch)
    assert status(run_of(tmp_path / "killed")) == "resumable"
    assert load_method(run_of(tmp_path / "killed")).card["validation"]["epoch"] == 1
    assert not kills.is_killed(work, tmp_path / "killed")
    assert_same(tmp_path / "unbroken", tmp_path / "killed")


@pytest.mark.slow
def test_a_kill_before_any_file_takes_its_name(training: Callable[..., Callable[[Path], None]], tmp_path: Path) -> None:
    """One training for each of the files that a run writes, killed before that one has its name."""
    start, work, number = time.perf_counter(), training(0), 0
    kills.seconds_of(work, tmp_path / "unbroken")
    while True:
        folder, seen = tmp_path / f"at_{number}", list[Path]()
        folder.mkdir()

        def at_number(path: Path, seen: list[Path] = seen, number: int = number) -> bool:
            seen.append(path)
            return len(seen) > number

        if not kills.is_killed(work, folder, before_rename=at_number):
            break
        assert not kills.is_killed(work, folder)
        assert_same(tmp_path / "unbroken", folder)
        number += 1
    assert number > 20
    print(f"\nkilled before each of {number} renames: all equal, {time.perf_counter() - start:.0f} s")
