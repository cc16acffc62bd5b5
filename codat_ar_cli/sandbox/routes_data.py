"""Reading the cache, syncing it, reports, attachments and PDFs (reference §3, §4, §9.5, §15)."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from codat_ar_cli.sandbox.answers import BINARY, Answer, ApiError, Call, json_answer, no_content
from codat_ar_cli.sandbox.company import Company
from codat_ar_cli.sandbox.models import BY_URL, DATASET, INFO, OTHER_TYPES, SYNCED_TYPES, Resource
from codat_ar_cli.sandbox.paging import Shelf, page
from codat_ar_cli.sandbox.pdf import invoice_pdf
from codat_ar_cli.sandbox.routes_platform import types_on_first_link
from codat_ar_cli.sandbox.routes_push import needs_feature
from codat_ar_cli.sandbox.syncs import Sync
from codat_ar_cli.sandbox.world import World


def _resource(call: Call, *, by_connection: bool) -> Resource:
    resource = BY_URL.get(call.params["resource"])
    if resource is None or resource.by_connection != by_connection:
        raise ApiError(404, f"Nothing is found at {call.path}")
    return resource


def _connected(world: World, call: Call) -> Company:
    company = world.company(call)
    company.connection(call.params["connectionId"])
    if company.books is None or company.books.connection["id"] != call.params["connectionId"]:
        raise ApiError(409, "The data set has not been requested.")
    return company


def list_records(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/data/{resource}`."""
    company, resource = world.company(call), _resource(call, by_connection=False)
    return page(call, company.shelf(resource.data_type), resource.model)


def list_connection_records(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/connections/{connectionId}/data/{resource}`."""
    if call.params["resource"] == "payments":
        return _payments_by_link(world, call)
    resource = _resource(call, by_connection=True)
    return page(call, _connected(world, call).shelf(resource.data_type), resource.model)


def _payments_by_link(world: World, call: Call) -> Answer:
    """Answer the list that newer specifications add: payments with a link of one type, `linkType` required."""
    wanted = call.query.get("linkType", "").casefold()
    if not wanted:
        raise ApiError(400, "Error processing request - not valid. linkType is required.")
    found = [
        payment
        for payment in _connected(world, call).shelf("payments").records
        if any(link["type"].casefold() == wanted for line in payment["lines"] for link in line["links"])
    ]
    return page(call, Shelf(found), BY_URL["payments"].model)


def get_record(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/data/{resource}/{recordId}`; a tracking category comes as its tree."""
    company, resource = world.company(call), _resource(call, by_connection=False)
    record = _record(company, resource, call)
    if resource.data_type == "trackingCategories" and company.books is not None:
        return json_answer(company.books.tracking_tree(call.params["recordId"]))
    return json_answer(record)


def get_connection_record(world: World, call: Call) -> Answer:
    """`GET …/connections/{connectionId}/data/{resource}/{recordId}`."""
    resource = _resource(call, by_connection=True)
    return json_answer(_record(_connected(world, call), resource, call))


def _record(company: Company, resource: Resource, call: Call) -> Mapping[str, Any]:
    record = company.shelf(resource.data_type).find(call.params["recordId"])
    if record is None:
        raise ApiError(404, f"No data available for {resource.url} for ID {call.params['recordId']}")
    return record


def get_info(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/data/info`."""
    return json_answer(world.company(call).info())


def refresh_info(world: World, call: Call) -> Answer:
    """`POST /companies/{companyId}/data/info`: queue a sync of the company info."""
    return json_answer(_queue(world, call, INFO).wire(call.now))


def data_status(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/dataStatus`."""
    return json_answer(world.company(call).data_status(call.now))


def queue_all(world: World, call: Call) -> Answer:
    """`POST /companies/{companyId}/data/all`: every type set to fetch on first link that is not running already."""
    company = world.company(call)
    connection = _syncable(company, call)
    for data_type in types_on_first_link(world, company):
        if company.running_sync(data_type) is None:
            company.start_sync(connection, data_type, call.now, delay=world.settings.sync_delay, fault=call.sync or {})
    return no_content()


def queue_type(world: World, call: Call) -> Answer:
    """`POST /companies/{companyId}/data/queue/{dataType}`."""
    return json_answer(_queue(world, call, call.params["dataType"]).wire(call.now))


def _queue(world: World, call: Call, data_type: str) -> Sync:
    company = world.company(call)
    connection = _syncable(company, call)
    if data_type in OTHER_TYPES:
        platform = connection["platformName"]
        raise ApiError(404, f"Datatype {data_type} not supported by platform(s) {platform}", service="PullApi")
    if data_type not in SYNCED_TYPES:
        raise ApiError(400, f"Error processing request - not valid. {data_type} is not a data type.")
    running = company.running_sync(data_type)
    if running is not None:
        error = f"DatasetAlreadyInProgressException: Dataset {running.id} of type {data_type} is already in progress."
        raise ApiError(400, error, service="PullApi")
    return company.start_sync(connection, data_type, call.now, delay=world.settings.sync_delay, fault=call.sync or {})


def _syncable(company: Company, call: Call) -> dict[str, Any]:
    wanted = call.query.get("connectionId")
    if wanted is not None:
        return company.connection(wanted)
    if not company.connections:
        raise ApiError(400, f"Company {company.id} has no data connections.", service="PullApi")
    if company.books is not None:
        return company.connection(company.books.connection["id"])
    return company.connections[0]


def list_history(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/data/history`, newest first."""
    oldest_first = sorted(world.company(call).syncs.values(), key=lambda sync: sync.requested)
    return page(call, Shelf([sync.wire(call.now) for sync in oldest_first[::-1]]), DATASET)


def get_history(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/data/history/{datasetId}`."""
    return json_answer(_sync(world, call).wire(call.now))


def sync_validation(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/sync/{datasetId}/validation`."""
    return json_answer({"errors": [], "warnings": _sync(world, call).warnings})


def _sync(world: World, call: Call) -> Sync:
    sync = world.company(call).syncs.get(call.params["datasetId"])
    if sync is None:
        raise ApiError(404, f"No dataset was found with ID {call.params['datasetId']}", service="PullApi")
    return sync


def aged_debtor_available(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/reports/agedDebtor/available`: a bare boolean."""
    books = world.company(call).books
    return json_answer(books is not None and None not in (books.cached("customers"), books.cached("invoices")))


def aged_debtor(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/reports/agedDebtor`, from cached data."""
    company = world.company(call)
    company.shelf("customers")
    company.shelf("invoices")
    text = call.query.get("reportDate") or call.now.date().isoformat()
    try:
        report_date = dt.date.fromisoformat(text[:10])
    except ValueError as error:
        raise ApiError(400, "Error processing request - not valid. reportDate is YYYY-MM-DD.") from error
    periods = call.whole_number("numberOfPeriods", default=4, least=1, most=120)
    length = call.whole_number("periodLengthDays", default=30, least=1, most=3660)
    if company.books is None:
        raise ApiError(409, "The data set has not been requested.")
    return json_answer(company.books.aged_debtors(report_date, periods or 1, length or 1, call.now))


def get_invoice_pdf(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/data/invoices/{recordId}/pdf`."""
    company, resource = world.company(call), BY_URL["invoices"]
    invoice = _record(company, resource, call)
    if company.books is not None:
        needs_feature(company.books, resource.data_type, "GetAsPdf")
    # The specification of 2023 answers application/octet-stream; newer clients ask for, and insist on, the other.
    content_type = "application/pdf" if "application/pdf" in call.headers.get("accept", "") else BINARY
    name = f"invoice-{invoice.get('invoiceNumber') or invoice['id']}.pdf"
    return _file(name, invoice_pdf(invoice), content_type)


def list_attachments(world: World, call: Call) -> Answer:
    """`GET …/data/{resource}/{recordId}/attachments`."""
    return json_answer({"attachments": _attachments(world, call)})


def get_attachment(world: World, call: Call) -> Answer:
    """`GET …/data/{resource}/{recordId}/attachments/{attachmentId}`."""
    return json_answer(_attachment(world, call))


def download_attachment(world: World, call: Call) -> Answer:
    """`GET …/attachments/{attachmentId}/download`: the file's own bytes."""
    books, data_type = world.company(call).books_of(call.params["connectionId"]), _attached_type(call)
    stored = books.attachment_bytes(data_type, call.params["recordId"], call.params["attachmentId"])
    if stored is None:
        raise ApiError(404, f"No data available for attachments for ID {call.params['attachmentId']}")
    return _file(str(stored[0]["name"]), stored[1])


def _attached_type(call: Call) -> str:
    resource = BY_URL.get(call.params["resource"])
    if resource is None or not resource.attachments:
        raise ApiError(404, f"Nothing is found at {call.path}")
    return resource.data_type


def _attachments(world: World, call: Call) -> list[dict[str, Any]]:
    books, data_type = world.company(call).books_of(call.params["connectionId"]), _attached_type(call)
    if books.live_record(data_type, call.params["recordId"]) is None:
        raise ApiError(404, f"No data available for {call.params['resource']} for ID {call.params['recordId']}")
    return books.attachments(data_type, call.params["recordId"])


def _attachment(world: World, call: Call) -> dict[str, Any]:
    for attachment in _attachments(world, call):
        if attachment.get("id") == call.params["attachmentId"]:
            return attachment
    raise ApiError(404, f"No data available for attachments for ID {call.params['attachmentId']}")


def _file(name: str, data: bytes, content_type: str = BINARY) -> Answer:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Answer(body=data, content_type=content_type, headers={"Content-Disposition": disposition})
