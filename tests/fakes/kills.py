"""Work in a process that is killed with its children, at random moments or at a chosen one, and started again."""

import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LONGEST = 300.0  # seconds of a life that nobody ends


@dataclass(frozen=True)
class Round:
    """One piece of work from its first start to its end.

    Attributes:
        folder: where it was done.
        moments: seconds after each start at which it was killed; the last start, which came to its end, has none.
    """

    folder: Path
    moments: tuple[float, ...]


def rounds_of_kills(
    work: Callable[[Path], object], below: Path, *, kills: int, seconds: float, seed: int
) -> list[Round]:
    """Does a piece of work again and again, each time in a new folder, until it was killed as often as wanted.

    After each start the moment of the kill is drawn from the seed, evenly between 0 and `seconds`; work that ends
    before its moment begins a new round. So every phase of the work is hit as often as it is long.

    Args:
        work: gets the folder; goes on where it was killed.
        below: the folder that gets one a round.
        kills: how many in all.
        seconds: an unbroken piece of work takes.
        seed: of the moments.

    Raises:
        AssertionError: if work fails by itself, with its traceback.
    """
    draw, left, rounds = np.random.default_rng(seed), kills, list[Round]()
    while left:
        folder, moments = below / f"round_{len(rounds)}", list[float]()
        folder.mkdir(parents=True)
        while left:
            moment = float(draw.uniform(0, seconds))
            if not is_killed(work, folder, after=moment):
                break
            moments.append(moment)
            left -= 1
        else:
            assert not is_killed(work, folder)
        rounds.append(Round(folder, tuple(moments)))
    return rounds


def is_killed(
    work: Callable[[Path], object],
    folder: Path,
    *,
    after: float = LONGEST,
    before_rename: Callable[[Path], bool] = lambda path: False,
) -> bool:
    """Whether a life ended by a kill; False when the work came to its end.

    The process is forked, with torch in it already, and leads a group with its data workers, which die with it.

    Args:
        work: gets the folder.
        folder: its own.
        after: seconds from the start to the kill.
        before_rename: told each name that a written file is about to take; at the first True the process kills itself.

    Raises:
        AssertionError: if the work fails by itself, with its traceback.
    """
    told = folder.with_name(f"{folder.name}.stderr")
    child = os.fork()
    if not child:
        _live(work, folder, told, before_rename)
    os.setpgid(child, child)
    ended = os.pidfd_open(child)
    try:
        in_time, _, _ = select.select([ended], [], [], after)
        if not in_time:
            assert after < LONGEST, "the work did not come to its end"
    finally:
        os.killpg(child, signal.SIGKILL)  # a process that ended is there until it is waited for; so are its workers
        _, status = os.waitpid(child, 0)
        os.close(ended)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    assert os.waitstatus_to_exitcode(status) == 0, told.read_text()
    return False


def seconds_of(work: Callable[[Path], object], folder: Path) -> float:
    """What an unbroken piece of work takes."""
    folder.mkdir(parents=True)
    start = time.perf_counter()
    assert not is_killed(work, folder)
    return time.perf_counter() - start


def _live(work: Callable[[Path], object], folder: Path, told: Path, before_rename: Callable[[Path], bool]) -> None:
    """The life of the child; never returns, so that nothing of the test's own ends twice."""
    code = 1
    try:
        os.setpgid(0, 0)
        descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        _watch_renames(before_rename)
        work(folder)
        code = 0
    except BaseException:
        told.write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _watch_renames(before_rename: Callable[[Path], bool]) -> None:
    rename = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if before_rename(Path(target)):
            os.killpg(0, signal.SIGKILL)
        return rename(path, target)

    Path.replace = replace  # type: ignore[method-assign, assignment]  # in the child alone
