"""What people do in the vendor's screens around time and money, in one step each.

    POST /_control/kantata/worked_time  {"user": "Mia Roth", "story": 17, "date": "2026-11-20", "hours": 7.5}
    POST /_control/kantata/approvals    {"workspace": 4, "approver": "Stella Brandt"}
    POST /_control/kantata/account      {"approval_bumps_entries": true}
    POST /_control/kantata/imported     {"collection": "time_entries", ...}    what an old import left behind
    POST /_control/kantata/bulk_time    {"entries": 100000, "projects": 1000}  see bulk_time.py

The first two are the public calls in a row (`POST /time_entries`, `POST /timesheet_submissions`, `PUT
/timesheet_submissions/{id}/approve`), made by the person instead of the integration user.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.kantata import bulk_time, invoicing, submissions, writing
from sandbox.kantata.resources import RESOURCES
from sandbox.kantata.validation import checked
from sandbox.kantata.work import SUBMISSIONS

Act = Callable[[RecordStore, dict[str, Any]], Record]


def add(store: RecordStore, object_name: str, fields: Mapping[str, Any]) -> Record | None:
    """Carry out an act, or create what is not created as other records are; None where it is neither.

    Raises ValueError for fields that do not fit.
    """
    given = dict(fields)
    if object_name in ACTS:
        return ACTS[object_name](store, given)
    if object_name in SUBMISSIONS:
        row = checked(store, RESOURCES[object_name], given, "create")
        return submissions.submit(store, object_name, row, "1")
    if object_name == "invoices":
        return invoicing.create(store, checked(store, RESOURCES["invoices"], given, "create"), "1")
    if object_name == "external_payments":
        return invoicing.pay(store, checked(store, RESOURCES["external_payments"], given, "create"), "1")
    return None


def decide(store: RecordStore, submission: Record, fields: dict[str, Any]) -> Record:
    """Decide a submission: `{"resolution": "approve", "approver": <id, email or full name>}`."""
    resolution = fields.pop("resolution", None)
    approver = fields.pop("approver", "1")
    if fields or resolution not in submissions.RESOLVED:
        raise ValueError("a decision is resolution approve, reject or cancel, and approver")
    return submissions.resolve(store, submission, resolution, by=user_id(store, str(approver)))


def user_id(store: RecordStore, named: str) -> str:
    """The user of an id, email address or full name. Raises ValueError."""
    for user in store.rows("users"):
        if named in (user.id, user["email_address"], user["full_name"]):
            return user.id
    raise ValueError(f"no user has the id, email address or full name {named}")


def _work(store: RecordStore, fields: dict[str, Any]) -> Record:
    """A person writes time on a story and submits it (unless `submit` is false)."""
    _known(fields, "user", "story", "date", "hours", "notes", "submit")
    story = store.get("stories", str(fields.get("story")))
    if story is None:
        raise ValueError(f"story {fields.get('story')} does not exist")
    person = user_id(store, str(fields.get("user")))
    sent = {
        "workspace_id": int(story["workspace_id"]),
        "user_id": int(person),
        "story_id": int(story.id),
        "date_performed": fields.get("date"),
        "time_in_minutes": _minutes(fields.get("hours")),
        "notes": fields.get("notes"),
    }
    resource = RESOURCES["time_entries"]
    entry = writing.create(store, resource, checked(store, resource, sent, "create"))
    if fields.get("submit", True) and not entry["approved"]:
        asked = {
            "workspace_id": int(story["workspace_id"]),
            "user_id": int(person),
            "line_item_ids": [int(entry.id)],
        }
        row = checked(store, RESOURCES["timesheet_submissions"], asked, "create")
        submissions.submit(store, "timesheet_submissions", row, person)
    found = store.get("time_entries", entry.id)
    return entry if found is None else found


def _approve_all(store: RecordStore, fields: dict[str, Any]) -> Record:
    """An approver approves everything submitted of a project."""
    _known(fields, "workspace", "approver")
    workspace, approver = str(fields.get("workspace")), user_id(store, str(fields.get("approver")))
    approved = {}
    for collection in SUBMISSIONS:
        waiting = [
            row for row in store.find(collection, "workspace_id", workspace) if row["status"] == "pending"
        ]
        for row in waiting:
            submissions.resolve(store, row, "approve", by=approver)
        approved[collection] = [row.id for row in waiting]
    return Record("approvals", workspace, approved, 0, 0)


def _account(store: RecordStore, fields: dict[str, Any]) -> Record:
    """Change the account's own options."""
    _known(fields, "approval_bumps_entries")
    submissions.account(store)
    return store.update(submissions.ACCOUNT, "1", fields)


def _import(store: RecordStore, fields: dict[str, Any]) -> Record:
    """A record as an import of years ago left it: kept as it is given, with no rule looked at."""
    collection = fields.pop("collection", None)
    if collection not in ("time_entries", "expenses"):
        raise ValueError("collection must be time_entries or expenses")
    workspace = store.get("workspaces", str(fields.get("workspace_id")))
    if workspace is None:
        raise ValueError(f"workspace {fields.get('workspace_id')} does not exist")
    defaults = {
        "currency": workspace["currency"],
        "approved": True,
        "is_invoiced": False,
        "billable": True,
        "notes": None,
        "taxable": False,
    }
    own = {"rate_in_cents": 0} if collection == "time_entries" else {"reimbursable": True}
    ids = {name: str(fields[name]) for name in fields if name.endswith("_id") and fields[name] is not None}
    return store.create(collection, {**defaults, **own, **fields, **ids})


def _bulk(store: RecordStore, fields: dict[str, Any]) -> Record:
    """Very many approved time entries."""
    _known(fields, "entries", "projects", "days", "workspace_ids")
    try:
        made = bulk_time.seed(store, bulk_time.BulkTime(**fields))
    except TypeError as error:
        raise ValueError(str(error)) from None
    return Record("bulk_time", "1", made, 0, 0)


def _known(fields: Mapping[str, Any], *names: str) -> None:
    unknown = sorted(set(fields) - set(names))
    if unknown:
        raise ValueError(f"{unknown[0]} is not known here; known: {', '.join(names)}")


def _minutes(hours: Any) -> int:
    try:
        minutes = Decimal(str(hours)) * 60
        if minutes != minutes.to_integral_value():
            raise InvalidOperation
    except InvalidOperation:
        raise ValueError(f"hours must be a number of hours that is whole in minutes, not {hours}") from None
    return int(minutes)


ACTS: dict[str, Act] = {
    "worked_time": _work,
    "approvals": _approve_all,
    "account": _account,
    "imported": _import,
    "bulk_time": _bulk,
}
