"""Results of `fetch` and `map`."""

from codat_ar_cli.cli.schemas.forms import (
    Schema,
    by_key,
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
from codat_ar_cli.cli.schemas.parts import CONNECTION, ID, MAYBE, RECORD_ID, TOLD_FINDING, WHOSE
from codat_ar_cli.domain.types import DataType

_STATUS = or_null(text("as Codat gives it, or `Deleted`"))
_RECORDS: dict[str, Schema] = {
    "company_info": object_of(
        {
            "name": MAYBE,
            "base_currency": or_null(currency()),
            "ledger_lock_date": or_null(date("books are closed up to it")),
        }
    ),
    DataType.ACCOUNTS.value: object_of(
        {
            "code": MAYBE,
            "name": text(),
            "type": MAYBE,
            "bank": or_null(one_of("yes")),
            "currency": or_null(currency()),
            "status": _STATUS,
            **RECORD_ID,
        }
    ),
    DataType.BANK_ACCOUNTS.value: object_of(
        {
            "code": MAYBE,
            "name": text(),
            "number": MAYBE,
            "institution": MAYBE,
            "balance": or_null(money()),
            "status": _STATUS,
            **RECORD_ID,
        }
    ),
    DataType.TAX_RATES.value: object_of(
        {
            "code": MAYBE,
            "name": text(),
            "rate": or_null(decimal("per cent: 20 is 20 %")),
            "status": _STATUS,
            **RECORD_ID,
        }
    ),
    DataType.TRACKING_CATEGORIES.value: object_of(
        {
            "name": text("indented by its depth"),
            "status": _STATUS,
            **RECORD_ID,
            "parent_id": MAYBE,
            "depth": count("0 at the top of the tree"),
        }
    ),
    DataType.ITEMS.value: object_of(
        {
            "code": MAYBE,
            "name": text(),
            "type": MAYBE,
            "sold": one_of("yes", "no"),
            "account": or_null(text("income account")),
            "status": _STATUS,
            **RECORD_ID,
        }
    ),
    DataType.PAYMENT_METHODS.value: object_of({"name": text(), "type": MAYBE, "status": _STATUS, **RECORD_ID}),
    DataType.CUSTOMERS.value: object_of(
        {"name": text(), "email": MAYBE, "currency": or_null(currency()), "status": _STATUS, **RECORD_ID}
    ),
    DataType.SUPPLIERS.value: object_of({"name": text(), "status": _STATUS, **RECORD_ID}),
    DataType.INVOICES.value: object_of(
        {
            "number": MAYBE,
            "customer": MAYBE,
            "due_date": or_null(date()),
            "total": money("with tax"),
            "due": money("not yet paid"),
            "status": _STATUS,
            **RECORD_ID,
        }
    ),
}

_FETCHED = object_of(
    {
        "type": text("Codat's name of the data type"),
        "status": one_of("fetched", "not_supported", "failed"),
        "records": or_null(count("in the cache now; null: never read")),
        "fetched_at": or_null(instant("when they were read from Codat")),
        "dataset_at": or_null(instant("when Codat read the books")),
        "dataset_id": or_null(text("of Codat's sync")),
        "error": or_null(text("code of what went wrong; see error-codes.md")),
        "message": MAYBE,
        "hint": MAYBE,
    }
)
_CHANGE = object_of(
    {
        "type": text("Codat's name of the data type"),
        "change": one_of("added", "removed", "deleted", "restored", "archived", "renamed", "changed"),
        "name": text(),
        "detail": or_null(text("the earlier name, or the fields that differ")),
        **RECORD_ID,
    }
)
_FETCH = object_of(
    {"at": instant(), **WHOSE, "connection": CONNECTION, "types": list_of(_FETCHED, "one per data type")},
    "`codat-ar fetch`",
    optional={
        "changes": list_of(_CHANGE, "with `--diff`, where anything changed"),
        **{name: list_of(record, "the records, where this type was asked for") for name, record in _RECORDS.items()},
    },
)

_SLOT = one_of(
    "bank_account",
    "income_account",
    "fee_account",
    "fee_supplier",
    "tax_rate",
    "item",
    "tracking",
    "payment_method",
    about="the mapping slot; see mapping.md",
)
_TARGET = object_of({**RECORD_ID, "name": text(), "code": MAYBE}, "a record of the books")
_RULE = object_of(
    {"when": by_key(list_of(text()), "column of the file → values; any of them fits"), "target": _TARGET},
)
_MAP = object_of(
    {
        **WHOSE,
        "mapping": list_of(
            object_of(
                {
                    "slot": _SLOT,
                    "default": or_null(_TARGET),
                    "rules": list_of(_RULE, "in the order in which they are tried"),
                }
            ),
            "the slots that have an answer",
        ),
        "accepted": list_of(text(), "the platform's limits that this profile accepts"),
        "findings": list_of(TOLD_FINDING, "mapped records that are gone, archived, renamed"),
    },
    "`codat-ar map`, `map show`, `map set`, `map unset`, `map accept`, `map unaccept`: the mapping as it is now",
)
_MAP_CHECK = object_of(
    {**WHOSE, "findings": list_of(TOLD_FINDING, "none: the mapping is complete")}, "`codat-ar map check`"
)
_SUGGESTED = object_of(
    {
        "slot": _SLOT,
        "when": or_null(text("the condition of a rule; null: the default")),
        "name": text(),
        "code": MAYBE,
        **RECORD_ID,
        "reason": text("what speaks for it"),
    }
)
_UNDECIDED = object_of(
    {
        "slot": _SLOT,
        "name": text("a candidate, or a sentence where `id` is null"),
        "code": MAYBE,
        "id": or_null(ID),
        "reason": or_null(text("what speaks for it")),
    }
)
_MAP_SUGGEST = object_of(
    {
        "accepted": flag("whether the suggestions were written to the config (`--accept`)"),
        **WHOSE,
        "suggested": list_of(_SUGGESTED, "the only good candidates"),
        "undecided": list_of(_UNDECIDED, "the best candidates of slots that need a choice"),
    },
    "`codat-ar map suggest`",
)

RESULTS: dict[str, Schema] = {
    "codat-ar/fetch/1": _FETCH,
    "codat-ar/map/1": _MAP,
    "codat-ar/map-check/1": _MAP_CHECK,
    "codat-ar/map-suggest/1": _MAP_SUGGEST,
}
"""By the name in `schema`."""
