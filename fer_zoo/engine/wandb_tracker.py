"""Weights & Biases: offline where no key is set, silent on the terminal, all files in the run's folder."""

import io
import os
import shlex
from collections.abc import Mapping
from contextlib import redirect_stderr
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from fer_zoo.core.errors import UserError
from fer_zoo.engine.trackers import Echo, Tracker, told_once
from fer_zoo.engine.trainer_settings import LoggerSettings

_SECONDS_TO_START, _SECONDS_TO_FINISH = 15.0, 60.0  # no run waits longer for the network
# What is sent is what this package sends: no console, code, git remote, host, command line, packages or machine load.
_PRIVATE: Mapping[str, Any] = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "disable_job_creation": True,
    "host": "fer_zoo",
    "save_code": False,
    "silent": True,
    "symlink": False,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
_SERVICE_ERRORS = (
    ("mailbox", "MailboxClosedError"),
    ("mailbox_handle", "HandleAbandonedError"),
    ("mailbox_handle", "ServerResponseError"),
)
_BEHAVIOUR: Mapping[str, Any] = {
    "init_timeout": _SECONDS_TO_START,
    "finish_timeout": _SECONDS_TO_FINISH,
    "reinit": "create_new",  # a run of the caller's, as in a notebook, is left alone
}


class Wandb(Tracker):
    """A wandb run with the run's own id, so that a resumed or evaluated run goes on in the same place.

    Raises:
        UserError: if wandb is not installed.
    """

    label = "wandb"
    _run: Any = None

    def __init__(self, folder: Path, echo: Echo, settings: LoggerSettings, *, name: str, run_id: str) -> None:
        super().__init__(folder, echo)
        if find_spec("wandb") is None:
            raise UserError("logger=wandb needs the package wandb, which is not installed: pip install wandb")
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # its own crash reports name the machine
        self._wandb = import_module("wandb")
        self.failures = (OSError, *_errors(self._wandb))
        self._identity = {
            "project": settings.project,
            "entity": settings.entity or None,
            "name": name,
            "id": run_id,
            "resume": "allow",
            "dir": str(folder),
        }

    @told_once
    def open(self, configuration: Mapping[str, Any]) -> None:
        """Online where a key is set and the server answers, else offline, which is said."""
        own = self._settings()
        mode, reason = own.mode or "online", "its mode is set so"
        with redirect_stderr(io.StringIO()):  # it tells where it found the key
            has_key = bool(own.api_key) or self._wandb.login(prompt=False, verify=False)
        if mode == "online" and not has_key:
            mode, reason = "offline", "no key is set"
        if mode == "online":
            try:
                self._init(configuration, mode)
                self.echo(f"wandb: {self._run.url}")
                return
            except self._wandb.errors.Error as error:
                if self._wandb.run is not None:  # the caller's own, which a new service would end
                    raise
                self._wandb.teardown()  # its service holds on to the id of the run that did not start
                mode, reason = "offline", (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
        self._init(configuration, mode)
        if mode in ("offline", "dryrun"):
            place = f"{shlex.quote(str(self.folder / 'wandb'))}/offline-run-*"
            self.echo(f"wandb: offline, because {reason}; to send the run: wandb sync {place}")
        elif mode == "disabled":
            self.echo("wandb: disabled by its own settings (WANDB_MODE); it gets nothing of this run")

    def _settings(self) -> Any:
        """What the environment and wandb's own files say."""
        try:
            return self._wandb.setup().settings
        except ValueError as error:  # pydantic's: the second line names the setting, the third what is wrong with it
            wrong = ": ".join(line.strip() for line in str(error).splitlines()[1:3])
            raise self._wandb.errors.UsageError(f"a setting of its own is wrong, {wrong}") from error

    def _init(self, configuration: Mapping[str, Any], mode: str) -> None:
        wanted = {**_PRIVATE, **_BEHAVIOUR}
        known = {name: value for name, value in wanted.items() if name in self._wandb.Settings.model_fields}
        self.folder.mkdir(parents=True, exist_ok=True)
        self._run = self._wandb.init(mode=mode, settings=self._wandb.Settings(**known), **self._identity)
        self._run.config.update(dict(configuration), allow_val_change=True)
        self._run.define_metric("trainer/global_step")
        self._run.define_metric("*", step_metric="trainer/global_step", step_sync=True)

    @told_once
    def log_result(self, values: Mapping[str, float], pictures: Mapping[str, Path], step: int) -> None:
        """The step is wandb's own, too: parts of a resumed run follow each other, and repeated steps are dropped."""
        images = {name: self._wandb.Image(str(path)) for name, path in pictures.items()}
        self._run.log({**values, **images, "trainer/global_step": step}, step=step)

    def go_on_from(self, step: int) -> None:
        """Nothing: wandb takes no step twice."""

    @told_once
    def close(self, *, succeeded: bool) -> None:
        """Ends the run."""
        if self._run is not None:
            self._run.finish(exit_code=0 if succeeded else 1)


def _errors(wandb: ModuleType) -> list[type[Exception]]:
    """Its own base class and, where this version has them, those of a service that is gone or refuses."""
    found: list[type[Exception]] = [wandb.errors.Error]
    for module, name in _SERVICE_ERRORS:
        try:
            found.append(getattr(import_module(f"wandb.sdk.mailbox.{module}"), name))
        except (ImportError, AttributeError):
            continue
    return found
