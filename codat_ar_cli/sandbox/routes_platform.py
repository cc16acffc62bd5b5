"""Companies, connections, integrations, profile, sync settings and webhooks (reference §2, §4, §12)."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from codat_ar_cli.sandbox.answers import Answer, ApiError, Call, json_answer, no_content, stamp
from codat_ar_cli.sandbox.company import Company
from codat_ar_cli.sandbox.models import COMPANY, CONNECTION, INTEGRATION, OTHER_TYPES, SYNCED_TYPES
from codat_ar_cli.sandbox.paging import Shelf, page
from codat_ar_cli.sandbox.platforms import PLATFORMS
from codat_ar_cli.sandbox.query import AnyTag, parse_query
from codat_ar_cli.sandbox.world import CLIENT_ID, World

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\s\-',&@.,?!]")
_MOST_TAGS, _LONGEST_TAG, _LONGEST_TAG_NAME = 10, 100, 27
_MOST_WEBHOOKS = 50


def list_companies(world: World, call: Call) -> Answer:
    """`GET /companies`."""
    companies = [company.wire() for company in world.companies.values()]
    if call.query.get("tags"):
        test = parse_query(call.query["tags"], AnyTag())
        companies = [company for company in companies if test(company.get("tags") or {})]
    return page(call, Shelf(companies), COMPANY)


def create_company(world: World, call: Call) -> Answer:
    """`POST /companies`: a company without connections."""
    body = call.json_object()
    company_id = str(uuid.uuid4())
    details: dict[str, Any] = {
        "id": company_id,
        "name": _company_name(body.get("name")),
        "redirect": f"https://link.codat.io/company/{company_id}",
        "created": stamp(call.now),
        "createdByUserName": None,
        "lastSync": None,
        "products": [],
        "tags": _tags(body.get("tags")),
        **_description(body),
    }
    return json_answer(world.add_company(details, []).wire())


def get_company(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}`."""
    return json_answer(world.company(call).wire())


def replace_company(world: World, call: Call) -> Answer:
    """`PUT /companies/{companyId}`: name, description and tags as given, absent ones emptied."""
    company, body = world.company(call), call.json_object()
    changed = {"name": _company_name(body.get("name")), "tags": _tags(body.get("tags"))}
    company.details.pop("description", None)
    company.details.update(changed | _description(body))
    company.save()
    return json_answer(company.wire())


def update_company(world: World, call: Call) -> Answer:
    """`PATCH /companies/{companyId}`: only what is given."""
    company, body = world.company(call), call.json_object()
    changed = _description(body)
    if "name" in body:
        changed["name"] = _company_name(body["name"])
    if "tags" in body:
        changed["tags"] = _tags(body["tags"])
    company.details.update(changed)
    company.save()
    return json_answer(company.wire())


def delete_company(world: World, call: Call) -> Answer:
    """`DELETE /companies/{companyId}`."""
    world.remove_company(world.company(call))
    return no_content()


def _company_name(value: Any) -> str:
    name = _NOT_IN_NAMES.sub("", value).strip() if isinstance(value, str) else ""
    if not name:
        raise ApiError(400, "Error processing request - not valid. A company needs a name.", service="ClientsApi")
    return name


def _description(body: dict[str, Any]) -> dict[str, Any]:
    text = body.get("description")
    if text is not None and not isinstance(text, str):
        raise ApiError(400, "Error processing request - not valid. description is text.", service="ClientsApi")
    return {} if text is None else {"description": text}


def _tags(value: Any) -> dict[str, str]:
    tags = {} if value is None else value
    if (
        not isinstance(tags, dict)
        or len(tags) > _MOST_TAGS
        or not all(isinstance(text, str) and len(text) <= _LONGEST_TAG for text in tags.values())
        or not all(1 <= len(name) <= _LONGEST_TAG_NAME for name in tags)
    ):
        raise ApiError(400, "Error processing request - not valid. tags are up to 10 short texts.")
    return tags


def list_connections(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/connections`."""
    return page(call, Shelf(world.company(call).connections), CONNECTION)


def create_connection(world: World, call: Call) -> Answer:
    """`POST /companies/{companyId}/connections`: waits for the business to authorise it (`PendingAuth`).

    The published example sends an object, older text a bare JSON string: both are taken.
    """
    company, body = world.company(call), call.json()
    key = body.get("platformKey") if isinstance(body, dict) else body
    integration = _integrations().get(str(key))
    if integration is None:
        raise ApiError(400, f"Error processing request - not valid. No platform has the key {key}.")
    connection_id = str(uuid.uuid4())
    connection = {
        "id": connection_id,
        "integrationId": integration.get("integrationId") or str(uuid.uuid4()),
        "integrationKey": integration["key"],
        "sourceId": integration.get("sourceId") or str(uuid.uuid4()),
        "sourceType": integration.get("sourceType", "Accounting"),
        "platformName": integration["name"],
        "linkUrl": f"https://link-api.codat.io/companies/{company.id}/connections/{connection_id}/start",
        "status": "PendingAuth",
        "lastSync": None,
        "created": stamp(call.now),
        "dataConnectionErrors": [],
    }
    company.connections.append(connection)
    company.save()
    return json_answer(connection)


def get_connection(world: World, call: Call) -> Answer:
    """`GET …/connections/{connectionId}`."""
    return json_answer(world.company(call).connection(call.params["connectionId"]))


def update_connection(world: World, call: Call) -> Answer:
    """`PATCH …/connections/{connectionId}`: only Linked → Unlinked."""
    company = world.company(call)
    connection = company.connection(call.params["connectionId"])
    status = call.json_object().get("status")
    if status != "Unlinked" or connection["status"] != "Linked":
        raise ApiError(400, f"A connection that is {connection['status']} can't be made {status}.")
    connection["status"] = "Unlinked"
    company.save()
    return json_answer(connection)


def delete_connection(world: World, call: Call) -> Answer:
    """`DELETE …/connections/{connectionId}`: final; the specification answers 200, empty."""
    company = world.company(call)
    connection = company.connection(call.params["connectionId"])
    company.connections.remove(connection)
    if company.books is not None and company.books.connection["id"] == connection["id"]:
        company.forget_books()
    company.save()
    return Answer(status=200, content_type=None)


def link(world: World, call: Call) -> Answer:
    """`POST /__sandbox/link/{companyId}/{connectionId}`: do what the business does behind `linkUrl`."""
    from codat_ar_cli.sandbox.seed import seed_books

    company = world.company(call)
    connection = company.connection(call.params["connectionId"])
    other = [one for one in company.connections if one["status"] == "Linked" and one is not connection]
    if other:
        raise ApiError(400, "A company has at most one active accounting connection.")
    connection["status"] = "Linked"
    if company.books is None:
        books = seed_books(connection["integrationKey"], seed=world.settings.seed, now=call.now)
        world.give_books(company, books, call.now, connection)
    company.save()
    return json_answer(company.connection(connection["id"]))


def _integrations() -> dict[str, dict[str, Any]]:
    return {platform.key: platform.integration() for platform in PLATFORMS.values()}


def list_integrations(world: World, call: Call) -> Answer:
    """`GET /integrations`."""
    return page(call, Shelf(list(_integrations().values())), INTEGRATION)


def get_integration(world: World, call: Call) -> Answer:
    """`GET /integrations/{platformKey}`."""
    key = call.params["platformKey"]
    integration = _integrations().get(key)
    if integration is None:
        raise ApiError(404, f"No integration was found with key {key}")
    return json_answer(integration)


def get_profile(world: World, call: Call) -> Answer:
    """`GET /profile`."""
    return json_answer(world.profile)


def replace_profile(world: World, call: Call) -> Answer:
    """`PUT /profile`."""
    body = call.json_object()
    if not isinstance(body.get("name"), str) or not isinstance(body.get("redirectUrl"), str):
        raise ApiError(400, "Error processing request - not valid. name and redirectUrl are required.")
    for name, fits in _PROFILE.items():
        if body.get(name) is not None and not fits(body[name]):
            raise ApiError(400, f"Error processing request - not valid. {name} does not fit the profile.")
    world.profile = {name: body[name] for name in ("name", "redirectUrl", *_PROFILE) if body.get(name) is not None}
    world.store.put("meta", "profile", world.profile)
    return json_answer(world.profile)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_PROFILE: dict[str, Callable[[Any], bool]] = {
    "iconUrl": _is_text,
    "logoUrl": _is_text,
    "whiteListUrls": _are_texts,
    "confirmCompanyName": lambda value: isinstance(value, bool),
}
"""What a profile may hold beside its name and where the link flow ends. A key sent along is not kept."""


def get_profile_sync_settings(world: World, call: Call) -> Answer:
    """`GET /profile/syncSettings`."""
    chosen = world.sync_settings.get("profile")
    body = {"clientId": CLIENT_ID, "settings": chosen or _default_settings(), "overridesDefaults": chosen is not None}
    return json_answer(body)


def set_profile_sync_settings(world: World, call: Call) -> Answer:
    """`POST /profile/syncSettings`."""
    return _set_sync_settings(world, call, "profile")


def get_sync_settings(world: World, call: Call) -> Answer:
    """`GET /companies/{companyId}/syncSettings`: the company's own, else the profile's."""
    company = world.company(call)
    chosen = world.sync_settings.get(company.id)
    settings = chosen or world.sync_settings.get("profile") or _default_settings()
    return json_answer({"companyId": company.id, "settings": settings, "overridesDefaults": chosen is not None})


def set_sync_settings(world: World, call: Call) -> Answer:
    """`POST /companies/{companyId}/syncSettings`."""
    return _set_sync_settings(world, call, world.company(call).id)


def _set_sync_settings(world: World, call: Call, owner: str) -> Answer:
    settings = call.json_object().get("settings")
    known = OTHER_TYPES | set(SYNCED_TYPES)
    if not isinstance(settings, list) or not all(_is_setting(setting, known) for setting in settings):
        raise ApiError(400, "Error processing request - not valid. settings are required, each with its data type.")
    world.sync_settings[owner] = settings
    world.store.put("syncSettings", owner, settings)
    return no_content()


def _is_setting(setting: Any, known: frozenset[str]) -> bool:
    if not isinstance(setting, dict) or not isinstance(setting.get("fetchOnFirstLink"), bool):
        return False
    data_type, numbers = setting.get("dataType"), (setting.get("syncSchedule"), setting.get("syncOrder"))
    return isinstance(data_type, str) and data_type in known and all(type(number) is int for number in numbers)


def _default_settings() -> list[dict[str, Any]]:
    """Give Codat's defaults: everything on first link, no schedule (reference §4)."""
    return [
        {
            "dataType": data_type,
            "fetchOnFirstLink": True,
            "syncSchedule": 0,
            "syncOrder": order,
            "monthsToSync": 24,
            "isLocked": False,
        }
        for order, data_type in enumerate(SYNCED_TYPES)
    ]


def types_on_first_link(world: World, company: Company) -> list[str]:
    """Name the data types that `POST data/all` queues, in their sync order."""
    settings = world.sync_settings.get(company.id) or world.sync_settings.get("profile") or _default_settings()
    wanted = [setting for setting in settings if setting["fetchOnFirstLink"] and setting["dataType"] in SYNCED_TYPES]
    return [setting["dataType"] for setting in sorted(wanted, key=lambda setting: int(setting["syncOrder"]))]


def list_webhooks(world: World, call: Call) -> Answer:
    """`GET /webhooks`."""
    return json_answer({"results": list(world.webhooks.values())})


def create_webhook(world: World, call: Call) -> Answer:
    """`POST /webhooks`: kept and listed; the sandbox delivers nothing."""
    body = call.json_object()
    events, tags = body.get("eventTypes") or [], body.get("companyTags") or []
    if not str(body.get("url", "")).startswith(("https://", "http://")) or not (
        _are_texts(events) and _are_texts(tags)
    ):
        raise ApiError(400, "Error processing request - not valid. A webhook needs a url and eventTypes.")
    if len(world.webhooks) >= _MOST_WEBHOOKS:
        raise ApiError(400, f"No more than {_MOST_WEBHOOKS} webhooks are possible.")
    webhook = {
        "id": str(uuid.uuid4()),
        "url": body["url"],
        "disabled": bool(body.get("disabled")),
        "eventTypes": events,
        "companyTags": tags,
    }
    world.webhooks[webhook["id"]] = webhook
    world.store.put("webhook", webhook["id"], webhook)
    return json_answer(webhook, status=201)


def delete_webhook(world: World, call: Call) -> Answer:
    """`DELETE /webhooks/{webhookId}`."""
    if world.webhooks.pop(call.params["webhookId"], None) is None:
        raise ApiError(404, f"No webhook was found with ID {call.params['webhookId']}")
    world.store.drop("webhook", call.params["webhookId"])
    return no_content()
