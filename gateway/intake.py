"""From a verified delivery to inbox rows: every scheme ends as one CloudEvents body per event."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.events import (
    Envelope,
    Event,
    EventRefused,
    Problem,
    UnknownEventType,
    newest,
    parse,
    read_envelope,
)
from gateway import outbound_message, payloads, strict_json
from gateway.problems import Refusal
from gateway.registration import Hook
from gateway.verification import Delivery, check_organization
from store.ports import InboxRow

HEAD_START = timedelta(seconds=10)
"""How long the dispatch that follows the answer has before the sweeper looks at a row."""


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


def _wrapped(hook: Hook, body: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    if set(body) - payloads.STANDARD_FIELDS:
        detail = "The body is neither a CloudEvent nor a Standard Webhooks payload (type, timestamp, data)."
        raise Refusal(422, detail, problems=[Problem("specversion", "Field required")])
    return payloads.from_standard_webhooks(hook, body, message_id)


def _row(hook: Hook, body: Mapping[str, Any], now: datetime) -> InboxRow:
    try:
        envelope = read_envelope(body)
        body = {**body, "type": _allowed_type(hook, envelope.type)}
        return _inbox_row(hook, parse(body), body, now)
    except UnknownEventType:
        return _unknown_row(hook, envelope, body, now)
    except EventRefused as error:
        detail = "The event does not fit the catalogue; `fairlead events catalog` shows the form."
        raise Refusal(422, detail, problems=error.problems) from None


def _allowed_type(hook: Hook, name: str) -> str:
    allowed = hook.event_type(name)
    if allowed is None:
        raise EventRefused(Problem("type", "is not one this source is registered for"))
    return allowed


def _inbox_row(hook: Hook, event: Event, body: Mapping[str, Any], now: datetime) -> InboxRow:
    if event.kind.sunset is not None and now.date() > event.kind.sunset:
        current = newest(event.type).schema_urn
        raise EventRefused(
            Problem("dataschema", f"was accepted until {event.kind.sunset}; the current one is {current}")
        )
    if event.version > now + payloads.MAX_AHEAD:
        raise EventRefused(Problem("data.version", "lies more than a day in the future"))
    return _received(hook, event.id, event.type, event.subject, event.version, body, now)


def _unknown_row(hook: Hook, envelope: Envelope, body: Mapping[str, Any], now: datetime) -> InboxRow:
    """Signed by a registered source, but of a type nobody knows yet: kept, so that nothing is lost."""
    version = min(envelope.time or now, now)
    return _received(hook, envelope.id, str(body["type"]), envelope.subject or "", version, body, now)


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
    event, version = payloads.from_notification(hook, organization, notification, now)
    return _received(hook, notification.id, str(event["type"]), notification.record, version, event, now)


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
