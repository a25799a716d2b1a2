"""A progress bar with a rate, on a terminal only."""

import sys
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def progress(
    items: Iterable[Item],
    what: str,
    *,
    total: float | None = None,
    unit: str = "",
    each: int | Callable[[Item], int] = 1,
    show: bool = True,
) -> Generator[Item, None, None]:
    """The items, while a bar on stderr says how many of how many are done, how fast, and how long it takes still.

    Args:
        items: anything that can be gone through once.
        what: the work, in a word or two.
        total: how many units there are; None where nobody knows.
        unit: what is counted, in the plural: "images".
        each: units that an item stands for, or a function that tells it of each.
        show: False for no bar, as where stderr is no terminal.

    Example:
        >>> list(progress([1, 2], "reading", total=2, unit="images"))
        [1, 2]
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not show or not console.is_terminal:
        yield from items
        return
    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    # What is printed meanwhile goes above the bar on a terminal, but stays in the file or pipe that stdout may be.
    with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task(what, total=total, rate="")
        for item in items:
            yield item
            bar.advance(task, each(item) if callable(each) else each)
            speed = bar.tasks[0].speed
            bar.update(task, rate="" if speed is None else f"{speed:,.0f} {unit}/s")
