"""Results of `push` and `runs`."""

from codat_ar_cli.cli.schemas.forms import (
    Schema,
    count,
    currency,
    date,
    decimal,
    flag,
    instant,
    list_of,
    money,
    object_of,
    one_of,
    or_null,
    text,
)
from codat_ar_cli.cli.schemas.parts import CONNECTION, ID, PROBLEM, SEVERITY, SUM, WHOSE

_PLACE = object_of(
    {
        "source": text("the file, or `mapping`"),
        "row": or_null(count("line of a text file; the header is line 1")),
        "column": or_null(text()),
        "path": or_null(text("in JSON files, such as `invoices[3].lines[0]`")),
    },
    "where in the input",
)
_FINDING = object_of(
    {
        "code": text("stable; see error-codes.md"),
        "severity": SEVERITY,
        "message": text(),
        "place": or_null(_PLACE),
        "hint": or_null(text("what to do")),
        "document": or_null(text("the id of the document it belongs to")),
        "acceptable": or_null(text("the name under which `codat-ar map accept` accepts it for good")),
    }
)
_STATES = ("succeeded", "rejected", "held", "in_doubt", "pending", "planned")
_COUNTS = {state: count() for state in _STATES}
_DOCUMENT_FIELDS = {
    "id": text("the invoice number or payment id, as the file has it"),
    "label": text("as a bookkeeper calls it: `PAY-3 for INV-1, INV-2`"),
    "customer": text(),
    "date": date("issue date of an invoice, date of a payment"),
    "total": money("with tax"),
    "state": one_of(
        *_STATES,
        "sending",
        "done",
        "send",
        "under_way",
        about="where it stands: a state of pushing.md; `done`: in the books since an earlier run. "
        "Before a push: `send`, `held`, `done`, `under_way`",
    ),
    "record_id": or_null(text("in the books, as Codat gives it")),
    "push_operation": or_null(text("Codat's key of the push operation")),
    "correlation_id": or_null(text("quote it to Codat's support")),
    "code": or_null(text("why, as a stable code; see error-codes.md")),
    "why": or_null(text("why, in words")),
    "earlier_run": or_null(text("the run that pushed it before")),
}
_DOCUMENT = object_of(
    _DOCUMENT_FIELDS,
    optional={"body": or_null(text("dry run only: the exact text that would be sent to Codat"))},
)

_PUSH = object_of(
    {
        "command": one_of("push invoices", "push payments"),
        "dry_run": flag(),
        **WHOSE,
        "connection": CONNECTION,
        "source": object_of({"file": text(), "sha256": text("of the file's bytes")}, "what was read"),
        "totals": object_of(
            {
                "rows": count(),
                "documents": count(),
                "amounts": list_of(SUM, "one sum per currency"),
                "fees": list_of(SUM, "one sum per currency"),
            },
            "control totals of the file",
        ),
        "run": or_null(text("the run's id; null: nothing was sent")),
        "counts": object_of(_COUNTS, "the run's documents by where they stand; all zero where there was no run"),
        "documents": list_of(_DOCUMENT, "in the order of the file"),
        "findings": list_of(_FINDING, "everything found in the file, the mapping and the books"),
        "rejects_file": or_null(text("where the rows that were not pushed were written")),
        "exit_code": count("the process's exit code; see exit-codes.md"),
    },
    "`codat-ar push invoices`, `codat-ar push payments`",
    optional={"stopped_by": object_of(PROBLEM, "why the run ended early, where that is no single document's fault")},
)
_RUNS_LIST = object_of(
    {
        "runs": list_of(
            object_of(
                {
                    "run": text("the run's id"),
                    "started_at": instant(),
                    "ended_at": or_null(instant("null: still going, or killed")),
                    "command": text(),
                    "source": or_null(text("the file")),
                    "profile": text(),
                    "company": text(),
                    "company_id": ID,
                    "platform": text(),
                    "exit_code": or_null(count()),
                    **_COUNTS,
                }
            ),
            "newest first; documents are counted by where they stand today",
        )
    },
    "`codat-ar runs list`",
)
_EVENT = object_of(
    {
        "at": instant(),
        "document": or_null(text()),
        "event": text(),
        "from": or_null(text("the state before")),
        "to": or_null(text("the state after")),
        "facts": or_null(text("JSON text: ids, codes, times")),
    }
)
_RUNS_SHOW = object_of(
    {
        "facts": list_of(object_of({"key": text(), "value": text()}), "what the run was"),
        "documents": list_of(object_of(_DOCUMENT_FIELDS), "in the order of the file"),
    },
    "`codat-ar runs show`",
    optional={"events": list_of(_EVENT, "with `--events`: everything that happened, oldest first")},
)

_RECORD_SEEN = object_of(
    {
        "id": ID,
        "texts": list_of(text(), "whatever may carry an id of ours: number, reference, note, first description"),
        "customer_id": or_null(ID),
        "date": or_null(date()),
        "total": or_null(decimal()),
        "currency": or_null(currency()),
        "status": or_null(text("as Codat gives it, or `Deleted`")),
    }
)
_OPERATION_SEEN = object_of(
    {
        "key": text("Codat's key of the push operation"),
        "status": text(),
        "requested_at": or_null(instant("null: Codat does not say")),
        "record_id": or_null(ID),
    }
)
_EVIDENCE = object_of(
    {},
    "what was looked at and seen; the ledger keeps it",
    optional={
        "by": one_of("operation", "marker", "facts", "absence", about="what decided it"),
        "operation": _OPERATION_SEEN,
        "looked_at": instant(),
        "operations_listed": count("push operations of this type and connection"),
        "records_read": count("records of the books, after a refresh"),
        "records_found": count("that are it, or could be"),
        "records": list_of(_RECORD_SEEN, "the first ten of them"),
        "unknown_operations_found": count("push operations that could be it and that this ledger does not know"),
        "unknown_operations": list_of(_OPERATION_SEEN, "the first ten of them"),
    },
)
_SETTLE = object_of(
    {
        **WHOSE,
        "connection": CONNECTION,
        "documents": list_of(
            object_of(
                {
                    "id": text("the invoice number or payment id, as the file has it"),
                    "label": text(),
                    "type": text("Codat's name of the data type"),
                    "push": text("the push id; `--resend` and `--adopt` take it too"),
                    "customer": text(),
                    "date": date(),
                    "total": money("with tax"),
                    "state": one_of(*_STATES, about="where it stands now; see pushing.md"),
                    "record_id": or_null(ID),
                    "code": or_null(text("why it was in doubt, as a stable code; see error-codes.md")),
                    "cause": or_null(text("the same in words")),
                    "reason": text("what settling says of it"),
                    "evidence": _EVIDENCE,
                    "choices": or_null(
                        object_of(
                            {"in_the_books": text("a command"), "not_in_the_books": text("a command")},
                            "what a person can do; null: nothing is left to decide",
                        )
                    ),
                }
            ),
            "that were in doubt when everything else was tried",
        ),
        "counts": object_of(_COUNTS, "all that earlier runs had sent and not finished, by where they stand now"),
        "stopped_by": or_null(object_of(PROBLEM, "why not everything was looked at; null: everything was")),
        "exit_code": count("the process's exit code; see exit-codes.md"),
    },
    "`codat-ar settle`",
)

RESULTS: dict[str, Schema] = {
    "codat-ar/push/1": _PUSH,
    "codat-ar/settle/1": _SETTLE,
    "codat-ar/runs-list/1": _RUNS_LIST,
    "codat-ar/runs-show/1": _RUNS_SHOW,
}
"""By the name in `schema`."""
