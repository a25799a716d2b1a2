"""Where the course of a run goes besides metrics.csv: TensorBoard and Weights & Biases, both inside the run's folder.

A tracker serves training, never the other way round: an error of its own is told once and the run goes on.
"""

import textwrap
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import yaml
from PIL import Image
from pytorch_lightning.loggers.logger import Logger

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json
from fer_zoo.core.paths import without_folder
from fer_zoo.engine.config import CONFIG, read_config
from fer_zoo.engine.jobs import RESULT, process_rank
from fer_zoo.engine.trainer_settings import LoggerSettings

Echo = Callable[[str], None]
F = TypeVar("F", bound=Callable[..., None])
TENSORBOARD = "tensorboard"  # the folder of the event files
_OUTPUTS = ("output", "root")  # say where things lie on this machine, which is nobody else's business


def told_once(method: F) -> F:
    """A method of a tracker: after one of the tracker's `failures` it says so once and keeps silent from then on."""

    @wraps(method)
    def attempt(self: "Tracker", *args: Any, **kwargs: Any) -> None:
        if self.is_silent:
            return
        try:
            method(self, *args, **kwargs)
        except self.failures as error:
            self.is_silent = True
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            self.echo(f"warning: {self.label} failed and gets nothing more of this run, which goes on ({reason})")

    return cast("F", attempt)


class Tracker(Logger):
    """A Lightning logger that also takes pictures, and takes up a run where it was interrupted."""

    label = ""
    failures: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, folder: Path, echo: Echo) -> None:
        super().__init__()
        self.folder, self.echo, self.is_silent = folder, echo, False

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.label

    @property
    def version(self) -> str:
        """None of its own: a run has one curve."""
        return ""

    @abstractmethod
    def open(self, configuration: Mapping[str, Any]) -> None:
        """Begin, or go on where a run of the same id stands."""

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: the whole configuration is there from the beginning."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Values at an optimiser step; epochs count from 1, as everywhere here."""
        values = {key: value + 1 if key == "epoch" else value for key, value in metrics.items()}
        self.log_result(values, {}, step or 0)

    @abstractmethod
    def log_result(self, values: Mapping[str, float], pictures: Mapping[str, Path], step: int) -> None:
        """Values and pictures at an optimiser step."""

    @abstractmethod
    def go_on_from(self, step: int) -> None:
        """Forget what was written from this optimiser step on: the run was interrupted and repeats it."""

    @abstractmethod
    def close(self, *, succeeded: bool) -> None:
        """Write what is left."""


class TensorBoard(Tracker):
    """Event files in the run's folder."""

    label = "tensorboard"
    _writer: Any = None

    @told_once
    def open(self, configuration: Mapping[str, Any]) -> None:
        """Writes the configuration as text."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self.folder / TENSORBOARD))
        if configuration:
            text = yaml.safe_dump(dict(configuration), sort_keys=False, allow_unicode=True)
            self._writer.add_text("configuration", textwrap.indent(text, "    "))

    @told_once
    def log_result(self, values: Mapping[str, float], pictures: Mapping[str, Path], step: int) -> None:
        """A scalar each, and an image each."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        for name, path in pictures.items():
            with Image.open(path) as picture:
                self._writer.add_image(name, np.asarray(picture.convert("RGB")), step, dataformats="HWC")

    @told_once
    def go_on_from(self, step: int) -> None:
        """A new event file makes TensorBoard drop what others have from this step on."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer.close()
        self._writer = SummaryWriter(str(self.folder / TENSORBOARD), purge_step=step)

    @told_once
    def close(self, *, succeeded: bool) -> None:
        """Closes the event file."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def open_trackers(
    settings: LoggerSettings,
    folder: Path,
    *,
    name: str,
    run_id: str,
    configuration: Mapping[str, Any],
    echo: Echo,
) -> Iterator[list[Tracker]]:
    """The trackers of a run, Lightning loggers, closed at the end of the block; none in processes of rank 1 and more.

    Args:
        settings: which; metrics.csv is written by `EpochTable` and is none of them.
        folder: of the run, in which all their files lie.
        name: of the run, for people.
        run_id: the same when a run is resumed or evaluated, so that all of it stands in one place.
        configuration: what the run was told, nested; see `shown_configuration`. Empty: it is there already.
        echo: told what the user should know, a line each.

    Raises:
        UserError: if wandb is asked for and is not installed.
    """
    trackers: list[Tracker] = []
    if process_rank() == 0 and settings.wandb:
        from fer_zoo.engine.wandb_tracker import Wandb

        trackers.append(Wandb(folder, echo, settings, name=name, run_id=run_id))
    if process_rank() == 0 and settings.tensorboard:
        trackers.append(TensorBoard(folder, echo))
    succeeded = False
    try:
        for tracker in trackers:
            tracker.open(configuration)
        yield trackers
        succeeded = True
    finally:
        for tracker in trackers:
            tracker.close(succeeded=succeeded)


def send_result(
    loggers: Sequence[Logger], *, values: Mapping[str, float], pictures: Mapping[str, Path], step: int
) -> None:
    """Send scores and pictures to all trackers among the loggers.

    Args:
        loggers: a trainer's.
        values: by name, such as "test/accuracy".
        pictures: PNG files by name.
        step: optimiser steps of the training, after which they came.
    """
    for logger in loggers:
        if isinstance(logger, Tracker):
            logger.log_result(values, pictures, step)


def send_evaluation(
    run_folder: Path, part: str, *, values: Mapping[str, float], pictures: Mapping[str, Path], echo: Echo
) -> None:
    """Send an evaluation to where the training of its run went, as that run's config.yaml says.

    Args:
        run_folder: of a training that is done; for others, nothing is sent, which is said.
        part: what was evaluated, the first part of the names: "test".
        values: scores by name.
        pictures: PNG files by name.
        echo: told each line for the user.
    """
    if not (run_folder / CONFIG).is_file():  # a checkpoint that was taken out of its run
        return
    try:
        settings = read_config(run_folder).logger
        if not (settings.tensorboard or settings.wandb):
            return
        result = read_json(run_folder / RESULT)
        named = {"name": result.get("label", run_folder.name), "run_id": run_folder.name}
        with open_trackers(settings, run_folder, **named, configuration={}, echo=echo) as trackers:
            send_result(
                trackers,
                values={f"{part}/{name}": value for name, value in values.items()},
                pictures={f"{part}/{name}": path for name, path in pictures.items()},
                step=result.get("steps", 0) + 1,
            )
    except UserError as error:
        echo(f"warning: this evaluation was not sent to the trackers of its run: {error}")


def shown_configuration(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A run's configuration without where its data and its output lie; of other paths only the last part."""
    shown: dict[str, Any] = {}
    for key, value in configuration.items():
        if isinstance(value, Mapping):
            shown[key] = shown_configuration(value)
        elif key not in _OUTPUTS:
            shown[key] = without_folder(value) if isinstance(value, str) else value
    return shown


def pictures_in(folder: Path) -> dict[str, Path]:
    """The PNG files of a folder by their names without the suffix."""
    return {path.stem: path for path in sorted(folder.glob("*.png"))}
