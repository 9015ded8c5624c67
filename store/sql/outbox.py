"""The outbox on SQL (`store.outbox_ports.Outbox`), and noting an event within another transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from domain.outbound import OutboxNote
from store.outbox_ports import ClaimedDelivery, DeliveryState, OutboxDelivery, OutboxRow
from store.ports import AuditNote, StaleReference
from store.sql import outbox_deliveries
from store.sql.chain import note
from store.sql.database import Database
from store.sql.outbox_deliveries import DELIVERIES
from store.sql.outbox_tables import OutboxRecord
from store.sql.tables import table

OUTBOX = table(OutboxRecord)

_BY_ID = select(OUTBOX).where(OUTBOX.c.id == bindparam("of"))
_KEPT = select(OUTBOX.c.sequence).where(OUTBOX.c.id == bindparam("of"))
_INSERT = insert(OUTBOX)
_UNROUTED = (
    select(OUTBOX.c.sequence, OUTBOX.c.type, OUTBOX.c.subject)
    .where(OUTBOX.c.routed_at.is_(None))
    .order_by(OUTBOX.c.sequence)
)
_ROUTE = update(OUTBOX).where(OUTBOX.c.sequence == bindparam("of"), OUTBOX.c.routed_at.is_(None))


def tell(connection: Connection, process: str, at: datetime, notes: Iterable[OutboxNote]) -> None:
    """Note events of `process` with the change that the caller's transaction makes; each once."""
    for one in notes:
        if connection.execute(_KEPT, {"of": one.id}).first() is None:
            values = one.model_dump(exclude={"schema_version"})
            connection.execute(_INSERT, {**values, "id": one.id, "process": process, "at": at})


class SqlOutbox:
    """What happened, for those who subscribe to it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def route(self, subscribers: Mapping[str, Collection[str]], limit: int = 500) -> int:
        """Make the deliveries of events that have none yet; how many events were routed."""
        query = _UNROUTED.limit(limit)
        # Most looks find nothing: they shall not take the lock of a writer.
        if not await self._db.read(lambda connection: connection.execute(query).first()):
            return 0
        return await self._db.write(
            lambda connection: _route(connection, connection.execute(query), subscribers, self._db.now())
        )

    async def claim(
        self, subscriber: str, *, by: str, lease: timedelta, limit: int
    ) -> Sequence[ClaimedDelivery]:
        """Deliveries that are due, claimed for `by`; see the port."""
        if not await self._db.read(lambda c: outbox_deliveries.due(c, subscriber, self._db.now(), limit)):
            return []

        def work(connection: Connection) -> list[ClaimedDelivery]:
            now = self._db.now()
            found = outbox_deliveries.claim(connection, subscriber, by, now, now + lease, limit)
            events = _events(connection, [sequence for sequence, _ in found])
            return [ClaimedDelivery(event=events[sequence], delivery=one) for sequence, one in found]

        return await self._db.write(work)

    async def acknowledge(self, sequence: int, subscriber: str) -> None:
        """The subscriber has it, whoever sent it."""
        await self._db.write(
            lambda connection: outbox_deliveries.acknowledge(connection, sequence, subscriber, self._db.now())
        )

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
        """What came of an attempt that was not acknowledged; false when `by` no longer holds the claim."""

        def work(connection: Connection) -> bool:
            now = self._db.now()
            return outbox_deliveries.fail(
                connection, sequence, subscriber, state, by, now, note=note, next_at=now + retry_in
            )

        return await self._db.write(work)

    async def unsettled(self, subscriber: str) -> int:
        """How many of its deliveries are paused or poison."""
        return await self._db.read(lambda connection: outbox_deliveries.unsettled(connection, subscriber))

    async def get(self, id: str) -> OutboxRow | None:
        def work(connection: Connection) -> OutboxRow | None:
            found = connection.execute(_BY_ID, {"of": id}).first()
            return _with_deliveries(connection, [found])[0] if found else None

        return await self._db.read(work)

    async def list(
        self,
        *,
        type: str | None = None,
        state: DeliveryState | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> Sequence[OutboxRow]:
        """Events with their deliveries, last noted first."""
        query = select(OUTBOX).order_by(OUTBOX.c.sequence.desc()).limit(limit)
        if type is not None:
            query = query.where(OUTBOX.c.type == type)
        if since is not None:
            query = query.where(OUTBOX.c.at >= since)
        if state is not None:
            fits = (DELIVERIES.c.sequence == OUTBOX.c.sequence) & (DELIVERIES.c.state == state)
            query = query.where(select(DELIVERIES.c.sequence).where(fits).exists())
        return await self._db.read(
            lambda connection: _with_deliveries(connection, connection.execute(query).all())
        )

    async def resend(self, id: str, *, to: str | None, by: str) -> Sequence[str]:
        """Put deliveries back to `waiting`, due at once; to whom. Raises `StaleReference`."""
        return await self._db.write(lambda connection: _resend(connection, id, to, by, self._db.now()))

    async def take_up(self, subscriber: str, *, by: str) -> int:
        """Put everything that is paused or poison for this subscriber back to `waiting`; how many."""

        def work(connection: Connection) -> int:
            now = self._db.now()
            count = outbox_deliveries.take_up(connection, subscriber, now)
            if count:
                told = AuditNote(actor=by, what=f"{count} events sent again", why=by, object=subscriber)
                note(connection, f"outbox/{subscriber}", now, told)
            return count

        return await self._db.write(work)


def _route(
    connection: Connection,
    unrouted: Iterable[Row[Any]],
    subscribers: Mapping[str, Collection[str]],
    now: datetime,
) -> int:
    count = 0
    for event in list(unrouted):
        # Another gateway may route the same events: who changes the row makes its deliveries.
        if not connection.execute(_ROUTE, {"of": event.sequence, "routed_at": now}).rowcount:
            continue
        count += 1
        for subscriber, types in subscribers.items():
            if event.type in types:
                outbox_deliveries.add(connection, event.sequence, subscriber, event.subject, now)
    return count


def _resend(connection: Connection, id: str, to: str | None, by: str, now: datetime) -> list[str]:
    found = connection.execute(_BY_ID, {"of": id}).first()
    if found is None:
        raise StaleReference(
            f"event {id} is not in the outbox; `fairlead events outbox` lists those that are"
        )
    known = [one.subscriber for one in outbox_deliveries.of(connection, [found.sequence])[found.sequence]]
    if to is not None and to not in known:
        outbox_deliveries.add(connection, found.sequence, to, found.subject, now)
    again = known if to is None else [to]
    for subscriber in again:
        outbox_deliveries.again(connection, found.sequence, subscriber, now)
    if again:
        told = AuditNote(actor=by, what=f"{found.type} sent again", why=by, object=", ".join(again))
        note(connection, found.process, now, told)
    return again


def _events(connection: Connection, sequences: Sequence[int]) -> dict[int, OutboxRow]:
    query = select(OUTBOX).where(OUTBOX.c.sequence.in_(sequences))
    return {found.sequence: _row(found) for found in connection.execute(query)}


def _with_deliveries(connection: Connection, found: Sequence[Row[Any]]) -> list[OutboxRow]:
    deliveries = outbox_deliveries.of(connection, [row.sequence for row in found])
    return [_row(row, deliveries[row.sequence]) for row in found]


def _row(found: Row[Any], deliveries: Sequence[OutboxDelivery] = ()) -> OutboxRow:
    values = found._asdict()
    return OutboxRow.model_validate(
        {**values, "routed": values["routed_at"] is not None, "deliveries": tuple(deliveries)}
    )
