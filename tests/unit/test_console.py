"""What reaches the terminal: one result on stdout, everything else on stderr, nothing that can do harm."""

import datetime as dt
import errno
import io
import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.cli.console import Console, NeedsAnswer, NotConfirmed
from codat_ar_cli.cli.prompts import Choice
from codat_ar_cli.cli.text import harmless, jsonable
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.mapping import Slot
from codat_ar_cli.errors import CodatArError, ExitCode


class Screen:
    """A console whose streams can be read, in a given encoding."""

    def __init__(self, encoding: str = "utf-8", **settings):
        self._out, self._err = io.BytesIO(), io.BytesIO()
        self.encoding = encoding
        self.console = Console(
            stdin=io.StringIO(),
            stdout=io.TextIOWrapper(self._out, encoding=encoding, write_through=True),
            stderr=io.TextIOWrapper(self._err, encoding=encoding, write_through=True),
            env={},
            **settings,
        )

    @property
    def out(self) -> str:
        return self._out.getvalue().decode(self.encoding)

    @property
    def err(self) -> str:
        return self._err.getvalue().decode(self.encoding)


class Scripted:
    """Answers from a list, in place of a person."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.questions = []

    def _next(self, question, *_):
        self.questions.append(question)
        return self.answers.pop(0)

    def confirm(self, question, default):
        return self._next(question)

    select = text = secret = _next


class Situation(CodatArError):
    code = "test.situation"


def test_a_result_for_people_goes_to_stdout_and_notes_to_stderr():
    screen = Screen()

    screen.console.note("reading")
    screen.console.result({"schema": "x/1"}, lambda: screen.console.print("done"))

    assert screen.out == "done\n"
    assert screen.err == "reading\n"


def test_under_json_stdout_is_one_object_and_nothing_else():
    screen = Screen(json=True)

    screen.console.note("reading")
    screen.console.print("for people")
    screen.console.warn("careful")
    screen.console.result({"schema": "x/1", "amount": Decimal("12.50"), "currency": "GBP"}, pytest.fail)

    assert screen.out == '{"schema":"x/1","amount":"12.50","currency":"GBP"}\n'
    assert screen.err == "reading\nfor people\nwarning: careful\n"


def test_json_is_utf8_whatever_the_terminal_takes():
    screen = Screen(encoding="ascii", json=True)

    screen.console.result({"name": "Zoë"}, lambda: None)

    assert jsontext.loads(screen._out.getvalue().decode("utf-8")) == {"name": "Zoë"}


def test_values_of_a_result_become_json():
    instant = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))

    value = jsonable(
        {
            "amount": Decimal("1E+3"),
            "on": dt.date(2026, 1, 31),
            "at": instant,
            "file": Path("a/b.csv"),
            "slot": Slot.TAX_RATE,
            "code": ExitCode.IN_DOUBT,
            "names": frozenset({"b", "a"}),
            "rows": (1, True, None),
            "after": dt.timedelta(minutes=2),
            Slot.ITEM: [],
        }
    )

    assert value == {
        "amount": "1000",
        "on": "2026-01-31",
        "at": "2026-11-22T10:00:00Z",
        "file": str(Path("a/b.csv")),
        "slot": "tax_rate",
        "code": 5,
        "names": ["a", "b"],
        "rows": [1, True, None],
        "after": 120,
        "item": [],
    }


def test_a_float_never_becomes_a_result():
    with pytest.raises(TypeError, match="float has no JSON form"):
        jsonable({"amount": 1.5})


def test_an_error_has_code_hint_and_problems_on_stderr():
    screen = Screen()
    problems = [{"key": "a.b", "text": "missing"}, {"key": "c", "text": "unknown key"}]

    screen.console.error(Situation("it is so", hint="do this", details={"problems": problems}))

    assert screen.out == ""
    assert screen.err == ("error: it is so  [test.situation]\n  - a.b: missing\n  - c: unknown key\n  hint: do this\n")


def test_an_error_under_json_is_an_object_on_stdout():
    screen = Screen(json=True)

    screen.console.error(Situation("it is so", hint="do this", details={"n": 1}))

    assert jsontext.loads(screen.out) == {
        "schema": "codat-ar/error/1",
        "error": {"code": "test.situation", "message": "it is so", "hint": "do this", "details": {"n": 1}},
    }
    assert screen.err == ""


def test_quiet_silences_notes_but_not_warnings():
    screen = Screen(quiet=True, verbose=2)

    screen.console.note("a")
    screen.console.detail("b")
    screen.console.warn("c")

    assert screen.err == "warning: c\n"


def test_details_are_for_verbose_only():
    plain, verbose = Screen(), Screen(verbose=1)

    plain.console.detail("x")
    verbose.console.detail("x")

    assert (plain.err, verbose.err) == ("", "x\n")


def test_data_can_not_drive_the_terminal():
    screen = Screen()

    screen.console.print("name: \x1b[31mred\x1b]0;title\x07 \u202eevil\u2066 \x9b2J")

    assert screen.out == "name: \\x1b[31mred\\x1b]0;title\\x07 <U+202E>evil<U+2066> \\x9b2J\n"


@given(st.text())
def test_nothing_a_terminal_obeys_survives(text):
    shown = harmless(text)

    assert all(char.isprintable() or char.isspace() or char in "\u200c\u200d" for char in shown)
    assert not set(shown) & {"\x1b", "\x9b", "\n", "\r", "\u202e", "\u2066", "\x00"}


def test_what_the_encoding_lacks_is_shown_not_failed_on():
    screen = Screen(encoding="ascii")

    screen.console.print("Zoë 東")

    assert screen.out == "Zo\\xeb \\u6771\n"


class Full(io.RawIOBase):
    """A disk without room, a pipe without a reader: nothing can be written."""

    def __init__(self, number):
        self.number = number

    def writable(self):
        return True

    def write(self, _data):
        raise OSError(self.number, os.strerror(self.number))


def full_console(number, *, out=True, **settings):
    full = io.TextIOWrapper(io.BufferedWriter(Full(number)), encoding="utf-8")
    streams = (full, io.StringIO()) if out else (io.StringIO(), full)
    return Console(stdin=io.StringIO(), stdout=streams[0], stderr=streams[1], env={}, **settings)


def silence(console):
    """Let go of streams that can't be flushed, so that closing them says nothing."""
    for outlet in (console._out, console._err):
        stream = outlet._stream
        if isinstance(stream, io.TextIOWrapper):
            stream.buffer.raw.write = len


@pytest.mark.parametrize("json", [True, False])
def test_a_result_that_finds_no_room_is_an_error_and_the_work_goes_on(json):
    console = full_console(errno.ENOSPC, json=json)

    console.result({"schema": "codat-ar/x/1"}, lambda: console.print("the result"))
    lost = console.finish()
    silence(console)

    assert (lost.code, lost.exit_code) == ("output.lost", ExitCode.UNFINISHED)
    assert "No space left" in console._err._stream.getvalue()


def test_a_reader_that_went_away_is_no_error():
    console = full_console(errno.EPIPE)

    console.print("the result")
    lost = console.finish()
    silence(console)

    assert lost is None


def test_notes_that_nobody_takes_stop_nothing(monkeypatch):
    console = full_console(errno.EIO, out=False)
    monkeypatch.setattr(console._err, "isatty", lambda: True)

    with console.progress(2, "sending") as bar:
        bar.advance()
    console.warn("something")
    console.print("the result")
    lost = console.finish()
    silence(console)

    assert (lost, console._out._stream.getvalue()) == (None, "the result\n")


def test_half_a_character_is_its_own_escape_in_json():
    screen = Screen(json=True)

    screen.console.result({"schema": "codat-ar/x/1", "path": "caf\udce9"}, lambda: None)

    assert screen.out == '{"schema":"codat-ar/x/1","path":"caf\\udce9"}\n'


def test_progress_says_nothing_where_nobody_watches():
    screen = Screen()

    with screen.console.progress(3, "sending") as bar:
        bar.advance()
        bar.show("more", completed=2, total=5)

    assert (screen.out, screen.err) == ("", "")


def test_progress_is_drawn_on_stderr_for_a_person(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(screen.console._err, "isatty", lambda: True)

    with screen.console.progress(2, "sending \x1b[2J") as bar:
        bar.advance()
        bar.show("almost")

    assert screen.out == ""
    assert "almost" in screen.err
    assert "\x1b[2J" not in screen.err


def test_yes_answers_confirmations_without_a_terminal():
    Screen(yes=True).console.confirm("Send 3 invoices?")
    Screen().console.confirm("Send 3 invoices?", yes=True)


def test_without_a_terminal_a_question_names_the_missing_option():
    console = Screen().console

    with pytest.raises(NeedsAnswer, match="no answer to `Which company\\?`, and no terminal to ask at") as caught:
        console.choose("Which company?", [], option_name="--company")

    assert caught.value.hint == "say it with --company"
    assert caught.value.exit_code is ExitCode.USAGE
    for ask in (
        lambda: console.confirm("Go?"),
        lambda: console.ask_text("Name", option_name="--name"),
        lambda: console.ask_secret("Key", option_name="--key-stdin"),
    ):
        with pytest.raises(NeedsAnswer):
            ask()


def test_no_input_asks_nobody_even_at_a_terminal():
    prompts = Scripted(True)

    with pytest.raises(NeedsAnswer):
        Screen(no_input=True, prompts=prompts).console.confirm("Go?")

    assert prompts.questions == []


def test_no_is_not_confirmed_and_has_its_own_exit_code():
    with pytest.raises(NotConfirmed, match="answered no to `Go\\?`; nothing was done") as caught:
        Screen(prompts=Scripted(False)).console.confirm("Go?")

    assert caught.value.exit_code is ExitCode.NOT_APPROVED


def test_a_person_is_asked_and_the_answer_given_back():
    console = Screen(prompts=Scripted(True, "Acme", "k", "gbol")).console

    console.confirm("Go?")

    assert console.ask_text("Name", option_name="--name") == "Acme"
    assert console.ask_secret("Key", option_name="--key-stdin") == "k"
    assert console.choose("Which?", [Choice("gbol", "Xero")], option_name="--p") == "gbol"
