"""What one invocation needs, each part opened on first use and closed at exit: config, profile, key, ledger, client."""

import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from codat_ar_cli.cli.console import Console
from codat_ar_cli.errors import CodatArError, ExitCode

if TYPE_CHECKING:
    import datetime as dt

    import anyio

    from codat_ar_cli.codat.client import CodatClient
    from codat_ar_cli.codat.transport import Exchange
    from codat_ar_cli.config import Config, Profile
    from codat_ar_cli.domain.keys import KeySource
    from codat_ar_cli.ledger.store import Ledger
    from codat_ar_cli.secrets import Secret

T = TypeVar("T")


@dataclass(slots=True)
class Options:
    """The global options, as typed before or after the command."""

    profile: str | None = None
    config: Path | None = None
    state_dir: Path | None = None
    expect_company: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: int = 0
    no_input: bool = False
    yes: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with where it was taken from, and what it went before."""

    key: str
    value: str | None
    origin: str
    """Such as `option --profile`, `CODAT_AR_PROFILE`, a file's path, `default`."""
    overridden: tuple[tuple[str, str], ...] = ()
    """Pairs of origin and value that lost, strongest first."""


class NoProfile(CodatArError):
    """No profile was named and there is no default."""

    code = "config.no-profile"

    def __init__(self, *, known: list[str]) -> None:
        super().__init__(
            f"no profile chosen and no default is set; known: {', '.join(known) or 'none yet'}",
            hint="choose one with --profile, or `codat-ar profile use NAME`" if known else "start with `codat-ar init`",
            details={"known": known},
        )


class UnexpectedCompany(CodatArError):
    """This is another company than `--expect-company` says."""

    code = "config.unexpected-company"

    def __init__(self, what: str, *, company: str, name: str, expected: str) -> None:
        super().__init__(
            f"{what} is company {company} ({name}); expected {expected}",
            hint="check --profile, CODAT_AR_PROFILE and the default; nothing was sent",
            details={"company": company, "expected": expected},
        )


class StateUnusable(CodatArError):
    """The state directory can't be made or entered."""

    code = "state.unusable"


class Session:
    """One invocation: options and environment in, opened parts out. Commands find it as `ctx.obj`."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        clock: "Callable[[], dt.datetime] | None" = None,
        console: Console | None = None,
        open_client: "Callable[..., CodatClient] | None" = None,
    ) -> None:
        """Open nothing yet.

        Args:
            options: global options; still changeable until the part that reads them is first used.
            env: the environment; None: the process's.
            folder: the working folder, where a project file may lie; None: the process's.
            clock: gives the time, aware, UTC; None: the system's.
            console: a ready console; None: one made from the options on first use.
            open_client: makes the client in place of `CodatClient`, for tests.
        """
        self.options = options or Options()
        self.env = os.environ if env is None else env
        self.folder = folder or Path()
        self.interrupted: ExitCode | None = None
        """Set when a signal ended `run_async` early and the work stopped in good order."""
        self._given_console = console
        self._open_client = open_client
        self._clock = clock
        self._open = ExitStack()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened; may be called again."""
        self._open.close()

    @cached_property
    def clock(self) -> "Callable[[], dt.datetime]":
        """Gives the present instant, aware, UTC."""
        import datetime as dt

        return self._clock or (lambda: dt.datetime.now(dt.UTC))

    @cached_property
    def console(self) -> Console:
        """The one writer to the terminal."""
        if self._given_console is not None:
            return self._given_console
        options = self.options
        return Console(
            json=options.json,
            quiet=options.quiet,
            verbose=options.verbose,
            no_input=options.no_input,
            yes=options.yes,
            env=self.env,
        )

    @cached_property
    def config(self) -> "Config":
        """What the config files say; raises ConfigMissing when one was named that is not there."""
        from codat_ar_cli.config import ConfigMissing

        config = self.load_config()
        if self._named_config is not None and not config.files:
            raise ConfigMissing(self._named_config)
        return config

    def load_config(self) -> "Config":
        """Read the config files anew; one that is named but absent counts as empty (`init` will make it)."""
        from codat_ar_cli.config import PROJECT_FILE, config_path, load

        project = None if self._named_config is not None else self.folder / PROJECT_FILE
        return load(config_path(self._named_config, self.env), project=project)

    def forget_config(self) -> None:
        """Read the config files again at next use, after they were written."""
        for name in ("config", "profile", "secret"):
            self.__dict__.pop(name, None)

    @property
    def _named_config(self) -> Path | None:
        if self.options.config is not None:
            return self.options.config
        named = self.env.get("CODAT_AR_CONFIG")
        return Path(named) if named else None

    @property
    def profile_setting(self) -> Setting:
        """Which profile is meant, and by whose word; value None when nobody said."""
        return _first(
            "profile",
            ("option --profile", self.options.profile),
            ("CODAT_AR_PROFILE", self.env.get("CODAT_AR_PROFILE")),
            (f"default_profile in {self.config.origin('default_profile')}", self.config.default_profile),
        )

    @cached_property
    def profile(self) -> "Profile":
        """The chosen profile; raises NoProfile, UnknownProfile, UnexpectedCompany."""
        name = self.profile_setting.value
        if name is None:
            raise NoProfile(known=sorted(self.config.profiles))
        profile = self.config.profile(name)
        expected = self.options.expect_company
        if expected is not None and expected != profile.company_id:
            raise UnexpectedCompany(
                f"profile `{name}`", company=profile.company_id, name=profile.company_name, expected=expected
            )
        return profile

    @property
    def whose(self) -> dict[str, object]:
        """Say in a JSON result whose books it is about."""
        profile = self.profile
        return {
            "profile": profile.name,
            "company": {"id": profile.company_id, "name": profile.company_name},
            "platform": profile.platform_name,
        }

    @property
    def base_url_setting(self) -> Setting:
        """Which API is spoken to, and by whose word."""
        from codat_ar_cli.config import DEFAULT_BASE_URL

        profile = self.profile
        stated = profile.base_url if profile.base_url != DEFAULT_BASE_URL else None
        return _first(
            "base_url",
            ("CODAT_AR_BASE_URL", self.env.get("CODAT_AR_BASE_URL")),
            (f"profile {profile.name}", stated),
            ("default", DEFAULT_BASE_URL),
        )

    @property
    def base_url(self) -> str:
        """The API's URL: CODAT_AR_BASE_URL, else the profile's; raises InsecureUrl."""
        from codat_ar_cli.config import check_base_url

        return check_base_url(self.base_url_setting.value or "")

    @property
    def api_host(self) -> str:
        """Host, with its port where it is not the scheme's own: a part of every document's identity (design D9)."""
        from urllib.parse import urlsplit

        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        shown = f"[{host}]" if ":" in host else host
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        return shown if parts.port in {None, usual} else f"{shown}:{parts.port}"

    @property
    def key_source(self) -> "KeySource":
        """Where the key will be taken from."""
        from codat_ar_cli.secrets import effective_source

        return effective_source(self.profile.key, self.env)

    @cached_property
    def secret(self) -> "Secret":
        """The API key; raises the errors of `secrets.read_key`."""
        from codat_ar_cli.secrets import read_key

        home = self.config.origin(f"profiles.{self.profile.name}")
        return read_key(self.profile.key, self.env, folder=home.absolute().parent if home else None)

    @property
    def state_dir_setting(self) -> Setting:
        """Where ledger, cache and reports live, and by whose word."""
        from codat_ar_cli.config import state_dir

        # A named config that is not there yet is no error here; one that was read is not read again.
        is_read = self._named_config is None or "config" in self.__dict__
        config = self.config if is_read else self.load_config()
        return _first(
            "state_dir",
            ("option --state-dir", _text(self.options.state_dir)),
            ("CODAT_AR_STATE_DIR", self.env.get("CODAT_AR_STATE_DIR")),
            (str(config.origin("state_dir")), _text(config.state_dir)),
            ("default", str(state_dir(None, {}))),
        )

    @property
    def state_dir(self) -> Path:
        """The state directory, made 0700 if need be; raises StateUnusable."""
        path = Path(self.state_dir_setting.value or "").absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StateUnusable(
                f"state directory {path} can't be made: {error.strerror}", hint="choose another with --state-dir"
            ) from error
        return path

    def crash_dir(self) -> Path:
        """Where crash reports go: the state directory, found without the config file when that one is the trouble."""
        from codat_ar_cli.config import state_dir

        try:
            folder = self.state_dir / "crashes"
        except CodatArError:
            folder = state_dir(self.options.state_dir, self.env) / "crashes"
        return folder

    @property
    def ledger_setting(self) -> Setting:
        """Which ledger, a database URL or a file, and by whose word."""
        config = self.config
        return _first(
            "ledger_url",
            ("CODAT_AR_LEDGER_URL", self.env.get("CODAT_AR_LEDGER_URL")),
            (str(config.origin("ledger_url")), config.ledger_url),
            ("default: in the state directory", str(Path(self.state_dir_setting.value or "") / "ledger.db")),
        )

    @cached_property
    def ledger(self) -> "Ledger":
        """The ledger, opened now and closed with the session; raises LedgerError subclasses."""
        from codat_ar_cli.ledger.store import Ledger

        url = self.env.get("CODAT_AR_LEDGER_URL") or self.config.ledger_url
        location = url or self.state_dir / "ledger.db"
        return self._open.enter_context(Ledger.open(location, clock=self.clock))

    def client(self, *, base_url: str | None = None, secret: "Secret | None" = None) -> "CodatClient":
        """Make a client of the chosen profile: `async with session.client() as client: …`.

        `base_url` and `secret` stand in for the profile's where there is no profile yet (`init`).
        """
        open_client = self._open_client
        if open_client is None:
            from codat_ar_cli.codat.client import CodatClient

            open_client = CodatClient
        url = base_url if base_url is not None else self.base_url
        key = secret if secret is not None else self.secret
        traced: dict[str, Any] = {"on_exchange": self._trace} if self.options.verbose > 1 else {}
        return open_client(base_url=url, api_key=key.reveal(), clock=self.clock, **traced)

    def _trace(self, exchange: "Exchange") -> None:
        """Say one request and its answer, for `-vv`: what a support case needs, no key and no body."""
        ended = exchange.error or exchange.status
        named = f", correlation id {exchange.correlation_id}" if exchange.correlation_id else ""
        took = f"{exchange.duration * 1000:.0f} ms, {exchange.response_bytes:,} bytes"
        self.console.detail(f"{exchange.method} {exchange.path} -> {ended} in {took}{named}")

    def run_async(self, work: "Coroutine[Any, Any, T] | Callable[[anyio.Event], Coroutine[Any, Any, T]]") -> T:
        """Run async work to its end and give its result.

        A coroutine is cancelled by Ctrl-C, SIGTERM or SIGHUP, which then raise Interrupted. A function is given
        an event that the first signal sets: it stops in good order and returns, `interrupted` says which signal
        it was, and `main` exits with its code; a second signal cancels.
        """
        from codat_ar_cli.cli.signals import run

        result, self.interrupted = run(work)
        return result


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _first(key: str, *candidates: tuple[str, str | None]) -> Setting:
    given = [(origin, value) for origin, value in candidates if value]
    if not given:
        return Setting(key, None, "nowhere")
    (origin, value), *lost = given
    return Setting(key, value, origin, tuple(lost))
