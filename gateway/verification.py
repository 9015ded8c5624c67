"""Is a delivery really from its registered source? One scheme per way vendors sign.

- `standard-webhooks`: headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; HMAC-SHA256 over
  `id.timestamp.body`, base64, prefixed `v1,`; several signatures separated by spaces (rotation).
- `hmac-timestamp`: headers `x-webhook-timestamp`, `x-webhook-signature`; hex HMAC-SHA256 over
  `timestamp.body` with the text of the secret as key, prefixed `sha256=`; several separated by commas.
- `salesforce-outbound-message`: Salesforce signs nothing. A secret path segment here, and the
  OrganizationId when the message is read (`check_organization`); mutual TLS ends in front of the gateway.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.registration import MIN_SECRET_BYTES, Hook, UnusableSecret, signing_key

TOLERANCE_SECONDS = 300

_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,200}")
_MAX_SIGNATURES = 10


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it arrived."""

    headers: Mapping[str, str]
    """Header names in lower case."""
    body: bytes = field(repr=False)
    path_secret: str = field(repr=False, default="")


class NotVerified(Exception):
    """A delivery that is not accepted. `reason` is for the log; the sender learns only the status."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def verify(hook: Hook, delivery: Delivery, now: datetime) -> str:
    """The authenticated message id, or "" where the scheme has none.

    Raises `NotVerified`, and `UnusableSecret` when the register itself cannot be used.
    """
    return _SCHEMES[hook.scheme](hook, delivery, now)


def signed_at(delivery: Delivery) -> datetime | None:
    """When a verified delivery was signed, to the second; `None` where its scheme signs no time."""
    for name in ("webhook-timestamp", "x-webhook-timestamp"):
        stamp = delivery.headers.get(name, "")
        if _STAMP.fullmatch(stamp):
            return datetime.fromtimestamp(int(stamp), UTC)
    return None


def standard_signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,<base64>` as Standard Webhooks defines it."""
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def timestamp_signature(key: bytes, timestamp: str, body: bytes) -> str:
    """`sha256=<hex>` of the generic scheme."""
    return "sha256=" + hmac.digest(key, f"{timestamp}.".encode() + body, hashlib.sha256).hex()


def check_organization(hook: Hook, organization: str) -> None:
    """Raises `NotVerified` unless the id is the registered one, in its form of 15 or of 18 characters."""
    expected = hook.organization
    if len(expected) not in (15, 18):
        raise NotVerified(f"webhooks.{hook.source} has no organization id of 15 or 18 characters", 503)
    length = 18 if len(expected) == len(organization) == 18 else 15
    plausible = len(organization) in (15, 18)
    same = hmac.compare_digest(organization[:length].encode(), expected[:length].encode())
    if not (plausible and same):
        raise NotVerified("the OrganizationId is not the registered one")


def _standard_webhooks(hook: Hook, delivery: Delivery, now: datetime) -> str:
    message_id = _header(delivery, "webhook-id")
    timestamp = _fresh_stamp(_header(delivery, "webhook-timestamp"), now)
    offered = _header(delivery, "webhook-signature").split()
    if not _MESSAGE_ID.fullmatch(message_id):
        raise NotVerified("webhook-id is not 1 to 200 printable characters", 400)
    expected = [
        standard_signature(signing_key(hook, secret), message_id, timestamp, delivery.body)
        for secret in hook.valid_secrets()
    ]
    _match(offered, expected)
    return message_id


def _hmac_timestamp(hook: Hook, delivery: Delivery, now: datetime) -> str:
    timestamp = _fresh_stamp(_header(delivery, "x-webhook-timestamp"), now)
    offered = [part.strip() for part in _header(delivery, "x-webhook-signature").split(",")]
    expected = [
        timestamp_signature(secret.encode(), timestamp, delivery.body) for secret in hook.valid_secrets()
    ]
    _match(offered, expected)
    return ""


def _salesforce_outbound_message(hook: Hook, delivery: Delivery, now: datetime) -> str:
    if not delivery.path_secret:
        raise NotVerified("the address lacks its secret segment")
    expected = hook.valid_secrets()
    if min(map(len, expected)) < MIN_SECRET_BYTES:
        raise UnusableSecret(
            f"webhooks.{hook.source}: a secret in an address needs {MIN_SECRET_BYTES} characters or more"
        )
    _match([delivery.path_secret], expected)
    return ""


_SCHEMES: dict[str, Callable[[Hook, Delivery, datetime], str]] = {
    "standard-webhooks": _standard_webhooks,
    "hmac-timestamp": _hmac_timestamp,
    "salesforce-outbound-message": _salesforce_outbound_message,
}


def _header(delivery: Delivery, name: str) -> str:
    value = delivery.headers.get(name, "")
    if not value:
        raise NotVerified(f"the header {name} is missing")
    return value


def _fresh_stamp(text: str, now: datetime) -> str:
    if not _STAMP.fullmatch(text):
        raise NotVerified("the timestamp is not a whole number of seconds", 400)
    age = now.astimezone(UTC).timestamp() - int(text)
    if abs(age) > TOLERANCE_SECONDS:
        when = "old" if age > 0 else "in the future"
        raise NotVerified(f"the timestamp is {abs(age):.0f} s {when}, {TOLERANCE_SECONDS} s are allowed")
    return text


def _match(offered: list[str], expected: list[str]) -> None:
    """Constant time in every pair; no early end on a hit."""
    found = False
    for candidate in offered[:_MAX_SIGNATURES]:
        for good in expected:
            found |= hmac.compare_digest(candidate.encode(), good.encode())
    if not found:
        raise NotVerified("the signature or secret does not match")
