"""Whatever Codat answers and whatever is typed: a result or an error with a name, a way out and a documented code."""

import contextlib
import io
import os
import random
import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import pytest
import tomlkit
from odd_codat import odd_codat, places
from terminal import COMPANIES, Ran, open_terminal

from codat_ar_cli.cli import main
from codat_ar_cli.cli.session import Options, Session
from codat_ar_cli.codat.client import CodatClient
from codat_ar_cli.errors import ExitCode

INVOICE = """\
invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account
Z-{seed},Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200
"""
PAYMENT = """\
payment_id,date,amount,currency,customer,invoice_number
P-{seed},2026-05-20,10.00,GBP,Acorn Bakery Ltd,
"""
COMMANDS = (
    ("whoami",),
    ("whoami", "--json", "-vv"),
    ("init", "--profile", "new", "--company", COMPANIES["acme"], "--no-input"),
    ("init", "--profile", "new", "--no-input", "--json"),
    ("fetch", "-vv"),
    ("fetch", "--json"),
    ("fetch", "accounts", "customers", "taxRates", "trackingCategories", "--diff"),
    ("fetch", "items", "trackingCategories", "bankAccounts", "suppliers", "invoices", "payments", "--json"),
    ("fetch", "company", "customers", "--refresh", "--wait", "1"),
    ("map", "check"),
    ("map", "suggest", "--json"),
    ("map", "set", "tax-rate", "20_Invoices"),
    ("push", "invoices", "invoices.csv", "--dry-run", "--json"),
    ("push", "invoices", "invoices.csv", "--yes", "--wait", "1"),
    ("push", "payments", "payments.csv", "--yes", "--wait", "1", "--json"),
)
ODD_WORDS = (
    "whoami fetch map push runs show list set check invoices payments profile use remove config explain key init "
    "--json --yes --no-input --quiet -vv --help -h --version --profile acme --profile= --config --state-dir -- - = "
    "--expect-company accounts customers --refresh --diff --wait 0 -1 99999999999999999999 --wait=x --rate EUR=x EUR= "
    "--dry-run --partial --rejects / ../.. missing.csv . --when a=b == --all --file --source --key-file ~x/y "
    "--key-command ' --key-env A=B --company % 💷 --base-url http:// https://xn--a \x1b[2J %s {} --connection '' ؟"
).split()
LOCAL_COMMANDS = (
    ("profile", "list", "--json"),
    ("profile", "show", "xero"),
    ("profile", "use", "xero"),
    ("profile", "remove", "xero", "--yes", "--json"),
    ("config", "explain", "key", "--profile", "xero"),
    ("config", "explain", "state_dir"),
    ("runs", "list", "--json"),
    ("map", "show"),
    ("map", "set", "tax-rate", "OUTPUT2", "--profile", "xero"),
    ("whoami", "--profile", "xero"),
)
ODD_SETTINGS: tuple[Any, ...] = (
    *(0, -1, 10**30, 1.5, float("nan"), True, [], [""], [1], [[]], {}, {"a": 1}),
    *("", " ", "x" * 100_000, "\x00", "a\x00b", "\u202e", "\n", "💷", "%s{}"),
    *("~nobody/x", "~", "/dev/null/x", "..", "acme", "xero"),
)
"""What a setting is replaced by."""
LONGEST = 8.0
"""Seconds that a command may take: Codat's pauses are not slept here, so more is a loop."""


async def _no_pause(_seconds: float) -> None:
    await anyio.sleep(0)


def _open_client(**options: Any) -> CodatClient:
    return CodatClient(sleep=_no_pause, **options)


def _ours(words: Sequence[str]) -> Sequence[str]:
    """The words in which options are options."""
    return words[: words.index("--")] if "--" in words else words


def _run(words: Sequence[str], environment: Mapping[str, str], folder) -> Ran:
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2)]
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "stdin", io.StringIO()),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
    ):
        code = main(words, session=Session(Options(json="--json" in _ours(words)), open_client=_open_client))
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode("utf-8") for stream in streams)
    return Ran(code, out, err)


def _wrong(words: Sequence[str], ran: Ran) -> str | None:
    """Say what a command owes its user: no defect, a known code, and of an error name and way out."""
    if "[defect]" in ran.err or '"code":"defect"' in ran.out or "Traceback" in ran.out + ran.err:
        return "a defect"
    if ran.code not in set(ExitCode):
        return f"exit code {ran.code} is in no table"
    if "--help" in words or "-h" in words or "--version" in words:
        return None
    if "--json" in words and not (ran.out.count("\n") == 1 and ran.json["schema"].startswith("codat-ar/")):
        return "not one JSON object alone on stdout"
    if "--json" not in words and ran.code == ExitCode.USAGE and "Usage:" not in ran.out and "hint: " not in ran.err:
        return "an error without a way out"
    return None


@pytest.fixture(scope="module")
def odd(prepared, tmp_path_factory):
    """A spoiled Codat, and a function that runs one command on a fresh copy of the prepared folder."""
    from codat_ar_cli.sandbox.serve import running
    from codat_ar_cli.sandbox.settings import Settings

    folder = tmp_path_factory.mktemp("odd") / "copy"

    def run(words: Sequence[str], seed: int, url: str, spoil: Callable[[Path], None] | None) -> Ran:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(prepared, folder)
        (folder / "invoices.csv").write_text(INVOICE.format(seed=seed), encoding="utf-8")
        (folder / "payments.csv").write_text(PAYMENT.format(seed=seed), encoding="utf-8")
        if spoil is not None:
            spoil(folder)
        return _run(words, open_terminal(folder, url).environment, folder)

    settings = Settings(operation_delay=0.01, sync_delay=0.01, customers=15, invoices=20)
    with running(settings) as sandbox, odd_codat(sandbox) as (codat, url):
        yield codat, lambda words, seed, spoil=None: run(words, seed, url, spoil)


def _answers_spoiled(odd, seeds: range) -> None:
    codat, run = odd
    for seed in seeds:
        dice = random.Random(seed)
        words = COMMANDS[seed % len(COMMANDS)]
        codat.begin(seed, chance=dice.choice([1.0, 0.5, 0.2]))
        started = time.monotonic()
        ran = run(words, seed)
        wrong = _wrong(words, ran) or ("too long" if time.monotonic() - started > LONGEST else None)
        assert wrong is None, f"seed {seed}: {' '.join(words)}: {wrong}\n{ran.out}\n{ran.err}\n" + "\n".join(codat.told)


def _words_shuffled(odd, seeds: range) -> None:
    codat, run = odd
    codat.begin(0, chance=0.0)
    for seed in seeds:
        dice = random.Random(seed)
        words = dice.choices(ODD_WORDS, k=dice.randint(1, 6))
        if {"demo", "sandbox"} & set(words):
            continue
        ran = run(words, seed)
        wrong = _wrong(_ours(words), ran)
        assert wrong is None, f"seed {seed}: {words}: {wrong}\n{ran.out}\n{ran.err}"


def _configs_spoiled(odd, seeds: range) -> None:
    codat, run = odd
    codat.begin(0, chance=0.0)
    for seed in seeds:
        dice = random.Random(seed)
        spoiled: list[str] = []

        def spoil(folder, dice=dice, spoiled=spoiled) -> None:
            config = folder / "config.toml"
            document = tomllib.loads(config.read_text(encoding="utf-8"))
            owner, key = dice.choice(list(places(document)))
            owner[key] = dice.choice(ODD_SETTINGS)
            spoiled.append(f"{key} = {owner[key]!r:.60}")
            ends = dice.choice(["\n", "\r\n"])
            config.write_text(tomlkit.dumps(document), encoding=dice.choice(["utf-8", "utf-8-sig"]), newline=ends)

        words = dice.choice(LOCAL_COMMANDS)
        ran = run(words, seed, spoil)
        wrong = _wrong(words, ran)
        assert wrong is None, f"seed {seed}: {words} with {spoiled}: {wrong}\n{ran.out}\n{ran.err}"


def test_odd_configs_bring_no_traceback(odd):
    _configs_spoiled(odd, range(150))


@pytest.mark.full
def test_many_odd_configs_bring_no_traceback(odd):
    _configs_spoiled(odd, range(1000, 3000))


def test_odd_answers_bring_no_traceback(odd):
    _answers_spoiled(odd, range(30))


def test_odd_words_bring_no_traceback(odd):
    _words_shuffled(odd, range(600))


@pytest.mark.full
def test_many_odd_answers_bring_no_traceback(odd):
    _answers_spoiled(odd, range(1000, 1500))


@pytest.mark.full
def test_many_odd_words_bring_no_traceback(odd):
    _words_shuffled(odd, range(1000, 4000))
