"""Start-up of a few commands as a ratio to a bare interpreter, measured side by side in one run.

Goals (2 cores): `--version` ×2, `--help` ×8, `profile list` ×8, `runs list` ×25 of `python -c pass`.
Run: `.venv/bin/python bench/startup.py`; the last line is a JSON object of the figures.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOALS = {"--version": 2, "--help": 8, "profile list": 8, "runs list": 25}
ROUNDS = 15


def seconds(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    program = shutil.which("codat-ar", path=str(Path(sys.executable).parent)) or "codat-ar"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        shutil.copy(Path(__file__).parents[1] / "sample_config.toml", config)
        config.chmod(0o600)
        environment = os.environ | {"CODAT_AR_CONFIG": str(config), "CODAT_AR_STATE_DIR": str(Path(folder) / "state")}
        commands = {"bare": [sys.executable, "-c", "pass"]}
        commands |= {name: [program, *name.split()] for name in GOALS}
        for command in commands.values():
            seconds(command, environment)
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                taken[name].append(seconds(command, environment))
    bare = statistics.median(taken["bare"])
    print(f"{'command':<16}{'median ms':>10}{'ratio':>8}{'goal':>8}")
    figures: dict[str, float] = {"bare_ms": round(bare * 1000, 1)}
    for name, goal in GOALS.items():
        ratio = statistics.median(taken[name]) / bare
        print(f"{name:<16}{statistics.median(taken[name]) * 1000:>10.1f}{ratio:>8.1f}{'×' + str(goal):>8}")
        figures[f"ratio {name}"] = round(ratio, 2)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
