"""What torchrun and SLURM say of the processes they started, and settings that say otherwise."""

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.engine.launch import Launch, devices_and_nodes, launch
from fer_zoo.engine.trainer import is_alone
from fer_zoo.engine.trainer_settings import TrainerSettings

NAMES = (
    *("TORCHELASTIC_RUN_ID", "LOCAL_WORLD_SIZE", "WORLD_SIZE"),
    *("SLURM_NTASKS", "SLURM_NTASKS_PER_NODE", "SLURM_JOB_NAME"),
)
TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "6"}
SLURM = {"SLURM_NTASKS": "8", "SLURM_NTASKS_PER_NODE": "4", "SLURM_JOB_NAME": "faces"}


def start(patch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """An environment as a launcher leaves it."""
    for name in NAMES:
        patch.delenv(name, raising=False)
    for name, value in variables.items():
        patch.setenv(name, value)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        (TORCHRUN, Launch("torchrun", 2, 3)),
        (SLURM, Launch("SLURM", 4, 2)),
        ({"SLURM_NTASKS": "1", "SLURM_JOB_NAME": "faces"}, Launch("SLURM", 1, 1)),
        (SLURM | {"SLURM_JOB_NAME": "interactive"}, None),
        (SLURM | TORCHRUN, Launch("torchrun", 2, 3)),
    ],
)
def test_launcher(variables: dict[str, str], expected: Launch | None, monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, variables)
    assert launch() == expected


def test_tasks_without_a_number_per_machine_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, {"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "faces"})
    with pytest.raises(UserError, match="--ntasks-per-node"):
        launch()


def test_auto_takes_what_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = TrainerSettings(devices="auto", num_nodes=3)
    start(monkeypatch, TORCHRUN)
    assert devices_and_nodes(settings) == (2, 3)
    assert not is_alone(TrainerSettings(accelerator="cpu", devices="auto"))
    start(monkeypatch, {})
    assert devices_and_nodes(settings) == ("auto", 3)


@pytest.mark.parametrize(("devices", "nodes"), [("1", 1), ("2", 1), ("1", 3), ("auto", 1), ("6", 1)])
def test_processes_that_would_train_alone_are_refused(
    devices: str, nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(monkeypatch, TORCHRUN)
    said = r"torchrun starts 2 processes on 3 machines each.*set trainer\.devices=2 trainer\.num_nodes=3"
    with pytest.raises(UserError, match=said):
        devices_and_nodes(TrainerSettings(devices=devices, num_nodes=nodes))


def test_one_task_with_several_devices_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, {"SLURM_NTASKS": "1", "SLURM_JOB_NAME": "faces"})
    with pytest.raises(UserError, match=r"SLURM starts 1 process on 1 machine, but trainer\.devices is 4"):
        devices_and_nodes(TrainerSettings(devices="4"))
