"""Start-up of a few commands as a ratio to a bare interpreter, measured side by side in one run.

Run: `python bench/startup.py`, with the interpreter whose environment has codat-ar. The commands are started through
the installed `codat-ar`, with the sample config and a ledger that has runs in it. Of each the fastest of many rounds
counts, as other processes only ever slow one down; the rounds take turns, so that a busy minute hits all alike.
Goals, as multiples of `python -c pass`, stand beside the figures; the last line is a JSON object of them.
"""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from codat_ar_cli.domain.ids import CompanyId, ConnectionId, PlatformKey
from codat_ar_cli.domain.pushes import RunHeader
from codat_ar_cli.ledger.store import Ledger

GOALS = {"--version": 2, "--help": 8, "profile list": 8, "runs list": 25}
ROUNDS = 20
RUNS = 20
SAMPLE = Path(__file__).parents[1] / "sample_config.toml"


def furnish(folder: Path) -> dict[str, str]:
    """Make a config and a ledger as they look in use; gives the environment that names them."""
    config, state = folder / "config.toml", folder / "state"
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    config.write_text("\n".join(line for line in lines if not line.startswith("ledger_url")), encoding="utf-8")
    config.chmod(0o600)
    state.mkdir(mode=0o700)
    header = RunHeader(
        command="push invoices",
        profile="acme",
        api_host="api.codat.io",
        company=CompanyId("7f3c8a52-5c0e-4d57-9d0f-0c6a7d3f2b11"),
        company_name="Acme Ltd",
        connection=ConnectionId("0b7d1f0e-95c4-4a7e-8a6e-5f2f1b7c9d20"),
        platform_key=PlatformKey("gbol"),
        platform_name="Xero",
        source="invoices.csv",
    )
    with Ledger.open(state / "ledger.db", clock=lambda: dt.datetime.now(dt.UTC)) as ledger:
        for _ in range(RUNS):
            ledger.end_run(ledger.begin_run(header), 0, {})
    return os.environ | {"CODAT_AR_CONFIG": str(config), "CODAT_AR_STATE_DIR": str(state)}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    program = shutil.which("codat-ar", path=str(Path(sys.executable).parent)) or "codat-ar"
    commands = {"python -c pass": [sys.executable, "-c", "pass"]}
    commands |= {name: [program, *name.split()] for name in GOALS}
    fastest = dict.fromkeys(commands, float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        environment = furnish(Path(folder))
        for _ in range(ROUNDS):
            for name, command in commands.items():
                fastest[name] = min(fastest[name], seconds(command, environment))
    bare = fastest["python -c pass"]
    figures: dict[str, float] = {"bare_ms": round(bare * 1000, 1)}
    print(f"{'command':<16}{'ms':>8}{'ratio':>8}{'goal':>7}")
    print(f"{'python -c pass':<16}{bare * 1000:>8.1f}{1:>8.1f}")
    for name, goal in GOALS.items():
        ratio = fastest[name] / bare
        met = "" if ratio <= goal else "  missed"
        print(f"{name:<16}{fastest[name] * 1000:>8.1f}{ratio:>8.1f}{'×' + str(goal):>7}{met}")
        figures[f"ratio {name}"] = round(ratio, 2)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
