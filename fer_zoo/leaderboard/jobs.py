"""Working through the cells of a grid: in this process, or in several on this machine; nothing is done twice."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_json
from fer_zoo.engine.crossvalidate import train_fold
from fer_zoo.engine.evaluate import evaluation_job
from fer_zoo.engine.jobs import FAILURE, run_job
from fer_zoo.engine.run import Echo
from fer_zoo.leaderboard.grid import Cell

_PAUSE = 2.0  # seconds between two looks at what another process works on


def run_cells(cells: Sequence[Cell], *, echo: Echo) -> None:
    """Work through the cells in this process; what another process works on is waited for, what fails is told.

    Args:
        cells: of a grid.
        echo: told each line for the user.
    """
    waiting = list(cells)
    for number, cell in enumerate(cells, start=1):
        if cell.state not in ("done", "running"):
            echo(f"job {number} of {len(cells)}: {cell.label}")
            _attempt(cell, echo)
    while waiting := [cell for cell in waiting if cell.state == "running"]:
        time.sleep(_PAUSE)


def run_in_processes(
    cells: Sequence[Cell], processes: int, command: Callable[[Cell], Sequence[str]], *, echo: Echo
) -> None:
    """Work through the cells in several processes, each with its share of the cores.

    Args:
        cells: of a grid.
        processes: at a time.
        command: the words behind `fer-zoo` that do one cell.
        echo: told when one begins and how it ends.
    """
    threads = str(max(1, (os.cpu_count() or 1) // processes))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}

    def work(numbered: tuple[int, Cell]) -> None:
        number, cell = numbered
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "fer_zoo", *command(cell)],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if cell.state not in ("done", "failed", "running"):
            said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
            write_json(
                cell.run.folder / FAILURE, {"label": cell.label, "reason": f"ended with {done.returncode}: {said}"}
            )
        echo(f"job {number} of {len(left)}: {cell.label}: {cell.state} after {time.perf_counter() - start:.0f} s")

    left = [cell for cell in cells if cell.state != "done"]
    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(work, enumerate(left, start=1)))


def _attempt(cell: Cell, echo: Echo) -> None:
    """A job that fails, for whatever reason, leaves it in its folder; the others go on."""
    try:
        train_fold(cell.run, echo=echo)
        run_job(evaluation_job(cell.run, echo=echo), echo=echo)
    except UserError as error:
        if cell.state != "running":  # by another process
            echo(f"failed: {cell.label}: {error}")
    except (RuntimeError, MemoryError, OSError, ArithmeticError, ValueError) as error:  # a full GPU
        told = f"{type(error).__name__}: {error}"
        write_json(cell.run.folder / FAILURE, {"label": cell.label, "reason": told})
        echo(f"failed: {cell.label}: {told}")
