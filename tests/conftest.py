"""Shared test set-up: the `--full` tier, the data that is not ours, Codat's contract, and the sandbox under it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from machine import Demo, run_demo
from openapi_check import ContractChecker
from recording import Recorder, check_log
from terminal import CommandLine, Server, open_terminal, prepare

SHARED = Path(__file__).resolve().parents[2] / "shared"
WAIVERS = Path(__file__).resolve().parent / "contract" / "waivers.toml"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the long tier too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    skip = pytest.mark.skip(reason="long tier: run with --full")
    for item in items:
        if "full" in item.keywords:
            item.add_marker(skip)


def pytest_report_header() -> str | None:
    if not SHARED.is_dir():
        return "contract: not checked, since ../shared (Codat's OpenAPI documents) is not here"
    return None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `../shared`; a test that needs it is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: its data is not part of this repository")
    return SHARED


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def contract_or_none() -> ContractChecker | None:
    """The checker over Codat's documents; None where ../shared is absent (the report's header says so)."""
    if not SHARED.is_dir():
        return None
    return ContractChecker(SHARED / "codat" / "openapi", WAIVERS)


@pytest.fixture(scope="session")
def contract(contract_or_none: ContractChecker | None) -> ContractChecker:
    """The checker over Codat's documents; the test is skipped where they are absent."""
    if contract_or_none is None:
        pytest.skip("../shared is not here: Codat's OpenAPI documents are not part of this repository")
    return contract_or_none


@pytest.fixture
def start_sandbox(contract_or_none: ContractChecker | None) -> Iterator[Callable[..., str]]:
    """A function that starts a sandbox in a background thread and gives its base URL.

    Takes the keywords of the sandbox's `Settings`. Every exchange is judged by Codat's contract, save answers
    that a fault has spoiled; a breach fails the test when it ends.
    """
    from codat_ar_cli.sandbox.serve import running
    from codat_ar_cli.sandbox.settings import Settings

    recorders: list[Recorder] = []
    with ExitStack() as sandboxes:

        def start(**settings: Any) -> str:
            if contract_or_none is not None:
                recorders.append(Recorder(contract_or_none))
                settings.setdefault("on_exchange", recorders[-1])
            return sandboxes.enter_context(running(Settings(**settings)))

        yield start
    for recorder in recorders:
        recorder.assert_clean()


@pytest.fixture
def sandbox(start_sandbox: Callable[..., str]) -> str:
    """The base URL of a sandbox with one company on each platform and quick operations."""
    return start_sandbox(operation_delay=0.01, sync_delay=0.01)


@pytest.fixture
def check_sandbox_log(contract_or_none: ContractChecker | None) -> Callable[[Path], None]:
    """A function that judges the exchanges a separate sandbox process wrote with `--log`."""

    def check(log: Path) -> None:
        if contract_or_none is not None:
            found = check_log(contract_or_none, log)
            assert not found, "\n".join(str(violation) for violation in found)

    return check


@pytest.fixture
def codat(sandbox: str) -> Server:
    """The sandbox as the command line meets it; every exchange is held against Codat's contract."""
    return Server(sandbox)


@pytest.fixture
def terminal(tmp_path: Path) -> Callable[[str], CommandLine]:
    """Make a fresh terminal that talks to the server at a URL."""
    return lambda base_url: open_terminal(tmp_path, base_url)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `init`, `fetch` and `map` were run for each profile, once for all tests to copy."""
    from codat_ar_cli.sandbox.serve import running
    from codat_ar_cli.sandbox.settings import Settings

    folder = tmp_path_factory.mktemp("prepared")
    with running(Settings(operation_delay=0.01, sync_delay=0.01)) as url:
        prepare(folder, url)
    return folder


@pytest.fixture
def acme(codat: Server, prepared: Path, tmp_path: Path) -> CommandLine:
    """A terminal with three mapped profiles; the default, `acme`, is on QuickBooks Online."""
    folder = tmp_path / "acme"
    shutil.copytree(prepared, folder)
    return open_terminal(folder, codat.url)


@pytest.fixture(scope="module")
def quiet_codat(contract_or_none: ContractChecker | None) -> Iterator[Server]:
    """One sandbox for a whole module of tests that leave its books alone; held against Codat's contract too."""
    from codat_ar_cli.sandbox.serve import running
    from codat_ar_cli.sandbox.settings import Settings

    recorder = None if contract_or_none is None else Recorder(contract_or_none)
    with running(Settings(operation_delay=0.01, sync_delay=0.01, on_exchange=recorder)) as url:
        yield Server(url)
    if recorder is not None:
        recorder.assert_clean()


@pytest.fixture(scope="module")
def prepared_copy(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], CommandLine]:
    """Make a terminal on a fresh copy of the prepared folder, for a server at a URL."""

    def make(base_url: str) -> CommandLine:
        folder = tmp_path_factory.mktemp("terminal") / "copy"
        shutil.copytree(prepared, folder)
        return open_terminal(folder, base_url)

    return make


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run once for all tests: it takes its time."""
    return run_demo(tmp_path_factory.mktemp("demo"))
