"""A leaderboard's run: plan the grid, do its jobs, write the records."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.engine.run import Echo
from fer_zoo.engine.setting_texts import typed
from fer_zoo.engine.track_files import read_track
from fer_zoo.leaderboard.grid import Cell, Grid, narrowed, plan_grid
from fer_zoo.leaderboard.jobs import run_cells, run_in_processes
from fer_zoo.leaderboard.records import is_current, write_record


@dataclass(kw_only=True)
class LeaderboardSettings:
    """What belongs to a leaderboard and to none of its jobs."""

    track: str = setting("", "name of the track, or a file of one's own")
    methods: list[str] = setting([], "methods or experiments, NAME:KEY=VALUE:KEY=VALUE")
    seeds: int = setting(1, "seeds of each method: 0 to seeds - 1", at_least=1)
    seed: int = setting(-1, "only the jobs of this seed; -1 for all", at_least=-1)
    fold: int = setting(-1, "only the jobs of this fold; -1 for all", at_least=-1)
    processes: int = setting(1, "jobs at a time, each in a process of its own", at_least=1)
    records: str = setting("runs/records", "the folder of the records")


@dataclass(frozen=True, kw_only=True)
class LeaderboardRun:
    """A grid and how to work through it."""

    settings: LeaderboardSettings
    grid: Grid

    @classmethod
    def from_texts(cls, own: Mapping[str, str], settings: Sequence[tuple[str, str]], *, echo: Echo) -> "LeaderboardRun":
        """The run of what a user typed.

        Raises:
            UserError: for a missing track or method, or what `plan_grid` refuses.
        """
        built = build_settings(LeaderboardSettings, typed(LeaderboardSettings, own, where=""), where="")
        for key in ("track", "methods"):
            if not getattr(built, key):
                raise UserError(f"`fer-zoo leaderboard run` needs {key}=NAME; `fer-zoo list` shows names.")
        grid = plan_grid(read_track(built.track), built.methods, built.seeds, settings, echo=echo)
        return cls(settings=built, grid=grid)

    @property
    def track_name(self) -> str:
        """Name of the track."""
        return self.settings.track

    @property
    def is_narrow(self) -> bool:
        """Whether only some of the jobs are done, and no record is written."""
        return self.settings.seed >= 0 or self.settings.fold >= 0

    @property
    def cells(self) -> list[Cell]:
        """The jobs to be done."""
        chosen = {key: getattr(self.settings, key) for key in ("seed", "fold")}
        return narrowed(self.grid, self.settings.methods, {key: value for key, value in chosen.items() if value >= 0})

    def words(self, cell: Cell, *, alone: bool) -> list[str]:
        """The words behind `fer-zoo` that do one job, or all of its entry's."""
        is_asked = cell.entry in self.settings.methods
        own = self.settings
        words = ["leaderboard", "run", f"track={own.track}", f"methods={cell.entry}"]
        words += [f"seeds={own.seeds if is_asked else 1}"]
        words += [f"seed={cell.seed}", f"fold={cell.run.config.fold}"] if alone else []
        return [*words, *(f"{key}={text}" for key, text in self.grid.settings)]


def print_jobs(plan: LeaderboardRun) -> list[str]:
    """One command a job, in the order of the grid."""
    return [shlex.join(["fer-zoo", *plan.words(cell, alone=True)]) for cell in plan.cells]


def run_leaderboard(plan: LeaderboardRun, *, echo: Echo) -> str:
    """Do the jobs and, where all are asked for, write the records; the folder of the records."""
    cells, own = plan.cells, plan.settings
    if own.processes > 1:
        run_in_processes(cells, own.processes, lambda cell: plan.words(cell, alone=True), echo=echo)
        cells = [cell for cell in cells if cell.state != "failed"]
    run_cells(cells, echo=echo)
    if plan.is_narrow:
        return own.records
    folder = Path(own.records)
    for group in plan.grid.groups().values():
        if not is_current(folder, plan.grid.track, group):
            line = shlex.join(["fer-zoo", *plan.words(group[0], alone=False)])
            write_record(folder, plan.grid.track, group, line)
    echo(f"records: {folder / plan.grid.track.name}")
    return own.records
