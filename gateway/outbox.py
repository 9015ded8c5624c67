"""Telling others: events of the outbox, posted to each subscriber until it has acknowledged them.

At least once, in the order of each subject, for each subscriber by itself: a slow or broken one holds up
nobody else. Several gateways on one store share the work by claims with a lease; a sender that dies
between sending and marking leaves a lease that runs out, and the event is sent again under the same id.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import simplejson
import structlog

from domain.outbound import PRODUCER, schema_urn
from gateway.outbox_exceptions import Undelivered
from gateway.outbox_post import Answer, post
from gateway.outbox_subscribers import Receiver, TellingFirm, receivers
from store.outbox_ports import ClaimedDelivery, DeliveryState, OutboxRow
from store.ports import Store

AT_ONCE = 8
"""Deliveries to one subscriber together, each of another subject."""
LEASE_BEYOND_TIMEOUT = timedelta(seconds=30)
FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=4)
GIVEN_UP_AFTER = timedelta(hours=72)
"""Age at which a delivery that was never acknowledged becomes poison."""

_log = structlog.get_logger("fairlead.gateway.outbox")

Job = Callable[[], Awaitable[object]]


class Post(Protocol):
    """`gateway.outbox_post.post`."""

    async def __call__(self, receiver: Receiver, message_id: str, body: bytes, now: datetime) -> Answer: ...


def outbox_jobs(firm: TellingFirm, store: Store, now: Callable[[], datetime]) -> list[Job]:
    """What the sweeper does again and again: one job for each subscriber, so that none waits for another."""
    sender = OutboxSender(firm, store, now)
    told = [partial(sender.send_due, receiver) for receiver in sender.receivers]
    return [*told] or [sender.route]


class OutboxSender:
    """Sends what is due. One per gateway."""

    def __init__(
        self, firm: TellingFirm, store: Store, now: Callable[[], datetime], post: Post = post
    ) -> None:
        self.receivers = receivers(firm)
        self._firm = firm.id
        self._store = store
        self._now = now
        self._post = post
        self._name = f"gateway-{secrets.token_hex(6)}"
        self._undelivered = Undelivered(store)

    async def route(self) -> int:
        """Give each new event to those who subscribe to its type; how many there were."""
        return await self._store.outbox.route({one.name: one.types for one in self.receivers})

    async def send_due(self, receiver: Receiver) -> int:
        """Send what is due to one subscriber, batch by batch; how many attempts that took."""
        attempts = 0
        while True:
            await self.route()
            claimed = await self._store.outbox.claim(
                receiver.name,
                by=self._name,
                lease=receiver.timeout + LEASE_BEYOND_TIMEOUT,
                limit=AT_ONCE,
            )
            if not claimed:
                return attempts
            attempts += len(claimed)
            await asyncio.gather(*(self._send(receiver, one) for one in claimed))

    async def _send(self, receiver: Receiver, claimed: ClaimedDelivery) -> None:
        event = claimed.event
        answer = await self._post(receiver, event.id, body_of(self._firm, event), self._now())
        if answer.acknowledged:
            await self._store.outbox.acknowledge(event.sequence, receiver.name)
            _log.info("event_told", event_id=event.id, type=event.type, subscriber=receiver.name)
            await self._undelivered.settle(receiver.name)
        elif answer.gone:
            await self._stop(receiver, claimed, "paused", answer.problem)
        elif self._now() - claimed.delivery.since >= GIVEN_UP_AFTER:
            await self._stop(receiver, claimed, "poison", answer.problem)
        else:
            await self._later(receiver, claimed, answer)

    async def _later(self, receiver: Receiver, claimed: ClaimedDelivery, answer: Answer) -> None:
        event, delivery = claimed.event, claimed.delivery
        left = GIVEN_UP_AFTER - (self._now() - delivery.since)
        wait = min(max(_growing(delivery.attempts), answer.retry_after), left)
        _log.warning(
            "event_not_told",
            event_id=event.id,
            type=event.type,
            subscriber=receiver.name,
            attempt=delivery.attempts,
            reason=answer.problem,
        )
        await self._store.outbox.fail(
            event.sequence, receiver.name, "waiting", by=self._name, note=answer.problem, retry_in=wait
        )

    async def _stop(
        self, receiver: Receiver, claimed: ClaimedDelivery, state: DeliveryState, reason: str
    ) -> None:
        """No further attempt by itself: its owner is told first, so that a crash in between tells again."""
        event = claimed.event
        _log.error(
            "event_given_up",
            event_id=event.id,
            type=event.type,
            subscriber=receiver.name,
            state=state,
            owner=receiver.owner.value,
            reason=reason,
        )
        await self._undelivered.raise_for(receiver, event, state, reason, self._now())
        await self._store.outbox.fail(event.sequence, receiver.name, state, by=self._name, note=reason)


def body_of(firm: str, event: OutboxRow) -> bytes:
    """The event as a CloudEvent 1.0 in structured mode: the same bytes in every delivery."""
    envelope = {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/{PRODUCER}/{firm}",
        "type": event.type,
        "subject": event.subject,
        "time": event.at.isoformat(),
        "datacontenttype": "application/json",
        "dataschema": schema_urn(event.type, event.version),
        "data": event.data,
    }
    text: str = simplejson.dumps(
        envelope, use_decimal=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )
    return text.encode()


def _growing(attempts: int) -> timedelta:
    """10 s after the first attempt, doubling up to four hours."""
    doubled: timedelta = FIRST_RETRY * (1 << min(max(attempts - 1, 0), 20))
    return min(LONGEST_RETRY, doubled)
