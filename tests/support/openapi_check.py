"""Judge exchanges by Codat's OpenAPI documents, with the waivers of `waivers.toml` where the reference knows better.

Stricter than the documents alone: a field or query parameter that they do not have is a violation, so a
misspelled name can't hide behind "optional". `recording` has the three ways in.
"""

import base64
import binascii
import json
import re
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from openapi_schemas import Schemas, patch, resolve

DOCUMENTS = {"accounting": "accounting-ar.json", "platform": "platform.json"}
OURS = "codat-ar/"
"""How our client's User-Agent begins; its requests must be right even where the answer is a refusal."""

_ENCODED_SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*,;=:@]|%[0-9A-Fa-f]{2})+")
_ENCODED_QUERY = re.compile(r"(?:[A-Za-z0-9\-._~!$'()*,;:@/?&=]|%[0-9A-Fa-f]{2})*")
_LONGEST_FRACTION = 10
"""Digits after the point: currency rates have 9, Xero's unit amounts 10 (reference §5). More is a float's doing."""
_READ_ONLY = ("modifiedDate", "sourceModifiedDate", "metadata")
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """One exchange as it crossed the wire."""

    method: str
    path: str
    """Percent-encoded, with its query."""
    request_headers: Mapping[str, str]
    """Names in lower case."""
    request_body: bytes
    status: int
    """0: the connection was dropped without an answer."""
    response_headers: Mapping[str, str]
    response_body: bytes

    @property
    def is_ours(self) -> bool:
        return self.request_headers.get("user-agent", "").startswith(OURS)


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach: a stable rule name, what was found, in which exchange."""

    rule: str
    message: str
    exchange: str

    def __str__(self) -> str:
        return f"[{self.rule}] {self.exchange}: {self.message}"


@dataclass(frozen=True)
class Operation:
    """One operation of a document, with its validators made on first use."""

    document: str
    method: str
    template: str
    pattern: re.Pattern[str]
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None
    responses: dict[str, dict[str, Any]]
    schemas: Schemas
    _compiled: dict[str, Any] = field(default_factory=dict)

    @property
    def is_push(self) -> bool:
        return "/push/" in self.template

    def validator(self, key: str, schema: dict[str, Any], variant: str) -> Any:
        if key not in self._compiled:
            self._compiled[key] = self.schemas.validator(self.document, schema, variant)
        return self._compiled[key]


class ContractChecker:
    """Codat's two documents, read once; `check` judges one exchange and may be called from any thread."""

    def __init__(self, openapi: Path, waivers: Path) -> None:
        self.waivers: list[dict[str, Any]] = tomllib.loads(waivers.read_text(encoding="utf-8"))["waivers"]
        self._rules = {waiver["rule"] for waiver in self.waivers if "rule" in waiver}
        documents = {name: json.loads((openapi / file).read_text(encoding="utf-8")) for name, file in DOCUMENTS.items()}
        for waiver in self.waivers:
            if "at" in waiver:
                patch(documents[waiver["document"]], waiver)
        for document in documents.values():
            document["components"]["schemas"]["DateTime"] = {"type": "string", "format": "codat-date-time"}
        self._documents = documents
        self._schemas = Schemas(documents)
        self._error = self._schemas.validator("platform", {"$ref": "#/components/schemas/ErrorMessage"}, "read")

    @cached_property
    def operations(self) -> list[Operation]:
        """All operations, those with the fewest parameters in their path first."""
        found = list(self._operations())
        return sorted(found, key=lambda operation: (operation.template.count("{"), operation.document == "platform"))

    def find(self, method: str, path: str) -> Operation | None:
        """Find the operation of a percent-encoded path without query."""
        return next((o for o in self.operations if o.method == method and o.pattern.fullmatch(path)), None)

    def check(self, seen: Seen) -> list[Violation]:
        """Judge one exchange; the sandbox's own `/__sandbox/` paths are not Codat's and pass."""
        path, _, query = seen.path.partition("?")
        if path.startswith("/__sandbox/"):
            return []
        operation = self.find(seen.method, path)
        accepted = 200 <= seen.status < 300
        found: list[tuple[str, str]] = []
        if seen.is_ours:
            found += self._request(seen, operation, path, query)
        elif accepted:
            found += _leniency(operation, path, query)
        if seen.status:
            found += self._response(seen, operation)
        where = f"{seen.method} {seen.path} -> {seen.status}"
        return [Violation(rule, message, where) for rule, message in found]

    def _operations(self) -> Iterator[Operation]:
        for name, document in self._documents.items():
            for template, item in document["paths"].items():
                pattern = re.compile(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(template)))
                for method in ("get", "post", "put", "patch", "delete"):
                    if method in item:
                        yield self._operation(name, template, pattern, method, item)

    def _operation(
        self, name: str, template: str, pattern: re.Pattern[str], method: str, item: dict[str, Any]
    ) -> Operation:
        document, operation = self._documents[name], item[method]
        listed = [*item.get("parameters", []), *operation.get("parameters", [])]
        responses = {status: resolve(document, answer) for status, answer in operation["responses"].items()}
        if name == "accounting" and "/push/" in template and "push-answer" in self._rules:
            schema = {"$ref": "platform:/PushOperation"}
            responses["200"] = {"content": {"application/json": {"schema": schema}}}
        return Operation(
            document=name,
            method=method.upper(),
            template=template,
            pattern=pattern,
            parameters=tuple(resolve(document, parameter) for parameter in listed),
            body=operation.get("requestBody"),
            responses=responses,
            schemas=self._schemas,
        )

    def _request(self, seen: Seen, operation: Operation | None, path: str, query: str) -> Iterator[tuple[str, str]]:
        yield from _encoding(path, query)
        yield from _key_headers(seen, operation)
        if operation is None:
            yield "unknown-path", "no such operation in Codat's documents"
            return
        yield from _parameters(operation, path, query)
        yield from self._request_body(seen, operation)

    def _request_body(self, seen: Seen, operation: Operation) -> Iterator[tuple[str, str]]:
        if operation.body is None:
            if seen.request_body:
                yield "request-body", "a body is sent where the document has none"
            return
        content = operation.body.get("content", {})
        kind = seen.request_headers.get("content-type", "").partition(";")[0]
        if kind not in content:
            yield "request-type", f"content type {kind!r}; the document has {sorted(content)}"
        if kind != "application/json":
            return
        value, problems = _read_json(seen.request_body, "request")
        yield from problems
        if value is None:
            return
        variant = "write" if operation.is_push and "push-body" in self._rules else "read"
        yield from _against(operation.validator("body", content[kind]["schema"], variant), value, "request-schema")
        if seen.is_ours and operation.is_push and isinstance(value, dict) and operation.method == "POST":
            for name in _READ_ONLY:
                if name in value:
                    yield "read-only", f"`{name}` is read-only and has no place in a create (reference §5)"

    def _response(self, seen: Seen, operation: Operation | None) -> Iterator[tuple[str, str]]:
        yield from _quota_headers(seen)
        if seen.status >= 300:
            yield from self._refusal(seen, operation)
            return
        answer = operation.responses.get(str(seen.status)) if operation else None
        if operation is None or answer is None:
            if operation is not None:
                yield "status", f"the document has {sorted(operation.responses)}"
            return
        content = answer.get("content", {})
        if not content:
            if seen.status == 204 and seen.response_body:
                yield "response-body", "a 204 has a body"
            return
        if "application/json" not in content:
            return
        yield from _is_json_typed(seen)
        value, problems = _read_json(seen.response_body, "response")
        yield from problems
        if not problems:
            schema = content["application/json"]["schema"]
            yield from _against(operation.validator(str(seen.status), schema, "read"), value, "response-schema")
            yield from _links(value)

    def _refusal(self, seen: Seen, operation: Operation | None) -> Iterator[tuple[str, str]]:
        """An error must be one that Codat has, with its error body (reference §1.1, §1.2)."""
        documented = set(operation.responses) if operation else set()
        if "error-statuses" in self._rules:
            documented |= {str(s) for w in self.waivers if w.get("rule") == "error-statuses" for s in w["statuses"]}
        if str(seen.status) not in documented:
            yield "status", f"{seen.status} is no answer of Codat's here"
            return
        yield from _is_json_typed(seen)
        value, problems = _read_json(seen.response_body, "response")
        yield from problems
        if problems:
            return
        yield from _against(self._error, value, "error-body")
        if isinstance(value, dict):
            for name in ("statusCode", "service", "error", "correlationId", "canBeRetried", "detailedErrorCode"):
                if name not in value:
                    yield "error-body", f"`{name}` is missing"
            if value.get("statusCode", seen.status) != seen.status:
                yield "error-body", f"statusCode {value['statusCode']} in a {seen.status}"


def _leniency(operation: Operation | None, path: str, query: str) -> Iterator[tuple[str, str]]:
    """What a server must not accept, whoever asks: addresses and parameters that Codat does not have."""
    if operation is None:
        yield "unknown-path", "no such operation in Codat's documents"
    else:
        yield from _parameters(operation, path, query)


def _encoding(path: str, query: str) -> Iterator[tuple[str, str]]:
    for segment in path.split("/")[1:]:
        if not _ENCODED_SEGMENT.fullmatch(segment):
            yield "encoding", f"path segment {segment!r} is empty or not percent-encoded"
    if not _ENCODED_QUERY.fullmatch(query):
        yield "encoding", f"the query {query!r} is not percent-encoded"


def _key_headers(seen: Seen, operation: Operation | None) -> Iterator[tuple[str, str]]:
    authorization = seen.request_headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        try:
            good = scheme == "Basic" and not base64.b64decode(token, validate=True).lower().startswith(b"basic ")
        except (binascii.Error, ValueError):
            good = False
        if not good:
            yield "authorization", "the header is not `Basic` and the base64 of the key (reference §1)"
    key = seen.request_headers.get("idempotency-key")
    creates = operation is not None and operation.is_push and seen.method == "POST"
    if key is None:
        if creates and seen.is_ours:
            yield "idempotency-key", "a push without an Idempotency-Key"
    elif seen.method not in {"POST", "PATCH"}:
        yield "idempotency-key", f"an Idempotency-Key on {seen.method} (reference §1.5)"
    elif not _is_guid(key):
        yield "idempotency-key", f"{key!r} is not a GUID"


def _is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _parameters(operation: Operation, path: str, query: str) -> Iterator[tuple[str, str]]:
    names = re.findall(r"\{(\w+)\}", operation.template)
    matched = operation.pattern.fullmatch(path)
    values = dict(zip(names, matched.groups() if matched else (), strict=True))
    given = parse_qsl(query, keep_blank_values=True)
    documented = {parameter["name"]: parameter for parameter in operation.parameters if parameter["in"] == "query"}
    for parameter in operation.parameters:
        if parameter["in"] == "path" and parameter["name"] in values:
            text = unquote(values[parameter["name"]])
            yield from _one_parameter(operation, parameter, text)
        elif parameter["in"] == "query" and parameter.get("required") and parameter["name"] not in dict(given):
            yield "query", f"`{parameter['name']}` is required"
    for name, text in given:
        if name not in documented:
            yield "query", f"`{name}` is not a parameter of {operation.template}"
        else:
            yield from _one_parameter(operation, documented[name], text)
    if len({name for name, _ in given}) != len(given):
        yield "query", f"a parameter is given twice: {query}"


def _one_parameter(operation: Operation, parameter: dict[str, Any], text: str) -> Iterator[tuple[str, str]]:
    schema = parameter.get("schema", {})
    value: Any = text
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d{1,9}", text):
        value = int(text)
    elif schema.get("type") == "boolean" and text in {"true", "false"}:
        value = text == "true"
    rule = "path-parameter" if parameter["in"] == "path" else "query"
    validator = operation.validator(f"{parameter['in']}.{parameter['name']}", schema, "read")
    yield from ((rule, f"`{parameter['name']}`: {message}") for _, message in _against(validator, value, rule))


def _against(validator: Any, value: Any, rule: str) -> Iterator[tuple[str, str]]:
    if validator.is_valid(value):
        return
    for index, error in enumerate(validator.iter_errors(value)):
        if index == _SHOWN:
            yield rule, "and more"
            return
        place = "/".join(str(part) for part in error.instance_path)
        yield rule, f"{place or '(whole)'}: {error.message[:300]}"


def _read_json(body: bytes, side: str) -> tuple[Any, list[tuple[str, str]]]:
    numbers: list[str] = []

    def note(text: str) -> float:
        numbers.append(text)
        return float(text)

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    try:
        value = json.loads(body, parse_float=note, parse_constant=refuse)
    except ValueError as error:
        return None, [(f"{side}-json", f"not JSON: {error}")]
    odd = [text for text in numbers if "e" in text.lower() or len(text.partition(".")[2]) > _LONGEST_FRACTION]
    return value, [(f"{side}-number", f"{text} went through a float, or has an exponent") for text in odd[:_SHOWN]]


def _is_json_typed(seen: Seen) -> Iterator[tuple[str, str]]:
    kind = seen.response_headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/json":
        yield "response-type", f"content type {kind!r} instead of application/json"


def _links(value: Any) -> Iterator[tuple[str, str]]:
    """Links of a page are host-relative and percent-encoded (reference §3.2)."""
    links = value.get("_links") if isinstance(value, dict) else None
    for name, link in (links or {}).items():
        href = link.get("href", "") if isinstance(link, dict) else ""
        path, _, query = href.partition("?")
        if not href.startswith("/") or href.startswith("//") or any(True for _ in _encoding(path, query)):
            yield "links", f"`{name}` is not host-relative and percent-encoded: {href!r}"


def _quota_headers(seen: Seen) -> Iterator[tuple[str, str]]:
    for name in ("x-rate-limit-limit", "x-rate-limit-remaining"):
        text = seen.response_headers.get(name)
        if text is not None and not text.isdigit():
            yield "quota-headers", f"{name}: {text!r} is not a number (reference §1.3)"
