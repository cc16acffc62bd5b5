"""`codat-ar map`: say which accounts, tax rates and items documents go to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codat_ar_cli.cli.session import Session
from codat_ar_cli.errors import ExitCode

if TYPE_CHECKING:
    from codat_ar_cli.domain.mapping import Mapping
    from codat_ar_cli.domain.platforms import PlatformRules
    from codat_ar_cli.domain.types import ReferenceData
    from codat_ar_cli.flows.answers import Condition

app = typer.Typer(
    help="Say which accounts, tax rates and items documents go to.\n\nWithout a command: ask, one question at a time.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

_WHEN = typer.Option("--when", metavar="COLUMN=VALUE", help="Only for rows with this value; may be repeated.")
_FILE = typer.Option("--file", "-f", metavar="FILE", help="An invoices or payments file: ask about its values too.")
_SLOT = typer.Argument(metavar="SLOT", help="bank-account, income-account, item, tax-rate, tracking, …")


@app.callback()
def wizard(
    ctx: typer.Context,
    file: Annotated[Path | None, _FILE] = None,
    revisit: Annotated[bool, typer.Option("--all", help="Ask again what is answered already.")] = False,
) -> None:
    """Ask which accounts, tax rates and items documents go to, best candidates first; each answer is kept at once."""
    if ctx.invoked_subcommand is not None:
        return
    from codat_ar_cli.cli.questions import hold_conversation

    raise typer.Exit(hold_conversation(ctx.obj, file=file, revisit=revisit))


@app.command("show")
def show_all(ctx: typer.Context) -> None:
    """Show all answers, and what is wrong with them today."""
    session: Session = ctx.obj
    show_mapping(session, session.profile.mapping)


@app.command("set")
def set_slot(
    ctx: typer.Context,
    slot: Annotated[str, _SLOT],
    record: Annotated[str, typer.Argument(metavar="ID|CODE|NAME", help="The record, as the books have it.")],
    when: Annotated[list[str] | None, _WHEN] = None,
) -> None:
    """Answer one slot, for all rows or only for some.

    Without --when: the slot's default. With it: a rule, tried before the default.
    """
    session: Session = ctx.obj
    from codat_ar_cli.flows import answers

    reference, platform = books(session)
    wanted, condition = answers.slot_named(slot), answers.read_condition(when or ())
    target = answers.find_target(wanted, record, reference, platform)
    mapping = answers.set_answer(session.profile.mapping, wanted, condition, target)
    save(session, mapping)
    show_mapping(session, mapping, f"{wanted.label}: {target} ({target.id})" + _for(condition))


@app.command("unset")
def unset_slot(
    ctx: typer.Context, slot: Annotated[str, _SLOT], when: Annotated[list[str] | None, _WHEN] = None
) -> None:
    """Take an answer back.

    Without --when: the slot's default. With it: the rule of that condition.
    """
    session: Session = ctx.obj
    from codat_ar_cli.flows import answers

    wanted, condition = answers.slot_named(slot), answers.read_condition(when or ())
    mapping = answers.unset_answer(session.profile.mapping, wanted, condition)
    save(session, mapping)
    show_mapping(session, mapping, f"{wanted.label}: no longer mapped" + _for(condition))


@app.command()
def check(ctx: typer.Context) -> None:
    """Compare all answers with the books.

    Tells what is missing, gone, deleted, archived or renamed, and whether the cache is old. Findings exit 3, save
    notes.
    """
    session: Session = ctx.obj
    from codat_ar_cli.cli.show import show
    from codat_ar_cli.flows import answers
    from codat_ar_cli.reports import views
    from codat_ar_cli.reports.model import Report

    reference, platform = books(session)
    found = answers.check(session.profile.mapping, reference, platform, now=session.clock())
    table = views.findings(found, empty="The mapping is complete, and everything in it is in the books.")
    show(session.console, Report("map-check", "", (table,)), schema="codat-ar/map-check/1", **session.whose)
    raise typer.Exit(ExitCode.FINDINGS if answers.needs_attention(found) else ExitCode.DONE)


@app.command()
def suggest(
    ctx: typer.Context,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take the best candidate wherever it is the only good one.")
    ] = False,
    file: Annotated[Path | None, _FILE] = None,
) -> None:
    """Show what needs no choice, and what does.

    With --accept, what needs none is mapped, and the exit code is 3 if something that must be mapped is still open.
    """
    session: Session = ctx.obj
    from codat_ar_cli.cli.show import show
    from codat_ar_cli.domain.mapping import suggest
    from codat_ar_cli.flows.answers import undecided
    from codat_ar_cli.flows.choose import read_rows
    from codat_ar_cli.reports.mapping import suggestions

    reference, platform = books(session)
    rows = [row.cells for row in read_rows(file)] if file else ()
    found = suggest(session.profile.mapping, reference, platform, rows)
    mapping = found.applied_to(session.profile.mapping) if accept else session.profile.mapping
    if accept:
        save(session, mapping)
    show(session.console, suggestions(found), schema="codat-ar/map-suggest/1", accepted=accept, **session.whose)
    must_choose = accept and undecided(mapping, reference, platform)
    raise typer.Exit(ExitCode.FINDINGS if must_choose else ExitCode.DONE)


@app.command()
def accept(
    ctx: typer.Context, names: Annotated[list[str], typer.Argument(metavar="NAME...", help="invoices.issueDate, …")]
) -> None:
    """Accept limits of the platform for good.

    What it can't take is then left out of documents, which are no longer held for it.
    """
    session: Session = ctx.obj
    from codat_ar_cli.flows import answers

    mapping = answers.accept(session.profile.mapping, names)
    save(session, mapping)
    show_mapping(session, mapping, f"accepted: {', '.join(names)}")


@app.command()
def unaccept(
    ctx: typer.Context, names: Annotated[list[str], typer.Argument(metavar="NAME...", help="invoices.issueDate, …")]
) -> None:
    """No longer accept limits of the platform."""
    session: Session = ctx.obj
    from codat_ar_cli.flows import answers

    mapping = answers.unaccept(session.profile.mapping, names)
    save(session, mapping)
    show_mapping(session, mapping, f"no longer accepted: {', '.join(names)}")


def books(session: Session, *, needed: bool = True) -> "tuple[ReferenceData, PlatformRules]":
    """Give the cached reference data and the platform's rules. Raises NotFetched where accounts are needed."""
    from codat_ar_cli.domain.platforms import rules_for
    from codat_ar_cli.domain.types import DataType
    from codat_ar_cli.flows.reference import require_reference

    profile = session.profile
    reference = require_reference(
        session.ledger,
        company=profile.company_id,
        connection=profile.connection_id,
        needed=frozenset({DataType.ACCOUNTS}) if needed else frozenset(),
    )
    return reference, rules_for(profile.platform_key)


def save(session: Session, mapping: "Mapping") -> None:
    """Write the mapping into the file that the profile was taken from."""
    from codat_ar_cli.config import save_mapping

    profile, config = session.profile, session.config
    save_mapping(config.origin(f"profiles.{profile.name}") or config.path, profile.name, mapping)
    session.forget_config()


def show_mapping(session: Session, mapping: "Mapping", said: str | None = None) -> None:
    """Show a mapping; people get only the sentence `said` where there is one."""
    from codat_ar_cli.cli.show import drawn
    from codat_ar_cli.domain.mapping import check_mapping, slots_for
    from codat_ar_cli.reports import mapping as views
    from codat_ar_cli.reports.render import to_json

    reference, platform = books(session, needed=False)
    found = check_mapping(mapping, reference, platform) if reference.fetched else ()
    report = views.mapping(mapping, found, slots_for(platform, reference))
    payload = {
        "schema": "codat-ar/map/1",
        **session.whose,
        "mapping": views.machine_mapping(mapping),
        "accepted": sorted(mapping.accepted),
        "findings": to_json(report)["tables"].get("findings", []),
    }
    console = session.console
    console.result(payload, lambda: console.print(said or drawn(console, report)))


def _for(condition: "Condition") -> str:
    from codat_ar_cli.flows.answers import show_condition

    return f", where {show_condition(condition)}" if condition else ""
