"""Time entries and expenses: what the account fills in, and what it refuses.

Time is logged on open stories of projects in the status for it, more than no minutes and not more than the
day has, over all of a person's entries of that day. What is on an invoice can be neither changed nor deleted.
"""

from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.kantata import rates
from sandbox.kantata.errors import ErrorLine, line

DAY = 24 * 60
OPEN_STATUS = 300
INTEGRATION_USER = "1"


def completed(store: RecordStore, collection: str, data: dict[str, Any]) -> dict[str, Any]:
    """A new time entry or expense with what the account knows: person, role, rates, currency, approval."""
    workspace = store.get("workspaces", data["workspace_id"])
    if workspace is None:
        return data
    user_id = data.get("user_id") or INTEGRATION_USER
    filled = {**data, "user_id": user_id, "currency": workspace["currency"], "is_invoiced": False}
    if collection == "expenses":
        needs_approval = workspace.get("require_expense_approvals") is not False
        return {"billable": True, "reimbursable": False, **filled, "approved": not needs_approval}
    needs_approval = workspace.get("require_time_approvals") is not False
    story = store.get("stories", data["story_id"]) if data.get("story_id") else None
    user = store.get("users", user_id)
    role_id = data.get("role_id") or _role(store, workspace, user)
    bill, cost = rates.of(store, workspace, user, role_id)
    defaults = {
        "billable": bool(story["billable"]) if story else not workspace["tasks_default_non_billable"],
        "rate_in_cents": bill,
        "cost_rate_in_cents": cost,
        "taxable": False,
    }
    return {**defaults, **filled, "role_id": role_id, "approved": not needs_approval}


def errors(
    store: RecordStore, collection: str, data: dict[str, Any], record_id: str | None
) -> list[ErrorLine]:
    """What is wrong with a time entry or expense as it would be kept; `record_id` None for a new one."""
    if data.get("is_invoiced"):
        return [line("validation", "cannot be changed because it has been invoiced", "base")]
    found = _place_errors(store, data)
    if collection == "expenses":
        return found
    return found + _minutes_errors(store, data, record_id)


def deletion_errors(record: Record) -> list[ErrorLine]:
    """Why a record may not be deleted."""
    if record.get("is_invoiced"):
        return [line("validation", "cannot be deleted because it has been invoiced", "base")]
    if record.object == "invoices" and not record["draft"]:
        return [line("validation", "only draft invoices can be deleted; cancel it instead", "draft")]
    return []


def _role(store: RecordStore, workspace: Record, user: Record | None) -> str | None:
    if user is None:
        return None
    for seat in store.find("workspace_resources", "user_id", user.id):
        if seat["workspace_id"] == workspace.id and seat.get("role_id"):
            return str(seat["role_id"])
    role_id = user.get("role_id")
    return None if role_id is None else str(role_id)


def _place_errors(store: RecordStore, data: dict[str, Any]) -> list[ErrorLine]:
    workspace = store.get("workspaces", data["workspace_id"])
    if workspace is None or workspace["archived"]:
        return [line("validation", "workspace is archived", "workspace_id")]
    if workspace["status_key"] != OPEN_STATUS:
        return [line("validation", "the project's status does not allow time and expenses", "workspace_id")]
    story = store.get("stories", data["story_id"]) if data.get("story_id") else None
    if story is None:
        return []
    if story["workspace_id"] != workspace.id:
        return [line("validation", "story_id belongs to another project", "story_id")]
    if story.get("archived") or story["state"] == "completed":
        return [line("validation", "the task is closed for time", "story_id")]
    return []


def _minutes_errors(store: RecordStore, data: dict[str, Any], record_id: str | None) -> list[ErrorLine]:
    minutes = data["time_in_minutes"]
    if minutes <= 0:
        return [line("validation", "time_in_minutes must be greater than 0", "time_in_minutes")]
    same_day = store.find("time_entries", "user_day", (data["user_id"], data["date_performed"]))
    logged = sum(entry["time_in_minutes"] for entry in same_day if entry.id != record_id)
    if logged + minutes > DAY:
        words = (
            f"time_in_minutes: more than 24 hours on {data['date_performed']} ({logged} minutes are logged)"
        )
        return [line("validation", words, "time_in_minutes")]
    return []
