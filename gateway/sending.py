"""Send one event to a gateway, signed as a registered source signs it: `fairlead events send`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from domain.events import EventRefused, newest, parse
from gateway.registration import Hook, UnusableSecret, WebhookFirm, registered_hooks, signing_key
from gateway.verification import standard_signature, timestamp_signature
from runtime.settings import Settings


class CannotSend(Exception):
    """The event was not sent; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class SentEvent:
    """The gateway's answer."""

    event_id: str
    source: str
    status: int
    answer: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        """Kept now, or kept before (409: this very delivery, signed in the same second)."""
        return self.status in (200, 202, 409)


async def send_event(
    settings: Settings,
    firm: WebhookFirm,
    type: str,
    subject: str,
    *,
    source: str | None = None,
    data: Mapping[str, Any] | None = None,
    event_id: str | None = None,
    version: datetime | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> SentEvent:
    """Build, sign and post one event of `type` about `subject`.

    Args:
        source: a source of the register; by default the first one that can sign such an event.
        data: further fields of the event's data.
        event_id: by default made from type, subject and version, so that a repeat is a duplicate.
        version: the object's stamp; by default now.

    Raises `CannotSend` when it does not fit the catalogue, no source can sign it, or nothing answers;
    `KeyError` for an unknown type.
    """
    newest(type)
    now = datetime.now(UTC)
    hook = _source(firm, type, source)
    body = _event(hook, type, subject, dict(data or {}), event_id, version or now)
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/cloudevents+json", **_signed(hook, body["id"], content, now)}
    address = f"{settings.gateway_url}/hooks/{hook.source}"
    try:
        async with httpx.AsyncClient(transport=transport, timeout=10, trust_env=False) as client:
            response = await client.post(address, content=content, headers=headers)
    except httpx.HTTPError as error:
        raise CannotSend(
            f"the gateway at {settings.gateway_url} does not answer ({error.__class__.__name__}); "
            "start it with `fairlead up` or `fairlead serve`"
        ) from error
    return SentEvent(body["id"], hook.source, response.status_code, _answer(response))


def _event(
    hook: Hook, type: str, subject: str, data: dict[str, Any], event_id: str | None, version: datetime
) -> dict[str, Any]:
    kind = newest(type)
    stamp = version.isoformat()
    body = {
        "specversion": "1.0",
        "id": event_id or f"{type}/{subject}/{version:%Y%m%dT%H%M%S.%fZ}",
        "source": f"/{hook.source}",
        "type": type,
        "subject": subject,
        "time": stamp,
        "datacontenttype": "application/json",
        "dataschema": kind.schema_urn,
        "data": {"version": stamp, kind.data.subject_field: subject, **data},
    }
    try:
        parse(body)
    except EventRefused as error:
        raise CannotSend(f"this is no {type}: {error}") from None
    return body


def _source(firm: WebhookFirm, type: str, source: str | None) -> Hook:
    hooks = registered_hooks(firm)
    if source is not None and source not in hooks:
        raise CannotSend(f"no source {source!r} is registered; there is {', '.join(sorted(hooks)) or 'none'}")
    candidates = [hooks[source]] if source is not None else list(hooks.values())
    for hook in candidates:
        if hook.scheme != "salesforce-outbound-message" and hook.event_type(type) == type:
            return hook
    raise CannotSend(
        f"no registered source can sign {type}: add it to the events of a [webhooks.<source>] "
        "with scheme standard-webhooks or hmac-timestamp"
    )


def _signed(hook: Hook, event_id: str, content: bytes, now: datetime) -> dict[str, str]:
    try:
        secret = hook.valid_secrets()[0]
        key = signing_key(hook, secret) if hook.scheme == "standard-webhooks" else secret.encode()
    except UnusableSecret as error:
        raise CannotSend(str(error)) from error
    stamp = str(int(now.timestamp()))
    if hook.scheme == "hmac-timestamp":
        signature = timestamp_signature(key, stamp, content)
        return {"x-webhook-timestamp": stamp, "x-webhook-signature": signature}
    signature = standard_signature(key, event_id, stamp, content)
    return {"webhook-id": event_id, "webhook-timestamp": stamp, "webhook-signature": signature}


def _answer(response: httpx.Response) -> Mapping[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {"detail": f"HTTP {response.status_code}, not JSON"}
