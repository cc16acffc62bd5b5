"""The command line: parse, call one flow, show. `main` is the one place where an error becomes text and a code."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codat_ar_cli.errors import CodatArError, ExitCode, most_urgent

if TYPE_CHECKING:
    from codat_ar_cli.cli.session import Session


def main(args: Sequence[str] | None = None, *, session: "Session | None" = None) -> int:
    """Run one command and give the process's exit code (docs/exit-codes.md); no exception leaves this function.

    `args` and `session` stand in for the command line and the machine, for tests and for `demo`.
    """
    from codat_ar_cli.cli.session import Options, Session

    words = sys.argv[1:] if args is None else list(args)
    _have_streams()
    # Known before parsing, so that wrong usage is answered in the form that was asked for.
    ours = words[: words.index("--")] if "--" in words else words
    own = session or Session(Options(json="--json" in ours))
    code = _run(words, own)
    lost = own.console.finish()
    return int(code if lost is None else most_urgent([code, lost.exit_code]))


def _have_streams() -> None:
    """Give input and output a place where the shell closed them (`<&-`, `>&-`): nothing to read, nobody to tell."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  (lives as long as we do)


def _run(words: Sequence[str], session: "Session") -> ExitCode:
    import typer

    try:
        with session:
            code = _invoke(words, session)
        return most_urgent([code, session.interrupted] if session.interrupted else [code])
    except typer.TyperException as wrong:
        return _usage(wrong, session)
    except CodatArError as error:
        session.console.error(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        session.console.failure("interrupted", "interrupted", hint="run the same command again to go on")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return ExitCode.DONE  # only `--help` is not written by the console: its reader has seen enough
    except Exception as defect:  # noqa: BLE001  (the last line of defence: no traceback reaches a user)
        from codat_ar_cli.cli.crash import report

        report(defect, words, session)
        return ExitCode.DEFECT


class UnreadableWord(CodatArError):
    """An argument holds bytes that are no text in this system's encoding: no ledger or config could keep it."""

    code = "usage.unreadable-word"

    def __init__(self, word: str) -> None:
        super().__init__(
            f"the argument {word!a} is not text in this system's encoding",
            hint="rename the file or folder, or set a locale that fits it, such as LC_ALL=C.UTF-8",
        )


def _invoke(words: Sequence[str], session: "Session") -> ExitCode:
    import typer

    from codat_ar_cli.cli.root import build

    for word in words:
        if any("\ud800" <= char <= "\udfff" for char in word):
            raise UnreadableWord(word)

    # Not `build().main()`: that would turn Ctrl-C into a bare exit code before we can say how to go on.
    tree = build()
    try:
        with tree.make_context("codat-ar", list(words), obj=session) as context:
            tree.invoke(context)
    except typer.Exit as done:
        return ExitCode(done.exit_code)
    return ExitCode.DONE


def _usage(wrong: Exception, session: "Session") -> ExitCode:
    context = getattr(wrong, "ctx", None)
    path = context.command_path if context is not None else "codat-ar"
    if type(wrong).__name__ == "NoArgsIsHelpError" and context is not None:
        if session.console.json:
            session.console.failure("usage", f"`{path}` needs a command", hint=f"see `{path} --help`")
        else:
            session.console.print(context.get_help())
        return ExitCode.USAGE
    message = getattr(wrong, "format_message", lambda: str(wrong))()
    session.console.failure("usage", message.rstrip("."), hint=f"see `{path} --help`")
    return ExitCode.USAGE
