"""Questions on the terminal: the only place that knows questionary."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from codat_ar_cli.cli.text import harmless

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One answer to choose from."""

    value: T
    title: str
    note: str | None = None
    """Why it is offered, or what sets it apart; shown after the title."""
    disabled: str | None = None
    """Why it can't be chosen; it is shown all the same, so that nobody looks for it in vain."""


class Prompts(Protocol):
    """Who answers: a person at the terminal, or a test."""

    def select(self, question: str, choices: Sequence[Choice[Any]], default: Any | None) -> Any:
        """Let one be chosen; gives its value."""

    def text(self, question: str, default: str) -> str:
        """Ask for a line of text."""

    def secret(self, question: str) -> str:
        """Ask for text that is not shown while typed."""

    def confirm(self, question: str, default: bool) -> bool:
        """Ask yes or no."""


class TerminalPrompts:
    """Ask on stderr through questionary, so that stdout stays the result; Ctrl-C and Ctrl-D interrupt."""

    def select(self, question: str, choices: Sequence[Choice[Any]], default: Any | None) -> Any:
        """Let one be chosen with the arrow keys or by typing part of its title."""
        import questionary

        # Values are positions: questionary compares titles and values, and ours may be any object.
        shown = [
            questionary.Choice(title=_title(choice), value=number, disabled=choice.disabled)
            for number, choice in enumerate(choices)
        ]
        start = next((shown[number] for number, choice in enumerate(choices) if choice.value == default), None)
        asked = questionary.select(
            harmless(question),
            choices=shown,
            default=start if default is not None else None,
            use_search_filter=len(choices) > 7,
            use_jk_keys=False,
            instruction="(arrows; type to filter)" if len(choices) > 7 else "(arrows)",
            **_on_stderr(),
        )
        return choices[_answer(asked)].value

    def text(self, question: str, default: str) -> str:
        """Ask for a line of text, with a default to accept or edit."""
        import questionary

        return str(_answer(questionary.text(harmless(question), default=default, **_on_stderr()))).strip()

    def secret(self, question: str) -> str:
        """Ask for text that is shown as stars."""
        import questionary

        return str(_answer(questionary.password(harmless(question), **_on_stderr()))).strip()

    def confirm(self, question: str, default: bool) -> bool:
        """Ask yes or no."""
        import questionary

        return bool(_answer(questionary.confirm(harmless(question), default=default, **_on_stderr())))


def _title(choice: Choice[Any]) -> str:
    return harmless(f"{choice.title}  ({choice.note})" if choice.note else choice.title)


def _on_stderr() -> dict[str, Any]:
    from prompt_toolkit.output import create_output

    return {"output": create_output(stdout=sys.stderr)}


def _answer(question: Any) -> Any:
    try:
        return question.unsafe_ask()
    except EOFError:
        raise KeyboardInterrupt from None
