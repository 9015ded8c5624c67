"""Deliveries of the outbox: who claims which, in which order, and what came of it.

Each function runs inside a transaction of the caller.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, or_, select, update

from store.outbox_ports import DeliveryState, OutboxDelivery
from store.sql.outbox_tables import DeliveryRecord
from store.sql.tables import table

DELIVERIES = table(DeliveryRecord)
_BATCH = 500
"""Numbers in one statement: SQLite and drivers bound the number of parameters."""

_EARLIER, _PAUSED = DELIVERIES.alias("earlier"), DELIVERIES.alias("paused")
_FREE = or_(DELIVERIES.c.claimed_until.is_(None), DELIVERIES.c.claimed_until <= bindparam("now"))
_DUE = (
    select(DELIVERIES)
    .where(
        DELIVERIES.c.subscriber == bindparam("to"),
        DELIVERIES.c.state == "waiting",
        DELIVERIES.c.next_at <= bindparam("now"),
        _FREE,
        ~exists().where(
            _EARLIER.c.subscriber == DELIVERIES.c.subscriber,
            _EARLIER.c.subject == DELIVERIES.c.subject,
            _EARLIER.c.sequence < DELIVERIES.c.sequence,
            _EARLIER.c.state.in_(("waiting", "paused")),
        ),
        ~exists().where(_PAUSED.c.subscriber == bindparam("to"), _PAUSED.c.state == "paused"),
    )
    .order_by(DELIVERIES.c.sequence)
)
_ONE = (DELIVERIES.c.sequence == bindparam("of"), DELIVERIES.c.subscriber == bindparam("to"))
_READ = select(DELIVERIES).where(*_ONE)
_INSERT = insert(DELIVERIES)
_CHANGE = update(DELIVERIES).where(*_ONE)
_CLAIM = (
    update(DELIVERIES)
    .where(*_ONE, DELIVERIES.c.state == "waiting", _FREE)
    .values(attempts=DELIVERIES.c.attempts + 1)
)
_FAIL = update(DELIVERIES).where(
    *_ONE, DELIVERIES.c.state == "waiting", DELIVERIES.c.claimed_by == bindparam("by")
)
_STOPPED = (DELIVERIES.c.subscriber == bindparam("to"), DELIVERIES.c.state.in_(("paused", "poison")))
_RESUME = update(DELIVERIES).where(*_STOPPED, DELIVERIES.c.state == "paused")
_TAKE_UP = update(DELIVERIES).where(*_STOPPED)
_UNSETTLED = select(func.count()).where(*_STOPPED)


def add(connection: Connection, sequence: int, subscriber: str, subject: str, now: datetime) -> None:
    """A delivery due at once, unless there is one."""
    if connection.execute(_READ, {"of": sequence, "to": subscriber}).first() is None:
        values = {"sequence": sequence, "subscriber": subscriber, "subject": subject, **_anew(now)}
        connection.execute(_INSERT, values)


def due(connection: Connection, subscriber: str, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """What may be claimed now, oldest first, at most one of each subject."""
    return connection.execute(_DUE.limit(limit), {"to": subscriber, "now": now}).all()


def claim(
    connection: Connection, subscriber: str, by: str, now: datetime, until: datetime, limit: int
) -> list[tuple[int, OutboxDelivery]]:
    """Claim what is due; with the event's number. A sender that was faster has made a row not free."""
    claimed = []
    for found in due(connection, subscriber, now, limit):
        one = {"of": found.sequence, "to": subscriber}
        if connection.execute(_CLAIM, {**one, "now": now, "claimed_by": by, "claimed_until": until}).rowcount:
            claimed.append((found.sequence, delivery(connection.execute(_READ, one).one())))
    return claimed


def acknowledge(connection: Connection, sequence: int, subscriber: str, now: datetime) -> None:
    change = {"state": "acknowledged", "settled_at": now, "note": "", **_UNCLAIMED}
    connection.execute(_CHANGE, {"of": sequence, "to": subscriber, **change})


def fail(
    connection: Connection,
    sequence: int,
    subscriber: str,
    state: DeliveryState,
    by: str,
    now: datetime,
    *,
    note: str,
    next_at: datetime,
) -> bool:
    """Whether `by` still held the claim; if not, nothing changes."""
    change = {"state": state, "note": note, "next_at": next_at, **_UNCLAIMED}
    change["settled_at"] = None if state == "waiting" else now
    return bool(connection.execute(_FAIL, {"of": sequence, "to": subscriber, "by": by, **change}).rowcount)


def again(connection: Connection, sequence: int, subscriber: str, now: datetime) -> None:
    """Due at once, with all its time; and so is everything that is paused for this subscriber."""
    connection.execute(_CHANGE, {"of": sequence, "to": subscriber, **_anew(now)})
    connection.execute(_RESUME, {"to": subscriber, **_anew(now)})


def take_up(connection: Connection, subscriber: str, now: datetime) -> int:
    """Everything that was given up is due at once; how many."""
    return connection.execute(_TAKE_UP, {"to": subscriber, **_anew(now)}).rowcount


def unsettled(connection: Connection, subscriber: str) -> int:
    return connection.execute(_UNSETTLED, {"to": subscriber}).scalar_one()


def of(connection: Connection, sequences: Sequence[int]) -> dict[int, list[OutboxDelivery]]:
    """Deliveries of these events, by the name of the subscriber."""
    found: dict[int, list[OutboxDelivery]] = defaultdict(list)
    for start in range(0, len(sequences), _BATCH):
        batch = sequences[start : start + _BATCH]
        query = select(DELIVERIES).where(DELIVERIES.c.sequence.in_(batch)).order_by(DELIVERIES.c.subscriber)
        for row in connection.execute(query):
            found[row.sequence].append(delivery(row))
    return found


def delivery(found: Row[Any]) -> OutboxDelivery:
    return OutboxDelivery.model_validate(found._asdict())


_UNCLAIMED: dict[str, Any] = {"claimed_by": "", "claimed_until": None}


def _anew(now: datetime) -> dict[str, Any]:
    return {
        "state": "waiting",
        "attempts": 0,
        "since": now,
        "next_at": now,
        "settled_at": None,
        "note": "",
        **_UNCLAIMED,
    }
