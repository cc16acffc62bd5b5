"""The README against the world: its two commands, and the demo's output, which it must show truly."""

import re
from pathlib import Path

import pytest
from machine import Demo

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CUT = "…"


def between(start: str, text: str = README) -> str:
    """What stands in the fenced block between a marker and the next end."""
    part = text.split(f"<!-- {start} -->", 1)[1].split("<!-- end -->", 1)[0]
    return part.split("```", 2)[1].partition("\n")[2]


def same_for_everybody(text: str) -> list[str]:
    """Take out what differs from run to run: where the program lies, what must be unset, ports, days, ids."""
    text = re.sub(r"\S*(python\S* -m codat_ar_cli|codat-ar)(?= )", "codat-ar", text)
    text = re.sub(r"env (-u \w+ )+", "", text)
    text = re.sub(r"codat-ar-demo-\d", "codat-ar-demo-N", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"--port [1-9]\d*", "--port PORT", text)
    text = re.sub(r"\d{4}-\d{2}-\d{2}", "DAY", text)
    text = re.sub(r"R\d{8}-\d{6}-[0-9a-f]{4}", "RUN", text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def missing_from(shown: list[str], printed: list[str]) -> str | None:
    """Find the first line that was not printed where the README shows it; `…` stands for what was cut."""
    at, may_skip = 0, True
    for line in shown:
        if line == CUT:
            may_skip = True
            continue
        start = line.removesuffix(f" {CUT}")
        is_part = start != line
        fits = [
            index
            for index in range(at, len(printed))
            if (printed[index].startswith(start) if is_part else printed[index] == line)
        ]
        if not fits or (not may_skip and fits[0] != at):
            return line
        at, may_skip = fits[0] + 1, False
    return None


@pytest.fixture(scope="module")
def printed(demo: Demo) -> list[str]:
    """What a person sees who runs the demo: its story, then its result."""
    return same_for_everybody(demo.err + demo.out)


def test_the_demo_prints_what_the_readme_shows(printed):
    shown = same_for_everybody(between("demo output"))

    assert missing_from(shown, printed) is None, "\n".join(printed)
    assert len(shown) > 20


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (["one", "two"], None),
        (["one", CUT, "three"], None),
        (["o …", "two"], None),
        (["one", "three"], "three"),
        (["two", "one"], "one"),
        (["one", CUT, "four"], "four"),
    ],
)
def test_a_line_that_was_not_printed_there_is_noticed(shown, missing):
    assert missing_from(shown, ["one", "two", "three"]) == missing


def test_the_two_commands_are_one_line_each_and_the_second_stands_where_ci_takes_it_from():
    first, second = (line for line in README.splitlines() if line.startswith("python3 "))

    assert first == "python3 -m venv --clear .venv && .venv/bin/pip install -q . && .venv/bin/codat-ar demo"
    assert second == (
        'python3 -m venv --clear .venv && .venv/bin/pip install -q -e ".[dev]" && .venv/bin/python -m pytest'
    )
    assert between("command: tests").splitlines() == [second]


def test_the_commands_for_a_real_company_work_in_that_order(terminal, sandbox, prepared):
    """Against the sandbox, and with the silent twins of what a person would be asked."""
    (block,) = (part for part in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "codat-ar init" in part)
    silent = {
        "init": ("--company", "Larkfield Trading Ltd (Xero)", "--no-input"),
        "map": None,
        "push": ("--yes",),
    }
    run = terminal(sandbox)
    copy_demo_files(run.folder)
    for line in block.splitlines():
        words = line.partition("#")[0].split()[1:]
        extra = silent.get(words[0], ())
        if extra is None:
            answer_by_options(run)
        else:
            ran = run(*words, *extra)
            assert ran.code == (3 if words[:2] == ["push", "payments"] else 0), ran.err


def copy_demo_files(folder: Path) -> None:
    for name in ("invoices.csv", "payments.csv"):
        text = (ROOT / "codat_ar_cli" / "files" / "demo" / name).read_text(encoding="utf-8")
        (folder / name).write_text(re.sub(r"\{today[^}]*\}", "2026-05-04", text), encoding="utf-8")


def answer_by_options(run) -> None:
    """What `codat-ar map` asks, said by `map set`."""
    for words in ("bank-account 090", "tax-rate OUTPUT2", "tax-rate --when tax_rate=5 RROUTPUT"):
        run.ok("map", "set", *words.split())
    run.ok("map", "set", "tax-rate", "--when", "tax_rate=0", "ZERORATEDOUTPUT")
    run.ok("map", "set", "bank-account", "--when", "currency=EUR", "092")
