"""Answers of every shape Codat's samples show become domain values, with exact numbers."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from codat_ar_cli.codat import models, wire
from codat_ar_cli.codat.errors import WireError
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.types import DataType, PushStatus

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "codat" / "platforms"
READERS = {
    "accounts": wire.account,
    "bankAccounts": wire.bank_account,
    "trackingCategories": wire.tracking_category,
    "taxRates": wire.tax_rate,
    "customers": wire.customer,
    "suppliers": wire.supplier,
    "paymentMethods": wire.payment_method,
    "invoices": wire.open_invoice,
    "company": wire.company_info,
}
UNREAD = {"creditNotes", "payments", "directCosts"}
"""Types we read as records, not yet as domain values: their numbers must still survive."""

OPERATION: dict[str, Any] = {
    "pushOperationKey": "11111111-1111-4111-8111-111111111111",
    "companyId": "22222222-2222-4222-8222-222222222222",
    "dataConnectionKey": "33333333-3333-4333-8333-333333333333",
    "dataType": "invoices",
    "status": "Pending",
    "statusCode": 202,
    "requestedOnUtc": "2026-11-22T10:00:00.1234567Z",
}


def test_all_sample_reads_are_known_by_their_type(shared):
    kinds = {path.name.removesuffix(".read-example.json") for path in SAMPLES.glob("*/*.read-example.json")}

    assert kinds == set(READERS) | UNREAD
    assert len(list(SAMPLES.glob("*/*.read-example.json"))) == 157


@pytest.mark.parametrize(
    "path", sorted(SAMPLES.glob("*/*.read-example.json")), ids=lambda p: f"{p.parent.name}-{p.name}"
)
def test_every_sample_read_becomes_values(path):
    text = path.read_text(encoding="utf-8")
    answer = jsontext.loads(text)["response"]
    kind = path.name.removesuffix(".read-example.json")

    records = [answer] if kind == "company" else wire.read(models.PageShape, answer).results
    values = [READERS[kind](record) for record in records if kind in READERS]

    assert records
    assert len(values) == (0 if kind in UNREAD else len(records))
    assert jsontext.loads(jsontext.dumps(answer)) == answer
    assert all(getattr(value, "name", "x") or kind == "company" for value in values)


def test_amounts_of_an_invoice_are_exact_to_the_last_digit():
    raw = jsontext.loads(
        '{"id":"1","issueDate":"2026-01-31T23:30:00Z","totalAmount":1234567890123456.10,"amountDue":0.30,'
        '"currency":"GBP","status":"PartiallyPaid","customerRef":{"id":"c","companyName":"Ann"}}'
    )

    invoice = wire.open_invoice(raw)

    assert str(invoice.total_amount) == "1234567890123456.10"
    assert str(invoice.amount_due) == "0.30"
    assert invoice.issue_date == dt.date(2026, 1, 31), "a business date never moves between zones"
    assert (invoice.customer_id, invoice.customer_name) == ("c", "Ann")


def test_a_missing_amount_due_is_total_plus_the_negative_allocations():
    raw = {
        "id": "1",
        "totalAmount": 100,
        "amountDue": None,
        "paymentAllocations": [{"allocation": {"totalAmount": Decimal("-30.5")}}, {"allocation": None}],
    }

    assert wire.open_invoice(raw).amount_due == Decimal("69.5")


def test_nulls_and_missing_fields_are_the_same():
    bare = wire.account({"id": "7"})
    nulls = wire.account(
        {
            "id": "7",
            "name": None,
            "nominalCode": None,
            "type": None,
            "status": None,
            "currency": None,
            "isBankAccount": None,
            "validDatatypeLinks": None,
            "metadata": None,
        }
    )

    assert bare == nulls
    assert (bare.name, bare.type, bare.status, bare.is_bank_account) == ("7", "Unknown", "Unknown", False)


def test_unknown_fields_and_unknown_words_are_let_through():
    seen = wire.customer({"id": 5, "customerName": "Ann", "status": "Sleeping", "invented": {"x": 1}})

    assert (seen.id, seen.status) == ("5", "Sleeping")


def test_a_vanished_record_is_told_by_its_metadata_not_its_status():
    seen = wire.account({"id": "1", "status": "Active", "metadata": {"isDeleted": True}})

    assert seen.is_deleted
    assert not seen.is_alive


def test_codats_unknown_currency_is_none_where_none_is_possible():
    assert wire.account({"id": "1", "currency": "XXX"}).currency is None
    assert wire.open_invoice({"id": "1", "totalAmount": 1, "currency": None}).currency == "XXX"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", None, ""])
def test_a_date_of_year_one_is_unset(text):
    operation = wire.push_operation(OPERATION | {"requestedOnUtc": text, "completedOnUtc": text})

    assert operation.requested_at is None
    assert operation.completed_at is None
    assert wire.company_info({"ledgerLockDate": text}).ledger_lock_date is None


@pytest.mark.parametrize("text", ["2026-11-22T10:00:00", "2026-11-22T10:00:00Z", "2026-11-22T12:00:00.0000000+02:00"])
def test_instants_are_utc_whatever_their_zone(text):
    assert wire.push_operation(OPERATION | {"requestedOnUtc": text}).requested_at == dt.datetime(
        2026, 11, 22, 10, tzinfo=dt.UTC
    )


def test_an_instant_beyond_the_calendar_is_a_wire_error():
    with pytest.raises(WireError, match="requestedOnUtc"):
        wire.push_operation(OPERATION | {"requestedOnUtc": "9999-12-31T23:59:59-14:00"})


def test_an_unknown_push_status_counts_as_pending():
    assert wire.push_operation(OPERATION | {"status": "Processing"}).status is PushStatus.PENDING


def test_a_pending_change_without_an_id_names_no_record():
    changes = [{"type": "Created", "recordRef": {"dataType": "invoices"}}]

    operation = wire.push_operation(OPERATION | {"changes": changes})

    assert operation.record_id is None
    assert operation.change_types == ("Created",)


def test_a_success_may_name_no_record_at_all():
    for changes in ("[]", "null"):
        finished = {"status": "Success", "statusCode": 200, "changes": jsontext.loads(changes)}
        operation = wire.push_operation(OPERATION | finished)
        assert (operation.status, operation.record_id) == (PushStatus.SUCCESS, None)


def test_the_record_of_the_operations_own_type_is_the_one():
    changes = [
        {"type": "Created", "recordRef": {"id": "side", "dataType": "bankAccounts"}},
        {"type": "Created", "recordRef": {"id": "main", "dataType": "invoices"}},
    ]

    assert wire.push_operation(OPERATION | {"changes": changes}).record_id == "main"


def test_validation_of_a_failed_push_is_read():
    checks = {
        "errors": [{"itemId": "NominalCode", "message": "too long", "validatorName": "Account"}],
        "warnings": None,
    }

    operation = wire.push_operation(OPERATION | {"status": "Failed", "statusCode": 400, "validation": checks})

    [item] = operation.errors
    assert (item.item_id, item.message, item.validator) == ("NominalCode", "too long", "Account")
    assert operation.warnings == ()


@pytest.mark.parametrize("missing", ["pushOperationKey", "status", "companyId", "statusCode"])
def test_an_operation_without_what_decides_is_an_error_that_names_the_field(missing):
    with pytest.raises(WireError, match=missing):
        wire.push_operation({key: value for key, value in OPERATION.items() if key != missing})


@pytest.mark.parametrize("raw", [[], None, "text", 5, {"id": ""}, {"name": "no id"}])
def test_an_answer_of_the_wrong_shape_is_a_wire_error(raw):
    with pytest.raises(WireError, match="not as documented"):
        wire.account(raw)


def test_an_amount_that_is_no_number_is_a_wire_error_that_names_record_and_field():
    with pytest.raises(WireError, match=r"Invoice INV-9 .*totalAmount"):
        wire.open_invoice({"id": "INV-9", "totalAmount": "1,000.00"})


def test_a_type_that_was_never_synced_has_a_status_without_dates():
    statuses = wire.data_status(
        {
            "invoices": {"dataType": "invoices"},
            "bills": None,
            "items": {
                "dataType": "items",
                "currentStatus": "Complete",
                "lastSuccessfulSync": "2026-11-22T10:00:00Z",
                "latestSyncId": "b",
                "latestSuccessfulSyncId": "a",
            },
        }
    )

    assert set(statuses) == {"invoices", "items"}
    assert statuses["invoices"].last_successful_sync is None
    assert (statuses["items"].latest_dataset, statuses["items"].latest_successful_dataset) == ("b", "a")


def test_connections_tell_their_platform_state_and_faults():
    raw = {
        "id": "c",
        "name": "Ann Ltd",
        "dataConnections": [
            {
                "id": "n",
                "integrationKey": "gbol",
                "platformName": "Xero",
                "sourceType": "Accounting",
                "status": "Deauthorized",
                "linkUrl": "https://link",
                "lastSync": None,
                "dataConnectionErrors": [
                    {"statusCode": "401", "errorMessage": "revoked", "status": None, "erroredOnUtc": None},
                    {"statusCode": 500, "statusText": "down", "status": "Resolved"},
                ],
            }
        ],
    }

    [connection] = wire.company(raw).connections

    assert not connection.is_usable
    assert [(fault.status_code, fault.text, fault.active) for fault in connection.errors] == [
        ("401", "revoked", True),
        ("500", "down", False),
    ]


def test_features_of_a_platform_are_found_by_type_and_feature():
    raw = {
        "key": "hbql",
        "name": "Sage 50",
        "isOfflineConnector": True,
        "datatypeFeatures": [
            {"dataType": "invoices", "supportedFeatures": [{"featureType": "Post", "featureState": "Release"}]},
            {"datatype": "payments", "supportedFeatures": [{"featureType": "Post", "featureState": "NotSupported"}]},
        ],
    }

    seen = wire.integration(raw)

    assert seen.is_offline
    assert seen.supports(DataType.INVOICES, "Post")
    assert seen.features["payments"] == {"Post": "NotSupported"}
    assert not seen.supports(DataType.PAYMENTS, "Post")
    assert not seen.supports(DataType.ITEMS, "Post")


def test_the_dataset_of_a_company_info_refresh_has_its_data_type():
    seen = wire.dataset({"id": "d", "dataType": None, "status": "Queued", "progress": None, "requested": None})

    assert (seen.data_type, seen.progress, seen.is_completed) == ("company", 0, False)


def test_reference_data_is_put_together_from_cached_sets():
    when = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

    seen = wire.reference_data(
        {
            DataType.ACCOUNTS: [{"id": "1", "name": "Bank"}],
            DataType.COMPANY_INFO: [{"companyName": "Ann Ltd", "baseCurrency": "GBP"}],
        },
        {DataType.ACCOUNTS: when},
    )

    assert [account.name for account in seen.accounts] == ["Bank"]
    assert seen.company_info is not None
    assert seen.company_info.base_currency == "GBP"
    assert seen.items == ()
    assert seen.fetched == {DataType.ACCOUNTS: when}
