"""One invocation: who decides which profile, which API, which key; parts opened on first use, closed at exit."""

import os
import signal
import threading
import time

import anyio
import pytest

from codat_ar_cli.cli.session import NoProfile, Options, Session, StateUnusable, UnexpectedCompany
from codat_ar_cli.cli.signals import HungUp, Interrupted, Terminated
from codat_ar_cli.config import ConfigMissing, InsecureUrl, UnknownProfile
from codat_ar_cli.errors import ExitCode

CONFIG = """
default_profile = "acme"
[profiles.acme]
company = { id = "c-1", name = "Acme" }
connection = { id = "n-1", platform_key = "gbol", platform = "Xero" }
[profiles.beta]
base_url = "https://other.example.com:8443"
company = { id = "c-2", name = "Beta" }
connection = { id = "n-2", platform_key = "qhyg", platform = "QuickBooks Online" }
key = { source = "file", path = "beta.key" }
"""

posix = pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")


@pytest.fixture
def make(tmp_path):
    (tmp_path / "c.toml").write_text(CONFIG)

    def session(env: dict[str, str] | None = None, **options) -> Session:
        settings = Options(**{"config": tmp_path / "c.toml", "state_dir": tmp_path / "state", **options})
        return Session(settings, env=env or {}, folder=tmp_path)

    return session


def test_option_goes_before_variable_before_default(make):
    env = {"CODAT_AR_PROFILE": "beta"}

    assert make().profile.name == "acme"
    assert make(env).profile.name == "beta"
    assert make(env, profile="acme").profile.name == "acme"


def test_a_setting_knows_who_won_and_who_lost(make, tmp_path):
    setting = make({"CODAT_AR_PROFILE": "beta"}, profile="acme").profile_setting

    assert (setting.value, setting.origin) == ("acme", "option --profile")
    assert setting.overridden == (
        ("CODAT_AR_PROFILE", "beta"),
        (f"default_profile in {tmp_path / 'c.toml'}", "acme"),
    )


def test_an_unknown_profile_names_the_known_ones(make):
    with pytest.raises(UnknownProfile, match="profile `acne` does not exist; known: acme, beta") as caught:
        _ = make(profile="acne").profile

    assert caught.value.hint == "create it with `codat-ar init --profile acne`"


def test_without_any_profile_the_way_in_is_named(tmp_path):
    (tmp_path / "empty.toml").write_text("")

    with pytest.raises(NoProfile, match="no profile chosen and no default is set; known: none yet") as caught:
        _ = Session(Options(config=tmp_path / "empty.toml"), env={}).profile

    assert caught.value.hint == "start with `codat-ar init`"


def test_a_named_config_that_is_not_there_is_an_error(tmp_path):
    for session in (
        Session(Options(config=tmp_path / "none.toml"), env={}),
        Session(env={"CODAT_AR_CONFIG": str(tmp_path / "none.toml")}),
    ):
        with pytest.raises(ConfigMissing, match=r"none\.toml does not exist"):
            _ = session.config


def test_a_project_file_counts_only_where_no_config_is_named(make, tmp_path, monkeypatch):
    monkeypatch.setattr("codat_ar_cli.config.config_path", lambda option, env: option or tmp_path / "none.toml")
    (tmp_path / "codat-ar.toml").write_text(CONFIG.replace("acme", "local"))

    assert Session(env={}, folder=tmp_path).profile.name == "local"
    assert make().profile.name == "acme"


def test_another_company_than_expected_is_refused(make):
    assert make(expect_company="c-1").profile.company_id == "c-1"

    with pytest.raises(UnexpectedCompany, match=r"profile `acme` is company c-1 \(Acme\); expected c-2") as caught:
        _ = make(expect_company="c-2").profile

    assert caught.value.exit_code is ExitCode.USAGE


def test_the_api_comes_from_variable_profile_or_default(make):
    assert make().base_url == "https://api.codat.io"
    assert make().api_host == "api.codat.io"
    assert make(profile="beta").api_host == "other.example.com:8443"
    assert make({"CODAT_AR_BASE_URL": "http://127.0.0.1:9/"}, profile="beta").base_url == "http://127.0.0.1:9"
    assert make({"CODAT_AR_BASE_URL": "https://API.codat.io:443"}).api_host == "api.codat.io"
    with pytest.raises(InsecureUrl):
        _ = make({"CODAT_AR_BASE_URL": "http://api.codat.io"}).base_url


def test_the_api_host_is_the_one_the_client_knows(make):
    for url in ("https://api.codat.io", "https://API.codat.io:443", "http://127.0.0.1:80", "http://[::1]:81/"):
        session = make({"CODAT_AR_BASE_URL": url, "CODAT_API_KEY": "some-key"})
        assert session.client().api_host == session.api_host


def test_a_key_file_lies_beside_its_config_file(make, tmp_path):
    (tmp_path / "beta.key").write_text("the-key-of-beta\n")
    (tmp_path / "beta.key").chmod(0o600)

    assert make(profile="beta").secret.reveal() == "the-key-of-beta"
    assert make({"CODAT_API_KEY": "from-environment"}, profile="beta").secret.reveal() == "from-environment"


def test_the_state_directory_is_made_private(make, tmp_path):
    path = make().state_dir

    assert path == tmp_path / "state"
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o700


def test_a_state_directory_that_can_not_be_made_is_named(make, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StateUnusable, match="can't be made"):
        _ = make(state_dir=tmp_path / "file" / "state").state_dir


def test_the_ledger_is_opened_once_and_closed_with_the_session(make, tmp_path):
    with make() as session:
        assert session.ledger is session.ledger
        assert (tmp_path / "state" / "ledger.db").exists()


def test_the_ledger_url_wins_over_the_state_directory(make, tmp_path):
    setting = make({"CODAT_AR_LEDGER_URL": "postgresql://x/y"}).ledger_setting

    assert setting.value == "postgresql://x/y"
    assert setting.overridden == (("default: in the state directory", str(tmp_path / "state" / "ledger.db")),)


def test_async_work_gives_its_result(make):
    async def work() -> int:
        await anyio.sleep(0)
        return 7

    session = make()

    assert session.run_async(work()) == 7
    assert session.interrupted is None


def test_a_situation_in_a_task_group_is_told_as_itself(make):
    async def work() -> None:
        async with anyio.create_task_group() as outer, anyio.create_task_group() as group:
            outer.start_soon(anyio.sleep, 0)
            group.start_soon(fail, NoProfile(known=[]))

    with pytest.raises(NoProfile):
        make().run_async(work())


def test_a_defect_in_a_task_group_goes_before_a_situation(make):
    async def work() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(fail, NoProfile(known=[]))
            group.start_soon(fail, ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        make().run_async(work())


async def fail(error: Exception) -> None:
    raise error


def send_soon(*numbers: int) -> threading.Thread:
    def send() -> None:
        for number in numbers:
            time.sleep(0.15)
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@posix
@pytest.mark.parametrize(
    ("number", "error"),
    [
        (signal.SIGINT, Interrupted),
        (signal.SIGTERM, Terminated),
        *([(signal.SIGHUP, HungUp)] if os.name == "posix" else []),
    ],
)
def test_a_signal_cancels_plain_work_with_its_own_code(make, number, error):
    before = signal.getsignal(number)
    sender = send_soon(number)

    with pytest.raises(error) as caught:
        make().run_async(anyio.sleep(10))

    sender.join()
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is before


@posix
def test_work_that_can_stop_in_good_order_does_and_the_signal_is_remembered(make):
    async def work(stop: anyio.Event) -> str:
        await stop.wait()
        await anyio.sleep(0.01)
        return "in good order"

    session, sender = make(), send_soon(signal.SIGTERM)

    assert session.run_async(work) == "in good order"
    sender.join()
    assert session.interrupted is ExitCode.TERMINATED


@posix
def test_a_second_signal_cancels_work_that_does_not_stop(make):
    async def work(stop: anyio.Event) -> None:
        await anyio.sleep(10)

    sender = send_soon(signal.SIGINT, signal.SIGINT)

    with pytest.raises(Interrupted):
        make().run_async(work)
    sender.join()


@posix
def test_a_hangup_that_nohup_ignores_stays_ignored(make):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        sender = send_soon(signal.SIGHUP)

        async def work() -> str:
            await anyio.sleep(0.4)
            return "done"

        assert make().run_async(work()) == "done"
        sender.join()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_async_work_runs_in_a_thread_that_may_not_watch_signals(make):
    results = []

    async def work() -> int:
        return 3

    thread = threading.Thread(target=lambda: results.append(make().run_async(work())))
    thread.start()
    thread.join()

    assert results == [3]


def test_a_result_is_never_spelt_out_as_text_however_large_it_is(make):
    class Plan:
        spelt = 0

        def __repr__(self) -> str:
            Plan.spelt += 1
            return "a plan"

    async def work() -> Plan:
        return Plan()

    make().run_async(work())

    assert Plan.spelt == 0


def test_twice_verbose_tells_each_request_on_stderr(make, capsys):
    from codat_ar_cli.codat.transport import Exchange

    opened = {}

    def open_client(**named):
        opened.update(named)

    session = make({"CODAT_API_KEY": "k"}, verbose=2)
    session._open_client = open_client
    session.client()

    opened["on_exchange"](Exchange("GET", "/profile", 200, "corr-1", 0.012, 0, 1234, 1))

    assert capsys.readouterr().err == "GET /profile -> 200 in 12 ms, 1,234 bytes, correlation id corr-1\n"
