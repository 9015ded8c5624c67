"""The inbox of events on SQL (`store.ports.Inbox`)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update

from store.ports import InboxRow, InboxState, StaleReference, StoreError
from store.sql.database import Database
from store.sql.tables import InboxRecord, table

INBOX = table(InboxRecord)

OPEN_STATES = ("received", "dispatched", "waiting")
_BATCH = 500
"""Ids in one statement: SQLite and drivers bound the number of parameters."""

_BY_ID = select(INBOX).where(INBOX.c.id == bindparam("of"))
_KEPT = select(INBOX.c.id).where(INBOX.c.source == bindparam("from"), INBOX.c.event_id == bindparam("event"))
_INSERT = insert(INBOX)
_MARK = (
    update(INBOX)
    .where(INBOX.c.id == bindparam("of"), INBOX.c.state != "applied")
    .values(attempts=INBOX.c.attempts + 1)
)
_DUE = (
    select(INBOX)
    .where(
        INBOX.c.state.in_(OPEN_STATES),
        or_(
            INBOX.c.next_at <= bindparam("now"),
            # Just received: the one that put it may have died before it dispatched it.
            and_(INBOX.c.next_at.is_(None), INBOX.c.attempts == 0),
        ),
    )
    .order_by(INBOX.c.received_at, INBOX.c.id)
)
_NEWEST = select(func.max(INBOX.c.version)).where(
    INBOX.c.source == bindparam("from"),
    INBOX.c.subject == bindparam("about"),
    INBOX.c.type == bindparam("kind"),
    INBOX.c.applied_at.is_not(None),
)


class SqlInbox:
    """Inbound events, each kept once before it is answered."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put(self, row: InboxRow) -> bool:
        """Keep `row`; false when (source, event id) is already there.

        Raises `StoreError` when its id is not `<source>:<event id>`.
        """
        if row.id != f"{row.source}:{row.event_id}":
            raise StoreError(f"event {row.id!r} must have the id {row.source}:{row.event_id}")
        return await self._db.write(lambda connection: _put(connection, row))

    async def due(self, now: datetime, limit: int = 100) -> Sequence[InboxRow]:
        """Unapplied rows whose time has come, and rows just received, oldest first."""
        query = _DUE.limit(limit)
        return await self._db.read(
            lambda connection: [_answer(found) for found in connection.execute(query, {"now": now})]
        )

    async def mark(
        self,
        id: str,
        state: InboxState,
        *,
        process: str = "",
        note: str = "",
        retry_in: timedelta | None = None,
    ) -> None:
        """Set the state, count an attempt, and set when it is due again (`None` = never).

        `applied` is final but for `replay`: a dispatcher that reports late changes nothing. An empty
        `process` keeps the one that is known. Raises `StaleReference` for an unknown id.
        """
        change: dict[str, Any] = {"of": id, "state": state, "note": note}
        if process:
            change["process"] = process
        await self._db.write(lambda connection: _mark(connection, change, retry_in, self._db.now()))

    async def newest_version(self, source: str, subject: str, type: str) -> datetime | None:
        """Newest version of the subject's events of this type that was ever applied."""
        asked = {"from": source, "about": subject, "kind": type}
        return await self._db.read(lambda connection: connection.execute(_NEWEST, asked).scalar())

    async def get(self, id: str) -> InboxRow | None:
        def work(connection: Connection) -> InboxRow | None:
            found = connection.execute(_BY_ID, {"of": id}).first()
            return _answer(found) if found else None

        return await self._db.read(work)

    async def list(
        self,
        *,
        type: str | None = None,
        state: InboxState | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> Sequence[InboxRow]:
        """Events, last received first; `since` counts from when they were received."""
        query = select(INBOX).order_by(INBOX.c.received_at.desc(), INBOX.c.id).limit(limit)
        if type is not None:
            query = query.where(INBOX.c.type == type)
        if state is not None:
            query = query.where(INBOX.c.state == state)
        if since is not None:
            query = query.where(INBOX.c.received_at >= since)
        return await self._db.read(lambda connection: [_answer(found) for found in connection.execute(query)])

    async def replay(self, ids: Sequence[str]) -> int:
        """Put rows back to `received`, due at once with all their attempts; returns how many."""
        wanted = sorted(set(ids))
        return await self._db.write(lambda connection: _replay(connection, wanted, self._db.now()))


def _put(connection: Connection, row: InboxRow) -> bool:
    if connection.execute(_KEPT, {"from": row.source, "event": row.event_id}).first():
        return False
    applied_at = row.received_at if row.state == "applied" else None
    values = {name: value for name, value in dict(row).items() if name != "schema_version"}
    connection.execute(_INSERT, {**values, "applied_at": applied_at})
    return True


def _mark(connection: Connection, change: dict[str, Any], retry_in: timedelta | None, now: datetime) -> None:
    values = {**change, "next_at": None if retry_in is None else now + retry_in}
    if change["state"] == "applied":
        values["applied_at"] = now
    if connection.execute(_MARK, values).rowcount:
        return
    if connection.execute(_BY_ID, {"of": change["of"]}).first() is None:
        raise StaleReference(
            f"event {change['of']} is not in the inbox, as after a restored backup; ask its source again"
        )


def _replay(connection: Connection, ids: Sequence[str], now: datetime) -> int:
    back = {"state": "received", "next_at": now, "attempts": 0, "note": "replayed"}
    count = 0
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        count += connection.execute(update(INBOX).where(INBOX.c.id.in_(batch)).values(back)).rowcount
    return count


def _answer(found: Row[Any]) -> InboxRow:
    return InboxRow.model_validate(found._asdict())
