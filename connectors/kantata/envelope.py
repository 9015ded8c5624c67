"""Kantata's envelope: `results` gives the order, collection maps the records, side-loaded ones included.

Source: Kantata OX API, response format and includes. Never iterate a collection map: side-loaded records of
the same type are mixed in.
"""

from collections.abc import Mapping
from typing import Any

ASSOCIATIONS = {
    "external_references": ("external_reference_ids", "external_references"),
    "custom_field_values": ("custom_field_value_ids", "custom_field_values"),
    "time_entries": ("time_entry_ids", "time_entries"),
    "expenses": ("expense_ids", "expenses"),
    "additional_items": ("additional_item_ids", "additional_items"),
    "fixed_fee_items": ("fixed_fee_item_ids", "fixed_fee_items"),
    "billing_milestones": ("billing_milestone_ids", "billing_milestones"),
}
"""Side-loads that are put into the record itself: name -> (key of the ids, collection)."""
SINGLE = {
    "story": ("story_id", ("stories",)),
    "role": ("role_id", ("roles",)),
    "default_role": ("default_role_id", ("roles",)),
    "active_submission": ("active_submission_id", ("timesheet_submissions", "expense_report_submissions")),
}
"""The same of one record: name -> (key of the id, collections it may be in)."""


class NotAnEnvelope(ValueError):
    """The answer is not as documented; the message names the part."""


def rows(body: Any, collection: str) -> list[dict[str, Any]]:
    """The primary records of an answer in order, side-loads in place. Raises `NotAnEnvelope`."""
    results = body.get("results") if isinstance(body, Mapping) else None
    if not isinstance(results, list):
        raise NotAnEnvelope("results")
    return [_row(body, collection, result) for result in results if _is_of(result, collection)]


def _is_of(result: Any, collection: str) -> bool:
    return isinstance(result, Mapping) and result.get("key") == collection


def _row(body: Mapping[str, Any], collection: str, result: Mapping[str, Any]) -> dict[str, Any]:
    record = _record(body, collection, result.get("id"))
    if record is None:
        raise NotAnEnvelope(f"{collection}.{result.get('id')}")
    row = dict(record)
    for name, (key, held_in) in ASSOCIATIONS.items():
        ids = record.get(key)
        if isinstance(ids, list):
            found = (_record(body, held_in, id) for id in ids)
            row[name] = [side for side in found if side is not None]
    for name, (key, places) in SINGLE.items():
        if record.get(key) is not None:
            sides = (_record(body, held_in, record[key]) for held_in in places)
            row[name] = next((side for side in sides if side is not None), None)
    return row


def _record(body: Mapping[str, Any], collection: str, id: Any) -> Mapping[str, Any] | None:
    records = body.get(collection)
    record = records.get(str(id)) if isinstance(records, Mapping) else None
    return record if isinstance(record, Mapping) else None
