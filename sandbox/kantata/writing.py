"""Creating and updating records: the rules of each resource, references, custom fields, change feed, effects.

The effect key of a create is `external_reference.service_model_ref`; of an update
`external_reference.external_message`; bulk creates are in bulk_effects.py.
"""

from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.core.records import Record, RecordStore
from sandbox.kantata import bulk_effects, feed, people, references, templates, time_rules
from sandbox.kantata.errors import ErrorLine, answer, invalid, line
from sandbox.kantata.resource import Resource
from sandbox.kantata.resources import STATUSES
from sandbox.kantata.validation import Row

DEFAULTS: dict[str, dict[str, Any]] = {
    "workspaces": {
        "archived": False,
        "budgeted": False,
        "currency": "USD",
        "access_level": "invitation",
        "status_key": 210,
        "stage": "project",
        "stories_are_fixed_fee_by_default": False,
        "tasks_default_non_billable": False,
        "require_time_approvals": True,
        "require_expense_approvals": True,
        "workspace_group_ids": [],
        "creator_id": "1",
    },
    "workspace_groups": {"company": False},
    "stories": {"state": "not started", "billable": True, "fixed_fee": False, "archived": False},
    "billing_milestones": {"billing_type": "fixed_date"},
}
TIMED = ("time_entries", "expenses")
"""Collections with rules of their own, in time_rules.py."""
_TITLE = {"workspace_groups": "name", "workspace_resources": "label"}


def create(store: RecordStore, resource: Resource, row: Row, *, in_bulk: bool = False) -> Record:
    """Create one checked row. Raises Refused with 422 when a rule of the resource forbids it."""
    data = {**DEFAULTS.get(resource.collection, {}), **row.values}
    if resource.collection in TIMED:
        data = time_rules.completed(store, resource.collection, data)
    if resource.collection == "workspace_allocations":
        data = people.allocated(store, data)
    errors = _rule_errors(store, resource, data)
    if errors:
        raise invalid(errors)
    if row.custom_fields:
        data["custom_field_values"] = custom_values(store, {}, row.custom_fields)
    same = people.same_day(store, data) if resource.collection == "time_off_entries" else None
    if same is not None:
        return store.update(resource.collection, same.id, {"hours": same["hours"] + data["hours"]})
    key = references.effect_key(row.reference, updating=False) if row.reference else None
    natural = str(data.get(_TITLE.get(resource.collection, "title")) or "")
    record = store.create(
        resource.collection, data, natural_key=natural, effect_key=key, sent=row.sent, derived=in_bulk
    )
    if row.reference:
        references.attach(store, resource.noun, record.id, row.reference)
    feed.publish(store, resource, record.id, "created")
    if resource.collection == "workspaces":
        templates.apply(store, record, row.values)
    return record


def create_rows(call: Call, resource: Resource, rows: list[Row]) -> list[Record]:
    """Create the rows of a bulk call, all of them or none; one effect per effect key."""
    keys = [_bulk_key(row) for row in rows]
    repeated = {key for key, row in zip(keys, rows, strict=True) if _is_there(call.store, resource, row)}
    made = [create(call.store, resource, row, in_bulk=True) for row in rows]
    for key in dict.fromkeys(keys):
        mine = [(row, record) for other, row, record in zip(keys, rows, made, strict=True) if other == key]
        bulk_effects.log(call.store, resource, key, mine, again=key in repeated)
    return made


def update(store: RecordStore, resource: Resource, record: Record, row: Row) -> Record:
    """Change one record. Raises Refused with 422 when a rule of the resource forbids it."""
    errors = _rule_errors(store, resource, {**record.data, **row.values}, record.id)
    if errors:
        raise invalid(errors)
    changes = dict(row.values)
    if row.custom_fields:
        held = record.get("custom_field_values", {})
        changes["custom_field_values"] = custom_values(store, held, row.custom_fields)
    key = references.effect_key(row.reference, updating=True) if row.reference else None
    natural = str(record.get(_TITLE.get(resource.collection, "title")) or record.id)
    after = store.update(resource.collection, record.id, changes, natural_key=natural, effect_key=key)
    if row.reference:
        references.attach(store, resource.noun, record.id, row.reference)
    if after is not record:
        feed.publish(store, resource, record.id, "updated")
    return after


def custom_values(store: RecordStore, held: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The custom field values of a record after `given` (custom field id -> value) is written over `held`."""
    values = dict(held)
    for field_id, value in given.items():
        known = values.get(field_id)
        id = known["id"] if known else str(store.next_number("custom_field_values"))
        values[field_id] = {"id": id, "value": value}
    return values


def refused_rows(resource: Resource, first: int, last: int) -> Answer:
    """The answer of a bulk call of which only the rows before `first` were kept."""
    lines = [
        line("validation", f"{resource.singular} {number} could not be saved", "base")
        for number in range(first, last + 1)
    ]
    return answer(422, lines)


def _bulk_key(row: Row) -> str | None:
    ref = references.effect_key(row.reference or {}, updating=False)
    return None if ref is None else ref.split("#")[0]


def _is_there(store: RecordStore, resource: Resource, row: Row) -> bool:
    wanted = row.reference or {}
    found = store.find(references.COLLECTION, "ref", (resource.noun, wanted.get("service_model_ref")))
    return any(other["service_name"] == wanted.get("service_name") for other in found)


def _rule_errors(
    store: RecordStore, resource: Resource, data: dict[str, Any], record_id: str | None = None
) -> list[ErrorLine]:
    if resource.collection in TIMED:
        return time_rules.errors(store, resource.collection, data, record_id)
    if resource.collection == "time_off_entries":
        return people.day_off_errors(store, data)
    errors: list[ErrorLine] = []
    start, due = data.get("start_date"), data.get("due_date")
    if start and due and due < start:
        errors.append(line("validation", "due_date must be on or after start_date", "due_date"))
    if resource.collection == "workspaces":
        errors += _workspace_errors(data)
    elif resource.collection == "stories":
        errors += _story_errors(store, data)
    elif resource.collection == "billing_milestones":
        errors += _billing_milestone_errors(data)
    if resource.collection in ("stories", "billing_milestones", "workspace_resources"):
        workspace = store.get("workspaces", data["workspace_id"])
        if workspace is None or workspace["archived"]:
            errors.append(line("validation", "workspace is archived", "workspace_id"))
    return errors


def _billing_milestone_errors(data: dict[str, Any]) -> list[ErrorLine]:
    if data["billing_type"] == "upon_completion" and not data.get("story_id"):
        return [line("validation", "story_id is required when billing upon completion", "story_id")]
    return []


def _workspace_errors(data: dict[str, Any]) -> list[ErrorLine]:
    errors = []
    if data.get("budgeted") and data.get("price") is None:
        errors.append(line("validation", "price can't be blank when budgeted", "price"))
    if data.get("price") is not None and data["price"] < 0:
        errors.append(line("validation", "price must not be negative", "price"))
    if data["status_key"] not in STATUSES:
        errors.append(line("validation", "status_key is not a project status of this account", "status_key"))
    return errors


def _story_errors(store: RecordStore, data: dict[str, Any]) -> list[ErrorLine]:
    errors = []
    if data.get("weight") is not None and data["story_type"] != "milestone":
        errors.append(line("validation", "weight can only be set on a milestone", "weight"))
    if not 0 <= (data.get("percentage_complete") or 0) <= 100:
        errors.append(
            line("validation", "percentage_complete must lie between 0 and 100", "percentage_complete")
        )
    depth, parent = 1, data.get("parent_id")
    while parent is not None and depth <= 5:
        above = store.get("stories", parent)
        depth, parent = depth + 1, above.get("parent_id") if above else None
    if depth > 4:
        errors.append(line("validation", "tasks can be nested at most 4 levels deep", "parent_id"))
    return errors
