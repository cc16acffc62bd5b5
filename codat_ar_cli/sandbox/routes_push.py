"""Writing: options, push operations, attachments (reference §9)."""

import base64
from typing import TYPE_CHECKING, Any

from codat_ar_cli.sandbox.answers import Answer, ApiError, Call, json_answer
from codat_ar_cli.sandbox.company import Company
from codat_ar_cli.sandbox.models import BY_TYPE, BY_URL, OPERATION, OTHER_TYPES, SYNCED_TYPES, Resource
from codat_ar_cli.sandbox.multipart import first_file
from codat_ar_cli.sandbox.operations import Work, new_operation
from codat_ar_cli.sandbox.paging import Shelf, page
from codat_ar_cli.sandbox.world import World

if TYPE_CHECKING:
    from codat_ar_cli.sandbox.books import Books

_USABLE = frozenset({"Release", "Beta", "Alpha"})
_CREATE = frozenset(
    """chartOfAccounts bankAccounts customers suppliers items invoices creditNotes payments directCosts
    directIncomes journalEntries transfers""".split()
)
_UPDATE = frozenset("bankAccounts customers suppliers invoices creditNotes".split())
_DELETE = frozenset("invoices directCosts journalEntries".split())
_ATTACH = frozenset("invoices directCosts directIncomes transfers".split())
_TIMEOUT_LIMIT = 525_600
"""A year: the specification names no upper bound."""


def get_options(world: World, call: Call) -> Answer:
    """`GET …/connections/{connectionId}/options/{dataType}`: what this platform takes."""
    data_type = call.params["dataType"]
    books = world.company(call).books_of(call.params["connectionId"])
    options = books.platform.options(data_type) if data_type in BY_TYPE else None
    if options is None:
        known = data_type in SYNCED_TYPES or data_type in OTHER_TYPES
        raise _unsupported(books, data_type) if known else ApiError(404, f"Nothing is found at {call.path}")
    return json_answer(options)


def create(world: World, call: Call) -> Answer:
    """`POST …/push/{resource}`."""
    resource = _writable(call, _CREATE)
    call.flag("allowSyncOnPushComplete", default=True)
    books = _books_for_write(world, call, resource, "Post")
    body = call.json_object()
    _precheck(books, resource, body)
    return _begin(world, call, Work("create", resource.data_type, body=body))


def update(world: World, call: Call) -> Answer:
    """`PUT …/push/{resource}/{recordId}`."""
    resource = _writable(call, _UPDATE)
    force = call.flag("forceUpdate", default=False)
    books = _books_for_write(world, call, resource, "Put")
    body = call.json_object()
    _precheck(books, resource, body)
    return _begin(world, call, Work("update", resource.data_type, call.params["recordId"], body, force))


def delete(world: World, call: Call) -> Answer:
    """`DELETE …/push/{resource}/{recordId}`."""
    resource = _writable(call, _DELETE)
    _books_for_write(world, call, resource, "Delete")
    return _begin(world, call, Work("delete", resource.data_type, call.params["recordId"]))


def attach(world: World, call: Call) -> Answer:
    """`POST …/push/{resource}/{recordId}/attachment`: one file per request, multipart."""
    resource = _writable(call, _ATTACH)
    _books_for_write(world, call, resource, "UploadAttachment")
    file = first_file(call.headers.get("content-type", ""), call.body)
    body = {"name": file.name, "contentType": file.content_type, "data": base64.b64encode(file.data).decode()}
    return _begin(world, call, Work("attach", resource.data_type, call.params["recordId"], body))


def list_operations(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/push`, newest first."""
    operations = reversed(world.company(call).operations.values())
    return page(call, Shelf([operation.wire for operation in operations]), OPERATION)


def get_operation(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/push/{pushOperationKey}`."""
    operation = world.company(call).operations.get(call.params["pushOperationKey"])
    if operation is None:
        wanted = call.params["pushOperationKey"]
        raise ApiError(404, f"No push operation was found with key {wanted}", service="PushApi")
    return json_answer(operation.wire)


def needs_feature(books: "Books", data_type: str, feature: str) -> None:
    """Raise the 404 of a platform that does not offer a feature for a data type."""
    if books.platform.feature(data_type, feature) not in _USABLE:
        raise _unsupported(books, data_type)


def _unsupported(books: "Books", data_type: str) -> ApiError:
    return ApiError(404, f"Datatype {data_type} not supported by platform(s) {books.platform.name}", service="PushApi")


def _writable(call: Call, types: frozenset[str]) -> Resource:
    resource = BY_URL.get(call.params["resource"])
    if resource is None:
        raise ApiError(404, f"Nothing is found at {call.path}")
    if resource.data_type not in types:
        status = 405 if resource.data_type in _CREATE else 404
        raise ApiError(status, f"{call.method} is not possible for {resource.url}.")
    return resource


def _books_for_write(world: World, call: Call, resource: Resource, feature: str) -> "Books":
    company: Company = world.company(call)
    connection = company.connection(call.params["connectionId"])
    if connection["status"] != "Linked":
        raise ApiError(400, f"Data connection {connection['id']} is {connection['status']}; writing needs Linked.")
    books = company.books_of(connection["id"])
    needs_feature(books, resource.data_type, feature)
    return books


def _precheck(books: "Books", resource: Resource, body: dict[str, Any]) -> None:
    refused = books.precheck(resource.data_type, body)
    if refused is not None:
        raise ApiError(refused.status_code, refused.error_message, service="PushApi", validation=refused.validation)


def _begin(world: World, call: Call, work: Work) -> Answer:
    timeout = None
    if work.verb in {"create", "update"}:
        timeout = call.whole_number("timeoutInMinutes", least=0, most=_TIMEOUT_LIMIT)
    company = world.company(call)
    operation = new_operation(
        company_id=company.id,
        connection_id=call.params["connectionId"],
        work=work,
        now=call.now,
        delay=world.settings.operation_delay,
        timeout_minutes=timeout,
        outcome=call.outcome,
    )
    company.add_operation(operation)
    return json_answer(operation.wire, operation_key=operation.key)
