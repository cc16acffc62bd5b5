"""The mapping as reports: what is answered, what is suggested, what can't be chosen."""

from collections.abc import Iterable, Mapping, Sequence

from codat_ar_cli.domain.findings import Finding
from codat_ar_cli.domain.mapping import Candidate, Rule, Slot, Suggestions, Target
from codat_ar_cli.domain.mapping import Mapping as SlotAnswers
from codat_ar_cli.reports import views
from codat_ar_cli.reports.model import Cell, Column, Kind, Report, Shown, Table

_SLOT = Column("slot", "Slot", shown=Shown.MACHINES)
_LABEL = Column("label", "What for", shown=Shown.PEOPLE)
_ID = Column("id", "Id", Kind.ID, Shown.WIDE)
_NAME = Column("name", "Name")
_CODE = Column("code", "Code")
_ANY = "any other row"
_ALWAYS = "every row"


def mapping(answers: SlotAnswers, found: Iterable[Finding], slots: Sequence[Slot]) -> Report:
    """Show every answer in the order in which it is tried, what is still open, and the limits accepted.

    slots: those that matter for this company; others are shown only where they are answered.
    """
    rows: list[tuple[Cell, ...]] = []
    for slot in (*slots, *(slot for slot in Slot if slot not in slots)):
        answer = answers.slot(slot)
        rows += [_answer(slot, _condition(rule), rule.target) for rule in answer.rules]
        if answer.default is not None:
            rows.append(_answer(slot, _ANY if answer.rules else _ALWAYS, answer.default))
        elif slot in slots:
            rows.append((slot.value, slot.label, None, "not mapped", None, None))
    columns = (_SLOT, _LABEL, Column("when", "When"), _NAME, _CODE, _ID)
    tables = [Table("mapping", columns, tuple(rows))]
    if answers.accepted:
        accepted = tuple((name,) for name in sorted(answers.accepted))
        tables.append(Table("accepted", (Column("name", "Accepted limit"),), accepted))
    noted = list(found)
    if noted:
        tables.append(views.findings(noted, title="To look at"))
    return Report("mapping", "", tuple(tables))


def machine_mapping(answers: SlotAnswers) -> list[dict[str, object]]:
    """Give the mapping for `--json`: per answered slot its default and its rules, conditions taken apart."""
    return [
        {
            "slot": slot.value,
            "default": _target(answer.default) if answer.default else None,
            "rules": [
                {"when": {column: list(values) for column, values in rule.when}, "target": _target(rule.target)}
                for rule in answer.rules
            ],
        }
        for slot, answer in ((slot, answers.slot(slot)) for slot in Slot)
        if answer.default is not None or answer.rules
    ]


def suggestions(found: Suggestions) -> Report:
    """Show what needs no choice, with its reason, and what does, with the candidates."""
    taken: list[tuple[Cell, ...]] = [
        (slot.value, slot.label, None, *_named(candidate), candidate.reason)
        for slot, candidate in found.defaults.items()
    ]
    taken += [
        (slot.value, slot.label, _condition(rule), *_named(candidate), candidate.reason)
        for slot, rule, candidate in found.rules
    ]
    columns = (_SLOT, _LABEL, Column("when", "When"), _NAME, _CODE, _ID, Column("reason", "Why"))
    return Report(
        "suggestions",
        "",
        (
            Table("suggested", columns, tuple(taken), title="The only good candidate", empty="none"),
            _undecided(found.undecided),
        ),
    )


def excluded(slot: Slot, candidates: Sequence[Candidate]) -> Table:
    """Show the records that can't answer a slot, each with its reason."""
    columns = (_NAME, _CODE, Column("reason", "Why not"), Column("id", "Id", Kind.ID, shown=Shown.WIDE))
    rows = tuple((each.target.name, each.target.code, each.excluded, each.target.id) for each in candidates)
    return Table("excluded", columns, rows, title=f"What can't be the {slot.label}")


_SHOWN_CANDIDATES = 3


def _undecided(open_slots: Mapping[Slot, Sequence[Candidate]]) -> Table:
    columns = (_SLOT, _LABEL, Column("name", "Could be"), _CODE, _ID, Column("reason", "Why"))
    rows: list[tuple[Cell, ...]] = []
    for slot, usable in open_slots.items():
        if not usable:
            rows.append((slot.value, slot.label, "nothing usable in the books", None, None, None))
        rows += [(slot.value, slot.label, *_named(each), each.reason) for each in usable[:_SHOWN_CANDIDATES]]
        if len(usable) > _SHOWN_CANDIDATES:
            more = f"and {len(usable) - _SHOWN_CANDIDATES:,} more"
            rows.append((slot.value, slot.label, more, None, None, None))
    return Table("undecided", columns, tuple(rows), title="To be chosen with `codat-ar map`", empty="nothing")


def _answer(slot: Slot, when: str, target: Target) -> tuple[Cell, ...]:
    return (slot.value, slot.label, when, target.name, target.code, target.id)


def _named(candidate: Candidate) -> tuple[Cell, Cell, Cell]:
    return (candidate.target.name, candidate.target.code, candidate.target.id)


def _condition(rule: Rule) -> str:
    return " and ".join(f"{column} = {' or '.join(values)}" for column, values in rule.when)


def _target(target: Target) -> dict[str, object]:
    return {"id": target.id, "name": target.name, "code": target.code}
