"""From argv to exit code: global options anywhere, errors in words or JSON, no traceback, a quick start."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from codat_ar_cli import cli
from codat_ar_cli.cli import root
from codat_ar_cli.cli.session import Options, Session
from codat_ar_cli.domain import jsontext
from codat_ar_cli.errors import CodatArError, ExitCode
from codat_ar_cli.secrets import Secret

HEAVY = {"rich", "httpx", "sqlalchemy", "pydantic", "questionary", "prompt_toolkit", "tomlkit", "keyring", "anyio"}


class Situation(CodatArError):
    code = "test.situation"
    exit_code = ExitCode.TRY_LATER


class Lab:
    """A command `try`, put into the tree in place of the real ones, that does what the test says."""

    def __init__(self, tmp_path: Path):
        self.env = {"CODAT_AR_STATE_DIR": str(tmp_path / "state"), "CODAT_AR_CONFIG": str(tmp_path / "c.toml")}
        self.folder = tmp_path
        self.act = lambda session: None
        self.seen: Options | None = None

    def __call__(self, *words: str) -> int:
        session = Session(Options(json="--json" in words), env=self.env, folder=self.folder)
        code = cli.main(words, session=session)
        self.seen = session.options
        return code


@pytest.fixture
def lab(tmp_path, monkeypatch):
    made = Lab(tmp_path)
    app = typer.Typer(help="Try.")

    @app.command("once")
    def once(ctx: typer.Context, number: int = 1) -> None:
        made.act(ctx.obj)

    @app.command("own")
    def own(ctx: typer.Context, yes: bool = False) -> None:
        made.act(yes)

    monkeypatch.setattr(cli, "laboratory", app, raising=False)
    module = type(sys)("codat_ar_cli.cli.laboratory")
    module.app = app  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(root, "COMMANDS", {"try": root._Entry("laboratory", "app", "Try."), **root.COMMANDS})
    return made


def raising(error: BaseException):
    def act(_session: object) -> None:
        raise error

    return act


def loaded_by(*words: str, tmp_path: Path) -> set[str]:
    """Run a command in a fresh interpreter and give the modules it imported."""
    code = (
        "import sys; from codat_ar_cli.cli import main; "
        f"code = main({list(words)!r}); sys.stderr.write(' '.join(sys.modules)); sys.exit(code)"
    )
    env = {**os.environ, "CODAT_AR_CONFIG": str(tmp_path / "c.toml"), "CODAT_AR_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["profile", "list"], ["profile", "--help"], ["init", "--help"]])
def test_help_and_local_commands_load_nothing_heavy(words, tmp_path):
    (tmp_path / "c.toml").write_text("")

    modules = loaded_by(*words, tmp_path=tmp_path)

    assert not {name.partition(".")[0] for name in modules} & HEAVY
    assert not any(name.startswith("codat_ar_cli.codat.") for name in modules)


def test_the_roots_help_loads_no_command_and_stays_small(tmp_path):
    modules = loaded_by("--help", tmp_path=tmp_path)

    assert not {f"codat_ar_cli.cli.{entry.module}" for entry in root.COMMANDS.values()} & modules
    # Counted, not timed: 153 when written. Each module costs a fifth of a millisecond or so.
    assert len(modules) < 180


def test_the_version_is_answered_before_anything_is_imported(tmp_path):
    code = "import sys; sys.argv = ['x', '--version']; from codat_ar_cli.__main__ import main; main(); "
    done = subprocess.run(
        [sys.executable, "-c", code + "sys.stderr.write(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("codat-ar ")
    assert "typer" not in done.stderr.split()
    assert "codat_ar_cli.cli" not in done.stderr.split()


def test_every_command_in_the_help_has_a_line_and_exit_codes_a_place(lab, capsys):
    assert lab("--help") == 0

    text = capsys.readouterr().out
    for name, entry in root.COMMANDS.items():
        assert f"  {name}" in text
        assert entry.help.split()[0] in text
    assert "docs/exit" in text


@pytest.mark.parametrize("name", root.COMMANDS)
def test_every_command_loads_and_has_help_with_the_global_options(lab, capsys, name):
    assert lab(name, "--help") == 0

    out = capsys.readouterr().out
    assert out.startswith(f"Usage: codat-ar {name}")
    for option in ("--profile", "--json", "--yes", "--no-input"):
        assert option in out


@pytest.mark.parametrize(
    "words",
    [
        ["--profile", "p", "--config", "f", "--json", "--yes", "--no-input", "-q", "-v", "try", "once"],
        ["try", "--profile", "p", "--config", "f", "--json", "--yes", "--no-input", "-q", "-v", "once"],
        ["try", "once", "--profile", "p", "--config", "f", "--json", "--yes", "--no-input", "-q", "-v"],
        ["--profile", "other", "--json", "try", "-q", "once", "--profile=p", "--config", "f", "-y", "--no-input", "-v"],
    ],
)
def test_global_options_may_stand_before_or_after_the_command(lab, words):
    assert lab(*words) == 0

    assert lab.seen == Options(profile="p", config=Path("f"), json=True, yes=True, no_input=True, quiet=True, verbose=1)


def test_an_option_of_the_same_name_belongs_to_the_command(lab):
    seen: list[object] = []
    lab.act = seen.append

    assert lab("try", "own", "--yes", "--profile", "p") == 0

    assert seen == [True]
    assert lab.seen is not None
    assert (lab.seen.yes, lab.seen.profile) == (False, "p")


def test_an_error_becomes_words_and_its_exit_code(lab, capsys):
    lab.act = raising(Situation("it is so", hint="wait"))

    assert lab("try", "once") == 8

    assert capsys.readouterr() == ("", "error: it is so  [test.situation]\n  hint: wait\n")


def test_an_error_under_json_is_the_one_object_on_stdout(lab, capsys):
    lab.act = raising(Situation("it is so", hint="wait", details={"n": 1}))

    assert lab("try", "once", "--json") == 8

    out, err = capsys.readouterr()
    assert jsontext.loads(out)["error"] == {
        "code": "test.situation",
        "message": "it is so",
        "hint": "wait",
        "details": {"n": 1},
    }
    assert err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fetsh"], "No such command 'fetsh'. Did you mean 'fetch'?"),
        (["try", "onse"], "No such command 'onse'. Did you mean 'once'?"),
        (["try", "once", "--nubmer", "1"], "No such option: --nubmer"),
        (["try", "once", "--number", "x"], "Invalid value for '--number'"),
        (["try", "once", "--profile"], "Option '--profile' requires an argument"),
        (["profile", "show", "a", "b"], "Got unexpected extra argument"),
        (["profile", "use"], "Missing argument 'name'"),
    ],
)
def test_wrong_usage_is_two_in_words_and_in_json(lab, capsys, words, message):
    assert lab(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {message.rstrip('.')}")
    assert "--help`" in err

    assert lab("--json", *words) == 2
    out, err = capsys.readouterr()
    assert jsontext.loads(out)["error"]["code"] == "usage"
    assert jsontext.loads(out)["error"]["message"].startswith(message.rstrip("."))
    assert err == ""


def test_no_words_at_all_show_the_help(lab, capsys):
    assert lab() == 2

    assert "Commands:" in capsys.readouterr().out


def test_a_command_ends_with_the_code_it_chose(lab):
    lab.act = raising(typer.Exit(ExitCode.IN_DOUBT))

    assert lab("try", "once") == 5


def test_a_signal_that_stopped_the_work_in_good_order_decides_the_code(lab):
    def act(session: Session) -> None:
        session.interrupted = ExitCode.TERMINATED
        raise typer.Exit(ExitCode.UNFINISHED)

    lab.act = act

    assert lab("try", "once") == 143


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_ctrl_c_is_130_and_says_how_to_go_on(lab, capsys, error):
    lab.act = raising(error)

    assert lab("try", "once") == 130

    assert "run the same command again" in capsys.readouterr().err


def test_a_defect_is_one_line_and_a_private_report_without_keys(lab, tmp_path, capsys):
    secret = Secret("canary-in-a-defect")
    lab.act = raising(ZeroDivisionError(f"dividing {secret.reveal()}"))

    assert lab("try", "once") == 1

    out, err = capsys.readouterr()
    (report,) = (tmp_path / "state" / "crashes").iterdir()
    text = report.read_text(encoding="utf-8")
    assert out == ""
    assert err.startswith("error: codat-ar failed in a way it should not: ZeroDivisionError  [defect]\n")
    assert "Traceback" not in err
    assert str(report) in err
    assert "ZeroDivisionError: dividing [redacted]" in text
    assert "canary-in-a-defect" not in text + err
    if os.name == "posix":
        assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_a_defect_where_no_report_can_be_kept_is_still_one_line(lab, tmp_path, capsys):
    (tmp_path / "state").write_text("a file where the folder should be")
    lab.act = raising(RuntimeError("x"))

    assert lab("--json", "try", "once") == 1

    error = jsontext.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "defect"
    assert error["details"] == {"type": "RuntimeError", "report": None}


def test_a_defect_with_a_broken_config_is_reported_all_the_same(lab, tmp_path, capsys):
    (tmp_path / "c.toml").write_text("not toml")
    lab.act = raising(RuntimeError("x"))

    assert lab("try", "once") == 1
    assert "Traceback" not in capsys.readouterr().err
    assert len(list((tmp_path / "state" / "crashes").iterdir())) == 1


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_reader_that_goes_away_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m codat_ar_cli --help | head -c 1; echo; {sys.executable} -m codat_ar_cli --help >&-",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
