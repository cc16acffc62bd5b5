"""The whole sandbox in memory: companies, clock, faults, limits, keys; restored from its state file if it has one."""

import json
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from codat_ar_cli.sandbox.answers import ApiError, Call, parse_stamp, stamp
from codat_ar_cli.sandbox.clock import SandboxClock
from codat_ar_cli.sandbox.company import Company
from codat_ar_cli.sandbox.faults import FaultPlan, FaultPlanError
from codat_ar_cli.sandbox.idempotency import IdempotencyKeys
from codat_ar_cli.sandbox.jsonexact import loads
from codat_ar_cli.sandbox.limits import PER_COMPANY, Limits
from codat_ar_cli.sandbox.operations import Operation
from codat_ar_cli.sandbox.settings import SandboxError, Settings
from codat_ar_cli.sandbox.store import Store
from codat_ar_cli.sandbox.syncs import Sync
from codat_ar_cli.sandbox.timeline import Timeline

if TYPE_CHECKING:
    from codat_ar_cli.sandbox.books import Books

CLIENT_ID = "5b9f4c7e-3f0d-4c8e-9a55-5a2d0c0da7a1"


class World:
    """Everything one sandbox knows. Not thread-safe: the server's event loop is its only user."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.state)
        self.clock = SandboxClock(settings.clock)
        self.timeline = Timeline()
        self.limits = Limits(enforced=settings.limits)
        self.faults = FaultPlan(_read_plan(settings))
        self.companies: dict[str, Company] = {}
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.sync_settings: dict[str, list[dict[str, Any]]] = {}
        self.profile: dict[str, Any] = {
            "name": "Codat sandbox",
            "redirectUrl": "https://sandbox.example/{companyId}",
            "logoUrl": "https://sandbox.example/logo.png",
            "iconUrl": "https://sandbox.example/icon.ico",
            "whiteListUrls": [],
            "confirmCompanyName": False,
        }
        restored = dict(self.store.load("company"))
        if restored:
            self._restore(restored)
        else:
            self._seed()
        self.keys = IdempotencyKeys(self.store)
        self.commit()

    def settle(self) -> datetime:
        """Carry out all that is due and give the time."""
        now = self.clock.now()
        self.timeline.settle(now)
        return now

    def company(self, call: Call) -> Company:
        """Find the company of a request; raises 404."""
        company = self.companies.get(call.params["companyId"])
        if company is None:
            wanted = call.params["companyId"]
            raise ApiError(404, f"No company was found with ID {wanted}", service="ClientsApi")
        return company

    @property
    def quota(self) -> int:
        """Give the daily quota as of now (reference §1.3)."""
        return PER_COMPANY * (1 + sum(company.is_active for company in self.companies.values()))

    def add_company(self, details: dict[str, Any], connections: list[dict[str, Any]]) -> Company:
        """Take a company in and keep it."""
        company = Company(details, connections, store=self.store, timeline=self.timeline)
        self.companies[company.id] = company
        company.save()
        return company

    def give_books(
        self, company: Company, books: "Books", now: datetime, connection: dict[str, Any] | None = None
    ) -> None:
        """Link books to a company's connection: they are synced at once."""
        company.adopt(books, connection)
        company.note_seeded(now)
        if self.store.keeps:
            rows = ((f"{section}|{key}", value) for section, key, value in books.take_dirty())
            self.store.write(company.rows_kind, rows)

    def remove_company(self, company: Company) -> None:
        """Drop a company with all that belongs to it; only the sandbox's record of its writes stays on file."""
        del self.companies[company.id]
        company.forget_books()
        self.store.drop("company", company.id)

    def writes(self) -> list[dict[str, Any]]:
        """List every write that reached any books, oldest first."""
        everything = [write for company in self.companies.values() for write in company.writes]
        return sorted(everything, key=lambda write: parse_stamp(write["at"]))

    def save_meta(self) -> None:
        """Keep the clock's offset and the quota used."""
        meta = {"offset": str(self.clock.offset.total_seconds()), "day": self.limits.day, "used": self.limits.used}
        self.store.put("meta", "world", meta)

    def close(self) -> None:
        """Carry out what is due, keep it, and close."""
        self.settle()
        self.save_meta()
        self.commit()
        self.store.close()

    def commit(self) -> None:
        """Keep everything that changed, in one transaction."""
        for company in self.companies.values():
            company.keep_books()
        self.store.commit()

    def _seed(self) -> None:
        from codat_ar_cli.sandbox.platforms import ALL, platform_named
        from codat_ar_cli.sandbox.seed import books_from_file, seed_books

        settings, now = self.settings, self.clock.now()
        names = settings.platforms
        if not names and not settings.seed_files:
            names = tuple(platform.key for platform in ALL)
        sizes = {"customers": settings.customers, "invoices": settings.invoices}
        given = {name: size for name, size in sizes.items() if size is not None}
        seen: Counter[str] = Counter()
        for name in names:
            try:
                key = platform_named(name).key
            except ValueError as error:
                raise SandboxError("sandbox.unknown-platform", str(error)) from error
            self._add_books(seed_books(key, seed=settings.seed + seen[key], now=now, **given), now)
            seen[key] += 1
        for path in settings.seed_files:
            try:
                books = books_from_file(loads(path.read_bytes()), now)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise SandboxError("sandbox.seed-file", f"can't use the seed file `{path}`: {error}") from error
            self._add_books(books, now)

    def _add_books(self, books: "Books", now: datetime) -> None:
        details = {name: value for name, value in books.company.items() if name != "dataConnections"}
        if details["id"] in self.companies:
            raise SandboxError("sandbox.seed-file", f"two companies have the id {details['id']}")
        company = self.add_company(details, [dict(books.connection)])
        self.give_books(company, books, now)

    def _restore(self, rows: dict[str, Any]) -> None:
        from codat_ar_cli.sandbox.books import Books

        for row in rows.values():
            self.companies[row["details"]["id"]] = Company(
                row["details"], row["connections"], store=self.store, timeline=self.timeline
            )
        for company in self.companies.values():
            entries = [(*key.split("|", 1), value) for key, value in self.store.load(company.rows_kind)]
            if entries:
                books = Books.from_entries(entries)
                books.take_dirty()
                company.adopt(books)
        self._restore_work()
        for webhook_id, webhook in self.store.load("webhook"):
            self.webhooks[webhook_id] = webhook
        for owner, chosen in self.store.load("syncSettings"):
            self.sync_settings[owner] = chosen
        self._restore_meta(dict(self.store.load("meta")))

    def _restore_work(self) -> None:
        syncs = [Sync.load(raw) for _, raw in self.store.load("sync") if raw["companyId"] in self.companies]
        for sync in sorted(syncs, key=lambda sync: (sync.requested, sync.ends)):
            self.companies[sync.company_id].restore_sync(sync)
        operations = [raw for _, raw in self.store.load("operation") if raw["company"] in self.companies]
        for raw in sorted(operations, key=lambda raw: parse_stamp(raw["wire"]["requestedOnUtc"])):
            self.companies[raw["company"]].add_operation(Operation.load(raw))
        for key, write in self.store.load("write"):
            owner = key.partition(":")[0]
            if owner in self.companies:
                self.companies[owner].writes.append(write)

    def _restore_meta(self, meta: dict[str, Any]) -> None:
        world = meta.get("world")
        if world is not None:
            self.clock.advance(float(world["offset"]))
            self.limits.day, self.limits.used = world["day"], world["used"]
        if "profile" in meta:
            self.profile = meta["profile"]

    def describe(self) -> dict[str, Any]:
        """Tell what `/__sandbox/health` shows."""
        now = self.clock.now()
        return {
            "status": "ok",
            "now": stamp(now),
            "companies": [
                {"id": company.id, "name": company.details["name"], "connections": company.connections}
                for company in self.companies.values()
            ],
        }


def _read_plan(settings: Settings) -> Any:
    if settings.faults is None:
        return {}
    if isinstance(settings.faults, dict):
        plan = loads(json.dumps(settings.faults))
    else:
        try:
            plan = loads(settings.faults.read_bytes())
        except (OSError, ValueError) as error:
            raise SandboxError("sandbox.faults", f"can't read the fault plan `{settings.faults}`: {error}") from error
    try:
        FaultPlan(plan)
    except FaultPlanError as error:
        raise SandboxError("sandbox.faults", f"the fault plan: {error}") from error
    return plan
