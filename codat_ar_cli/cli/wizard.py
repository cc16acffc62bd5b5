"""The conversation behind `codat-ar init`: option, else what was answered before, else the question.

Answers are kept in the state directory until the profile is written, so that an interrupted `init` goes on where it
stopped. The API key is never among them.
"""

import contextlib
import shlex
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from codat_ar_cli.cli.prompts import Choice
from codat_ar_cli.cli.session import Session, UnexpectedCompany
from codat_ar_cli.codat.errors import KeyRefused
from codat_ar_cli.config import (
    DEFAULT_BASE_URL,
    Config,
    InsecureUrl,
    Profile,
    check_base_url,
    save_profile,
    set_default,
)
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.keys import DEFAULT_VARIABLE, KeyKind, KeySource
from codat_ar_cli.domain.types import Company, Connection
from codat_ar_cli.errors import CodatArError
from codat_ar_cli.flows import setup
from codat_ar_cli.private import write_private
from codat_ar_cli.secrets import (
    KeyCommandFailed,
    KeyFileExposed,
    KeyFileUnreadable,
    KeyMalformed,
    KeyMissing,
    KeyringUnavailable,
    Secret,
    expand_home,
    parse_key,
    read_key,
    store_key,
)

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient

T = TypeVar("T")

_KEPT = "init.json"
_KEY_OPTIONS = "--key-env, --key-file, --key-keyring or --key-command"
_KEY_TROUBLE = (KeyMissing, KeyMalformed, KeyFileExposed, KeyFileUnreadable, KeyringUnavailable, KeyCommandFailed)
_PORTAL = "Codat portal: Developers > API keys"


class BadKeyCommand(CodatArError):
    """A key command whose quotes don't pair, or that is empty."""

    code = "key.bad-command"

    def __init__(self, command: str) -> None:
        super().__init__(
            f"`{command}` is no command: its quotes must pair and it must name a program",
            hint="""such as --key-command 'op read "op://Finance/Codat/key"'""",
        )


class BadProfileName(CodatArError):
    """A profile name that can't be typed without quotes."""

    code = "config.bad-profile-name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"`{name}` can't be a profile name; expected letters, digits, `-`, `_` and `.`, at most 60 of them",
            hint="choose another with --profile",
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known so far; None: not yet. Never the key itself."""

    base_url: str | None = None
    key_kind: str | None = None
    key_place: str | None = None
    """Variable, path, keyring account or command line, by `key_kind`."""
    company: str | None = None
    connection: str | None = None
    profile: str | None = None

    def or_else(self, other: "Answers") -> "Answers":
        """Fill what is missing from other answers; where the key is kept goes as one."""
        merged = {field.name: getattr(self, field.name) or getattr(other, field.name) for field in fields(self)}
        if self.key_kind:
            merged["key_place"] = self.key_place
        return Answers(**merged)


@dataclass(frozen=True, slots=True)
class Connected:
    """What `init` made."""

    profile: Profile
    file: Path
    health: setup.Health
    is_default: bool


class Wizard:
    """One run of `init`."""

    def __init__(self, session: Session, given: Answers, *, key_from_stdin: bool = False) -> None:
        self.session = session
        self.console = session.console
        self.config: Config = session.load_config()
        self.key_from_stdin = key_from_stdin
        self.answers = given
        self.key_is_given = given.key_kind is not None
        self.kept = session.state_dir / _KEPT

    def run(self, *, restart: bool = False) -> Connected:
        """Ask what is missing, write the profile, and look at the company's health."""
        if restart:
            self.kept.unlink(missing_ok=True)
        # Only a person may be helped by old answers: a script says all it means.
        if self.console.is_interactive and self.kept.exists():
            self.answers = self.answers.or_else(self._recall())
            self.console.note("Going on where `init` stopped; `codat-ar init --restart` begins anew.")
        url = self._base_url()
        source, secret = self._key(url)
        company = self._company(url, secret)
        connection = self._connection(company)
        profile = self._profile(url, source, company, connection)
        file = save_profile(self.config, profile)
        is_default = self._make_default(profile)
        self.kept.unlink(missing_ok=True)
        self.session.forget_config()
        health = self._ask_codat(url, secret, lambda client: setup.examine(client, company.id, connection.id))
        return Connected(profile, file, health, is_default)

    def _recall(self) -> Answers:
        try:
            raw = jsontext.loads(self.kept.read_bytes())
            known = {field.name for field in fields(Answers)}
            return Answers(**{key: value for key, value in raw.items() if key in known and isinstance(value, str)})
        except (OSError, ValueError, AttributeError):
            return Answers()

    def _learn(self, **answer: str | None) -> None:
        self.answers = replace(self.answers, **answer)
        if not self.console.is_interactive:
            return
        # Keeping answers is a convenience: a full disk must not end the conversation.
        with contextlib.suppress(OSError):
            write_private(self.kept, jsontext.dumps_pretty(asdict(self.answers)))

    def _ask_codat(self, url: str, secret: Secret, ask: "Callable[[CodatClient], Awaitable[T]]") -> T:
        async def work() -> T:
            async with self.session.client(base_url=url, secret=secret) as client:
                return await ask(client)

        return self.session.run_async(work())

    def _base_url(self) -> str:
        stated = self.answers.base_url or self.session.env.get("CODAT_AR_BASE_URL")
        if stated or not self.console.is_interactive:
            url = check_base_url(stated or DEFAULT_BASE_URL)
            self._learn(base_url=url)
            return url
        while True:
            typed = self.console.ask_text("Codat's API is at", option_name="--base-url", default=DEFAULT_BASE_URL)
            try:
                url = check_base_url(typed)
            except InsecureUrl as error:
                self.console.warn(error.message)
                continue
            self._learn(base_url=url)
            return url

    def _key(self, url: str) -> tuple[KeySource, Secret]:
        """Settle where the key is kept, test it at Codat, and store it if it is new."""
        while True:
            try:
                return self._try_key(url, self._key_source())
            except _KEY_TROUBLE as error:
                # A place named by an option is meant; one that was chosen here may be chosen again.
                if self.key_is_given or not self.console.is_interactive:
                    raise
                self.console.warn(error.message)
                self._learn(key_kind=None, key_place=None)

    def _try_key(self, url: str, source: KeySource) -> tuple[KeySource, Secret]:
        while True:
            secret, is_new = self._read_or_ask(source)
            try:
                client_name = self._ask_codat(url, secret, lambda client: client.profile_name())
            except KeyRefused as error:
                if not (is_new and self.console.is_interactive):
                    raise
                self.console.warn(f"{error.message}; try again, or Ctrl-C")
                continue
            if is_new:
                store_key(source, secret)
            self.console.note(f"The key works: it belongs to the Codat client {client_name}. It is kept in: {source}.")
            return source, secret

    def _read_or_ask(self, source: KeySource) -> tuple[Secret, bool]:
        stored = source.kind in {KeyKind.FILE, KeyKind.KEYRING}
        if self.key_from_stdin:
            if not stored:
                raise KeyMissing("--key-stdin has nowhere to keep the key", hint="add --key-file or --key-keyring")
            return parse_key(sys.stdin.readline(), where="stdin", hint="write the key to stdin, on one line"), True
        # The place that was chosen is tested itself, not the variable that would go before it.
        env = {name: value for name, value in self.session.env.items() if not stored or name != DEFAULT_VARIABLE}
        try:
            return read_key(source, env), False
        except KeyMissing:
            if not stored or not self.console.is_interactive:
                raise
        while True:
            typed = self.console.ask_secret(f"API key ({_PORTAL})", option_name="--key-stdin")
            try:
                return parse_key(typed, where="what you typed"), True
            except (KeyMissing, KeyMalformed) as error:
                self.console.warn(error.message)

    def _key_source(self) -> KeySource:
        if self.answers.key_kind is None:
            self._choose_key_kind()
        kind, place = KeyKind(self.answers.key_kind or ""), self.answers.key_place
        if place is None:
            place = self._ask_key_place(kind)
            self._learn(key_place=place)
        match kind:
            case KeyKind.ENV:
                return KeySource(kind, variable=place)
            case KeyKind.FILE:
                return KeySource(kind, path=str(expand_home(place).absolute()))
            case KeyKind.KEYRING:
                return KeySource(kind, account=place)
            case KeyKind.COMMAND:
                return KeySource(kind, command=_command(place))

    def _choose_key_kind(self) -> None:
        if not self.console.is_interactive and self.session.env.get(DEFAULT_VARIABLE):
            self._learn(key_kind=KeyKind.ENV.value, key_place=DEFAULT_VARIABLE)
            return
        choices = [
            Choice(KeyKind.KEYRING.value, "In this system's keyring", "best on a desktop"),
            Choice(KeyKind.FILE.value, "In a file only you can read", "servers, cron"),
            Choice(KeyKind.ENV.value, "In an environment variable", "containers, CI"),
            Choice(KeyKind.COMMAND.value, "A command prints it", "password managers"),
        ]
        kind = self.console.choose("Where is the API key kept?", choices, option_name=_KEY_OPTIONS)
        self._learn(key_kind=kind)

    def _ask_key_place(self, kind: KeyKind) -> str:
        match kind:
            case KeyKind.ENV:
                question, default = "Name of the variable", DEFAULT_VARIABLE
            case KeyKind.FILE:
                question, default = "Path of the file", str(self.config.path.absolute().parent / "codat-api-key")
            case KeyKind.KEYRING:
                question, default = "Name of the keyring entry", "default"
            case KeyKind.COMMAND:
                question, default = "Command that prints the key", ""
        while True:
            place = self.console.ask_text(question, option_name=f"--key-{kind.value}", default=default)
            if place.strip():
                return place.strip()

    def _company(self, url: str, secret: Secret) -> Company:
        wanted = self.answers.company
        if wanted is not None:
            text = wanted
            company = self._ask_codat(url, secret, lambda client: setup.find_company(client, text))
        else:
            companies = self._ask_codat(url, secret, lambda client: client.companies())
            company = self._choose_company(companies)
        expected = self.session.options.expect_company
        if expected is not None and expected != company.id:
            raise UnexpectedCompany("the choice", company=company.id, name=company.name, expected=expected)
        self._learn(company=company.id)
        self.console.note(f"Company: {company.name} ({company.id})")
        return company

    def _choose_company(self, companies: list[Company]) -> Company:
        if len(companies) <= 1 or not self.console.is_interactive:
            return setup.pick_company(companies, None)
        choices = [
            Choice(each, each.name, ", ".join(c.platform_name for c in each.connections if c.is_usable) or "not linked")
            for each in sorted(companies, key=lambda company: company.name.casefold())
        ]
        chosen: Company = self.console.choose("Which company?", choices, option_name="--company")
        return chosen

    def _connection(self, company: Company) -> Connection:
        if self.answers.connection is not None:
            connection = setup.usable_connection(company, self.answers.connection)
        else:
            connection = self._choose_connection(company)
        self._learn(connection=connection.id)
        self.console.note(f"Connection: {connection.platform_name}, {connection.status} ({connection.id})")
        return connection

    def _choose_connection(self, company: Company) -> Connection:
        usable = sum(connection.is_usable for connection in company.connections)
        if usable < 2 or not self.console.is_interactive:
            return setup.usable_connection(company, None)
        choices = []
        for each in company.connections:
            fault = setup.connection_fault(each)
            choices.append(Choice(each, each.platform_name, each.id, fault.message if fault else None))
        chosen: Connection = self.console.choose("Which connection?", choices, option_name="--connection")
        return chosen

    def _profile(self, url: str, source: KeySource, company: Company, connection: Connection) -> Profile:
        name = self.answers.profile or self._ask_profile_name(company, connection)
        if not _is_name(name):
            raise BadProfileName(name)
        fresh = Profile(
            name=name,
            company_id=company.id,
            company_name=company.name,
            connection_id=connection.id,
            platform_key=connection.platform_key,
            platform_name=connection.platform_name,
            base_url=url,
            key=source,
        )
        old = self.config.profiles.get(name)
        if old is None:
            return fresh
        if (old.base_url, old.company_id, old.connection_id) == (url, company.id, connection.id):
            return replace(fresh, mapping=old.mapping, rates=old.rates)
        self.console.confirm(
            f"Profile {name} is {old.company_name} on {old.platform_name}. "
            f"Replace it with {company.name} on {connection.platform_name}, dropping its mapping?"
        )
        return fresh

    def _ask_profile_name(self, company: Company, connection: Connection) -> str:
        same = (
            name
            for name, old in self.config.profiles.items()
            if (old.company_id, old.connection_id) == (company.id, connection.id)
        )
        suggested = next(same, None) or setup.profile_name_for(company.name, self.config.profiles)
        if not self.console.is_interactive:
            return suggested
        while True:
            name = self.console.ask_text("Name of the profile", option_name="--profile", default=suggested)
            if _is_name(name):
                return name
            self.console.warn(BadProfileName(name).message)

    def _make_default(self, profile: Profile) -> bool:
        config = self.session.load_config()
        if config.default_profile is None:
            set_default(config, profile.name)
            return True
        return config.default_profile == profile.name


def _is_name(name: str) -> bool:
    return 0 < len(name) <= 60 and name.isascii() and all(char.isalnum() or char in "-_." for char in name)


def _command(text: str) -> tuple[str, ...]:
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    if sys.platform == "win32":
        lexer.escape = ""  # a backslash separates folders there
    try:
        words = tuple(lexer)
    except ValueError:
        words = ()
    if not words:
        raise BadKeyCommand(text)
    return words
