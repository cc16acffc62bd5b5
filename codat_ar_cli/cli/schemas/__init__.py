"""What `--json` promises: one JSON Schema (2020-12) per result, as data.

Nothing at run time reads this. `docs/generate.py` publishes it as `docs/schemas/` and `docs/json.md`, and the tests
hold every command's real output against it. Fields may be added within a version; to take one away, or to change
what one means, needs a new number in `schema`.
"""

from codat_ar_cli.cli.schemas import books, pushing, setup
from codat_ar_cli.cli.schemas.forms import Schema, list_of, money, object_of, of_type, text
from codat_ar_cli.cli.schemas.parts import PROBLEM

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DEMO = object_of(
    {
        "folder": text("where everything of the demo is"),
        "invoices": list_of(
            object_of(
                {
                    "number": text(),
                    "customer": text(),
                    "total": money("with tax"),
                    "due_before": money("before the payments"),
                    "due_after": money("after the payments"),
                    "status": text(),
                }
            )
        ),
        "held_on_xero": list_of(object_of({"payment": text(), "why": text()})),
        "next_commands": list_of(text()),
    },
    "`codat-ar demo`",
)
_ERROR = object_of(
    {
        "error": object_of(
            {**PROBLEM, "details": of_type("object", "facts, by code: ids, names, places; never a key")},
            "what ended the command",
        )
    },
    "any command that could not do what was asked; the exit code says which kind (exit-codes.md)",
)
_RESULTS: dict[str, Schema] = {
    **setup.RESULTS,
    **books.RESULTS,
    **pushing.RESULTS,
    "codat-ar/sandbox-serve/1": object_of({"url": text("the base URL")}, "`codat-ar sandbox serve`, once it is ready"),
    "codat-ar/demo/1": _DEMO,
    "codat-ar/error/1": _ERROR,
}


def _published(name: str, result: Schema) -> Schema:
    named = {"schema": {"const": name, "description": "names this form and its version"}, **result["properties"]}
    return {
        "$schema": DIALECT,
        "$id": f"urn:{name.replace('/', ':')}",
        "title": name,
        **result,
        "properties": named,
        "required": ["schema", *result["required"]],
    }


SCHEMAS: dict[str, Schema] = {name: _published(name, result) for name, result in _RESULTS.items()}
"""Every result by the name in its `schema` field."""
