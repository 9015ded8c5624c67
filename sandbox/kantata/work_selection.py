"""Filters that only time, expenses, submissions and invoices have.

`approved`, `invoiced` and `uninvoiced` count by their presence: their value is ignored, as the vendor says.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.kantata.errors import bad_request

_LINE = ("approved", "invoiced", "uninvoiced", "billable")
_SUBMISSION = ("statuses", "active", "not_cancelled", "start_date_after")
OWN: Mapping[str, tuple[str, ...]] = {
    "time_entries": (
        *_LINE,
        *("with_timesheet_id", "date_performed_between", "from_archived_workspaces", "on_my_account"),
    ),
    "expenses": (*_LINE, "from_archived_workspaces"),
    "timesheet_submissions": _SUBMISSION,
    "expense_report_submissions": _SUBMISSION,
    "invoices": ("paid", "pending", "without_drafts", "workspace_id"),
}
SORTED_BY = {("timesheet_submissions", "date"): "start_date"}
"""Orders named otherwise than the field they are by."""
_STATUSES = {"new": "pending"}
"""Statuses as the filter names them -> as answers show them."""


def matches(store: RecordStore, record: Record, query: Mapping[str, str]) -> bool:
    """Whether a record passes the filters of its own collection."""
    match record.object:
        case "time_entries" | "expenses":
            return _line(store, record, query)
        case "timesheet_submissions" | "expense_report_submissions":
            return _submission(record, query)
        case "invoices":
            return _invoice(record, query)
    return True


def _line(store: RecordStore, record: Record, query: Mapping[str, str]) -> bool:
    if "approved" in query and not record["approved"]:
        return False
    if ("invoiced" in query and not record["is_invoiced"]) or (
        "uninvoiced" in query and record["is_invoiced"]
    ):
        return False
    if "billable" in query and record["billable"] != (query["billable"] == "true"):
        return False
    if query.get("with_timesheet_id", record.get("active_submission_id")) != record.get(
        "active_submission_id"
    ):
        return False
    if "date_performed_between" in query:
        first, last = _between(query["date_performed_between"])
        if not first <= record["date_performed"] <= last:
            return False
    if query.get("from_archived_workspaces") == "true":
        return True
    workspace = store.get("workspaces", record["workspace_id"])
    return workspace is not None and not workspace["archived"]


def _submission(record: Record, query: Mapping[str, str]) -> bool:
    if "statuses" in query:
        wanted = {_STATUSES.get(name, name) for name in query["statuses"].split(",")}
        if record["status"] not in wanted:
            return False
    if query.get("active") == "true" and record["status"] not in ("pending", "approved"):
        return False
    return not (query.get("not_cancelled") == "true" and record["status"] == "cancelled")


def _invoice(record: Record, query: Mapping[str, str]) -> bool:
    if query.get("paid") == "true" and record["status"] != "accepted payment":
        return False
    if query.get("pending") == "true" and (record["draft"] or record["status"] != "new"):
        return False
    if query.get("without_drafts") == "true" and record["draft"]:
        return False
    projects = query.get("workspace_id")
    return projects is None or bool(set(projects.split(",")) & set(record["workspace_ids"]))


def _between(text: str) -> tuple[Any, Any]:
    first, mark, last = text.partition(":")
    if not mark:
        raise bad_request(f"date_performed_between must be two dates as 2026-11-01:2026-11-30, not {text}")
    return first, last
