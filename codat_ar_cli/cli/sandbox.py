"""`sandbox serve`: a local stand-in for Codat's API, alone or around another command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codat_ar_cli.cli.session import Session
from codat_ar_cli.errors import CodatArError

if TYPE_CHECKING:
    import subprocess

    from codat_ar_cli.sandbox.settings import SandboxError, Settings

app = typer.Typer(help="Run a local stand-in for Codat's API.", no_args_is_help=True)


class SandboxProblem(CodatArError):
    """The sandbox can't start as told; the code says why (`sandbox.port`, `sandbox.state-busy`, …)."""

    code = "sandbox"

    def __init__(self, error: "SandboxError") -> None:
        super().__init__(error.message, hint=error.hint)
        # The sandbox names its own situations: one class here stands for them all.
        self.code = error.code  # type: ignore[misc]


class NoSandboxKey(CodatArError):
    """`--require-key` without a key to require."""

    code = "sandbox.no-key"

    def __init__(self, variable: str) -> None:
        super().__init__(f"--require-key needs a key in {variable}, which is not set", hint=f"export {variable}=…")


class CommandNotStarted(CodatArError):
    """The command to run beside the sandbox can't be started."""

    code = "sandbox.command"

    def __init__(self, words: list[str], reason: str) -> None:
        super().__init__(f"can't start `{words[0]}`: {reason}", hint="give the command and its arguments after `--`")


@app.callback()
def group() -> None:
    """Run a local stand-in for Codat's API."""


@app.command()
def serve(
    ctx: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(metavar="[-- CMD ARGS…]", show_default=False)] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8765,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    any_host: Annotated[bool, typer.Option("--any-host", help="Allow a --host beyond this machine.")] = False,
    state: Annotated[Path | None, typer.Option(help="Keep everything in this file.", dir_okay=False)] = None,
    platform: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A company on this platform.")] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal companies.")] = 1,
    seed_file: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="A company from this JSON file.")] = None,
    customers: Annotated[int | None, typer.Option(min=1, help="Customers per company.")] = None,
    invoices: Annotated[int | None, typer.Option(min=0, help="Invoices per company.")] = None,
    latency: Annotated[int, typer.Option(min=0, metavar="MS", help="Delay of every answer.")] = 0,
    operation_delay: Annotated[float, typer.Option(min=0, metavar="S", help="From a push to its outcome.")] = 0.2,
    sync_delay: Annotated[float, typer.Option(min=0, metavar="S", help="From queueing a sync to its end.")] = 0.2,
    limits: Annotated[bool, typer.Option("--limits", help="Enforce quota and rate limits.")] = False,
    require_key: Annotated[bool, typer.Option("--require-key", help="Only CODAT_AR_SANDBOX_KEY works.")] = False,
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="Faults to make, as JSON.")] = None,
    log: Annotated[Path | None, typer.Option(metavar="FILE", help="Every exchange, as JSON Lines.")] = None,
) -> None:
    """Serve a sandbox until interrupted; with a command after `--`, only while that runs.

    Prints the base URL on stdout. The exit code is 0, or that of the command.
    """
    from codat_ar_cli.sandbox.settings import Settings

    settings = Settings(
        platforms=tuple(platform or ()),
        seed=seed,
        customers=customers,
        invoices=invoices,
        seed_files=tuple(seed_file or ()),
        operation_delay=operation_delay,
        sync_delay=sync_delay,
        latency=latency / 1000,
        require_key=_required_key() if require_key else None,
        limits=limits,
        faults=faults,
        state=state,
        log=log,
    )
    session: Session = ctx.obj
    with _named_errors():
        if command:
            raise SystemExit(_serve_while(settings, host, port, command, session, any_host=any_host))
        _serve(settings, host, port, session, any_host=any_host)


def _serve(settings: "Settings", host: str, port: int, session: Session, *, any_host: bool) -> None:
    from codat_ar_cli.sandbox.serve import serve as serve_until_stopped

    serve_until_stopped(settings, host, port, lambda url: _announce(session, url), any_host=any_host)


def _serve_while(
    settings: "Settings", host: str, port: int, command: list[str], session: Session, *, any_host: bool
) -> int:
    import subprocess

    from codat_ar_cli.sandbox.serve import running

    with running(settings, host, port, any_host=any_host) as url:
        _announce(session, url)
        try:
            child = subprocess.Popen(command)
        except OSError as error:
            raise CommandNotStarted(command, error.strerror or str(error)) from error
        with _passing_signals_to(child):
            code = child.wait()
    return code if code >= 0 else 128 - code


def _announce(session: Session, url: str) -> None:
    import sys

    session.console.result({"schema": "codat-ar/sandbox-serve/1", "url": url}, lambda: session.console.print(url))
    sys.stdout.flush()


@contextmanager
def _passing_signals_to(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Let the child decide how an interruption ends; Ctrl-C reaches it from the terminal by itself."""
    import signal

    def pass_on(number: int, _frame: object) -> None:
        if number != signal.SIGINT:
            child.send_signal(number)

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    before = {
        number: signal.signal(number, pass_on)
        for number in (getattr(signal, name, None) for name in names)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _named_errors() -> Iterator[None]:
    from codat_ar_cli.sandbox.settings import SandboxError

    try:
        yield
    except SandboxError as error:
        raise SandboxProblem(error) from error


def _required_key() -> str:
    import os

    from codat_ar_cli.sandbox.settings import KEY_VARIABLE

    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise NoSandboxKey(KEY_VARIABLE)
    return key
