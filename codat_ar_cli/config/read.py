"""Read and check config files with the standard library alone, so that every command starts fast."""

import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from codat_ar_cli.config.model import (
    DEFAULT_BASE_URL,
    Config,
    ConfigInvalid,
    ConfigProblem,
    ConfigUnreadable,
    InsecureUrl,
    Profile,
    check_base_url,
    config_path,
)
from codat_ar_cli.config.tables import Table
from codat_ar_cli.domain.ids import CompanyId, ConnectionId, Currency, PlatformKey, RecordId
from codat_ar_cli.domain.keys import DEFAULT_VARIABLE, KeyKind, KeySource
from codat_ar_cli.domain.money import AmountError, is_currency, parse_amount
from codat_ar_cli.domain.slots import Mapping as SlotAnswers
from codat_ar_cli.domain.slots import Rule, Slot, SlotMapping, Target

_MAX_CONFIG = 4 * 1024 * 1024
_SHAPE_HINT = "correct that place; sample_config.toml shows the form"


def load(path: Path | None = None, *, project: Path | None = None) -> Config:
    """Read the config files; one that does not exist counts as empty.

    Args:
        path: the user's file, or the one that `--config` names; None: the system's place.
        project: a file that goes before it, key by key and profile by profile, such as `./codat-ar.toml`.

    Raises:
        ConfigInvalid: with every problem of a file. ConfigUnreadable: not readable, or no TOML.
    """
    home = path if path is not None else config_path(None, {})
    config = Config(path=home)
    for file in (home, *([project] if project is not None else [])):
        raw = _read(file)
        if raw is not None:
            config = _layer(config, file, raw)
    return config


def _layer(config: Config, file: Path, raw: dict[str, Any]) -> Config:
    problems: list[ConfigProblem] = []
    table = Table(raw, "", problems)
    default, ledger_url, folder = table.text("default_profile"), table.text("ledger_url"), table.text("state_dir")
    profiles = {name: _profile(name, entry) for name, entry in table.table("profiles").tables()}
    table.finish()
    _check_home(table, "state_dir", folder)
    if default is not None and default not in {**config.profiles, **profiles}:
        known = ", ".join(sorted(profiles)) or "none"
        problems.append(ConfigProblem("default_profile", f"profile `{default}` does not exist; known: {known}"))
    if problems:
        raise ConfigInvalid(file, problems)
    given = {"default_profile": default, "ledger_url": ledger_url, "state_dir": folder}
    keys = [key for key, value in given.items() if value is not None] + [f"profiles.{name}" for name in profiles]
    return replace(
        config,
        default_profile=default or config.default_profile,
        ledger_url=ledger_url or config.ledger_url,
        state_dir=_beside(file, folder) if folder else config.state_dir,
        profiles={**config.profiles, **profiles},
        files=(file, *config.files),
        origins={**config.origins, **dict.fromkeys(keys, file)},
    )


def _check_home(table: Table, key: str, path: str | None) -> None:
    """Note a `~` or `~name` that leads to no home folder."""
    try:
        Path(path or "").expanduser()
    except RuntimeError:
        table.problem(key, f"`{path}` begins with a home folder that this machine does not know")


def _beside(file: Path, folder: str) -> Path:
    return file.absolute().parent / Path(folder).expanduser()


def _read(path: Path) -> dict[str, Any] | None:
    text = read_text(path)
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigUnreadable(f"config file {path} is nested too deeply", hint=_SHAPE_HINT) from error
    except ValueError as error:  # TOMLDecodeError is one, and so is a number of thousands of digits
        raise ConfigUnreadable(f"config file {path} is not TOML: {error}", hint=_SHAPE_HINT) from error


def read_text(path: Path) -> str | None:
    """Read a config file's text with its own line ends, without a byte order mark; None where there is no file.

    Raises ConfigUnreadable.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CONFIG + 1)
        if len(content) > _MAX_CONFIG:
            raise ConfigUnreadable(f"config file {path} is larger than 4 MiB: that is no config", hint=_SHAPE_HINT)
        return content.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise ConfigUnreadable(f"config file {path} is not UTF-8 text", hint="save it as UTF-8") from error
    except OSError as error:
        raise ConfigUnreadable(
            f"config file {path} can't be read: {error.strerror}", hint="check its owner and permissions"
        ) from error


def _profile(name: str, table: Table) -> Profile:
    company, connection, key = table.table("company"), table.table("connection"), table.table("key")
    company_id, connection_id = company.required("id"), connection.required("id")
    profile = Profile(
        name=name,
        company_id=CompanyId(company_id),
        company_name=company.text("name") or company_id,
        connection_id=ConnectionId(connection_id),
        platform_key=PlatformKey(connection.required("platform_key")),
        platform_name=connection.text("platform") or "unknown platform",
        base_url=_base_url(table),
        key=_key(key),
        mapping=_mapping(table.table("mapping"), table.texts("accepted")),
        rates=_rates(table.table("rates")),
    )
    for part in (company, connection, key, table):
        part.finish()
    return profile


def _base_url(table: Table) -> str:
    url = table.text("base_url") or DEFAULT_BASE_URL
    try:
        return check_base_url(url)
    except InsecureUrl as error:
        table.problem("base_url", error.message)
        return DEFAULT_BASE_URL


def _key(table: Table) -> KeySource:
    kinds = [kind.value for kind in KeyKind]
    word = table.text("source") or KeyKind.ENV.value
    if "value" in table.raw or "api_key" in table.raw:
        table.problem("source", "an API key must not stand in a config file; change it at Codat, then `codat-ar init`")
    if word not in kinds:
        table.problem("source", f"`{word}` is not a place for a key; expected one of {', '.join(kinds)}")
        return KeySource()
    kind = KeyKind(word)
    _check_home(table, "path", table.text("path"))
    return KeySource(
        kind=kind,
        variable=table.text("variable") or DEFAULT_VARIABLE,
        path=table.required("path") if kind is KeyKind.FILE else table.text("path"),
        account=table.required("account") if kind is KeyKind.KEYRING else table.text("account"),
        command=table.texts("command", required=kind is KeyKind.COMMAND),
    )


def _rates(table: Table) -> dict[Currency, Decimal]:
    rates: dict[Currency, Decimal] = {}
    for code in list(table.raw):
        text = table.text(code)
        if text is None:
            continue
        if not is_currency(code):
            table.problem(code, f"`{code}` is not an ISO 4217 currency code")
        try:
            rate = parse_amount(text)
        except AmountError:
            rate = Decimal(0)
        if rate <= 0:
            table.problem(code, f'"{text}" is not a rate; expected a positive number in quotes, such as "1.0825"')
        rates[Currency(code)] = rate
    return rates


def _mapping(table: Table, accepted: tuple[str, ...]) -> SlotAnswers:
    known = [slot.value for slot in Slot]
    slots = {Slot(name): _slot(entry) for name, entry in table.tables(known)}
    table.finish()
    return SlotAnswers(slots=slots, accepted=frozenset(accepted))


def _slot(table: Table) -> SlotMapping:
    default = _target(table.table("default")) if "default" in table.raw else None
    rules = tuple(_rule(entry) for entry in table.list_of_tables("rules"))
    table.finish()
    return SlotMapping(default=default, rules=rules)


def _rule(table: Table) -> Rule:
    when = table.table("when")
    if not when.raw:
        table.problem("when", 'missing; expected a condition such as { country = "DE" }')
    conditions = tuple((column, when.texts(column, required=True)) for column in list(when.raw))
    target = _target(table.table("use"))
    table.finish()
    return Rule(when=conditions, target=target)


def _target(table: Table) -> Target:
    target = Target(RecordId(table.required("id")), table.required("name"), table.text("code"))
    table.finish()
    return target
