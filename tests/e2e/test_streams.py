"""Streams that are closed, full or left by their reader: as a shell makes them, in a process of their own."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closing descriptors this way is the POSIX shell's")


@pytest.fixture(scope="module")
def shell(prepared_copy, quiet_codat):
    run = prepared_copy(quiet_codat.url)

    def script(line, **extra):
        return subprocess.run(
            ["/bin/bash", "-c", f'ar() {{ "{sys.executable}" -m codat_ar_cli "$@"; }}; {line}'],
            cwd=run.folder,
            env={**run.environment, **extra},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return script


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ar profile remove xero <&-", 2),
        ("ar runs list >&-", 0),
        ("ar profile list --json >&-", 0),
        ("ar fetch bogus 2>&-", 2),
        ("ar profile list <&- >&- 2>&-", 0),
        ("ar --help | true; exit ${PIPESTATUS[0]}", 0),
        ("ar profile list | true; exit ${PIPESTATUS[0]}", 0),
        ("ar fetch bogus 2>&1 | true; exit ${PIPESTATUS[0]}", 2),
    ],
)
def test_closed_streams_change_no_exit_code_and_bring_no_traceback(shell, line, code):
    ran = shell(line)

    assert (ran.returncode, "Traceback" in ran.stderr, "defect" in ran.stderr) == (code, False, False), ran.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")  # noqa: PTH110
@pytest.mark.parametrize("words", ["--version", "profile list", "profile list --json", "map show"])
def test_a_result_that_finds_no_room_is_said_on_stderr(shell, words):
    ran = shell(f"ar {words} > /dev/full")

    assert (ran.returncode, "[output.lost]" in ran.stderr) == (9, True)
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


@pytest.mark.parametrize("words", [r"runs show $'\xff'", r"--profile $'caf\xe9' whoami", r"push invoices $'\xff.csv'"])
def test_a_word_that_is_no_text_is_refused(shell, words):
    ran = shell(f"ar {words} --json")

    assert ran.returncode == 2
    assert '"code":"usage.unreadable-word"' in ran.stdout


@pytest.mark.parametrize(
    "surroundings",
    [
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        {"TERM": "dumb", "COLUMNS": "1"},
        {"TERM": "", "COLUMNS": "-7"},
        {"COLUMNS": "wide", "NO_COLOR": "", "LANG": "tlh_KX.klingon"},
        {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONWARNINGS": "error::EncodingWarning"},
    ],
    ids=",".join,
)
def test_odd_surroundings_are_lived_in(shell, surroundings):
    ran = shell("ar map show && ar fetch accounts && ar runs list", **surroundings)

    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
