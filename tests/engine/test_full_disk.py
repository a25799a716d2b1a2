"""A disk that becomes full while training saves: what stood there stays, one sentence tells, and the run goes on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fakes.full_disk import full_disk
from safetensors.torch import load_file

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_record
from fer_zoo.core.label_spaces import label_space
from fer_zoo.engine.checkpoint import AtomicCheckpointIO, load_method
from fer_zoo.engine.config import RunConfig
from fer_zoo.engine.jobs import FAILURE, RESULT, RESUME, Job, run_job, status
from fer_zoo.engine.train import train
from fer_zoo.evaluation.prediction_table import prediction_table, read_predictions, write_predictions

pytestmark = pytest.mark.usefixtures("blank_pictures")
KEPT = ("model/model.safetensors", "model/card.json", RESUME)
# The loss falls in each epoch, so that each one has weights to save.
WORDS = {"trainer__max_epochs": 3, "trainer__monitor": "val/loss", "method__learning_rate": 0.01}


class StopsAfter:
    """An echo that raises once an epoch has been told."""

    def __init__(self, epoch: int) -> None:
        self.words = f"epoch {epoch}/"

    def __call__(self, line: str) -> None:
        if line.startswith(self.words):
            raise RuntimeError("stopped by the test")


def quiet(line: str) -> None:
    """Hears nothing."""


@pytest.mark.parametrize(
    ("room", "file"),
    [
        pytest.param(1 << 20, "model", id="no room for the weights"),
        pytest.param(5 << 19, RESUME, id="room for the weights and none for the file to carry on from"),
    ],
)
def test_a_disk_that_is_full_while_saving(
    configuration: Callable[..., RunConfig], tmp_path: Path, room: int, file: str
) -> None:
    unbroken = train(configuration(output=tmp_path / "unbroken", **WORDS), echo=quiet)
    config = configuration(output=tmp_path / "full", **WORDS)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        train(config, echo=StopsAfter(2))
    run = tmp_path / "full" / unbroken.relative_to(tmp_path / "unbroken")
    before = {name: (run / name).read_bytes() for name in KEPT}
    with full_disk(room), pytest.raises(UserError, match=rf"Cannot write .*{file}: File too large\. Free some space"):
        train(config, echo=quiet)
    stays = KEPT if file == "model" else (RESUME,)
    assert {name: (run / name).read_bytes() for name in stays} == {name: before[name] for name in stays}
    assert not list(run.rglob(".*-*"))
    assert load_method(run).card["validation"]["epoch"] >= 2
    assert AtomicCheckpointIO().load_checkpoint(run / RESUME)["epoch"] == 0
    assert status(run) == "failed" and "Free some space" in read_record(run / FAILURE)["reason"]
    train(config, echo=quiet)
    first, second = (load_file(folder / KEPT[0]) for folder in (unbroken, run))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (unbroken / "metrics.csv").read_text() == (run / "metrics.csv").read_text()


def test_a_damaged_file_to_carry_on_from_is_told_and_left(
    configuration: Callable[..., RunConfig], tmp_path: Path
) -> None:
    config = configuration(output=tmp_path, **WORDS)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        train(config, echo=StopsAfter(2))
    (file,) = tmp_path.rglob(RESUME)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1000])
    for _ in range(2):
        with pytest.raises(UserError, match=r"no whole file to carry on from .*delete it and give the command again"):
            train(config, echo=quiet)
    assert file.read_bytes() == whole[:-1000]
    file.unlink()
    assert status(train(config, echo=quiet)) == "done"


def test_predictions_on_a_full_disk(tmp_path: Path) -> None:
    """pyarrow writes by itself."""
    space, ids = label_space("emotion/basic6"), [f"{i:012x}" for i in range(2000)]
    asked = pd.DataFrame({"id": ids, "subject": ids, "clip": "", "source": "a", "emotion": "anger"})
    table = prediction_table(asked, space, ids, np.random.default_rng(0).dirichlet(np.ones(6), 2000))
    write_predictions(tmp_path / "p.parquet", table[:10], space)
    with full_disk(50_000), pytest.raises(UserError, match=r"Cannot write .*p\.parquet: File too large"):
        write_predictions(tmp_path / "p.parquet", table, space)
    assert len(read_predictions(tmp_path / "p.parquet")[0]) == 10
    assert list(tmp_path.iterdir()) == [tmp_path / "p.parquet"]


def test_the_reason_is_told_where_there_is_no_room_to_write_it_down(tmp_path: Path) -> None:
    def work(folder: Path) -> dict[str, int]:
        raise UserError("Cannot write the weights.")

    with full_disk(0), pytest.raises(UserError, match=r"^Cannot write the weights\.$"):
        run_job(Job(folder=tmp_path, label="a job", work=work), echo=quiet)
    assert not (tmp_path / FAILURE).exists() and not (tmp_path / RESULT).exists()
