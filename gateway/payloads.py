"""What sources send instead of a CloudEvent, made into one: Standard Webhooks payloads, SOAP notifications.

A change of a Salesforce opportunity is a hint about a deal, whichever way it came: the record is read
again by the API before anything is done.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.event_data import Stamp
from domain.events import DealSigned, catalogue
from gateway.outbound_message import Notification
from gateway.registration import Hook

MAX_AHEAD = timedelta(days=1)
"""A version stamp further in the future would make every later event look old."""

STANDARD_FIELDS = frozenset({"type", "timestamp", "data"})
"""The payload that Standard Webhooks recommends."""

_NAMES = {
    "Opportunity": "deal.signed",
    "opportunity.signed": "deal.signed",
    "opportunity.changed": "deal.changed",
}
"""What a source's names mean where the firm's file does not say."""
_RECORD_FIELDS = {"deal": "id", "org": "organization_id", "version": "system_modstamp"}
"""Data of a deal event <- fields of a changed Salesforce record."""
_DEAL_TYPES = frozenset(kind.name for kind in catalogue() if issubclass(kind.data, DealSigned))
_STAMP: TypeAdapter[datetime] = TypeAdapter(Stamp)


def meaning(hook: Hook, name: Any) -> Any:
    """The catalogue's type for what the source calls `name`; `name` itself when nothing is known of it.

    What is not text is handed through, for the envelope to refuse.
    """
    if not isinstance(name, str):
        return name
    return hook.events.get(name) or _NAMES.get(name, name)


def from_standard_webhooks(hook: Hook, body: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    """A CloudEvent from `type`, `timestamp`, `data`.

    `webhook-id` is the same for every delivery of an event, so it is the event's id. Data without
    `version` takes the timestamp.
    """
    type, data = meaning(hook, body.get("type")), body.get("data")
    if isinstance(data, dict):
        if type in _DEAL_TYPES and data.get("object") == "Opportunity":
            data = {**data, **_of_record(data)}
        elif "timestamp" in body:
            data = {"version": body["timestamp"], **data}
    event = {"specversion": "1.0", "id": message_id, "source": f"/{hook.source}", "data": data}
    return event | {"type": type, "time": body.get("timestamp")}


def from_notification(
    hook: Hook, organization: str, notification: Notification, now: datetime
) -> tuple[dict[str, Any], datetime]:
    """A CloudEvent from one notification, and the version of its record.

    An object without a meaning here gets a type of its own, which dispatch routes to a person: a
    refusal would make Salesforce send the whole batch again for a day.
    """
    type = meaning(hook, notification.object)
    version = _version(notification, now)
    event = {
        "specversion": "1.0",
        "id": notification.id,
        "source": f"/{hook.source}/{organization}",
        "type": type if type in _DEAL_TYPES else f"salesforce.{notification.object}",
        "subject": notification.record,
        "time": version.isoformat(),
        "data": {"deal": notification.record, "org": organization, "version": version.isoformat()},
    }
    return event, version


def _of_record(data: Mapping[str, Any]) -> dict[str, Any]:
    return {ours: data[theirs] for ours, theirs in _RECORD_FIELDS.items() if theirs in data}


def _version(notification: Notification, now: datetime) -> datetime:
    """The record's own stamp where the message carries it, else the time it came in."""
    for name in ("SystemModstamp", "LastModifiedDate"):
        try:
            stamp = _STAMP.validate_python(notification.fields.get(name, ""))
        except ValidationError:
            continue
        if stamp <= now + MAX_AHEAD:
            return stamp
    return now
