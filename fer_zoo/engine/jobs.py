"""Jobs: pieces of work with a folder each. The one place that knows done, running, failed and resumable."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

import fer_zoo
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_record, write_json

RESULT, FAILURE, RESUME, LOCK = "result.json", "failure.json", "resume.ckpt", ".lock"
PATIENCE = 0.5  # seconds; who only asks for the status holds a lock for much less


def job_id(inputs: Mapping[str, Any]) -> str:
    """12 hex digits over the resolved settings, the inputs and the package version."""
    text = json.dumps({**inputs, "fer_zoo": fer_zoo.__version__}, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One piece of work.

    Attributes:
        folder: where everything of it lies; its last part is the id.
        label: how it is called in messages, e.g. "timm_classifier, fold 2".
        work: does it; gets the folder, returns what `result.json` will hold.
    """

    folder: Path
    label: str
    work: Callable[[Path], dict[str, Any]]


def status(folder: Path) -> str:
    """ "done", "running", "failed", "resumable" or "new"."""
    if (folder / RESULT).is_file():
        return "done"
    if _is_locked(folder):
        return "running"
    if (folder / FAILURE).is_file():
        return "failed"
    return "resumable" if (folder / RESUME).is_file() else "new"


def run_job(job: Job, *, echo: Callable[[str], None]) -> dict[str, Any]:
    """The result of a job: read where it is done, made (or carried on) where it is not.

    In a process of rank 1 and more only the work is done; the first process keeps the books. Where the job is done
    already no process works, or those of other ranks would wait for the first one.

    Raises:
        UserError: if another process works in the folder, it cannot be written, or the work raised one.
    """
    if (done := _result(job, echo)) is not None:
        return done
    if process_rank() > 0:
        return job.work(job.folder)
    with _lock(job.folder, job.label):
        if (done := _result(job, echo)) is not None:  # another process finished it meanwhile
            return done
        if (job.folder / RESUME).is_file():
            echo(f"{job.label}: carries on in {job.folder}")
        (job.folder / FAILURE).unlink(missing_ok=True)
        try:
            result = job.work(job.folder)
        except UserError as error:
            with suppress(UserError):  # the disk may be full, and the reason of the work is the one to tell
                write_json(job.folder / FAILURE, {"label": job.label, "reason": str(error)})
            raise
        write_json(job.folder / RESULT, result)
        (job.folder / RESUME).unlink(missing_ok=True)
    return result


def _result(job: Job, echo: Callable[[str], None]) -> dict[str, Any] | None:
    """What a finished job left behind, None of another one."""
    if not (job.folder / RESULT).is_file():
        return None
    result = read_record(job.folder / RESULT)
    if process_rank() == 0:
        echo(f"{job.label}: done already, in {job.folder}")
        (job.folder / RESUME).unlink(missing_ok=True)  # of a process that was killed right after it had written
    return result


def process_rank() -> int:
    """Rank of this process as its launcher tells (torchrun, Lightning, SLURM); 0 when alone.

    SLURM comes last: its variables are also there where others start the processes, in a shell of a SLURM job.
    """
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


@contextmanager
def _lock(folder: Path, label: str) -> Iterator[None]:
    """Hold the folder; the lock falls with the process, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=PATIENCE)
        lock.acquire()
    except Timeout as error:
        raise UserError(f"{label} is being worked on by another process in {folder}.") from error
    except OSError as error:
        raise UserError(
            f"The output folder {folder} cannot be written ({error.strerror}); set output=FOLDER."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _is_locked(folder: Path) -> bool:
    if not (folder / LOCK).is_file():
        return False
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        with lock:
            return False
    except Timeout:
        return True
