"""`codat-ar sandbox serve` as its own process: alone, around a command, stopped, killed."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from codat_ar_cli.sandbox.jsonexact import loads

SERVE = [
    sys.executable,
    "-m",
    "codat_ar_cli",
    "sandbox",
    "serve",
    "--port",
    "0",
    "--platform",
    "xero",
    "--customers",
    "3",
]
HEADERS = {"Authorization": "Basic " + base64.b64encode(b"key").decode()}


@contextmanager
def serving(*options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    process = subprocess.Popen(
        [*SERVE, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), process.communicate(timeout=20)
        yield process, url
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def run(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*SERVE, *options],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def test_a_command_after_two_dashes_has_the_server_while_it_runs_and_gives_the_exit_code() -> None:
    code = "import os, sys; print('CODAT_AR_BASE_URL' in os.environ); sys.exit(42)"

    ran = run("--", sys.executable, "-c", code)

    url, child = ran.stdout.split()
    assert (ran.returncode, child) == (42, "False")
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_command_that_cannot_start_is_named() -> None:
    ran = run("--", "no-such-command-here")

    assert ran.returncode == 2
    assert "can't start `no-such-command-here`" in ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(number: signal.Signals) -> None:
    with serving() as (process, _):
        process.send_signal(number)

        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.db"), "--operation-delay", "0")

    def company(http: httpx.Client) -> Any:
        return loads(http.get("/companies").text)["results"][0]

    with serving(*state) as (process, url), httpx.Client(base_url=url, headers=HEADERS) as http:
        before = company(http)
        path = f"/companies/{before['id']}/connections/{before['dataConnections'][0]['id']}/push/customers"
        key = loads(http.post(path, content='{"customerName":"Acme","status":"Active"}').text)["pushOperationKey"]
        done = http.get(f"/companies/{before['id']}/push/{key}").text
        process.kill()

    with serving(*state) as (_, url), httpx.Client(base_url=url, headers=HEADERS) as http:
        assert company(http) == before
        assert http.get(f"/companies/{before['id']}/push/{key}").text == done
        [write] = loads(http.get("/__sandbox/record").text)["writes"]
        assert (write["operationKey"], write["body"]["customerName"]) == (key, "Acme")


def test_a_key_is_required_only_when_there_is_one_to_require() -> None:
    ran = run("--require-key", CODAT_AR_SANDBOX_KEY="")

    assert ran.returncode == 2
    assert "--require-key needs a key in CODAT_AR_SANDBOX_KEY" in ran.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--platform", "sap"), "sandbox.unknown-platform"),
        (("--host", "0.0.0.0"), "sandbox.host"),
        (("--seed-file", "nowhere.json"), "sandbox.seed-file"),
        (("--faults", "nowhere.json"), "sandbox.faults"),
        (("--state", "."), "usage"),
    ],
)
def test_what_cannot_be_served_is_a_named_error(options: tuple[str, ...], code: str) -> None:
    ran = run(*options)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"[{code}]" in ran.stderr
