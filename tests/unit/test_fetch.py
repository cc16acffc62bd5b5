"""Fetching and syncing, against a client and a cache that tests can script."""

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from codat_ar_cli.codat.errors import CodatFault, DataNotReady, KeyRefused, RecordNotFound, RequestRejected, Where
from codat_ar_cli.domain.fetched import Change, FetchStatus
from codat_ar_cli.domain.types import (
    Company,
    CompanyId,
    Connection,
    ConnectionId,
    Dataset,
    DatasetId,
    DataStatus,
    DataType,
    Integration,
    PlatformKey,
)
from codat_ar_cli.errors import ExitCode
from codat_ar_cli.flows.fetch import REFERENCE_TYPES, fetch
from codat_ar_cli.flows.sync import Phase

COMPANY = CompanyId("c-1")
CONNECTION = ConnectionId("n-1")
START = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = START

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.now += dt.timedelta(seconds=seconds)


@dataclass
class FakeCodat:
    """Answers from dicts; a value that is an exception is raised."""

    sets: dict[DataType, Any] = field(default_factory=dict)
    trees: dict[str, Any] = field(default_factory=dict)
    status: dict[str, DataStatus] = field(default_factory=dict)
    sync_ends: dict[DataType, str] = field(default_factory=dict)
    polls_needed: int = 2
    queue_errors: dict[DataType, list[Exception]] = field(default_factory=dict)
    features: dict[str, dict[str, str]] | None = None
    queued: list[DataType] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    async def records(self, company, connection, data_type, *, query=None):
        self.events.append(f"read {data_type.value}")
        answer = self.sets.get(data_type, [])
        if isinstance(answer, Exception):
            raise answer
        for record in answer:
            yield record

    async def company_info(self, company):
        return {"companyName": "Acorn", "baseCurrency": "GBP"}

    async def record(self, company, connection, data_type, record_id):
        self.events.append(f"tree {record_id}")
        return self.trees[record_id]

    async def data_status(self, company):
        return self.status

    async def queue_sync(self, company, data_type, *, connection=None):
        if self.queue_errors.get(data_type):
            raise self.queue_errors[data_type].pop(0)
        self.events.append(f"queue {data_type.value}")
        self.queued.append(data_type)
        return self._dataset(data_type.value, "Queued")

    async def dataset(self, company, dataset_id):
        self.seen[dataset_id] = self.seen.get(dataset_id, 0) + 1
        if self.seen[dataset_id] < self.polls_needed:
            return self._dataset(dataset_id, "Fetching")
        self.events.append(f"synced {dataset_id}")
        return self._dataset(dataset_id, self.sync_ends.get(DataType(dataset_id), "Complete"))

    async def company(self, company):
        link = Connection(
            CONNECTION, PlatformKey("gbol"), "Xero", "Accounting", "Deauthorized", "https://link.example/x"
        )
        return Company(COMPANY, "Acorn", (link,))

    async def integration(self, key):
        if self.features is None:
            raise CodatFault("500")
        return Integration(key, "Xero", is_offline=False, features=self.features)

    def _dataset(self, data_type, status):
        errored = status not in {"Queued", "Fetching", "Complete"}
        return Dataset(
            DatasetId(data_type), data_type, status, START, None, 50, status == "Complete", errored, message=None
        )


@dataclass
class Cached:
    records: tuple[str, ...]
    fetched_at: dt.datetime
    dataset_at: dt.datetime | None
    dataset_id: str | None


class FakeCache:
    def __init__(self):
        self.sets: dict[DataType, Cached] = {}

    def cached(self, company, connection, data_type):
        assert (company, connection) == (COMPANY, CONNECTION)
        return self.sets.get(data_type)

    def replace_cache(self, company, connection, data_type, records, *, fetched_at, dataset_id, dataset_at):
        self.sets[data_type] = Cached(tuple(records), fetched_at, dataset_at, dataset_id)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def cache():
    return FakeCache()


async def run_fetch(codat, cache, time, types, **options):
    return await fetch(
        codat,
        cache,
        company=COMPANY,
        connection=CONNECTION,
        types=types,
        clock=time.clock,
        sleep=time.sleep,
        **options,
    )


def account(identifier, name, **more):
    return {"id": identifier, "name": name, "nominalCode": None, "status": "Active", **more}


pytestmark = pytest.mark.anyio


async def test_every_type_asked_for_is_read_and_cached(cache, time):
    codat = FakeCodat({DataType.ACCOUNTS: [account("1", "Sales"), account("2", "Bank")]})

    report = await run_fetch(codat, cache, time, REFERENCE_TYPES)

    assert [outcome.data_type for outcome in report.outcomes] == list(REFERENCE_TYPES)
    assert {outcome.status for outcome in report.outcomes} == {FetchStatus.FETCHED}
    assert cache.sets[DataType.ACCOUNTS].records[0].startswith('{"id":"1"')
    assert report.exit_code is ExitCode.DONE


async def test_the_cache_remembers_the_dataset_it_came_from(cache, time):
    synced_at = START - dt.timedelta(hours=2)
    codat = FakeCodat(
        status={"taxRates": DataStatus("taxRates", "Complete", synced_at, DatasetId("d"), DatasetId("d"))}
    )

    await run_fetch(codat, cache, time, [DataType.TAX_RATES])

    assert cache.sets[DataType.TAX_RATES].dataset_at == synced_at
    assert cache.sets[DataType.TAX_RATES].dataset_id == "d"


async def test_without_refresh_nothing_is_queued(cache, time):
    codat = FakeCodat()

    await run_fetch(codat, cache, time, [DataType.ACCOUNTS])

    assert codat.queued == []


async def test_refresh_waits_for_the_sync_before_reading(cache, time):
    codat = FakeCodat()

    await run_fetch(codat, cache, time, [DataType.ACCOUNTS], refresh=True)

    assert codat.events == ["queue chartOfAccounts", "synced chartOfAccounts", "read chartOfAccounts"]


async def test_refresh_syncs_payments_before_invoices_whatever_the_order(cache, time):
    codat = FakeCodat()

    await run_fetch(codat, cache, time, [DataType.INVOICES, DataType.PAYMENTS], refresh=True)

    assert codat.events.index("synced payments") < codat.events.index("queue invoices")


async def test_a_sync_that_never_ends_is_given_up_and_says_it_goes_on(cache, time):
    codat = FakeCodat(polls_needed=10**9)

    report = await run_fetch(codat, cache, time, [DataType.ACCOUNTS], refresh=True, wait=dt.timedelta(seconds=60))

    error = report.outcomes[0].error
    assert error is not None
    assert error.code == "fetch.still-syncing"
    assert "after 60 s (Fetching)" in error.message
    assert report.exit_code is ExitCode.UNFINISHED
    assert time.now - START < dt.timedelta(seconds=75)


async def test_a_sync_that_ended_while_we_asked_is_queued_anew(cache, time):
    codat = FakeCodat(queue_errors={DataType.ACCOUNTS: [RequestRejected("DatasetAlreadyInProgressException: x")]})

    report = await run_fetch(codat, cache, time, [DataType.ACCOUNTS], refresh=True)

    assert report.outcomes[0].status is FetchStatus.FETCHED
    assert codat.queued == [DataType.ACCOUNTS]


async def test_a_refused_sync_is_that_types_failure(cache, time):
    codat = FakeCodat(queue_errors={DataType.ACCOUNTS: [RequestRejected("no"), RequestRejected("no")]})

    report = await run_fetch(codat, cache, time, [DataType.ACCOUNTS, DataType.ITEMS], refresh=True)

    assert [outcome.status for outcome in report.outcomes] == [FetchStatus.FAILED, FetchStatus.FETCHED]


async def test_a_sync_asked_for_too_early_is_followed_by_another(cache, time):
    codat = FakeCodat()

    await run_fetch(codat, cache, time, [DataType.PAYMENTS], refresh=True, newer_than=START + dt.timedelta(seconds=1))

    assert codat.queued == [DataType.PAYMENTS, DataType.PAYMENTS]


async def test_a_lost_authorisation_is_named_with_the_link_to_open(cache, time):
    codat = FakeCodat(sync_ends={DataType.ACCOUNTS: "AuthError"})

    report = await run_fetch(codat, cache, time, [DataType.ACCOUNTS], refresh=True)

    error = report.outcomes[0].error
    assert error is not None
    assert error.code == "fetch.needs-link"
    assert error.hint is not None
    assert "https://link.example/x" in error.hint


async def test_a_failed_sync_keeps_the_earlier_cache(cache, time):
    cache.sets[DataType.ACCOUNTS] = Cached(('{"id":"1"}',), START - dt.timedelta(days=1), None, None)
    codat = FakeCodat(sync_ends={DataType.ACCOUNTS: "FetchError"})

    report = await run_fetch(codat, cache, time, [DataType.ACCOUNTS], refresh=True)

    assert report.outcomes[0].error is not None
    assert report.outcomes[0].error.code == "fetch.sync-failed"
    assert report.outcomes[0].records == 1
    assert cache.sets[DataType.ACCOUNTS].records == ('{"id":"1"}',)
    assert report.exit_code is ExitCode.TRY_LATER


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"name": "no id"}, "id"),
        ({"id": "2", "isBankAccount": "perhaps"}, "isBankAccount"),
        ({"id": "2", "supplementalData": json.loads("[" * 500 + "]" * 500)}, "nested"),
    ],
)
async def test_a_record_that_can_not_be_read_does_not_replace_a_cache_that_can(cache, time, record, words):
    cache.sets[DataType.ACCOUNTS] = Cached(('{"id":"1"}',), START - dt.timedelta(days=1), None, None)
    codat = FakeCodat({DataType.ACCOUNTS: [account("1", "Sales"), record]})

    report = await run_fetch(codat, cache, time, [DataType.ACCOUNTS])

    assert report.outcomes[0].status is FetchStatus.FAILED
    assert words in report.outcomes[0].error.message
    assert cache.sets[DataType.ACCOUNTS].records == ('{"id":"1"}',)


@pytest.mark.parametrize("children", [7, ["not a category"], [{"name": "no id"}]])
async def test_a_tree_of_the_wrong_shape_is_that_types_failure(cache, time, children):
    top = {"id": "G", "name": "Region", "hasChildren": True}
    codat = FakeCodat({DataType.TRACKING_CATEGORIES: [top]}, trees={"G": top | {"subCategories": children}})

    report = await run_fetch(codat, cache, time, [DataType.TRACKING_CATEGORIES])

    assert report.outcomes[0].error.code == "codat.wire"


async def test_what_the_platform_lacks_is_said_and_is_no_fault(cache, time):
    missing = RecordNotFound("Datatype paymentMethods not supported by platform(s) Xero", where=Where(status=404))
    codat = FakeCodat({DataType.PAYMENT_METHODS: missing}, sync_ends={DataType.SUPPLIERS: "NotSupported"})

    report = await run_fetch(codat, cache, time, [DataType.PAYMENT_METHODS, DataType.SUPPLIERS], refresh=True)

    assert [outcome.status for outcome in report.outcomes] == [FetchStatus.NOT_SUPPORTED] * 2
    assert report.exit_code is ExitCode.DONE


async def test_a_type_never_synced_that_codat_does_not_read_there_is_no_fault(cache, time):
    codat = FakeCodat(
        {DataType.PAYMENT_METHODS: DataNotReady("The data set has not been requested.")},
        features={"paymentMethods": {"Get": "NotSupported"}, "customers": {"Get": "Release"}},
    )

    report = await run_fetch(codat, cache, time, [DataType.PAYMENT_METHODS])

    assert report.outcomes[0].status is FetchStatus.NOT_SUPPORTED


async def test_a_type_never_synced_says_how_to_get_it_and_the_others_arrive(cache, time):
    codat = FakeCodat({DataType.CUSTOMERS: DataNotReady("The data set has not been requested.")})

    report = await run_fetch(codat, cache, time, [DataType.CUSTOMERS, DataType.ITEMS])

    customers, items = report.outcomes
    assert customers.error is not None
    assert customers.error.code == "fetch.never-synced"
    assert customers.error.hint == "have it read now: codat-ar fetch customers --refresh"
    assert items.status is FetchStatus.FETCHED


async def test_a_type_still_syncing_is_not_called_never_synced(cache, time):
    codat = FakeCodat(
        {DataType.CUSTOMERS: DataNotReady("still syncing")},
        status={"customers": DataStatus("customers", "Fetching", None, None, DatasetId("d"))},
    )

    report = await run_fetch(codat, cache, time, [DataType.CUSTOMERS])

    assert report.outcomes[0].error is not None
    assert report.outcomes[0].error.code == "fetch.still-syncing"


async def test_one_failing_type_does_not_lose_the_others(cache, time):
    codat = FakeCodat({DataType.ITEMS: CodatFault("500")})

    report = await run_fetch(codat, cache, time, [DataType.ITEMS, DataType.SUPPLIERS])

    assert [outcome.status for outcome in report.outcomes] == [FetchStatus.FAILED, FetchStatus.FETCHED]


async def test_a_refused_key_stops_everything(cache, time):
    codat = FakeCodat({DataType.ITEMS: KeyRefused("401")})

    with pytest.raises(KeyRefused):
        await run_fetch(codat, cache, time, [DataType.ITEMS, DataType.SUPPLIERS])


async def test_tracking_categories_come_with_all_their_descendants(cache, time):
    listed = [
        {"id": "R", "name": "Region", "hasChildren": True, "status": "Active"},
        {"id": "S", "name": "South", "parentId": "R", "hasChildren": False, "status": "Active"},
    ]
    north = {"id": "N", "name": "North", "status": "Active", "subCategories": [{"id": "N1", "name": "Leeds"}]}
    codat = FakeCodat(
        {DataType.TRACKING_CATEGORIES: listed}, trees={"R": {**listed[0], "subCategories": [listed[1], north]}}
    )

    await run_fetch(codat, cache, time, [DataType.TRACKING_CATEGORIES])

    cached = "".join(cache.sets[DataType.TRACKING_CATEGORIES].records)
    assert codat.events.count("tree R") == 1
    assert '"id":"N1","name":"Leeds","parentId":"N"' in cached
    assert cached.count('"id":"S"') == 1
    assert "subCategories" not in cached


async def test_diff_tells_renamed_archived_deleted_added_and_removed_apart(cache, time):
    before = [account(str(number), f"Account {number}") for number in range(6)]
    after = [
        account("0", "Account 0"),
        account("1", "New name"),
        account("2", "Account 2", status="Archived"),
        account("3", "Account 3", metadata={"isDeleted": True}),
        account("4", "Account 4", currency="EUR"),
        account("9", "Account 9"),
    ]
    codat = FakeCodat({DataType.ACCOUNTS: before})
    await run_fetch(codat, cache, time, [DataType.ACCOUNTS])
    codat.sets[DataType.ACCOUNTS] = after

    report = await run_fetch(codat, cache, time, [DataType.ACCOUNTS], diff=True)

    changes = {change.id: change for change in report.outcomes[0].changes or ()}
    assert {key: change.change for key, change in changes.items()} == {
        "1": Change.RENAMED,
        "2": Change.ARCHIVED,
        "3": Change.DELETED,
        "4": Change.CHANGED,
        "5": Change.REMOVED,
        "9": Change.ADDED,
    }
    assert changes["1"].was == "Account 1"
    assert changes["4"].fields == ("currency",)


async def test_diff_without_an_earlier_cache_compares_with_nothing(cache, time):
    report = await run_fetch(FakeCodat(), cache, time, [DataType.ACCOUNTS], diff=True)

    assert report.outcomes[0].changes is None


async def test_a_newer_modified_date_alone_is_no_change(cache, time):
    codat = FakeCodat({DataType.ACCOUNTS: [account("1", "Sales", modifiedDate="2026-01-01")]})
    await run_fetch(codat, cache, time, [DataType.ACCOUNTS])
    codat.sets[DataType.ACCOUNTS] = [account("1", "Sales", modifiedDate="2026-05-01")]

    report = await run_fetch(codat, cache, time, [DataType.ACCOUNTS], diff=True)

    assert report.outcomes[0].changes == ()


async def test_progress_tells_queued_syncing_reading_and_done(cache, time):
    phases = []

    await run_fetch(
        FakeCodat(), cache, time, [DataType.ITEMS], refresh=True, on_progress=lambda step: phases.append(step.phase)
    )

    assert phases == [Phase.QUEUED, Phase.SYNCING, Phase.SYNCING, Phase.READING, Phase.DONE]
