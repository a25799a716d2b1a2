"""Jobs: states of a folder, one worker at a time, ids."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json, read_record, write_json
from fer_zoo.engine.jobs import FAILURE, LOCK, RESULT, RESUME, Job, job_id, process_rank, run_job, status


def quiet(line: str) -> None:
    """Hears nothing."""


def job(folder: Path, result: dict[str, int] | Exception | None = None) -> Job:
    def work(given: Path) -> dict[str, int]:
        if isinstance(result, Exception):
            raise result
        (given / RESUME).write_bytes(b"half")
        return result or {"answer": 42}

    return Job(folder=folder, label="a piece of work", work=work)


def test_states_of_a_folder(tmp_path: Path) -> None:
    assert status(tmp_path / "none") == "new"
    (tmp_path / RESUME).write_bytes(b"half")
    assert status(tmp_path) == "resumable"
    (tmp_path / FAILURE).write_text("{}")
    assert status(tmp_path) == "failed"
    with FileLock(tmp_path / LOCK):
        assert status(tmp_path) == "running"
        (tmp_path / RESULT).write_text("{}")
        assert status(tmp_path) == "done"


def test_result_is_made_once(tmp_path: Path) -> None:
    assert run_job(job(tmp_path / "a"), echo=quiet) == {"answer": 42}
    assert not (tmp_path / "a" / RESUME).exists()
    lines: list[str] = []
    assert run_job(job(tmp_path / "a", RuntimeError("ran again")), echo=lines.append) == {"answer": 42}
    assert lines == [f"a piece of work: done already, in {tmp_path / 'a'}"]


def test_failure_is_remembered_until_it_works(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no luck"):
        run_job(job(tmp_path, UserError("no luck")), echo=quiet)
    assert read_json(tmp_path / FAILURE)["reason"] == "no luck"
    assert status(tmp_path) == "failed"
    run_job(job(tmp_path), echo=quiet)
    assert status(tmp_path) == "done"
    assert not (tmp_path / FAILURE).exists()


def test_a_bug_is_no_failure_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run_job(job(tmp_path, ZeroDivisionError()), echo=quiet)
    assert status(tmp_path) == "new"


def _hold(folder: Path, held: object, done: object) -> None:
    with FileLock(folder / LOCK):
        held.set()  # type: ignore[attr-defined]  # an event
        done.wait(30)  # type: ignore[attr-defined]


def test_second_process_is_refused(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held, done))
    other.start()
    assert held.wait(30)
    assert status(tmp_path) == "running"
    with pytest.raises(UserError, match="worked on by another process"):
        run_job(job(tmp_path), echo=quiet)
    done.set()
    other.join(30)
    assert run_job(job(tmp_path), echo=quiet) == {"answer": 42}


def test_lock_of_a_dead_process_does_not_hold(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held, done))
    other.start()
    assert held.wait(30)
    other.kill()
    other.join(30)
    assert (tmp_path / LOCK).exists()
    assert run_job(job(tmp_path), echo=quiet) == {"answer": 42}


def test_further_processes_only_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert process_rank() == 1
    tmp_path.joinpath("a").mkdir()
    assert run_job(job(tmp_path / "a"), echo=quiet) == {"answer": 42}
    assert not (tmp_path / "a" / RESULT).exists()


def test_no_process_repeats_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_job(job(tmp_path), echo=quiet)
    monkeypatch.setenv("RANK", "1")
    assert run_job(job(tmp_path, RuntimeError("would wait for the first process")), echo=quiet) == {"answer": 42}


@pytest.mark.parametrize(
    ("variables", "rank"),
    [
        ({}, 0),
        ({"RANK": "3", "LOCAL_RANK": "1"}, 3),
        ({"SLURM_PROCID": "2"}, 2),
        ({"LOCAL_RANK": "x"}, 0),
        ({"SLURM_PROCID": "0", "LOCAL_RANK": "1"}, 1),
    ],
)
def test_rank_from_the_launcher(variables: dict[str, str], rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert process_rank() == rank


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        run_job(job(tmp_path / "file" / "below"), echo=quiet)


def test_id_follows_the_inputs_and_not_their_order() -> None:
    assert job_id({"a": 1, "b": 2}) == job_id({"b": 2, "a": 1})
    assert job_id({"a": 1}) != job_id({"a": 2})
    assert len(job_id({})) == 12
    assert set(job_id({})) <= set("0123456789abcdef")


def _do_all(below: Path, numbers: list[int]) -> None:
    """A process that does the jobs of a grid in its own order; what others are at is looked after again."""

    def work(folder: Path) -> dict[str, Any]:
        with (folder / "worked").open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        time.sleep(0.02)
        return {"process": os.getpid(), "values": [int(folder.name)] * 5000}

    left = numbers
    while left:
        later = []
        for number in left:
            try:
                run_job(Job(folder=below / str(number), label=f"job {number}", work=work), echo=quiet)
            except UserError as error:
                assert "worked on by another process" in str(error)
                later.append(number)
            write_json(below / "summary.json", {"process": os.getpid(), "values": [number] * 5000})
        left = later
    os._exit(0)


def test_processes_on_the_same_jobs_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    context, number = multiprocessing.get_context("fork"), 24
    orders = [np.random.default_rng(seed).permutation(number).tolist() for seed in range(6)]
    workers = [context.Process(target=_do_all, args=(tmp_path, order)) for order in orders]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):  # reading meanwhile sees whole files, and hinders nobody
        for folder in tmp_path.glob("[0-9]*"):
            assert status(folder) in ("new", "running", "done")
            if (folder / RESULT).exists():
                assert read_record(folder / RESULT)["values"] == [int(folder.name)] * 5000
        if (tmp_path / "summary.json").exists():
            assert len(set(read_record(tmp_path / "summary.json")["values"])) == 1
    assert [worker.exitcode for worker in workers] == [0] * 6
    for job_number in range(number):
        (once,) = (tmp_path / str(job_number) / "worked").read_text().splitlines()
        assert read_record(tmp_path / str(job_number) / RESULT)["process"] == int(once)
    assert len(list(tmp_path.iterdir())) == number + 1  # no temporary file is left


def test_a_job_finished_between_the_look_and_the_lock_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def lock(folder: Path, label: str) -> Iterator[None]:
        write_json(folder / RESULT, {"answer": 7})  # by another process, which then lets go of the folder
        yield

    monkeypatch.setattr("fer_zoo.engine.jobs._lock", lock)
    assert run_job(job(tmp_path, RuntimeError("ran again")), echo=quiet) == {"answer": 7}


def test_a_result_that_is_damaged_is_told(tmp_path: Path) -> None:
    run_job(job(tmp_path), echo=quiet)
    (tmp_path / RESULT).write_text('{"answer": 4')
    with pytest.raises(UserError, match=r"result\.json .*is no whole JSON file"):
        run_job(job(tmp_path), echo=quiet)


def test_what_a_kill_left_behind_after_the_result_goes(tmp_path: Path) -> None:
    run_job(job(tmp_path), echo=quiet)
    (tmp_path / RESUME).write_bytes(b"of the last epoch")
    run_job(job(tmp_path), echo=quiet)
    assert not (tmp_path / RESUME).exists()
