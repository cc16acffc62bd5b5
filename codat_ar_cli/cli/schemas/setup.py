"""Results of `init`, `whoami`, `profile` and `config`."""

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
    object_of,
    or_null,
    text,
)
from codat_ar_cli.cli.schemas.parts import COMPANY, CONNECTION, KEY, MAYBE, PROBLEM, RECORD_ID

_WHOAMI_FIELDS = {
    "profile": text("the profile in use"),
    "client": text("the Codat client that the key belongs to"),
    "company": COMPANY,
    "connection": object_of(
        {
            "id": CONNECTION,
            "platform_key": text("Codat's key of the platform"),
            "status": text("as Codat gives it: `Linked`, `Deauthorized`…"),
            "last_sync": or_null(instant()),
            "usable": flag("whether documents can be pushed through it"),
            "reason": or_null(object_of(PROBLEM, "why it is not usable")),
        }
    ),
    "platform": text("the accounting platform's name"),
    "base_url": text("where the API is"),
    "proxy": or_null(text("the proxy that requests go through, without its password")),
    "key": KEY,
    "base_currency": or_null(currency()),
    "ledger_lock_date": or_null(date("books are closed up to it")),
    "quota": object_of(
        {"limit": or_null(count()), "remaining": or_null(count()), "reset": or_null(instant())},
        "requests a day, of the whole Codat client",
    ),
}
_CONFIG_FILE = text("the config file that was written")
_PROFILE_FIELDS = {
    "profile": text("its name"),
    "company": COMPANY,
    "connection": object_of({"id": CONNECTION, "platform_key": text("Codat's key of the platform")}),
    "platform": text("the accounting platform's name"),
    "base_url": text("where the API is"),
    "key": KEY,
    "is_default": flag(),
    "config": or_null(text("the file that it stands in")),
    "mapped": by_key(
        object_of({"default": or_null(object_of({**RECORD_ID, "name": text()})), "rules": count()}),
        "slot → its default and how many rules it has",
    ),
    "accepted": list_of(text(), "the platform's limits that it accepts"),
    "rates": by_key(decimal(), "currency → what one unit is worth in the base currency"),
}
_SETTING = {"value": MAYBE, "origin": text("file, variable or option")}


RESULTS: dict[str, Schema] = {
    "codat-ar/init/1": object_of(
        {**_WHOAMI_FIELDS, "config": _CONFIG_FILE, "is_default": flag("whether the new profile is the default")},
        "`codat-ar init`",
    ),
    "codat-ar/whoami/1": object_of(_WHOAMI_FIELDS, "`codat-ar whoami`"),
    "codat-ar/profile-list/1": object_of(
        {
            "chosen": or_null(text("the profile in use")),
            "default": MAYBE,
            "profiles": list_of(object_of(_PROFILE_FIELDS)),
        },
        "`codat-ar profile list`",
    ),
    "codat-ar/profile-show/1": object_of(_PROFILE_FIELDS, "`codat-ar profile show`"),
    "codat-ar/profile-use/1": object_of(
        {"default": text("the default profile now"), "config": _CONFIG_FILE}, "`codat-ar profile use`"
    ),
    "codat-ar/profile-remove/1": object_of(
        {"removed": text("the profile's name"), "config": _CONFIG_FILE}, "`codat-ar profile remove`"
    ),
    "codat-ar/config-explain/1": object_of(
        {
            "key": text(),
            **_SETTING,
            "overridden": list_of(object_of(_SETTING), "what it goes before, strongest first"),
        },
        "`codat-ar config explain`",
    ),
}
"""By the name in `schema`."""
