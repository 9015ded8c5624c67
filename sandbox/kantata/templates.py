"""Project templates: what a new workspace copies from one."""

from datetime import date, timedelta
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.kantata import feed
from sandbox.kantata.resources import RESOURCES


def apply(store: RecordStore, workspace: Record, values: dict[str, Any]) -> None:
    """Copy the template's stories, and its roles as unnamed resources when asked to, into a new workspace."""
    template_id = values.get("project_tracker_template_id")
    template = store.get("project_templates", template_id) if template_id else None
    if template is None:
        return
    first = values.get("project_template_start_date") or workspace.get("start_date")
    for planned in template["stories"]:
        data = {
            "workspace_id": workspace.id,
            "title": planned["title"],
            "story_type": planned["story_type"],
            "start_date": _shifted(first, planned["starts_after_days"]),
            "due_date": _shifted(first, planned["due_after_days"]),
            "state": "not started",
            "billable": planned["billable"],
            "fixed_fee": False,
            "archived": False,
        }
        _create(store, "stories", data)
    if values.get("project_template_create_unnamed_resources"):
        for role_id in template["role_ids"]:
            _create(store, "workspace_resources", {"workspace_id": workspace.id, "role_id": role_id})


def _create(store: RecordStore, collection: str, data: dict[str, Any]) -> None:
    record = store.create(collection, data, derived=True)
    feed.publish(store, RESOURCES[collection], record.id, "created")


def _shifted(first: str | None, days: int) -> str | None:
    return None if first is None else (date.fromisoformat(first) + timedelta(days=days)).isoformat()
