"""Resource requests: asking an approver to name a person for an unnamed workspace resource (a seat).

The allocation a request asks for is kept as a soft allocation of the seat: that holds for requests that
create their seat; for requests on a seat that exists the vendor's contract leaves it open. Custom fields of a
request are written to the seat. A decided request can be cancelled only while it is approved (the person is
taken off the seat); the contract does not say what the vendor does there.
"""

from datetime import date, timedelta
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.kantata import feed
from sandbox.kantata.errors import ErrorLine, invalid, line
from sandbox.kantata.resources import RESOURCES
from sandbox.kantata.validation import Row
from sandbox.kantata.writing import custom_values

KEY_FIELD = "Fairlead key"
"""Custom field of the seat in which this tenant keeps the effect key of the latest request."""
MINUTES_PER_DAY = 480
RESOLVED = {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}


def request(store: RecordStore, row: Row) -> Record:
    """Create a resource request. Raises Refused with 422."""
    values = row.values
    errors = _errors(store, values)
    if errors:
        raise invalid(errors)
    seat = _seat(store, values)
    if row.custom_fields:
        held = custom_values(store, seat.get("custom_field_values", {}), row.custom_fields)
        store.update("workspace_resources", seat.id, {"custom_field_values": held}, derived=True)
    key = next((v for id, v in row.custom_fields.items() if _named_key(store, id)), None)
    data = {
        "resource_id": seat.id,
        "approver_ids": values["approver_ids"],
        "creator_id": "1",
        "status": "new",
        "allocation": _allocated(store, seat, values),
    }
    return store.create(
        "resource_requests", data, natural_key=f"seat {seat.id}", effect_key=key, sent=row.sent
    )


def resolve(
    store: RecordStore,
    asked: Record,
    resolution: str,
    *,
    user_id: str | None = None,
    hard: bool = True,
    effect_key: str | None = None,
) -> Record:
    """Approve (naming the person), reject or cancel a request. Raises Refused with 422."""
    errors = _resolution_errors(store, asked, resolution, user_id)
    if errors:
        raise invalid(errors)
    _settle(store, asked, resolution, user_id, hard)
    return store.update(
        "resource_requests",
        asked.id,
        {"status": RESOLVED[resolution]},
        natural_key=f"request {asked.id}",
        effect_key=effect_key,
        action=resolution,
    )


def _errors(store: RecordStore, values: dict[str, Any]) -> list[ErrorLine]:
    errors: list[ErrorLine] = []
    by_workspace = {"resource_workspace_id", "resource_role_id"} & set(values)
    if "resource_id" in values and by_workspace:
        errors.append(line("validation", "give resource_id, or workspace and role, not both", "resource_id"))
    elif "resource_id" not in values and len(by_workspace) < 2:
        errors.append(line("validation", "resource_id can't be blank", "resource_id"))
    elif "resource_id" in values:
        seat = store.get("workspace_resources", values["resource_id"])
        if seat is not None and seat.get("user_id"):
            errors.append(line("validation", "resource already has a named user", "resource_id"))
    start, end = values.get("workspace_allocation_start_date"), values.get("workspace_allocation_end_date")
    if start and end and end < start:
        name = "workspace_allocation_end_date"
        errors.append(line("validation", f"{name} must be on or after the start date", name))
    if not 1 <= values.get("workspace_allocation_percentage", 100) <= 100:
        name = "workspace_allocation_percentage"
        errors.append(line("validation", f"{name} must lie between 1 and 100", name))
    return errors


def _resolution_errors(
    store: RecordStore, asked: Record, resolution: str, user_id: str | None
) -> list[ErrorLine]:
    status = "request_resolution_status"
    open_for = ("new", "approved") if resolution == "cancel" else ("new",)
    if asked["status"] not in open_for:
        return [line("validation", f"the request has already been {asked['status']}", status)]
    if resolution == "approve" and (user_id is None or store.get("users", user_id) is None):
        return [line("validation", "user_id of the person to be named is required", "user_id")]
    return []


def _seat(store: RecordStore, values: dict[str, Any]) -> Record:
    if "resource_id" in values:
        seat = store.get("workspace_resources", values["resource_id"])
        assert seat is not None  # noqa: S101  checked as a reference before
        return seat
    data = {"workspace_id": values["resource_workspace_id"], "role_id": values["resource_role_id"]}
    seat = store.create("workspace_resources", data, derived=True)
    feed.publish(store, RESOURCES["workspace_resources"], seat.id, "created")
    return seat


def _allocated(store: RecordStore, seat: Record, values: dict[str, Any]) -> str | None:
    start, end = values.get("workspace_allocation_start_date"), values.get("workspace_allocation_end_date")
    if not start or not end:
        return None
    percentage = values.get("workspace_allocation_percentage", 100)
    data = {
        "workspace_id": seat["workspace_id"],
        "workspace_resource_id": seat.id,
        "user_id": None,
        "start_date": start,
        "end_date": end,
        "minutes": _working_days(start, end) * MINUTES_PER_DAY * percentage // 100,
        "hard": False,
        "notes": "",
    }
    allocation = store.create("workspace_allocations", data, derived=True)
    feed.publish(store, RESOURCES["workspace_allocations"], allocation.id, "created")
    return allocation.id


def _settle(store: RecordStore, asked: Record, resolution: str, user_id: str | None, hard: bool) -> None:
    """What the decision does to the seat and its allocation."""
    seat_id, allocation = asked["resource_id"], asked.get("allocation")
    named = user_id if resolution == "approve" else None
    if resolution == "approve" or asked["status"] == "approved":
        store.update("workspace_resources", seat_id, {"user_id": named}, derived=True)
        feed.publish(store, RESOURCES["workspace_resources"], seat_id, "updated")
    if allocation is None:
        return
    allocations = RESOURCES["workspace_allocations"]
    if resolution == "approve":
        store.update("workspace_allocations", allocation, {"user_id": named, "hard": hard}, derived=True)
        feed.publish(store, allocations, allocation, "updated")
    elif store.get("workspace_allocations", allocation) is not None:
        store.delete("workspace_allocations", allocation, derived=True)
        feed.publish(store, allocations, allocation, "deleted")


def _named_key(store: RecordStore, field_id: str) -> bool:
    field = store.get("custom_fields", field_id)
    return field is not None and field["name"] == KEY_FIELD


def _working_days(start: str, end: str) -> int:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return sum(1 for day in days if day.weekday() < 5)
