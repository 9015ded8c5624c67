"""From a verified delivery to inbox rows: every scheme ends as one CloudEvents body per event."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.events import (
    DealSigned,
    Envelope,
    Event,
    EventRefused,
    Problem,
    Stamp,
    UnknownEventType,
    catalogue,
    newest,
    parse,
    read_envelope,
)
from gateway import outbound_message, strict_json
from gateway.problems import Refusal
from gateway.registration import Hook
from gateway.verification import Delivery, check_organization
from store.ports import InboxRow

HEAD_START = timedelta(seconds=10)
"""How long the dispatch that follows the answer has before the sweeper looks at a row."""
MAX_AHEAD = timedelta(days=1)
"""A version stamp further in the future would make every later event look old."""

_OBJECTS = {"Opportunity": "deal.signed"}
"""What a Salesforce object means where the firm's file does not say."""
_STAMP: TypeAdapter[datetime] = TypeAdapter(Stamp)


def rows(hook: Hook, delivery: Delivery, message_id: str, now: datetime) -> list[InboxRow]:
    """The events of a delivery. Raises `Refusal` (4xx), and `NotVerified` for a foreign organization."""
    if hook.scheme == "salesforce-outbound-message":
        return _from_outbound_message(hook, delivery.body, now)
    try:
        body = strict_json.read_object(delivery.body)
    except strict_json.BadJson as error:
        raise Refusal(400, f"The body cannot be read: {error}.") from None
    if hook.scheme == "standard-webhooks" and "specversion" not in body:
        body = _wrapped(hook, body, message_id)
    return [_row(hook, body, now)]


def _row(hook: Hook, body: Mapping[str, Any], now: datetime) -> InboxRow:
    try:
        envelope = read_envelope(body)
        body = {**body, "type": _type(hook, envelope.type)}
        return _inbox_row(hook, parse(body), body, now)
    except UnknownEventType:
        return _unknown_row(hook, envelope, body, now)
    except EventRefused as error:
        detail = "The event does not fit the catalogue; `fairlead events catalog` shows the form."
        raise Refusal(422, detail, problems=error.problems) from None


def _type(hook: Hook, name: str) -> str:
    known = hook.event_type(name)
    if known is None:
        raise EventRefused(Problem("type", "is not one this source is registered for"))
    return known


def _inbox_row(hook: Hook, event: Event, body: Mapping[str, Any], now: datetime) -> InboxRow:
    if event.kind.sunset is not None and now.date() > event.kind.sunset:
        current = newest(event.type).schema_urn
        raise EventRefused(
            Problem("dataschema", f"was accepted until {event.kind.sunset}; the current one is {current}")
        )
    if event.version > now + MAX_AHEAD:
        raise EventRefused(Problem("data.version", "lies more than a day in the future"))
    return _received(hook, event.id, event.type, event.subject, event.version, body, now)


def _unknown_row(hook: Hook, envelope: Envelope, body: Mapping[str, Any], now: datetime) -> InboxRow:
    """Signed by a registered source, but of a type nobody knows yet: kept, so that nothing is lost."""
    version = min(envelope.time or now, now)
    return _received(hook, envelope.id, str(body["type"]), envelope.subject or "", version, body, now)


def _received(
    hook: Hook,
    event_id: str,
    type: str,
    subject: str,
    version: datetime,
    body: Mapping[str, Any],
    now: datetime,
) -> InboxRow:
    return InboxRow(
        id=f"{hook.source}:{event_id}",
        source=hook.source,
        event_id=event_id,
        type=type,
        subject=subject,
        version=version,
        body=dict(body),
        received_at=now,
        next_at=now + HEAD_START,
    )


def _wrapped(hook: Hook, body: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    """The payload Standard Webhooks recommends (`type`, `timestamp`, `data`) as a CloudEvent.

    Its `webhook-id` is the same for every delivery of an event, so it is the event's id. Data without
    `version` takes the timestamp.
    """
    unknown = set(body) - {"type", "timestamp", "data"}
    if unknown:
        detail = "The body is neither a CloudEvent nor a Standard Webhooks payload (type, timestamp, data)."
        raise Refusal(422, detail, problems=[Problem("specversion", "Field required")])
    data = body.get("data")
    if isinstance(data, dict) and "timestamp" in body:
        data = {"version": body["timestamp"], **data}
    event = {"specversion": "1.0", "id": message_id, "source": f"/{hook.source}", "data": data}
    return event | {"type": body.get("type"), "time": body.get("timestamp")}


def _from_outbound_message(hook: Hook, body: bytes, now: datetime) -> list[InboxRow]:
    try:
        message = outbound_message.read(body)
    except outbound_message.BadMessage as error:
        raise Refusal(400, f"The outbound message cannot be read: {error}.") from None
    check_organization(hook, message.organization)
    return [_notified(hook, message.organization, one, now) for one in message.notifications]


def _notified(
    hook: Hook, organization: str, notification: outbound_message.Notification, now: datetime
) -> InboxRow:
    """One notification. A candidate only: the record is read again before anything is done.

    An object without a meaning here is kept as a type of its own, which dispatch routes to a person: a
    refusal would make Salesforce send the whole batch again for a day.
    """
    named = {**_OBJECTS, **hook.events}.get(notification.object, "")
    about_deals = {kind.name for kind in catalogue() if issubclass(kind.data, DealSigned)}
    version = _version(notification, now)
    body = {
        "specversion": "1.0",
        "id": notification.id,
        "source": f"/{hook.source}/{organization}",
        "type": named if named in about_deals else f"salesforce.{notification.object}",
        "subject": notification.record,
        "time": version.isoformat(),
        "data": {"deal": notification.record, "org": organization, "version": version.isoformat()},
    }
    return _received(hook, notification.id, str(body["type"]), notification.record, version, body, now)


def _version(notification: outbound_message.Notification, now: datetime) -> datetime:
    """The record's own stamp where the message carries it, else the time it came in."""
    for name in ("SystemModstamp", "LastModifiedDate"):
        try:
            stamp = _STAMP.validate_python(notification.fields.get(name, ""))
        except ValidationError:
            continue
        if stamp <= now + MAX_AHEAD:
            return stamp
    return now
