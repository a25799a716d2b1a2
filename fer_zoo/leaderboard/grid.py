"""The grid of a leaderboard: every entry × seed × fold of a track is one training with its evaluation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.registry import METHODS
from fer_zoo.engine.checkpoint import read_card
from fer_zoo.engine.config import compose
from fer_zoo.engine.config_files import options
from fer_zoo.engine.jobs import status
from fer_zoo.engine.overlap import refuse_start
from fer_zoo.engine.run import Echo, Run, open_run
from fer_zoo.engine.track_files import TrackFile, refuse_fixed
from fer_zoo.evaluation.tracks import Track

PROBE = "pixel_probe"  # the sanity row that has to be trained
Words = Sequence[tuple[str, str]]
_OF_METHODS = ("method", "checkpoint", "streams", "keep_labels")  # settings that mean nothing to the probe
_NEXT_SETTING = re.compile(r":(?=[\w.]+=)")  # a value may hold colons


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training with its evaluation.

    Attributes:
        entry: as the user wrote it, e.g. "timm_classifier:backbone=resnet34".
        run: data, split, method and seed.
    """

    entry: str
    run: Run

    @property
    def seed(self) -> int:
        """Of everything drawn."""
        return self.run.config.seed

    @property
    def label(self) -> str:
        """How it is called in messages."""
        return f"{self.entry}, seed {self.seed}, {self.run.split.name}"

    @property
    def state(self) -> str:
        """Of the evaluation, else of the training that comes before it."""
        tested = status(self.run.folder / "test")
        return tested if tested in ("done", "running", "failed") else _before_test(status(self.run.folder))


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What a leaderboard trains.

    Attributes:
        track: on its data.
        cells: in the order of entries, seeds and folds.
        settings: what the user set for all of them, as typed.
    """

    track: Track
    cells: tuple[Cell, ...]
    settings: tuple[tuple[str, str], ...]

    def groups(self) -> dict[tuple[str, int], list[Cell]]:
        """(entry, seed) -> its folds."""
        found: dict[tuple[str, int], list[Cell]] = {}
        for cell in self.cells:
            found.setdefault((cell.entry, cell.seed), []).append(cell)
        return found


def plan_grid(file: TrackFile, entries: Sequence[str], seeds: int, settings: Words, *, echo: Echo) -> Grid:
    """The grid of a track; nothing is trained.

    Args:
        file: the track.
        entries: methods or experiments, each perhaps with settings of the method: NAME:KEY=VALUE:KEY=VALUE. The
            pixel probe joins by itself, with one seed, where it knows the target.
        seeds: 0 to seeds - 1.
        settings: of all runs, as typed.
        echo: told which data and device are used.

    Raises:
        UserError: for a track that is for testing alone, an unknown entry or setting, an entry twice, a setting that
            the track decides, or a checkpoint to start from that has seen test people.
    """
    if not file.trains:
        raise UserError(
            f"The track {file.name} is for testing alone: `fer-zoo evaluate CHECKPOINT track={file.name}` scores a"
            " checkpoint that was trained on other data."
        )
    refuse_fixed(settings, file.name)
    if len(set(entries)) < len(entries):
        raise UserError(f"methods={','.join(entries)} names an entry twice.")
    tracks, cells = list[Track](), list[Cell]()
    joins = PROBE not in entries and file.settings.target in METHODS[PROBE].targets
    for position, entry in enumerate([*entries, *([PROBE] if joins else [])]):
        words = _words(entry, file, settings, is_asked=entry in entries)
        first = open_run(compose(words, verb="train"), echo=echo if position == 0 else _quiet)
        tracks.append(file.resolve(first, echo=echo if position == 0 else _quiet))
        own = [
            Run(
                replace(first.config, seed=seed, fold=fold, experiment=f"leaderboard_{file.name}"),
                first.index, first.target, first.splits,
            )
            for seed in range(seeds if entry in entries else 1)
            for fold in range(len(first.splits))
        ]  # fmt: skip
        for path in first.config.starts.values():
            refuse_start(read_card(path), own[: len(first.splits)], echo=echo)
        cells += [Cell(entry=entry, run=run) for run in own]
    return Grid(track=tracks[0], cells=tuple(cells), settings=tuple(settings))


def narrowed(grid: Grid, entries: Sequence[str], chosen: Mapping[str, int]) -> list[Cell]:
    """The cells of one seed, of one fold, or both, of the entries that were asked for: one job of a scheduler.

    Raises:
        UserError: if there are none.
    """
    cells = [
        cell
        for cell in grid.cells
        if (cell.entry in entries or not chosen)
        and chosen.get("seed", cell.seed) == cell.seed
        and chosen.get("fold", cell.run.config.fold) == cell.run.config.fold
    ]
    if not cells:
        words = " ".join(f"{key}={value}" for key, value in chosen.items())
        raise UserError(f"The grid has no job of {words}; `--print-jobs` lists them.")
    return cells


def _words(entry: str, file: TrackFile, settings: Words, *, is_asked: bool) -> list[tuple[str, str]]:
    """The settings of an entry's runs, as typed."""
    name, *parts = _NEXT_SETTING.split(entry)
    if ":" in name:
        raise UserError(f"methods={entry}: behind the name stand settings of the method, NAME:KEY=VALUE.")
    if name in options("experiment"):
        words = [("experiment", name)]
    elif name in METHODS.names():
        words = [("method", name)]
    else:
        raise unknown_name("method or experiment", name, [*METHODS.names(), *options("experiment")])
    own = dict(words)
    if not is_asked:  # the probe, which learns any target
        own["method.target"] = file.settings.target
    for part in parts:
        key, _, text = part.partition("=")
        own[f"method.{key}"] = text
    common = {key: text for key, text in settings if is_asked or key.split(".")[0] not in _OF_METHODS}
    return list({**common, **own, **dict(file.words())}.items())


def _before_test(state: str) -> str:
    return "trained" if state == "done" else state


def _quiet(line: str) -> None:
    """Of further entries the data are the same."""
