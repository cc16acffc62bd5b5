"""Commands stay quick to start because of what they do not import; modules are counted, never timed."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codat_ar_cli.domain.ids import CompanyId, ConnectionId, PlatformKey
from codat_ar_cli.domain.pushes import RunHeader
from codat_ar_cli.ledger.store import Ledger

SAMPLE = Path(__file__).parents[2] / "sample_config.toml"
SEEN = "import sys; from codat_ar_cli.cli import main; code = main(sys.argv[1:]); "
TELL = "sys.stderr.write(' '.join(sys.modules)); sys.exit(code)"


@pytest.fixture
def modules_of(tmp_path):
    """Run a command in a fresh interpreter, with a full config and a ledger with a run; give what it imported."""
    (tmp_path / "c.toml").write_text(
        "\n".join(line for line in SAMPLE.read_text().splitlines() if not line.startswith("ledger_url"))
    )
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    header = RunHeader(
        command="push invoices",
        profile="acme",
        api_host="api.codat.io",
        company=CompanyId("c"),
        company_name="Acme",
        connection=ConnectionId("k"),
        platform_key=PlatformKey("gbol"),
        platform_name="Xero",
    )
    with Ledger.open(state / "ledger.db", clock=lambda: dt.datetime.now(dt.UTC)) as ledger:
        ledger.begin_run(header)

    def run(*words: str) -> set[str]:
        env = {**os.environ, "CODAT_AR_CONFIG": str(tmp_path / "c.toml"), "CODAT_AR_STATE_DIR": str(state)}
        command = [sys.executable, "-c", SEEN + TELL, *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert done.stdout.strip()
        return set(done.stderr.split())

    return run


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith("codat_ar_cli.")}


def test_the_profiles_are_listed_without_the_records_of_the_books(modules_of):
    modules = modules_of("profile", "list")

    assert not packages(modules) & {"rich", "sqlalchemy", "tomlkit", "asyncio", "platformdirs", "pydantic", "httpx"}
    assert not ours(modules) & {"codat_ar_cli.domain.types", "codat_ar_cli.domain.mapping", "codat_ar_cli.domain.plan"}
    # 197 when written.
    assert len(modules) < 215


def test_the_runs_are_listed_with_the_ledger_alone(modules_of):
    modules = modules_of("runs", "list")

    assert not packages(modules) & {"rich", "tomlkit", "pydantic", "httpx", "anyio", "keyring", "questionary"}
    planning = {"plan", "planning", "platforms", "options", "payload", "resolving", "mapping", "types", "drafting"}
    assert not ours(modules) & {f"codat_ar_cli.domain.{name}" for name in planning}
    assert not any(name.startswith(("codat_ar_cli.codat", "codat_ar_cli.flows")) for name in modules)


def test_no_report_needs_more_than_the_standard_library_to_be_drawn(modules_of):
    assert "rich" not in packages(modules_of("map", "show"))
