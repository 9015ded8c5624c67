"""Which records a list answers with: filters, order, page.

A parameter the resource does not know is 400 here, so that a misspelt filter is noticed; the vendor may
ignore it and answer with everything.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.core.call import Call
from sandbox.core.records import Record, RecordStore
from sandbox.kantata import references, time_order, work_selection
from sandbox.kantata.errors import bad_request
from sandbox.kantata.resource import Resource

LARGEST_PAGE = 200
_DATES = ("created_after", "created_before", "updated_after", "updated_before")
_COMMON = frozenset(
    ("page", "per_page", "limit", "offset", "order", "include", "optional_fields", "only", "search", *_DATES)
)
_REFERENCE_FILTERS = frozenset(
    (
        *references.FILTERS,
        *("external_reference_service_model_ref", "external_reference_service_model_refs"),
        *("has_external_references", "without_external_reference_service_name"),
    )
)
_OWN: Mapping[str, tuple[str, ...]] = {
    "workspaces": ("include_archived", "archived"),
    "workspace_resources": ("include_unnamed", "only_unnamed"),
    "resource_requests": ("pending_requests_only", "requests_for_approver"),
    "workspace_allocations": ("type", "unnamed_resources_only"),
    "users": ("by_email_address",),
    "time_off_entries": ("start_date", "end_date"),
    **work_selection.OWN,
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the selected records."""

    records: list[Record]
    total: int
    number: int
    size: int

    @property
    def count(self) -> int:
        """How many pages there are; one when there is nothing."""
        return max(1, -(-self.total // self.size))


def select(call: Call, resource: Resource) -> Page:
    """The page of records a list request asks for. Raises Refused with 400 for a parameter that is wrong."""
    query = dict(call.query)
    _check_names(resource, query)
    if _is_in_time_order(call.store, resource, query):
        return _time_page(call, resource, query)
    candidates = _candidates(call.store, resource, query)
    chosen = [record for record in candidates if _matches(call.store, resource, record, query)]
    _sort(resource, chosen, query.get("order"))
    return _page(call, chosen, query)


def shows_archived(query: Mapping[str, str]) -> bool:
    """Whether archived workspaces are asked for."""
    return query.get("include_archived") == "true" or query.get("archived") == "include"


def second(stamp: float) -> int:
    """A time stamp as this API tells it: whole seconds."""
    return int(stamp)


def _check_names(resource: Resource, query: Mapping[str, str]) -> None:
    known = _COMMON | {*resource.filters, *resource.plural_filters, *_OWN.get(resource.collection, ())}
    if resource.referenced:
        known |= _REFERENCE_FILTERS
    unknown = sorted(set(query) - known)
    if unknown:
        raise bad_request(f"{resource.collection} does not know the parameter {unknown[0]}")
    for name in _DATES:
        if name in query:
            _parsed(name, query[name])
    ref = query.get("external_reference_service_model_ref")
    if ref is not None and not ref.isdigit():
        raise bad_request("external_reference_service_model_ref must be an integer")
    if len(query.get("external_reference_service_model_refs", "").split(",")) > LARGEST_PAGE:
        raise bad_request(f"external_reference_service_model_refs takes at most {LARGEST_PAGE} references")


def _candidates(store: RecordStore, resource: Resource, query: Mapping[str, str]) -> Iterable[Record]:
    """The smallest set the indexes give; every filter is still applied to it."""
    if "only" in query:
        found = [store.get(resource.collection, id) for id in query["only"].split(",")]
        return [record for record in found if record is not None]
    if resource.referenced:
        filters = dict(query)
        if "external_reference_service_model_ref" in query:
            filters["external_reference_service_model_refs"] = query["external_reference_service_model_ref"]
        ids = references.subjects(store, resource.noun, filters)
        if ids is not None:
            found = [store.get(resource.collection, id) for id in sorted(ids, key=int)]
            return [record for record in found if record is not None]
    if "with_timesheet_id" in query:
        return store.find(resource.collection, "active_submission_id", query["with_timesheet_id"])
    for name in resource.filters:
        if name in query and store.has_index(resource.collection, name):
            return store.find(resource.collection, name, query[name])
    for name, field in resource.plural_filters.items():
        if name in query and store.has_index(resource.collection, field):
            return [
                r for value in query[name].split(",") for r in store.find(resource.collection, field, value)
            ]
    rows = store.rows(resource.collection)
    if "created_after" in query:
        # Rows stand in order of creation: the feed and the requests are read from a late point on.
        ordered = list(rows)
        bound = _parsed("created_after", query["created_after"])
        return ordered[bisect_right(ordered, bound, key=lambda record: second(record.created)) :]
    return rows


def _matches(store: RecordStore, resource: Resource, record: Record, query: Mapping[str, str]) -> bool:
    for name in resource.filters:
        if name in query and name != "on_my_account" and str(record.get(name)) != query[name]:
            return False
    for name, field in resource.plural_filters.items():
        if name in query and str(record.get(field)) not in query[name].split(","):
            return False
    return (
        work_selection.matches(store, record, query)
        and _in_time(record, query)
        and _matches_text(record, query)
        and _matches_own(store, resource, record, query)
    )


def _in_time(record: Record, query: Mapping[str, str]) -> bool:
    for name in _DATES:
        if name not in query:
            continue
        bound = _parsed(name, query[name])
        stamp = second(record.created if name.startswith("created") else record.modified)
        # Whether the vendor's bounds are inclusive is not documented: exclusive is the harder reading.
        if (stamp <= bound) if name.endswith("after") else (stamp >= bound):
            return False
    return True


def _parsed(name: str, value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise bad_request(f"{name} must be a datetime in ISO 8601 format, not {value}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _matches_text(record: Record, query: Mapping[str, str]) -> bool:
    wanted = query.get("search")
    if wanted is None:
        return True
    texts = (record.get(name) for name in ("title", "name", "full_name", "email_address"))
    return any(wanted.lower() in text.lower() for text in texts if isinstance(text, str))


def _matches_own(store: RecordStore, resource: Resource, record: Record, query: Mapping[str, str]) -> bool:
    if resource.referenced and not _matches_references(store, resource, record, query):
        return False
    match resource.collection:
        case "workspaces":
            return not record["archived"] or shows_archived(query)
        case "workspace_resources":
            if query.get("only_unnamed") == "true":
                return record.get("user_id") is None
            return record.get("user_id") is not None or query.get("include_unnamed") == "true"
        case "resource_requests":
            approver = query.get("requests_for_approver")
            pending = query.get("pending_requests_only") != "true" or record["status"] == "new"
            return pending and (approver is None or approver in record["approver_ids"])
        case "workspace_allocations":
            kind = query.get("type")
            return kind is None or record["hard"] == (kind == "hard")
        case "time_off_entries":
            # "After" and "prior to" in the contract's words: exclusive is the harder reading.
            day = record["requested_date"]
            return bool(query.get("start_date", "") < day < query.get("end_date", "9999-12-31"))
        case "users":
            if query.get("by_email_address") not in (None, record["email_address"]) or record["disabled"]:
                return False
            # Without `on_my_account` the vendor lists only people who take part in a project.
            return query.get("on_my_account") == "true" or bool(
                store.find("workspace_resources", "user_id", record.id)
            )
    return True


def _matches_references(
    store: RecordStore, resource: Resource, record: Record, query: Mapping[str, str]
) -> bool:
    has, without = (
        query.get("has_external_references"),
        query.get("without_external_reference_service_name"),
    )
    if has is None and without is None:
        return True
    names = {row["service_name"] for row in references.of(store, resource.noun, record.id)}
    return (has is None or bool(names) == (has == "true")) and without not in names


def _sort(resource: Resource, records: list[Record], order: str | None) -> None:
    if order is None:
        records.sort(key=lambda record: int(record.id))
        return
    name, _, direction = order.partition(":")
    if name not in resource.orders or direction not in ("", "asc", "desc"):
        raise bad_request(f"{resource.collection} cannot be ordered by {order}")
    if name == "alphabetical":
        name = "full_name"
    name = work_selection.SORTED_BY.get((resource.collection, name), name)

    def key(record: Record) -> Any:
        if name == "id":
            return int(record.id)
        if name in ("created_at", "updated_at"):
            return second(record.created if name == "created_at" else record.modified)
        return str(record.get(name) or "")

    records.sort(key=lambda record: (key(record), int(record.id)), reverse=direction == "desc")


def _is_in_time_order(store: RecordStore, resource: Resource, query: Mapping[str, str]) -> bool:
    """Whether the list can be read from the order the state file keeps."""
    if resource.collection != "time_entries" or store.database.horizon is not None:
        return False
    # Entries of archived projects are left out unless asked for: then each entry has to be looked at.
    whole = query.get("from_archived_workspaces") == "true" or not store.find("workspaces", "archived", True)
    return whole and time_order.answers(query)


def _time_page(call: Call, resource: Resource, query: Mapping[str, str]) -> Page:
    order = query["order"]
    if order not in ("updated_at", "updated_at:asc", "updated_at:desc"):
        raise bad_request(f"{resource.collection} cannot be ordered by {order}")
    bounds = {
        name: _parsed(name, query[name]) for name in ("updated_after", "updated_before") if name in query
    }
    if {"invoiced", "uninvoiced"} <= set(query):
        return _page(call, [], query)
    wanted = time_order.Slice(
        after=bounds.get("updated_after"),
        before=bounds.get("updated_before"),
        approved="approved" in query,
        invoiced=True if "invoiced" in query else False if "uninvoiced" in query else None,
        descending=order.endswith(":desc"),
    )
    size, offset = _bounds(query)
    total = time_order.count(call.store.database, wanted)
    ids = time_order.page(call.store.database, wanted, call.page_offset(offset), size)
    found = (call.store.get(resource.collection, id) for id in ids)
    return Page([record for record in found if record is not None], total, offset // size + 1, size)


def _page(call: Call, records: list[Record], query: Mapping[str, str]) -> Page:
    size, offset = _bounds(query)
    start = call.page_offset(offset)
    return Page(records[start : start + size], len(records), offset // size + 1, size)


def _bounds(query: Mapping[str, str]) -> tuple[int, int]:
    """Rows of a page, and how many stand before it."""
    if "limit" in query or "offset" in query:
        size, offset = _number(query, "limit", 20), _number(query, "offset", 0)
    else:
        size = min(_number(query, "per_page", 20), LARGEST_PAGE)
        offset = (max(1, _number(query, "page", 1)) - 1) * size
    return min(max(1, size), LARGEST_PAGE), offset


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not value.isdigit():
        raise bad_request(f"{name} must be a number, not {value}")
    return int(value)
