"""What several results have in common."""

from codat_ar_cli.cli.schemas.forms import currency, decimal, object_of, one_of, or_null, text

SUM = object_of({"amount": decimal(), "currency": currency()})
ID = text("as Codat gives it")
COMPANY = object_of({"id": ID, "name": text()}, "the company in Codat")
WHOSE = {
    "profile": text("the profile in use"),
    "company": COMPANY,
    "platform": text("the accounting platform's name"),
}
CONNECTION = text("the connection's id, as Codat gives it")
KEY = object_of(
    {"source": one_of("env", "file", "keyring", "command"), "place": text("in words, never the key itself")},
    "where the API key is kept",
)
PROBLEM = {"code": text("stable; see error-codes.md"), "message": text(), "hint": or_null(text("what to do"))}

SEVERITY = one_of("error", "hold", "warning", "note", about="how far the finding reaches; see pushing.md")
TOLD_FINDING = object_of(
    {
        "severity": SEVERITY,
        "code": text("stable; see error-codes.md"),
        "place": or_null(text("where, in words")),
        "message": text(),
        "hint": or_null(text("what to do")),
    }
)
RECORD_ID = {"id": ID}
MAYBE = or_null(text())
