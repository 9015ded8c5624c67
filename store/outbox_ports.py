"""What the gateway and the CLI ask of the outbox: events to be told, and how far each subscriber has them.

An event is written by the method that makes the change (`tells` of effects, processes, attention and
billing), in its transaction. It is routed once, to those who subscribe to its type at that moment; from
then on there is one delivery for each of them. As in `store.ports`, times are aware UTC.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from pydantic import AwareDatetime

from domain.base import Canonical

DeliveryState = Literal["waiting", "acknowledged", "paused", "poison"]
"""`paused`: the subscriber said that it is gone; `poison`: given up, its owner is told."""


class OutboxDelivery(Canonical):
    """One event on its way to one subscriber."""

    subscriber: str
    state: DeliveryState = "waiting"
    attempts: int = 0
    since: AwareDatetime
    """From when its age counts: routed, or sent again by a person."""
    next_at: AwareDatetime
    note: str = ""
    settled_at: AwareDatetime | None = None


class OutboxRow(Canonical):
    """One event as it was noted."""

    sequence: int
    id: str
    type: str
    version: int
    key: str
    process: str
    subject: str
    data: dict[str, Any]
    at: AwareDatetime
    routed: bool = False
    deliveries: tuple[OutboxDelivery, ...] = ()


class ClaimedDelivery(Canonical):
    """A delivery that one sender alone may attempt until its lease has run out."""

    event: OutboxRow
    delivery: OutboxDelivery


class Outbox(Protocol):
    async def route(self, subscribers: Mapping[str, Collection[str]], limit: int = 500) -> int:
        """Make the deliveries of events that have none yet; how many events were routed.

        `subscribers`: name -> types. An event that nobody subscribes to is kept and routed to nobody.
        """

    async def claim(
        self, subscriber: str, *, by: str, lease: timedelta, limit: int
    ) -> Sequence[ClaimedDelivery]:
        """Deliveries that are due, claimed for `by` and counted as an attempt; oldest first.

        At most one of each subject: a later one waits until the former is acknowledged or poison. None
        while the subscriber is paused. What another sender holds a live lease on is left to it.
        """

    async def acknowledge(self, sequence: int, subscriber: str) -> None:
        """The subscriber has it, whoever sent it."""

    async def fail(
        self,
        sequence: int,
        subscriber: str,
        state: DeliveryState,
        *,
        by: str,
        note: str,
        retry_in: timedelta = timedelta(0),
    ) -> bool:
        """What came of an attempt that was not acknowledged. False when `by` no longer holds the claim."""

    async def unsettled(self, subscriber: str) -> int:
        """How many of its deliveries are paused or poison."""

    async def get(self, id: str) -> OutboxRow | None: ...

    async def list(
        self,
        *,
        type: str | None = None,
        state: DeliveryState | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> Sequence[OutboxRow]:
        """Events with their deliveries, last noted first; `state`: with at least one delivery in it."""

    async def resend(self, id: str, *, to: str | None, by: str) -> Sequence[str]:
        """Put deliveries back to `waiting`, due at once; to whom. Audited, with who asked.

        `to`: this one, who need not have had it; None: all who have. Whoever was paused is taken up
        again with everything that is paused. Raises `StaleReference` for an unknown event.
        """

    async def take_up(self, subscriber: str, *, by: str) -> int:
        """Put everything that is paused or poison for this subscriber back to `waiting`; how many."""
