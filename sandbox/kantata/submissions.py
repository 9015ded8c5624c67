"""Submitting time and expenses for approval, and deciding it.

A submission is of one project. Whether approving changes `updated_at` of the time entries is not documented:
by default it does not, and `POST /_control/kantata/account {"approval_bumps_entries": true}` makes it so.
"""

from typing import Any

from sandbox.core import clock
from sandbox.core.records import Record, RecordStore
from sandbox.kantata import feed, references
from sandbox.kantata.errors import ErrorLine, invalid, line
from sandbox.kantata.resources import RESOURCES
from sandbox.kantata.validation import Row
from sandbox.kantata.work import ITEM_KEYS, SUBMISSIONS

RESOLVED = {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}
ACCOUNT = "account"


def account(store: RecordStore) -> Record:
    """The account's own options."""
    found = store.get(ACCOUNT, "1")
    return found or store.create(ACCOUNT, {"approval_bumps_entries": False}, id="1", derived=True)


def submit(store: RecordStore, collection: str, row: Row, by: str) -> Record:
    """Submit time entries or expenses of one project and person. Raises Refused with 422."""
    resource, items_of = RESOURCES[collection], SUBMISSIONS[collection]
    user_id = row.values.get("user_id") or by
    items = [store.get(items_of, id) for id in row.values["line_item_ids"]]
    found = [item for item in items if item is not None]
    errors = _submit_errors(found, row.values["workspace_id"], user_id)
    if errors:
        raise invalid(errors)
    workspace = store.get("workspaces", row.values["workspace_id"])
    days = sorted(item["date_performed" if items_of == "time_entries" else "date"] for item in found)
    data = {
        "title": row.values.get("title"),
        "comment": row.values.get("comment"),
        "workspace_id": row.values["workspace_id"],
        "user_id": user_id,
        "status": "pending",
        "currency": workspace["currency"] if workspace else None,
        "start_date": days[0],
        "end_date": days[-1],
        ITEM_KEYS[items_of]: [item.id for item in found],
    }
    key = references.effect_key(row.reference, updating=False) if row.reference else None
    made = store.create(collection, data, natural_key=f"{user_id} {days[0]}", effect_key=key, sent=row.sent)
    if row.reference:
        references.attach(store, resource.noun, made.id, row.reference)
    for item in found:
        store.update(items_of, item.id, {"active_submission_id": made.id}, at=item.modified, derived=True)
    feed.publish(store, resource, made.id, "created")
    return made


def resolve(
    store: RecordStore,
    submission: Record,
    resolution: str,
    *,
    by: str,
    description: str = "",
    effect_key: str | None = None,
) -> Record:
    """Approve, reject or cancel a submission. Raises Refused with 422."""
    open_for = ("pending",) if resolution != "cancel" else ("pending", "approved")
    if submission["status"] not in open_for:
        words = f"the submission has already been {submission['status']}"
        raise invalid([line("validation", words, "status")])
    items_of = SUBMISSIONS[submission.object]
    items = [store.get(items_of, id) for id in submission[ITEM_KEYS[items_of]]]
    found = [item for item in items if item is not None]
    if any(item.get("is_invoiced") for item in found):
        raise invalid([line("validation", "line items have been invoiced", "base")])
    changes = {
        "status": RESOLVED[resolution],
        "current_resolution_creator_id": by,
        "current_resolution_created_at_date": clock.utc(clock.now()).date().isoformat(),
        "current_resolution_description": description,
    }
    decided = store.update(
        submission.object,
        submission.id,
        changes,
        natural_key=f"submission {submission.id}",
        effect_key=effect_key,
        action=resolution,
    )
    _settle(store, found, approved=resolution == "approve")
    feed.publish(store, RESOURCES[submission.object], submission.id, "updated")
    return decided


def _settle(store: RecordStore, items: list[Record], *, approved: bool) -> None:
    bumps = bool(account(store)["approval_bumps_entries"])
    for item in items:
        changes: dict[str, Any] = {"approved": approved}
        if not approved:
            changes["active_submission_id"] = None
        store.update(item.object, item.id, changes, at=None if bumps else item.modified, derived=True)
        if bumps:
            feed.publish(store, RESOURCES[item.object], item.id, "updated")


def _submit_errors(items: list[Record], workspace_id: str, user_id: str) -> list[ErrorLine]:
    found = []
    if any(item["workspace_id"] != workspace_id for item in items):
        found.append(line("validation", "line items belong to more than one project", "line_item_ids"))
    if any(item["user_id"] != user_id for item in items):
        found.append(line("validation", "line items belong to more than one person", "line_item_ids"))
    if any(item["approved"] or item.get("active_submission_id") for item in items):
        found.append(line("validation", "line items have been submitted already", "line_item_ids"))
    return found
