"""Run async work so that Ctrl-C, SIGTERM and SIGHUP end it in good order, on every system."""

import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import anyio

from codat_ar_cli.errors import CodatArError, ExitCode

T = TypeVar("T")

_CODES: dict[str, ExitCode] = {
    "SIGINT": ExitCode.INTERRUPTED,
    "SIGTERM": ExitCode.TERMINATED,
    "SIGHUP": ExitCode.HUNG_UP,
    "SIGBREAK": ExitCode.INTERRUPTED,
}


class Interrupted(CodatArError):
    """A signal ended the command before its work was done."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted", hint="run the same command again to go on; nothing that was sent is sent twice")


class Terminated(Interrupted):
    """SIGTERM."""

    code = "terminated"
    exit_code = ExitCode.TERMINATED


class HungUp(Interrupted):
    """SIGHUP: the terminal went away."""

    code = "hung-up"
    exit_code = ExitCode.HUNG_UP


_ERRORS: dict[ExitCode, type[Interrupted]] = {
    ExitCode.INTERRUPTED: Interrupted,
    ExitCode.TERMINATED: Terminated,
    ExitCode.HUNG_UP: HungUp,
}


@contextmanager
def raising() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise in the block, as Ctrl-C does by itself, so that what it started is stopped too."""

    def on_signal(number: int, _frame: object) -> None:
        raise _ERRORS[_CODES[signal.Signals(number).name]]

    before: dict[int, Any] = {}
    try:
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, on_signal)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


class _Watch:
    """What the signals have said so far."""

    def __init__(self, stop: anyio.Event | None, scope: anyio.CancelScope) -> None:
        self.stop = stop
        self.scope = scope
        self.seen: ExitCode | None = None

    def take(self, number: int) -> None:
        again = self.seen is not None
        self.seen = self.seen or _CODES[signal.Signals(number).name]
        if self.stop is None or again:
            self.scope.cancel()
        else:
            self.stop.set()


def run(
    work: Coroutine[Any, Any, T] | Callable[[anyio.Event], Coroutine[Any, Any, T]],
) -> tuple[T, ExitCode | None]:
    """Run to the end; give the result and, if a signal asked to stop first, its exit code.

    Raises Interrupted, Terminated or HungUp when the work was cancelled, and whatever the work raises.
    """
    # The result does not travel through the event loop's own task: putting the signal handlers back, asyncio spells
    # that task out as text, with all of its result, and a plan of thousands of documents is long.
    results: list[T] = []
    try:
        seen = anyio.run(_watched, work, results)
    except BaseExceptionGroup as group:
        raise _most_telling(group) from group
    return results[0], seen


def _most_telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give what went wrong in a task group: a defect first, else the first situation; the group stays its cause."""
    found = list(_leaves(group))
    return next((error for error in found if not isinstance(error, CodatArError)), found[0])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


async def _watched(
    work: Coroutine[Any, Any, T] | Callable[[anyio.Event], Coroutine[Any, Any, T]], results: list[T]
) -> ExitCode | None:
    """Put the work's result into `results`; give what the signals said."""
    with anyio.CancelScope() as scope:
        watch = _Watch(anyio.Event() if callable(work) else None, scope)
        with _handlers(watch):
            results.append(await (work(cast(anyio.Event, watch.stop)) if callable(work) else work))
    if not results:
        raise _ERRORS[watch.seen or ExitCode.INTERRUPTED]
    return watch.seen


class _handlers:  # noqa: N801  (used as a verb: `with _handlers(watch):`)
    """Send signals to the watch for the time of the block.

    Plain `signal.signal` handlers that hop onto the loop: they work on Windows too, where the loop itself can
    take no signals. In any other thread than the main one the system lets nobody watch; then nobody does.
    """

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        import asyncio

        loop = asyncio.get_running_loop()

        def on_signal(number: int, _frame: object) -> None:
            loop.call_soon_threadsafe(self._watch.take, number)

        for name in _CODES:
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) is signal.SIG_IGN:  # ignored by nohup, say: stays so
                continue
            try:
                self._before[number] = signal.signal(number, on_signal)
            except ValueError:
                return

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
