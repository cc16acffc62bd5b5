"""`init`, `whoami`, `profile …`, `config explain`: which company, through which connection, with which key."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from codat_ar_cli.cli.session import Session, Setting
from codat_ar_cli.errors import CodatArError

if TYPE_CHECKING:
    from codat_ar_cli.cli.wizard import Answers
    from codat_ar_cli.config import Profile
    from codat_ar_cli.flows.setup import Health

profile_app = typer.Typer(help="List, show, choose and remove profiles.", no_args_is_help=True)
config_app = typer.Typer(help="Explain where a setting comes from.", no_args_is_help=True)

SETTINGS = ("profile", "base_url", "key", "state_dir", "ledger_url")


class SeveralKeyOptions(CodatArError):
    """More than one place for the key was named."""

    code = "key.several-places"

    def __init__(self, options: list[str]) -> None:
        super().__init__(f"{' and '.join(options)} were given; a key has one place", hint="keep one of them")


class UnknownSetting(CodatArError):
    """No setting of that name can be explained."""

    code = "config.unknown-setting"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"`{key}` is not a setting; expected one of {', '.join(SETTINGS)}", hint="codat-ar config explain profile"
        )


def init(
    ctx: typer.Context,
    *,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Where Codat's API is.")] = None,
    key_env: Annotated[str | None, typer.Option(metavar="NAME", help="The key is in this variable.")] = None,
    key_file: Annotated[str | None, typer.Option(metavar="FILE", help="The key is in this file (0600).")] = None,
    key_keyring: Annotated[str | None, typer.Option(metavar="ENTRY", help="The key is in this keyring entry.")] = None,
    key_command: Annotated[str | None, typer.Option(metavar="COMMAND", help="This command prints the key.")] = None,
    key_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read the key from stdin and keep it there.")] = False,
    company: Annotated[str | None, typer.Option(metavar="ID|NAME", help="The company.")] = None,
    connection: Annotated[str | None, typer.Option(metavar="ID", help="Its accounting connection.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Forget the answers of an interrupted init.")] = False,
) -> None:
    """Connect a company: ask what is needed, write a profile, check it.

    The profile is named by --profile. Interrupted, it goes on where it stopped. There is no option for the key
    itself: process lists and shell histories would keep it.
    """
    from codat_ar_cli.cli.wizard import Wizard

    session: Session = ctx.obj
    places = {"env": key_env, "file": key_file, "keyring": key_keyring, "command": key_command}
    given = _answers(session, base_url=base_url, places=places, company=company, connection=connection)
    connected = Wizard(session, given, key_from_stdin=key_stdin).run(restart=restart)
    profile, health = connected.profile, connected.health
    payload = {
        **_whoami_payload(session, profile, health, base_url=profile.base_url),
        "schema": "codat-ar/init/1",
        "config": connected.file,
        "is_default": connected.is_default,
    }

    def human() -> None:
        session.console.print(f"Profile {profile.name} is written to {connected.file}.")
        _show_health(session, profile, health)
        chosen = "" if connected.is_default else f" --profile {profile.name}"
        session.console.print(f"Next: codat-ar{chosen} fetch, then codat-ar{chosen} map")

    session.console.result(payload, human)


def whoami(ctx: typer.Context) -> None:
    """Show company, platform, connection, key and quota in use, as they are right now."""
    from codat_ar_cli.flows.setup import examine

    session: Session = ctx.obj
    profile = session.profile

    async def work() -> "Health":
        async with session.client() as client:
            return await examine(client, profile.company_id, profile.connection_id)

    health = session.run_async(work())
    payload = _whoami_payload(session, profile, health, base_url=session.base_url)
    session.console.result(payload, lambda: _show_health(session, profile, health))


@profile_app.command("list")
def list_profiles(ctx: typer.Context) -> None:
    """List the profiles; `*` marks the one in use."""
    session: Session = ctx.obj
    config, chosen = session.config, session.profile_setting.value
    payload = {
        "schema": "codat-ar/profile-list/1",
        "chosen": chosen,
        "default": config.default_profile,
        "profiles": [_profile_payload(session, profile) for profile in config.profiles.values()],
    }

    def human() -> None:
        if not config.profiles:
            session.console.print("no profiles yet: start with `codat-ar init`")
        width = max(map(len, config.profiles), default=0)
        for name, profile in config.profiles.items():
            mark = "*" if name == chosen else " "
            session.console.print(f"{mark} {name:<{width}}  {profile.company_name} ({profile.platform_name})")

    session.console.result(payload, human)


@profile_app.command("show")
def show_profile(
    ctx: typer.Context, name: Annotated[str | None, typer.Argument(help="Default: the one in use.")] = None
) -> None:
    """Show what a profile says; asks nobody. `whoami` asks Codat."""
    session: Session = ctx.obj
    profile = session.config.profile(name) if name is not None else session.profile
    payload = {"schema": "codat-ar/profile-show/1", **_profile_payload(session, profile)}
    session.console.result(payload, lambda: _show_profile(session, profile))


@profile_app.command("use")
def use_profile(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The profile.")]) -> None:
    """Make a profile the default."""
    from codat_ar_cli.config import set_default

    session: Session = ctx.obj
    file = set_default(session.config, name)
    payload = {"schema": "codat-ar/profile-use/1", "default": name, "config": file}
    session.console.result(payload, lambda: session.console.print(f"{name} is the default now ({file})"))
    if session.env.get("CODAT_AR_PROFILE", name) != name:
        session.console.warn(f"CODAT_AR_PROFILE={session.env['CODAT_AR_PROFILE']} still goes before the default")


@profile_app.command("remove")
def remove_profile_command(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The profile.")]) -> None:
    """Remove a profile and its mapping from the config file. The ledger and the key stay."""
    from codat_ar_cli.config import remove_profile

    session: Session = ctx.obj
    profile = session.config.profile(name)
    session.console.confirm(f"Remove profile {name} ({profile.company_name} on {profile.platform_name})?")
    file = remove_profile(session.config, name)
    payload = {"schema": "codat-ar/profile-remove/1", "removed": name, "config": file}
    session.console.result(
        payload, lambda: session.console.print(f"{name} is removed from {file}; ledger and key are untouched")
    )


@config_app.command("explain")
def explain(ctx: typer.Context, key: Annotated[str, typer.Argument(help=", ".join(SETTINGS))]) -> None:
    """Tell what a setting is, where it comes from, and what it goes before."""
    session: Session = ctx.obj
    setting = _setting(session, key)
    value = setting.value and without_login(setting.value)
    overridden = [(origin, without_login(lost)) for origin, lost in setting.overridden]
    payload = {
        "schema": "codat-ar/config-explain/1",
        "key": key,
        "value": value,
        "origin": setting.origin,
        "overridden": [{"origin": origin, "value": lost} for origin, lost in overridden],
    }

    def human() -> None:
        session.console.print(f"{key} = {value or '(not set)'}, from {setting.origin}")
        for origin, lost in overridden:
            session.console.print(f"  goes before {lost}, from {origin}")

    session.console.result(payload, human)


@config_app.callback()
def _config_group() -> None:
    """Explain where a setting comes from."""


def without_login(text: str) -> str:
    """Show an address without the user name and password in it; other text as it is."""
    scheme, separator, rest = text.partition("://")
    _, at, place = rest.rpartition("@")
    return f"{scheme}{separator}…@{place}" if at else text


def _answers(
    session: Session,
    *,
    base_url: str | None,
    places: dict[str, str | None],
    company: str | None,
    connection: str | None,
) -> "Answers":
    from codat_ar_cli.cli.wizard import Answers

    given = [kind for kind, place in places.items() if place]
    if len(given) > 1:
        raise SeveralKeyOptions([f"--key-{kind}" for kind in given])
    kind = given[0] if given else None
    return Answers(
        base_url=base_url,
        key_kind=kind,
        key_place=places[kind] if kind else None,
        company=company,
        connection=connection,
        profile=session.options.profile,
    )


def _setting(session: Session, key: str) -> Setting:
    match key:
        case "profile":
            return session.profile_setting
        case "base_url":
            return session.base_url_setting
        case "state_dir":
            return session.state_dir_setting
        case "ledger_url":
            return session.ledger_setting
        case "key":
            own, used = session.profile.key, session.key_source
            lost = () if own == used else ((f"profile {session.profile.name}", str(own)),)
            origin = f"profile {session.profile.name}" if own == used else "environment"
            return Setting(key, str(used), origin, lost)
        case _:
            raise UnknownSetting(key)


def _profile_payload(session: Session, profile: "Profile") -> dict[str, Any]:
    return {
        "profile": profile.name,
        "company": {"id": profile.company_id, "name": profile.company_name},
        "connection": {"id": profile.connection_id, "platform_key": profile.platform_key},
        "platform": profile.platform_name,
        "base_url": profile.base_url,
        "key": {"source": profile.key.kind, "place": str(profile.key)},
        "is_default": profile.name == session.config.default_profile,
        "config": session.config.origin(f"profiles.{profile.name}"),
        "mapped": {
            slot.value: {
                "default": None if each.default is None else {"id": each.default.id, "name": each.default.name},
                "rules": len(each.rules),
            }
            for slot, each in profile.mapping.slots.items()
        },
        "accepted": profile.mapping.accepted,
        "rates": dict(profile.rates),
    }


def _show_profile(session: Session, profile: "Profile") -> None:
    mapped = [
        (f"  {slot.value}", f"{each.default.name if each.default else '(no default)'}, {len(each.rules)} rules")
        for slot, each in profile.mapping.slots.items()
    ]
    session.console.facts(
        [
            ("profile", profile.name),
            ("company", f"{profile.company_name} ({profile.company_id})"),
            ("platform", f"{profile.platform_name} ({profile.platform_key})"),
            ("connection", profile.connection_id),
            ("API", profile.base_url),
            ("key", str(profile.key)),
            ("config", str(session.config.origin(f"profiles.{profile.name}"))),
            ("accepted", ", ".join(sorted(profile.mapping.accepted)) or None),
            ("mapping", "none yet: `codat-ar map`" if not mapped else ""),
            *mapped,
        ]
    )


def _whoami_payload(session: Session, profile: "Profile", health: "Health", *, base_url: str) -> dict[str, Any]:
    from codat_ar_cli.secrets import effective_source

    source, info, fault = effective_source(profile.key, session.env), health.info, health.fault
    return {
        "schema": "codat-ar/whoami/1",
        "profile": profile.name,
        "client": health.client_name,
        "company": {"id": health.company.id, "name": health.company.name},
        "connection": {
            "id": health.connection.id,
            "platform_key": health.connection.platform_key,
            "status": health.connection.status,
            "last_sync": health.connection.last_sync,
            "usable": fault is None,
            "reason": None if fault is None else {"code": fault.code, "message": fault.message, "hint": fault.hint},
        },
        "platform": health.connection.platform_name,
        "base_url": base_url,
        "proxy": health.proxy,
        "key": {"source": source.kind, "place": str(source)},
        "base_currency": info.base_currency if info else None,
        "ledger_lock_date": info.ledger_lock_date if info else None,
        "quota": {"limit": health.quota_limit, "remaining": health.quota_remaining, "reset": health.quota_reset},
    }


def _show_health(session: Session, profile: "Profile", health: "Health") -> None:
    from codat_ar_cli.secrets import effective_source

    connection, info = health.connection, health.info
    session.console.facts(
        [
            ("profile", profile.name),
            ("company", f"{health.company.name} ({health.company.id})"),
            ("platform", f"{connection.platform_name} ({connection.platform_key})"),
            ("connection", f"{connection.status} ({connection.id})"),
            ("last sync", f"{connection.last_sync:%Y-%m-%d %H:%M} UTC" if connection.last_sync else None),
            ("base currency", (info.base_currency if info else None) or "not known yet: `codat-ar fetch --refresh`"),
            ("locked until", str(info.ledger_lock_date) if info and info.ledger_lock_date else None),
            ("Codat client", health.client_name),
            ("key", str(effective_source(profile.key, session.env))),
            ("proxy", health.proxy),
            ("quota today", _quota(health)),
        ]
    )
    if health.fault is not None:
        session.console.warn(f"{health.fault.message}; nothing can be pushed")
        session.console.warn(f"to repair it, {health.fault.hint}")


def _quota(health: "Health") -> str:
    if health.quota_remaining is None:
        return "not told"
    of = f" of {health.quota_limit:,}" if health.quota_limit is not None else ""
    reset = f", new at {health.quota_reset:%H:%M} UTC" if health.quota_reset else ""
    return f"{health.quota_remaining:,} requests left{of}{reset}"
