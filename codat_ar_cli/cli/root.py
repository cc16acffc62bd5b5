"""The command tree and the global options. A command's module is imported only when that command is used."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from codat_ar_cli import __version__
from codat_ar_cli.cli.session import Options


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a command lives: a function, or a `typer.Typer`, by module and name."""

    module: str
    attribute: str
    help: str


COMMANDS: dict[str, _Entry] = {
    "init": _Entry("setup", "init", "Connect a company: ask what is needed, write a profile, check it."),
    "whoami": _Entry("setup", "whoami", "Show company, platform, connection, key and quota in use."),
    "profile": _Entry("setup", "profile_app", "List, show, choose and remove profiles."),
    "config": _Entry("setup", "config_app", "Explain where a setting comes from."),
    "fetch": _Entry("fetch", "fetch", "Read reference data from Codat into the local cache."),
    "map": _Entry("mapping", "app", "Say which accounts, tax rates and items documents go to."),
    "push": _Entry("push", "app", "Create invoices and payments from a file, each exactly once."),
    "settle": _Entry("settle", "settle", "Find out what became of documents in doubt."),
    "runs": _Entry("runs", "app", "Look at past runs and their documents."),
    "sandbox": _Entry("sandbox", "app", "Run a local stand-in for Codat's API."),
    "demo": _Entry("demo", "demo", "See the whole road on invented data, on this machine only."),
}

_HELP = """Accounts receivable through Codat: invoices and payments into the books, nothing twice, lost or guessed.

Start with `codat-ar demo` (invented data, this machine only) or `codat-ar init` (your company).
"""
_EPILOG = "Global options may stand before or after the command. Exit codes: docs/exit-codes.md."


def _set(name: str, *, largest: bool = False) -> Callable[[Any, Any, Any], Any]:
    def record(ctx: Any, _param: Any, value: Any) -> Any:
        options = ctx.find_root().obj.options
        if value:  # an option that was not typed here must not undo one typed before the command
            setattr(options, name, max(getattr(options, name), value) if largest else value)
        return value

    return record


def _flag(*names: str, field: str, help: str) -> TyperOption:
    return TyperOption(
        param_decls=[*names], is_flag=True, default=False, expose_value=False, callback=_set(field), help=help
    )


def _value(name: str, *, field: str, kind: type, metavar: str, help: str) -> TyperOption:
    return TyperOption(
        param_decls=[name], type=kind, metavar=metavar, expose_value=False, callback=_set(field), help=help
    )


def _path(name: str, *, field: str, metavar: str, help: str) -> TyperOption:
    return TyperOption(
        param_decls=[name],
        type=str,
        metavar=metavar,
        expose_value=False,
        callback=lambda ctx, param, value: _set(field)(ctx, param, Path(value) if value else None),
        help=help,
    )


def global_options() -> list[TyperOption]:
    """Make the options that every command takes, before or after its name (fresh objects, one set a command)."""
    return [
        _value("--profile", field="profile", kind=str, metavar="NAME", help="The profile to use."),
        _path("--config", field="config", metavar="FILE", help="The config file to use, and no other."),
        _path("--state-dir", field="state_dir", metavar="DIR", help="Where ledger, cache and reports live."),
        _value("--expect-company", field="expect_company", kind=str, metavar="ID", help="Refuse any other company."),
        _flag("--json", field="json", help="Write one JSON object to stdout, at the end."),
        _flag("--yes", "-y", field="yes", help="Answer yes to confirmations."),
        _flag("--no-input", field="no_input", help="Never ask; say which option is missing."),
        _flag("--quiet", "-q", field="quiet", help="No notes, no progress."),
        TyperOption(
            param_decls=["--verbose", "-v"],
            type=int,
            count=True,
            default=0,
            expose_value=False,
            callback=_set("verbose", largest=True),
            help="More notes; twice for requests.",
        ),
    ]


class LazyGroup(TyperGroup):
    """The root: knows names and one-line helps, and loads a command when it is called."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Give the command names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """Load a command with the global options added; None for an unknown name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = _load(cmd_name, entry)
        return self.commands[cmd_name]

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """List the commands from the table, loading none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find the command to run; an unknown name is a usage error with the nearest known one."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)


def _load(name: str, entry: _Entry) -> TyperCommand | TyperGroup:
    from importlib import import_module

    from typer.main import get_command

    found = getattr(import_module(f"codat_ar_cli.cli.{entry.module}"), entry.attribute)
    if not isinstance(found, typer.Typer):
        app = typer.Typer(rich_markup_mode=None, add_completion=False)
        app.command(name)(found)
        found = app
    found.rich_markup_mode = None
    found._add_completion = False
    command: Any = get_command(found)
    command.name = name
    _add_global_options(command)
    return command  # type: ignore[no-any-return]


def _add_global_options(command: Any) -> None:
    """Give a command and all below it the global options; one that it defines itself keeps its meaning there."""
    taken = {name for param in command.params for name in param.opts}
    command.params.extend(option for option in global_options() if not taken.intersection(option.opts))
    for child in getattr(command, "commands", {}).values():
        _add_global_options(child)


def _show_version(ctx: typer.Context, _param: Any, value: bool) -> None:
    if value:
        ctx.obj.console.print(f"codat-ar {__version__}")
        ctx.exit()


def build() -> LazyGroup:
    """Make the command tree. It runs with a `Session` as its context object."""
    version = TyperOption(
        param_decls=["--version"],
        is_flag=True,
        default=False,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Show the version and exit.",
    )
    return LazyGroup(
        name="codat-ar",
        params=[*global_options(), version],
        help=_HELP,
        epilog=_EPILOG,
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["--help", "-h"]},
    )


__all__ = ["COMMANDS", "LazyGroup", "Options", "build", "global_options"]
