"""A progress bar drawn by rich; imported only when somebody watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from rich import progress as rich_progress
from rich.console import Console as RichConsole

from codat_ar_cli.cli.console import Progress
from codat_ar_cli.cli.streams import Outlet
from codat_ar_cli.cli.text import harmless


class _Bar(Progress):
    def __init__(self, drawn: rich_progress.Progress, task: rich_progress.TaskID) -> None:
        self._drawn = drawn
        self._task = task

    def advance(self, steps: int = 1) -> None:
        self._drawn.advance(self._task, steps)

    def show(self, label: str | None = None, *, completed: int | None = None, total: int | None = None) -> None:
        text = None if label is None else harmless(label)
        self._drawn.update(self._task, description=text, completed=completed, total=total)


@contextmanager
def bar(outlet: Outlet, total: int | None, label: str, *, width: int, is_plain: bool) -> Iterator[Progress]:
    """Draw a bar, or a spinner where `total` is not known, until the block ends; `is_plain`: without colours."""
    # An outlet has all of a stream that rich uses, and a terminal that went away does not end the work.
    stream = cast("IO[str]", outlet)
    console = RichConsole(file=stream, width=width, no_color=is_plain, highlight=False, markup=False, emoji=False)
    columns = (
        rich_progress.SpinnerColumn(),
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeElapsedColumn(),
    )
    with rich_progress.Progress(*columns, console=console, transient=True) as drawn:
        yield _Bar(drawn, drawn.add_task(harmless(label), total=total))
