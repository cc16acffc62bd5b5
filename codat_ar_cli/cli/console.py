"""The only writer to the terminal: results on stdout; progress, notes, questions and errors on stderr."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from codat_ar_cli.cli.streams import Outlet
from codat_ar_cli.cli.text import harmless, jsonable
from codat_ar_cli.errors import CodatArError, ExitCode

if TYPE_CHECKING:
    from codat_ar_cli.cli.prompts import Choice, Prompts

DEFAULT_WIDTH = 80


class NeedsAnswer(CodatArError):
    """A question has no answer and nobody to ask: no terminal, or `--no-input`."""

    code = "input.needed"

    def __init__(self, question: str, *, option: str) -> None:
        super().__init__(
            f"no answer to `{question}`, and no terminal to ask at",
            hint=f"say it with {option}",
            details={"question": question, "option": option},
        )


class NotConfirmed(CodatArError):
    """The answer was no; nothing was done."""

    code = "input.not-confirmed"
    exit_code = ExitCode.NOT_APPROVED

    def __init__(self, question: str) -> None:
        super().__init__(
            f"answered no to `{question}`; nothing was done", hint="run the command again to be asked again"
        )


class OutputLost(CodatArError):
    """The result could not be written to stdout; what the command did is done all the same."""

    code = "output.lost"
    exit_code = ExitCode.UNFINISHED

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"the result could not be written to stdout: {error.strerror or error}",
            hint="make room, or choose another place, and run the same command again; nothing is sent twice",
        )


class Progress:
    """How far something is; does nothing where nobody watches."""

    def advance(self, steps: int = 1) -> None:
        """Count steps as done."""

    def show(self, label: str | None = None, *, completed: int | None = None, total: int | None = None) -> None:
        """Change the label, the steps done, or how many there are."""


class Console:
    """What this invocation may write, and where; who may be asked."""

    def __init__(
        self,
        *,
        json: bool = False,
        quiet: bool = False,
        verbose: int = 0,
        no_input: bool = False,
        yes: bool = False,
        env: Mapping[str, str] | None = None,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        prompts: "Prompts | None" = None,
    ) -> None:
        self.json = json
        self.quiet = quiet
        self.verbose = verbose
        self.yes = yes
        self._no_input = no_input
        self._env = os.environ if env is None else env
        self._in = stdin or sys.stdin
        self._out = Outlet(stdout or sys.stdout)
        self._err = Outlet(stderr or sys.stderr)
        self._prompts = prompts

    def result(self, payload: Mapping[str, Any], human: Callable[[], None]) -> None:
        """Show a command's one result: `payload` as the only JSON object under `--json`, else by calling `human`.

        `payload` names its `schema` (`codat-ar/COMMAND/1`); Decimals in it are written as strings.
        """
        if self.json:
            self._write_json(payload)
        else:
            human()

    def print(self, text: str = "") -> None:
        """Write a line of the human result: stdout, or stderr when stdout belongs to JSON."""
        self._line(self._err if self.json else self._out, text)

    def facts(self, pairs: Sequence[tuple[str, str | None]]) -> None:
        """Write aligned `label  value` lines, long values folded; pairs without a value are left out."""
        from codat_ar_cli.reports.grid import fold

        width = max((len(label) for label, _ in pairs), default=0)
        room = max(self.width - width - 2, DEFAULT_WIDTH // 4)
        for label, value in pairs:
            if value is not None:
                for number, line in enumerate(fold(value, room)):
                    self.print(f"{'' if number else label:<{width}}  {line}")

    def note(self, text: str) -> None:
        """Say something worth knowing; silent under `--quiet`."""
        if not self.quiet:
            self._tell(text)

    def detail(self, text: str) -> None:
        """Say something only `--verbose` wants."""
        if self.verbose and not self.quiet:
            self._tell(text)

    def warn(self, text: str) -> None:
        """Say something that may need action; `--quiet` does not silence it."""
        self._tell(f"warning: {text}")

    def error(self, error: CodatArError) -> None:
        """Report the error that ends the command: an `error` object under `--json`, else words on stderr."""
        self.failure(error.code, error.message, hint=error.hint, details=error.details)

    def failure(
        self, code: str, message: str, *, hint: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        """Report a failure that is not a CodatArError, such as wrong usage, in the same form."""
        if self.json:
            error = {"code": code, "message": message, "hint": hint, "details": details or {}}
            self._write_json({"schema": "codat-ar/error/1", "error": error})
            return
        self._tell(f"error: {message}  [{code}]")
        problems = (details or {}).get("problems", ())
        for problem in problems if isinstance(problems, list | tuple) and len(problems) > 1 else ():
            self._tell(f"  - {problem['key']}: {problem['text']}")
        if hint:
            self._tell(f"  hint: {hint}")

    @contextmanager
    def progress(self, total: int | None, label: str) -> Iterator[Progress]:
        """Show a bar on stderr while the block runs, if a person watches; `total` None: it is not known."""
        if self.quiet or not self._err.isatty():
            yield Progress()
            return
        from codat_ar_cli.cli.progress import bar

        with bar(self._err, total, label, width=self.width, is_plain=bool(self._env.get("NO_COLOR"))) as shown:
            yield shown

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can be asked: a terminal on stdin and stderr, and no `--no-input`."""
        if self._no_input:
            return False
        return self._prompts is not None or (self._in.isatty() and self._err.isatty())

    def confirm(self, question: str, *, yes: bool = False, no_input: bool = False, option_name: str = "--yes") -> None:
        """Go on only after a yes: from `--yes`, else from a person; the default answer is no.

        Raises NeedsAnswer when there is nobody to ask, NotConfirmed (exit 6) when the answer is no.
        """
        if yes or self.yes:
            return
        if not self._asker(question, option_name, no_input=no_input).confirm(question, default=False):
            raise NotConfirmed(question)

    def ask_text(self, question: str, *, option_name: str, default: str = "") -> str:
        """Ask for a line of text; raises NeedsAnswer."""
        return self._asker(question, option_name).text(question, default)

    def ask_secret(self, question: str, *, option_name: str) -> str:
        """Ask for a secret, hidden while typed; raises NeedsAnswer."""
        return self._asker(question, option_name).secret(question)

    def choose(
        self, question: str, choices: "Sequence[Choice[Any]]", *, option_name: str, default: Any | None = None
    ) -> Any:
        """Let one of `choices` be chosen (type to filter); gives its value. Raises NeedsAnswer."""
        return self._asker(question, option_name).select(question, choices, default)

    def _asker(self, question: str, option: str, *, no_input: bool = False) -> "Prompts":
        if no_input or not self.is_interactive:
            raise NeedsAnswer(question, option=option)
        if self._prompts is None:
            from codat_ar_cli.cli.prompts import TerminalPrompts

            self._prompts = TerminalPrompts()
        return self._prompts

    @property
    def is_unicode(self) -> bool:
        """Whether stdout takes every character; lines and boxes are drawn in ASCII where it does not."""
        return self._out.encoding.lower().replace("-", "").startswith("utf")

    @property
    def width(self) -> int:
        """How many columns a line may have: the terminal's, else COLUMNS, else 80."""
        import shutil

        return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns

    def finish(self) -> OutputLost | None:
        """Hand over what is still held back; give the error, already told, when stdout did not take the result."""
        self._out.flush()
        lost = None if self._out.lost is None or self._out.reader_left else OutputLost(self._out.lost)
        if lost is not None:
            self._tell(f"error: {lost.message}  [{lost.code}]\n  hint: {lost.hint}")
        self._err.flush()
        return lost

    def _tell(self, text: str) -> None:
        """Write words on stderr; on a terminal, lines break between words."""
        if self._err.isatty():
            import textwrap

            def fold(line: str) -> str:
                margin = line[: len(line) - len(line.lstrip())] + "  "
                return textwrap.fill(line, self.width, subsequent_indent=margin, break_on_hyphens=False)

            text = "\n".join(fold(line) for line in text.split("\n"))
        self._line(self._err, text)

    def _line(self, outlet: Outlet, text: str) -> None:
        for line in text.split("\n"):
            outlet.write(harmless(line) + "\n")

    def _write_json(self, payload: Mapping[str, Any]) -> None:
        from codat_ar_cli.domain import jsontext

        value = jsonable(payload)
        text = jsontext.dumps_pretty(value) if self._out.isatty() else jsontext.dumps(value)
        self._out.write_utf8(text + "\n")
        self._out.flush()
