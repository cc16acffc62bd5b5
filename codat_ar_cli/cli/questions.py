"""The mapping conversation at the terminal: shows each question with its candidates, keeps each answer at once."""

from dataclasses import dataclass
from pathlib import Path

from codat_ar_cli.cli.fetch import run_fetch
from codat_ar_cli.cli.mapping import books, save, show_mapping
from codat_ar_cli.cli.prompts import Choice
from codat_ar_cli.cli.session import Session
from codat_ar_cli.cli.show import drawn
from codat_ar_cli.domain.mapping import Candidate, Target, fold
from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.types import ReferenceData
from codat_ar_cli.errors import ExitCode
from codat_ar_cli.flows.answers import undecided
from codat_ar_cli.flows.choose import Asking, Conversation, choose, read_rows
from codat_ar_cli.flows.reference import NotFetched
from codat_ar_cli.reports.mapping import excluded
from codat_ar_cli.reports.model import Report
from codat_ar_cli.reports.render import wrap

SHOWN_DISABLED = 3
"""Up to so many records that can't be chosen stand in the list itself; more are shown on request."""
TOO_MANY = 200
"""Above this only the best are listed, and the rest is searched: a longer list is slow to draw and to read."""
BEST = 15
"""How many are listed then; with the question they fit a terminal of 24 lines."""
_CURSOR = 4
"""Columns that the list puts before a title."""


@dataclass(frozen=True, slots=True)
class _Command:
    """A line of the list that is no record."""

    name: str


_LEAVE = _Command("leave")
_WHY_NOT = _Command("why-not")
_SEARCH = _Command("search")


def hold_conversation(session: Session, *, file: Path | None, revisit: bool) -> ExitCode:
    """Ask what is open, show the mapping that results; FINDINGS while something that must be answered is not."""
    reference, platform = _books(session)
    profile, console = session.profile, session.console
    rows = read_rows(file) if file else ()
    console.note(f"Mapping of {profile.company_name} on {profile.platform_name}.")
    console.note("Each answer is kept at once. Ctrl-C stops; `codat-ar map` goes on from there.")
    talk = choose(
        profile.mapping,
        reference,
        platform,
        ask=Asker(session),
        save=lambda mapping: save(session, mapping),
        rows=rows,
        source=file.name if file else "",
        revisit=revisit,
    )
    _sum_up(session, talk)
    return ExitCode.FINDINGS if undecided(talk.mapping, reference, platform) else ExitCode.DONE


class Asker:
    """Puts one question of the conversation to the person at the terminal."""

    def __init__(self, session: Session) -> None:
        self._console = session.console

    def __call__(self, asking: Asking) -> Target | None:
        """Give the chosen record; None to leave the question open. Raises NeedsAnswer where nobody can be asked."""
        for words in (asking.background, asking.remark):
            if words:
                self._console.note(wrap(words, self._console.width))
        offers = _listed(asking.offers)
        while True:
            chosen = self._console.choose(
                asking.text,
                self._choices(asking, offers),
                option_name=_option(asking),
                default=self._default(asking, offers),
            )
            if isinstance(chosen, Target):
                return chosen
            if chosen is _LEAVE:
                return None
            if chosen is _WHY_NOT:
                table = Report("excluded", "", (excluded(asking.slot, asking.excluded),))
                self._console.note(drawn(self._console, table))
            else:
                offers = self._found(asking) or offers

    def _found(self, asking: Asking) -> tuple[Candidate, ...]:
        part = self._console.ask_text("A part of the name, code or id", option_name=_option(asking))
        found = tuple(each for each in asking.offers if fold(part) in fold(f"{each.target} {each.target.id}"))
        listed = _listed(found)
        if len(listed) < len(found):
            self._console.note(f"{len(found):,} fit `{part}`; the best {len(listed)} are listed.")
        elif not found:
            self._console.note(f"None has `{part}` in its name, code or id.")
        return listed

    def _choices(self, asking: Asking, offers: tuple[Candidate, ...]) -> list[Choice[Target | _Command]]:
        leave: Choice[Target | _Command] = Choice(_LEAVE, _leaving(asking))
        choices = [self._offer(each) for each in offers]
        if len(offers) < len(asking.offers):
            choices.append(Choice(_SEARCH, f"Search all {len(asking.offers):,}"))
        choices.insert(0 if asking.best_left_open else len(choices), leave)
        if len(asking.excluded) > SHOWN_DISABLED:
            choices.append(Choice(_WHY_NOT, f"Show the {len(asking.excluded):,} that can't be chosen, and why"))
        else:
            choices += [Choice(each.target, _title(each.target), disabled=each.excluded) for each in asking.excluded]
        return choices

    def _offer(self, each: Candidate) -> Choice[Target | _Command]:
        title = _title(each.target)
        note = "; ".join(part for part in (each.details, each.reason) if part)
        room = self._console.width - _CURSOR - len(title) - len("  ()") - 1
        if len(note) > room:
            note = note[: room - 1] + "…" if room > len("bank…") else ""
        return Choice(each.target, title, note=note or None)

    def _default(self, asking: Asking, offers: tuple[Candidate, ...]) -> Target | None:
        current = asking.current.id if asking.current else None
        return next((each.target for each in offers if each.target.id == current), None)


def _option(asking: Asking) -> str:
    return f"`codat-ar map set {asking.slot.option_name} ID`"


def _listed(offers: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    return offers[:BEST] if len(offers) > TOO_MANY else offers


def _title(target: Target) -> str:
    """Code and name; the name alone where it holds the code, as names of tax rates do."""
    return target.name if target.code and target.code in target.name else str(target)


def _leaving(asking: Asking) -> str:
    if asking.current is not None:
        return f"Leave it as it is: {_title(asking.current)}"
    if asking.required:
        return "Leave it open for now (needed before anything can be pushed)"
    return "Leave it open"


def _books(session: Session) -> tuple[ReferenceData, PlatformRules]:
    """Give the cached books; where there are none, offer to fetch them first."""
    try:
        return books(session)
    except NotFetched:
        if not session.console.is_interactive:
            raise
        session.console.confirm(
            f"Nothing is known yet of {session.profile.company_name}'s accounts. Read them from Codat now?",
            option_name="`codat-ar fetch`",
        )
        run_fetch(session, (), refresh=False, diff=False, wait=1)
        return books(session)


def _sum_up(session: Session, talk: Conversation) -> None:
    console = session.console
    for asking in (each for each in talk.without_choice if each.required):
        console.warn(f"{asking.text} Nothing in the books can be chosen.")
        if asking.excluded:
            table = Report("excluded", "", (excluded(asking.slot, asking.excluded),))
            console.note(drawn(console, table))
    if not talk.answered and not talk.left_open:
        console.note("Everything is answered already; `codat-ar map --all` asks again.")
    unmapped = sum(1 for asking in talk.left_open if asking.value is not None)
    if unmapped:
        values = "1 value" if unmapped == 1 else f"{unmapped:,} values"
        console.note(f"{values} of the file left open: documents with them will be held until they are mapped.")
    show_mapping(session, talk.mapping)
