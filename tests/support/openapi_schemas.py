"""Codat's schemas made into JSON Schema, stricter than the documents: nothing undocumented gets through."""

import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?")
_KEPT = "type enum minimum maximum minLength maxLength minItems pattern format additionalProperties".split()


class Schemas:
    """The documents' schemas as JSON Schema, in three variants.

    `read`: closed, a field that is not in the document is an error. `open`: for the branches of an `allOf`.
    `write`: closed, and nothing is required, since the live options say what is (reference §9.1).
    """

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._defs: dict[str, Any] = {}
        for name, document in documents.items():
            for schema_name, schema in document["components"]["schemas"].items():
                for variant in ("read", "open", "write", "write-open"):
                    self._defs[f"{variant}.{name}.{schema_name}"] = self.convert(name, schema, variant)

    def validator(self, document: str, schema: dict[str, Any], variant: str) -> Any:
        root = self.convert(document, schema, variant)
        return jsonschema_rs.Draft202012Validator(
            {**root, "$defs": self._defs},
            validate_formats=True,
            formats={
                "codat-date-time": lambda text: bool(_DATE_TIME.fullmatch(text)),
                "ISO4217": lambda text: bool(re.fullmatch("[A-Z]{3}", text)),
            },
        )

    def convert(self, document: str, node: Any, variant: str) -> dict[str, Any]:
        if not isinstance(node, dict) or not node:
            return {}
        closed = variant.removesuffix("-open") if variant != "open" else "read"
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            other = "platform" if node["$ref"].startswith("platform:") else document
            made: dict[str, Any] = {"$ref": f"#/$defs/{variant}.{other}.{name}"}
        else:
            made = self._plain(document, node, variant, closed)
        return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") else made

    def _plain(self, document: str, node: dict[str, Any], variant: str, closed: str) -> dict[str, Any]:
        made = {key: node[key] for key in _KEPT if key in node}
        if isinstance(made.get("additionalProperties"), dict):
            made["additionalProperties"] = self.convert(document, made["additionalProperties"], closed)
        if "properties" in node:
            made["properties"] = {
                name: self.convert(document, inner, closed) for name, inner in node["properties"].items()
            }
        if "items" in node:
            made["items"] = self.convert(document, node["items"], closed)
        branch = "open" if closed == "read" else "write-open"
        for word in ("allOf", "anyOf", "oneOf"):
            if word in node:
                made[word] = [self.convert(document, inner, branch) for inner in node[word]]
        if "required" in node and closed == "read":
            made["required"] = node["required"]
        if variant == closed and ("properties" in node or "allOf" in node) and "additionalProperties" not in node:
            made["unevaluatedProperties"] = False
        return made


def resolve(document: Mapping[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found  # type: ignore[no-any-return]


def patch(document: Any, waiver: Mapping[str, Any]) -> None:
    """Put or drop one value at a JSON pointer; a pointer that leads nowhere is a stale waiver and raises KeyError."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in waiver["at"].split("/")[1:]]
    for part in parents:
        document = document[int(part)] if isinstance(document, list) else document[part]
    if waiver.get("drop"):
        del document[last]
    elif last == "-":
        document.append(waiver["put"])
    else:
        document[last] = waiver["put"]
