"""Events out: what an emulator tells the world, signed and delivered by a background task.

    self.webhooks.emit("salesforce", "opportunity.signed", {"id": "006…"},
                       forms={"salesforce-outbound-message": lambda message_id: envelope})

Events are rows of the same transaction as the change that caused them, so a kill loses none. Schemes:

- `standard-webhooks`: JSON `{"type","timestamp","data"}`; headers webhook-id, webhook-timestamp and
  webhook-signature = `v1,` + base64 HMAC-SHA256 over `id.timestamp.body`; secret `whsec_` + base64.
- a scheme of the vendor's own, whose body the emulator gives under `forms`; it is delivered again until the
  receiver's answer is accepted (`salesforce-outbound-message`: 200 with `<Ack>true</Ack>`).
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.core import clock, wire
from sandbox.core.database import Database
from sandbox.core.faults import FaultEngine
from sandbox.settings import WebhookTarget

if TYPE_CHECKING:
    import httpx

SCHEMES = ("standard-webhooks", "salesforce-outbound-message")
RETRY_AFTER = (0.2, 1.0, 3.0, 10.0, 30.0)
"""Seconds before each further attempt; after the last the event is `failed`."""
_ACK = re.compile(rb"<(?:\w+:)?Ack>\s*true\s*</(?:\w+:)?Ack>")


class BadSubscription(ValueError):
    """A subscription that cannot be used; the message says why."""


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The Standard Webhooks signature of a message."""
    key = _key(secret)
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise BadSubscription("the secret must be whsec_ followed by base64") from None


class Webhooks:
    """Subscriptions, the queue of events, and their delivery."""

    def __init__(self, database: Database, faults: FaultEngine) -> None:
        self._database = database
        self._faults = faults
        self._targets: list[WebhookTarget] = []
        self._wake = asyncio.Event()
        self._due: dict[int, float] = {}
        self._attempts: dict[int, int] = {}

    @property
    def targets(self) -> list[WebhookTarget]:
        """Who is told."""
        return list(self._targets)

    def subscribe(self, target: WebhookTarget) -> None:
        """Tell a receiver from now on. Raises BadSubscription."""
        if target.scheme not in SCHEMES:
            raise BadSubscription(f"unknown scheme {target.scheme!r}; known: {', '.join(SCHEMES)}")
        if not target.url.startswith(("http://", "https://")):
            raise BadSubscription(f"url must begin with http:// or https://, not {target.url!r}")
        if target.scheme == "standard-webhooks":
            _key(target.secret)
        if target not in self._targets:
            self._targets.append(target)

    def unsubscribe_all(self) -> None:
        """Tell nobody any more."""
        self._targets.clear()

    def emit(
        self,
        system: str,
        event_type: str,
        data: Mapping[str, Any],
        forms: Mapping[str, Callable[[str], str]] | None = None,
    ) -> None:
        """Queue an event for every subscriber of a system; call it inside the transaction of the change."""
        for target in self._targets:
            if target.system not in ("*", system):
                continue
            message_id = f"msg_{secrets.token_hex(12)}"
            form = (forms or {}).get(target.scheme)
            if form is None and target.scheme != "standard-webhooks":
                continue
            body = form(message_id) if form else self._standard(event_type, data)
            lost = self._faults.strike_event("webhook_lost", system, body) is not None
            again = not lost and self._faults.strike_event("webhook_duplicate", system, body) is not None
            late = None if lost else self._faults.strike_event("webhook_reorder", system, body)
            state = "lost" if lost else f"late:{late.seconds or 0}" if late else "pending"
            for _ in range(2 if again else 1):
                url = target.url.replace("{system}", system)
                self._queue(message_id, url, target, body, state)
            self._wake.set()

    def shown(self, limit: int = 200) -> list[dict[str, Any]]:
        """The last events with what became of them."""
        rows = self._database.read(
            "SELECT seq, id, url, scheme, body, state, at FROM webhooks ORDER BY seq DESC LIMIT ?", (limit,)
        )
        return [
            {
                "id": message_id,
                "url": url,
                "scheme": scheme,
                "body": body,
                "state": state,
                "at": clock.iso(at),
            }
            | {"attempts": self._attempts.get(seq, 0)}
            for seq, message_id, url, scheme, body, state, at in reversed(rows)
        ]

    async def run(self) -> None:
        """Deliver for ever (a background task)."""
        if not self._open():
            await self._wake.wait()
        import httpx  # only now: most runs send nothing, and starting fast matters

        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            self._wake.set()
            while True:
                pause = await self.deliver_due(client)
                try:
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def deliver_due(self, client: "httpx.AsyncClient") -> float | None:
        """Deliver what is due; the seconds until something more is, or None."""
        self._wake.clear()
        delivered = False
        for seq, message_id, url, secret, scheme, body, state in self._open():
            if self._due.setdefault(seq, clock.now() + _lateness(state)) <= clock.now():
                delivered |= await self._deliver(client, seq, message_id, url, secret, scheme, body)
        for seq, *_, state in self._open():
            if delivered and state.startswith("late"):  # the next event is out: the held one follows
                self._due[seq] = clock.now()
        waits = [self._due.get(row[0], 0) - clock.now() for row in self._open()]
        return max(0.0, min(waits)) if waits else None

    def _open(self) -> list[tuple[Any, ...]]:
        return self._database.read(
            "SELECT seq, id, url, secret, scheme, body, state FROM webhooks"
            " WHERE state = 'pending' OR state LIKE 'late:%' ORDER BY seq"
        )

    async def _deliver(
        self,
        client: "httpx.AsyncClient",
        seq: int,
        message_id: str,
        url: str,
        secret: str,
        scheme: str,
        text: str,
    ) -> bool:
        body = text.encode()
        if scheme == "standard-webhooks":
            stamp = str(int(clock.now()))
            headers = {
                "webhook-id": message_id,
                "webhook-timestamp": stamp,
                "content-type": "application/json",
            }
            headers["webhook-signature"] = signature(secret, message_id, stamp, body)
        else:
            headers = {"content-type": "text/xml; charset=utf-8", "soapaction": '""'}
        import httpx

        attempt = self._attempts[seq] = self._attempts.get(seq, 0) + 1
        try:
            response = await client.post(url, content=body, headers=headers)
            accepted = _accepted(scheme, response)
        except httpx.HTTPError:
            accepted = False
        if accepted:
            self._set_state(seq, "delivered")
        elif attempt > len(RETRY_AFTER):
            self._set_state(seq, "failed")
        else:
            self._due[seq] = clock.now() + RETRY_AFTER[attempt - 1]
        return accepted

    def _queue(self, message_id: str, url: str, target: WebhookTarget, body: str, state: str) -> None:
        self._database.write(
            "INSERT INTO webhooks (id, url, secret, scheme, body, state, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (message_id, url, target.secret, target.scheme, body, state, clock.now()),
        )

    def _set_state(self, seq: int, state: str) -> None:
        self._database.write("UPDATE webhooks SET state = ? WHERE seq = ?", (state, seq))

    @staticmethod
    def _standard(event_type: str, data: Mapping[str, Any]) -> str:
        event = {"type": event_type, "timestamp": clock.iso(clock.now()), "data": dict(data)}
        return wire.encode(event).decode()


def _lateness(state: str) -> float:
    return float(state.removeprefix("late:")) if state.startswith("late:") else 0.0


def _accepted(scheme: str, response: "httpx.Response") -> bool:
    if scheme == "salesforce-outbound-message":
        return response.status_code == 200 and _ACK.search(response.content) is not None
    return response.is_success
