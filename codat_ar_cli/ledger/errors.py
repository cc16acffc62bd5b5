"""What can be wrong with the ledger itself, by name. Nothing is sent to Codat when one of these is raised."""

from codat_ar_cli.errors import CodatArError, ExitCode


class LedgerError(CodatArError):
    """The ledger can't be used as it is."""

    code = "ledger.error"
    exit_code = ExitCode.USAGE


class LedgerUnreachable(LedgerError):
    """Its place can't be opened, made or written: a folder, a missing mount, no permission, a full disk."""

    code = "ledger.unreachable"

    def __init__(self, location: object, why: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"the ledger {location} can't be used: {why}",
            hint=hint or "give a folder you can write with --state-dir or CODAT_AR_STATE_DIR",
            details={"location": str(location)},
        )


class LedgerForeign(LedgerError):
    """There is a file in its place that codat-ar did not make."""

    code = "ledger.foreign"

    def __init__(self, location: object, what: str) -> None:
        super().__init__(
            f"{location} is not a ledger of codat-ar: it is {what}; it was left as it is",
            hint="choose another folder with --state-dir or CODAT_AR_STATE_DIR, or move that file away",
            details={"location": str(location)},
        )


class LedgerDamaged(LedgerError):
    """The file is a ledger whose content can't be trusted. Sending on could make duplicates, so we stop."""

    code = "ledger.damaged"

    def __init__(self, location: object, why: str) -> None:
        super().__init__(
            f"the ledger {location} is damaged: {why}; nothing was sent",
            hint="restore it from a backup; don't delete it: it knows what is already in the books",
            details={"location": str(location)},
        )


class LedgerNewer(LedgerError):
    """A newer codat-ar wrote it."""

    code = "ledger.newer"

    def __init__(self, location: object, *, found: str, known: int) -> None:
        super().__init__(
            f"the ledger {location} has schema {found}; this codat-ar knows up to {known}",
            hint="upgrade codat-ar; an older one would misread what is already in the books",
            details={"location": str(location), "found": found, "known": str(known)},
        )


class LedgerBusy(LedgerError):
    """Another process is writing it and does not finish."""

    code = "ledger.busy"
    exit_code = ExitCode.LOCKED

    def __init__(self, location: object) -> None:
        super().__init__(
            f"the ledger {location} is being written by another process",
            hint="wait for the other codat-ar to finish, then run again",
            details={"location": str(location)},
        )


class LedgerMoved(LedgerError):
    """A document has moved in the ledger since the plan was made, so the plan is stale."""

    code = "ledger.plan-stale"
    exit_code = ExitCode.NOT_APPROVED

    def __init__(self, source_id: str, state: str) -> None:
        super().__init__(
            f"`{source_id}` is {state} by now, so this plan is stale; nothing was sent",
            hint="run the same command again: it plans anew",
            details={"source_id": source_id, "state": state},
        )


class UnknownRun(LedgerError):
    """No run has this id."""

    code = "ledger.unknown-run"

    def __init__(self, run_id: str, *, nearest: tuple[str, ...]) -> None:
        near = f"; nearest: {', '.join(nearest)}" if nearest else "; there is no run yet"
        super().__init__(
            f"run `{run_id}` does not exist{near}",
            hint="`codat-ar runs list` shows them all",
            details={"run": run_id, "nearest": list(nearest)},
        )


class UnknownPush(LedgerError):
    """No push has this id."""

    code = "ledger.unknown-push"

    def __init__(self, push_id: str) -> None:
        super().__init__(
            f"push `{push_id}` does not exist",
            hint="`codat-ar runs show RUN` lists the pushes of a run",
            details={"push": push_id},
        )


class CompanyLocked(CodatArError):
    """Another run is writing for this company; two at once could not keep Codat's limits or the order."""

    code = "ledger.company-locked"
    exit_code = ExitCode.LOCKED

    def __init__(self, company: str, *, pid: str | None, host: str | None, since: str | None) -> None:
        owner = f"process {pid} on {host}, since {since}" if pid else "another process"
        super().__init__(
            f"company {company} is held by another run: {owner}",
            hint="wait for it to end, then run again; nothing is lost",
            details={"company": company, "pid": pid, "host": host, "since": since},
        )
