"""Processes that torchrun or SLURM started: how many there are, and whether the settings agree with them."""

import os
from dataclasses import dataclass

from fer_zoo.core.errors import UserError
from fer_zoo.engine.trainer_settings import TrainerSettings


@dataclass(frozen=True)
class Launch:
    """What a launcher started.

    Attributes:
        launcher: "torchrun" or "SLURM".
        devices: processes on each machine.
        nodes: machines.
    """

    launcher: str
    devices: int
    nodes: int

    @property
    def number(self) -> int:
        """Processes in all."""
        return self.devices * self.nodes


def launch() -> Launch | None:
    """What started this process; None where a person did, or Lightning, which needs no setting for it.

    Raises:
        UserError: if SLURM started several tasks without saying how many a machine has.
    """
    here = os.environ
    if "TORCHELASTIC_RUN_ID" in here:
        devices = int(here["LOCAL_WORLD_SIZE"])
        return Launch("torchrun", devices, int(here["WORLD_SIZE"]) // devices)
    if "SLURM_NTASKS" not in here or here.get("SLURM_JOB_NAME") in ("bash", "interactive"):
        return None  # a shell of a SLURM job starts one process, as everywhere
    tasks = int(here["SLURM_NTASKS"])
    if tasks > 1 and "SLURM_NTASKS_PER_NODE" not in here:
        raise UserError(
            f"SLURM started {tasks} tasks and does not say how many a machine has; ask for them with --ntasks-per-node."
        )
    devices = int(here.get("SLURM_NTASKS_PER_NODE", "1"))
    return Launch("SLURM", devices, max(1, tasks // devices))


def devices_and_nodes(settings: TrainerSettings) -> tuple[int | str, int]:
    """Devices (a number, or "auto") and machines that a trainer is told; "auto" is what the launcher started.

    Raises:
        UserError: if a launcher started other numbers than the settings say: each process would train on its own.
    """
    asked = settings.devices if settings.devices == "auto" else int(settings.devices)
    started = launch()
    if started is None:
        return asked, settings.num_nodes
    if asked not in ("auto", started.devices) or settings.num_nodes != started.nodes:
        raise UserError(
            f"{started.launcher} starts {_count(started.devices, 'process', 'processes')} on"
            f" {_count(started.nodes, 'machine', 'machines each')}, but trainer.devices is {settings.devices} and"
            f" trainer.num_nodes {settings.num_nodes}: let it start as many, or set trainer.devices={started.devices}"
            f" trainer.num_nodes={started.nodes}."
        )
    return started.devices, started.nodes


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
